"""What a run, or a directory of n-gram models, says about its text."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rnnviz.engine.fields import Fields
from rnnviz.engine.text.text import STANDARD_LIBRARY, Text, is_there, open_text, printable
from rnnviz.store.errors import InvalidRequest, InvalidText, NotFound
from rnnviz.store.portable_path import is_portable, portable_path


@dataclass(frozen=True)
class TextRecord:
    """The text that a model was trained on."""

    name: str
    sha256: str
    length: int
    spec: str | None = None
    """How to open it again, where that means something on another machine too: a relative path as it was given, or a
    `python:` spec."""
    glob: str = "*"
    place: str | None = None
    """The path of the text relative to the directory that keeps this record, see `portable_path`."""

    @classmethod
    def of(cls, text: Text, owner: Path, spec: str | None, glob: str) -> TextRecord:
        """The record that the directory `owner` keeps of a text that `spec` and `glob` named."""
        place = None if text.origin is None else portable_path(text.origin, owner)
        return cls(text.name, text.sha256(), text.length, spec, glob, place)

    @classmethod
    def read(cls, fields: Fields) -> TextRecord:
        """Raises InvalidRun where a field is not what it should be."""
        place = fields.text("place") if fields.has("place") else None
        return cls(
            name=fields.text("name"),
            sha256=fields.text("sha256"),
            length=fields.integer("length", 1, 1 << 62),
            spec=fields.text("spec") if fields.has("spec") else None,
            glob=fields.text("glob"),
            place=place if is_portable(place) else None,
        )

    def open(
        self, owner: Path, spec: str | None, glob: str | None, seed: int, known: Sequence[Path] = ()
    ) -> Text:
        """The text that `spec` names, or, where that is None, this one if it can still be found: at its place relative
        to `owner`, as it was named seen from the working directory, or at one of the paths `known` to this machine.
        Files of a directory are chosen by `glob`, as they were where that is None, and shuffled by `seed`.

        Raises InvalidRequest, in the name of `owner`, where nothing is found, and InvalidText where only a text is
        found whose SHA-256 is another. A `glob` of its own asks for another text, so its hash is not compared.
        """
        if spec is not None:
            return open_text(spec, glob=self.glob if glob is None else glob, seed=seed)
        changed: str | None = None
        for candidate in self.candidates(owner, known):
            try:
                text = open_text(candidate, glob=self.glob if glob is None else glob, seed=seed)
            except (InvalidRequest, InvalidText, NotFound):  # something else lies there now
                continue
            if glob not in (None, self.glob) or text.sha256() == self.sha256:
                return text
            changed = changed or printable(candidate)
        if changed is not None:
            raise InvalidText(
                f"{changed} has changed: its SHA-256 is not that of the text of {owner}",
                f"Put the text back as it was, or give TEXT to read it as it is now: {changed}",
            )
        raise InvalidRequest(
            f"the text of {owner} ({self.name}) is not to be found from here", "Give its path as TEXT."
        )

    def candidates(self, owner: Path, known: Sequence[Path] = ()) -> Iterator[str]:
        """What may name this text now, the most trusted first."""
        if self.spec == STANDARD_LIBRARY:
            yield self.spec
            return
        places = [Path(os.path.normpath(owner.resolve() / self.place))] if self.place else []
        places += [Path(self.spec)] if self.spec else []
        for place in dict.fromkeys((*places, *known)):
            if is_there(place):
                yield str(place)
