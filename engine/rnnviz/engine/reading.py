"""A model reads one block of a text and leaves every signal where the store takes it from.

The segments of a block are read side by side, the longest first, so that those still being read are always
the leading ones of the batch. Windows of a few thousand symbols stay in cache; from each the values go as
float16, transposed to [unit, time], to their place in the block's arrays, which are allocated once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnnviz.engine.blocks import Block, Piece, Segments
from rnnviz.engine.model import RecurrentModel, State
from rnnviz.engine.text import Text
from rnnviz.engine.vocabulary import UNKNOWN, Vocabulary
from rnnviz.store.schema import CaptureSchema

WINDOW_VALUES: Final = 2 << 20
"""Values of all signals in a window: what a processor's cache holds as float32."""
SHORTEST_WINDOW: Final = 16
LONGEST_WINDOW: Final = 1000
"""Bounds on the steps of a window, whatever the batch."""
MOST_TOGETHER: Final = 256
"""Segments read side by side at most."""


class BlockReader:
    """Reads the blocks of a text, one after the other, into the same memory."""

    def __init__(
        self,
        model: RecurrentModel,
        vocabulary: Vocabulary,
        text: Text,
        segments: Segments,
        schema: CaptureSchema,
        longest: int,
        read_as: int,
    ) -> None:
        """`longest` is the length of the longest block; a byte outside the vocabulary is read as the byte
        `read_as`, which is in it."""
        self._model = model
        self._vocabulary = vocabulary
        self._text = text
        self._segments = segments
        self._schema = schema.models[0]
        self._arrays = schema.time_arrays(self._schema)
        self._memory = {array.path: np.empty(prod(array.cut(longest)), array.dtype) for array in self._arrays}
        self._read_as = vocabulary.symbols.index(read_as)
        self.device = model.decoder.weight.device
        per_symbol = model.layers * model.hidden * len(self._schema.signals)
        self._window = max(1, WINDOW_VALUES // per_symbol)
        self.values: dict[str, NDArray[Any]] = {}
        """By array path, of the block that was read last; overwritten by the next."""
        self.state: State = model.zero_state(1)
        """In which that block ended: the one to begin a block in that is `carried`."""

    def read(self, block: Block) -> Iterator[int]:
        """Read a block, yielding numbers of symbols as they are done with."""
        for array in self._arrays:
            shape = array.cut(block.length)
            self.values[array.path] = self._memory[array.path][: prod(shape)].reshape(shape)
        starts = np.cumsum([0] + [piece.length for piece in block.pieces]).tolist()
        by_length = sorted(zip(block.pieces, starts[:-1], strict=True), key=lambda place: -place[0].length)
        for first in range(0, len(by_length), MOST_TOGETHER):
            pieces, places = zip(*by_length[first : first + MOST_TOGETHER], strict=True)
            if not block.carried:
                self.state = self._model.zero_state(len(pieces))
            yield from self._read_together(pieces, places)

    def cut(self, stretch: slice) -> dict[str, NDArray[Any]]:
        """The values of a stretch of the block, by array path, without copying."""
        return {
            array.path: self.values[array.path][array.stretch(stretch.start, stretch.stop)]
            for array in self._arrays
        }

    def _read_together(self, pieces: Sequence[Piece], starts: Sequence[int]) -> Iterator[int]:
        """Read pieces side by side, the longest first, and put their values at `starts` of the block."""
        data = [self._symbols(piece) for piece in pieces]
        step, longest = 0, pieces[0].length
        while step < longest:
            active = sum(piece.length > step for piece in pieces)
            window = min(max(self._window // active, SHORTEST_WINDOW), LONGEST_WINDOW, longest - step)
            lengths = [min(window, piece.length - step) for piece in pieces[:active]]
            read = np.zeros((2, window, active), np.int64)
            for column, length in enumerate(lengths):
                read[:, :length, column] = data[column][:, step : step + length]
            symbols, targets = torch.from_numpy(read).to(self.device)
            state = tuple(part[:, :active].contiguous() for part in self.state)
            signals, logits, self.state = self._model.signals(symbols, state)
            places = [
                slice(start + step, start + step + length)
                for start, length in zip(starts, lengths, strict=False)
            ]
            self._keep_signals(signals, places)
            self._keep_predictions(logits, targets, places)
            step += window
            yield sum(lengths)

    def _symbols(self, piece: Piece) -> NDArray[np.int64]:
        """int64 [2, length]: what is read, and what comes after each, UNKNOWN where that is no known symbol."""
        _, length, source = self._segments.table[piece.segment].tolist()
        start, stop = source + piece.offset, source + piece.offset + piece.length
        ends = piece.offset + piece.length == length
        data = self._vocabulary.encode(self._text.read(start, stop if ends else stop + 1))
        after = int(self._segments.after[piece.segment])
        if ends:
            last = UNKNOWN if after < 0 else self._vocabulary.encode(np.array(after))
            data = np.append(data, last)
        symbols = np.where(data[:-1] == UNKNOWN, self._read_as, data[:-1])
        return np.stack([symbols, data[1:]])

    def _keep_signals(self, signals: list[dict[str, Tensor]], places: list[slice]) -> None:
        for layer, tensors in enumerate(signals):
            for name in self._schema.signals:
                values = self.values[self._schema.signal_path(layer, name)]
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
            values, window = self.values[path], tensor.cpu().numpy()
            for column, place in enumerate(places):
                values[place] = window[: place.stop - place.start, column]
