"""Reading ahead: the model's state at the start of every piece of a group, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import torch

from rnnviz.engine.capture.plan import Group, Piece
from rnnviz.engine.models.layer_weights import State
from rnnviz.engine.models.parallel_readers import Reader, Readers
from rnnviz.engine.text.segments import Source

WINDOW: Final = 4096
"""Symbols in a window: what comes of them stays in a processor's cache."""


class ReadAhead:
    """Reads the segments of a group side by side, up to their last pieces."""

    def __init__(self, readers: Readers, source: Source, group: Group, piece: int) -> None:
        self._readers = readers
        self._source = source
        self._piece = piece
        cuts = {found.segment: found.offset // piece for found in group.pieces()}
        # Segments with the most pieces come first, so that those still being read are always in front.
        self._cuts = sorted(((cut, segment) for segment, cut in cuts.items() if cut), key=lambda it: -it[0])
        self._states: dict[tuple[int, int], State] = {}
        """By segment and offset of the piece, each part [layers, 1, hidden]."""

    @property
    def symbols(self) -> int:
        """How many there are to read."""
        return sum(cut for cut, _ in self._cuts) * self._piece

    def read(self) -> Iterator[int]:
        """Do it, yielding numbers of symbols as they are done with."""
        readers = self._readers.among(len(self._cuts))
        shares = [
            self._read(reader, self._cuts[first :: len(readers)]) for first, reader in enumerate(readers)
        ]
        yield from self._readers.together(shares)

    def _read(self, reader: Reader, cuts: Sequence[tuple[int, int]]) -> Iterator[int]:
        """Read segments, given with their numbers of cuts, the most first."""
        state = self._readers.model.zero_state(len(cuts))
        for cut in range(max((cut for cut, _ in cuts), default=0)):
            active = [segment for cuts_of, segment in cuts if cuts_of > cut]
            state = tuple(part[:, : len(active)].contiguous() for part in state)
            start, stop = cut * self._piece, (cut + 1) * self._piece
            data = [self._source.symbols(segment, start, stop) for segment in active]
            symbols = torch.from_numpy(np.stack(data, axis=1)).to(self._readers.device)
            for window in torch.split(symbols, max(1, WINDOW // len(active))):
                state = reader.state_after(window, state)
                yield window.numel()
            for column, segment in enumerate(active):
                self._states[segment, stop] = tuple(part[:, column : column + 1] for part in state)

    def keep(self, piece: Piece, state: State) -> None:
        """Remember the state after a piece."""
        self._states[piece.segment, piece.offset + piece.length] = state

    def state(self, pieces: Sequence[Piece]) -> State:
        """The state to begin these pieces in, side by side: each part [layers, pieces, hidden]."""
        zero = self._readers.model.zero_state(1)
        starts = [self._states[piece.segment, piece.offset] if piece.offset else zero for piece in pieces]
        return tuple(torch.cat(parts, dim=1) for parts in zip(*starts, strict=True))
