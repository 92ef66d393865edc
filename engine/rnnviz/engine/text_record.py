"""What a run, or a directory of n-gram models, says about its text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rnnviz.engine.fields import Fields
from rnnviz.engine.text import STANDARD_LIBRARY, Text, is_there, open_text
from rnnviz.store.errors import InvalidRequest


@dataclass(frozen=True)
class TextRecord:
    """The text that a model was trained on."""

    name: str
    sha256: str
    length: int
    spec: str | None = None
    """How to open it again, where that means something on another machine too: a relative path or a
    `python:` spec."""
    glob: str = "*"

    @classmethod
    def read(cls, fields: Fields) -> TextRecord:
        """Raises InvalidRun where a field is not what it should be."""
        return cls(
            name=fields.text("name"),
            sha256=fields.text("sha256"),
            length=fields.integer("length", 1, 1 << 62),
            spec=fields.text("spec") if fields.has("spec") else None,
            glob=fields.text("glob"),
        )

    def open(self, owner: Path, spec: str | None, glob: str | None, seed: int) -> Text:
        """The text that `spec` names, or, where that is None, this one if it can still be found. Files of a directory
        are chosen by `glob`, as they were where that is None, and shuffled by `seed`.

        Raises InvalidRequest, in the name of `owner`, where it cannot be found.
        """
        if spec is None:
            spec = self.spec
            if spec is None or not (spec == STANDARD_LIBRARY or is_there(Path(spec))):
                raise InvalidRequest(
                    f"the text of {owner} ({self.name}) is not to be found from here", "Give it as TEXT."
                )
        return open_text(spec, glob=self.glob if glob is None else glob, seed=seed)
