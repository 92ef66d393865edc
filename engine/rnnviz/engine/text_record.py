"""What a run, or a directory of n-gram models, says about its text."""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.engine.fields import Fields


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
