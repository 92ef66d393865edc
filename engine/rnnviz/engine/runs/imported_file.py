"""What a run says about the file that its model was imported from."""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.engine.fields import Fields


@dataclass(frozen=True)
class ImportedFile:
    """A checkpoint of another program."""

    name: str
    """Of the file, without its folder."""
    sha256: str
    format: str
    """In words: `PyTorch state_dict`."""

    @classmethod
    def read(cls, fields: Fields) -> ImportedFile:
        """Raises InvalidRun where a field is not what it should be."""
        return cls(fields.text("name"), fields.text("sha256"), fields.text("format"))
