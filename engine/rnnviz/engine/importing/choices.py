"""What whoever imports may decide about a state dict, where shapes and names do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rnnviz.engine.models.kinds.registry import Kind

ONE_HOT: Final = "none"
"""The `embedding` that is none."""


@dataclass(frozen=True)
class Choices:
    """What whoever imports has decided; None and empty leave it to shapes and names."""

    entry: str | None = None
    """The name of the dictionary of tensors in the file, as `state_dict`."""
    rnn: str | None = None
    """The prefix of the recurrent layers' names, as `decoder.rnn`."""
    kind: Kind | None = None
    embedding: str | None = None
    """The name of a tensor, or ONE_HOT."""
    projection: str | None = None
    decoder: str | None = None
    tied: bool | None = None
    ignore: tuple[str, ...] = ()
    """Patterns of names, as for files."""
