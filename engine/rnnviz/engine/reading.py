"""A model reads one block of a text and leaves every signal where the store takes it from.

The pieces of a block are read side by side, the longest first, so that those still being read are always the
leading ones of the batch. Windows of a few thousand symbols stay in cache; from each the values go as float16,
transposed to [unit, time], to their place in the block's arrays, which are allocated once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnnviz.engine.ahead import ReadAhead
from rnnviz.engine.blocks import MOST_TOGETHER, Block, Piece
from rnnviz.engine.model import RecurrentModel, State
from rnnviz.engine.segments import Source
from rnnviz.engine.vocabulary import UNKNOWN
from rnnviz.store.schema import CaptureSchema

WINDOW_VALUES: Final = 2 << 20
"""Values of all signals in a window: what a processor's cache holds as float32."""
SHORTEST_WINDOW: Final = 16
LONGEST_WINDOW: Final = 1000
"""Bounds on the steps of a window, whatever the batch."""


class BlockReader:
    """Reads the blocks of a plan, one after the other, into the same memory."""

    def __init__(self, model: RecurrentModel, source: Source, schema: CaptureSchema, longest: int) -> None:
        """`longest` is the length of the longest block."""
        self._model = model
        self._source = source
        self._schema = schema.models[0]
        self._arrays = schema.time_arrays(self._schema)
        self._memory = {array.path: np.empty(prod(array.cut(longest)), array.dtype) for array in self._arrays}
        self._device = model.decoder.weight.device
        self._window = max(1, WINDOW_VALUES // (model.layers * model.hidden * len(self._schema.signals)))
        self._values: dict[str, NDArray[Any]] = {}

    def read(self, block: Block, ahead: ReadAhead) -> Iterator[int]:
        """Read a block, whose pieces' states `ahead` knows, yielding numbers of symbols as they are done with."""
        for array in self._arrays:
            shape = array.cut(block.length)
            self._values[array.path] = self._memory[array.path][: prod(shape)].reshape(shape)
        starts = np.cumsum([0] + [piece.length for piece in block.pieces]).tolist()
        by_length = sorted(zip(block.pieces, starts[:-1], strict=True), key=lambda place: -place[0].length)
        for first in range(0, len(by_length), MOST_TOGETHER):
            pieces, places = zip(*by_length[first : first + MOST_TOGETHER], strict=True)
            yield from self._read_together(pieces, places, ahead.state(pieces))

    def values(self, start: int, stop: int) -> dict[str, NDArray[Any]]:
        """Of the symbols start…stop of the block that was read last, by array path; overwritten by the next."""
        return {array.path: self._values[array.path][array.stretch(start, stop)] for array in self._arrays}

    def _read_together(self, pieces: Sequence[Piece], starts: Sequence[int], state: State) -> Iterator[int]:
        """Read pieces side by side, the longest first, and put their values at `starts` of the block."""
        data = [self._pairs(piece) for piece in pieces]
        step, longest = 0, pieces[0].length
        while step < longest:
            active = sum(piece.length > step for piece in pieces)
            window = min(max(self._window // active, SHORTEST_WINDOW), LONGEST_WINDOW, longest - step)
            lengths = [min(window, piece.length - step) for piece in pieces[:active]]
            read = np.zeros((2, window, active), np.int64)
            for column, length in enumerate(lengths):
                read[:, :length, column] = data[column][:, step : step + length]
            symbols, targets = torch.from_numpy(read).to(self._device)
            state = tuple(part[:, :active].contiguous() for part in state)
            signals, logits, state = self._model.signals(symbols, state)
            begins = [start + step for start in starts[:active]]
            places = [slice(at, at + length) for at, length in zip(begins, lengths, strict=True)]
            self._keep_signals(signals, places)
            self._keep_predictions(logits, targets, places)
            step += window
            yield sum(lengths)

    def _pairs(self, piece: Piece) -> NDArray[np.int64]:
        """What is read and what comes after it: int64 [2, length]."""
        stretch = piece.segment, piece.offset, piece.offset + piece.length
        return np.stack([self._source.symbols(*stretch), self._source.targets(*stretch)])

    def _keep_signals(self, signals: list[dict[str, Tensor]], places: list[slice]) -> None:
        for layer, tensors in enumerate(signals):
            for name in self._schema.signals:
                values = self._values[self._schema.signal_path(layer, name)]
                window = tensors[name].half().cpu().numpy()
                for column, place in enumerate(places):
                    values[:, place] = window[: place.stop - place.start, column].T

    @torch.inference_mode()
    def _keep_predictions(self, logits: Tensor, targets: Tensor, places: list[slice]) -> None:
        log_p = torch.log_softmax(logits, dim=-1)
        surprisal = -log_p.gather(-1, targets.clamp(min=0)[..., None])[..., 0]
        surprisal.masked_fill_(targets == UNKNOWN, torch.nan)
        for path, tensor in (
            (self._schema.next_path, log_p.half()),
            (self._schema.surprisal_path, surprisal),
        ):
            values, window = self._values[path], tensor.cpu().numpy()
            for column, place in enumerate(places):
                values[place] = window[: place.stop - place.start, column]
