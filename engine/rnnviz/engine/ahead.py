"""Reading ahead: the model's state at the start of every piece of a group, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import torch

from rnnviz.engine.blocks import Group, Piece
from rnnviz.engine.model import RecurrentModel, State
from rnnviz.engine.segments import Source

WINDOW: Final = 8192
"""Symbols in a window: what comes of them stays in a processor's cache."""


class ReadAhead:
    """Reads the segments of a group side by side, up to their last pieces."""

    def __init__(self, model: RecurrentModel, source: Source, group: Group, piece: int) -> None:
        self._model = model
        self._source = source
        self._piece = piece
        cuts = {found.segment: found.offset // piece for found in group.pieces()}
        # Segments with the most pieces come first, so that those still being read are always in front.
        self._cuts = sorted(((cut, segment) for segment, cut in cuts.items() if cut), key=lambda it: -it[0])
        self._column = {segment: column for column, (_, segment) in enumerate(self._cuts)}
        self._states: list[State] = []

    @property
    def symbols(self) -> int:
        """How many there are to read."""
        return sum(cut for cut, _ in self._cuts) * self._piece

    @torch.inference_mode()
    def read(self) -> Iterator[int]:
        """Do it, yielding numbers of symbols as they are done with."""
        state = self._model.zero_state(len(self._cuts))
        device = state[0].device
        for cut in range(max((cut for cut, _ in self._cuts), default=0)):
            active = [segment for cuts, segment in self._cuts if cuts > cut]
            state = tuple(part[:, : len(active)].contiguous() for part in state)
            start = cut * self._piece
            data = [self._source.symbols(segment, start, start + self._piece) for segment in active]
            symbols = torch.from_numpy(np.stack(data, axis=1)).to(device)
            for window in torch.split(symbols, max(1, WINDOW // len(active))):
                _, state = self._model(window, state)
                yield window.numel()
            self._states.append(state)

    def state(self, pieces: Sequence[Piece]) -> State:
        """The state to begin these pieces in, side by side: each part [layers, pieces, hidden]."""
        zero = self._model.zero_state(1)
        starts = [self._start(piece, zero) for piece in pieces]
        return tuple(torch.cat(parts, dim=1) for parts in zip(*starts, strict=True))

    def _start(self, piece: Piece, zero: State) -> State:
        if not piece.offset:
            return zero
        column = self._column[piece.segment]
        return tuple(part[:, column : column + 1] for part in self._states[piece.offset // self._piece - 1])
