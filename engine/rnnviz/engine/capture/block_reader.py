"""A model reads one block of a text and leaves every signal where the store takes it from.

The pieces of a block are read side by side, shared among the readers; a reader has the longest first, so that
those still being read are always the leading ones of its batch. Windows of a few thousand symbols stay in cache;
from each the values go as float16 to their place in the block's arrays, which are allocated once. The store turns
them to [unit, time].
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnnviz.engine.capture.placement_kernel import place
from rnnviz.engine.capture.plan import MOST_TOGETHER, Block, Piece
from rnnviz.engine.capture.read_ahead import ReadAhead
from rnnviz.engine.models.layer_weights import State
from rnnviz.engine.models.parallel_readers import Reader, Readers
from rnnviz.engine.symbols.byte_vocabulary import UNKNOWN
from rnnviz.engine.text.segments import Source
from rnnviz.store.schema import CaptureSchema

WINDOW_VALUES: Final = 1 << 20
"""Values of all signals in a window: what a processor's cache holds as float32."""
SHORTEST_WINDOW: Final = 16
LONGEST_WINDOW: Final = 1000
"""Bounds on the steps of a window, whatever the batch."""
WINDOW_LOGITS: Final = 4 << 20
"""Predictions of a window, at most, where a single step has no more: with 50,000 words each reader would otherwise
take hundreds of megabytes. Of bytes no window has as many."""

Place = tuple[Piece, int]
"""A piece and where in the block it lies."""


class BlockReader:
    """Reads the blocks of a plan, one after the other, into the same memory."""

    def __init__(self, readers: Readers, source: Source, schema: CaptureSchema, longest: int) -> None:
        """`longest` is the length of the longest block."""
        self._readers = readers
        self._source = source
        self._schema = schema.models[0]
        self._arrays = schema.time_arrays(self._schema)
        rows = len(self._schema.signals) * self._schema.hidden
        self._layers = np.empty((self._schema.layers, longest, rows), np.float16)
        """By layer and symbol: signal by signal, unit by unit."""
        self._next = np.empty((longest if self._schema.next else 0, self._schema.vocabulary_size), np.float16)
        self._surprisal = np.empty(longest if self._schema.surprisal else 0, np.float32)
        self.after: State = ()
        """The state after the piece that was read last, each part [layers, 1, hidden]; of one that was read alone."""
        self._window = max(1, WINDOW_VALUES // (rows * self._schema.layers))

    def read(self, block: Block, ahead: ReadAhead) -> Iterator[int]:
        """Read a block, whose pieces' states `ahead` knows, yielding numbers of symbols as they are done with."""
        starts = np.cumsum([0] + [piece.length for piece in block.pieces]).tolist()
        by_length = sorted(zip(block.pieces, starts[:-1], strict=True), key=lambda place: -place[0].length)
        for first in range(0, len(by_length), MOST_TOGETHER):
            places = by_length[first : first + MOST_TOGETHER]
            readers = self._readers.among(len(places))
            shares = [places[index :: len(readers)] for index in range(len(readers))]
            yield from self._readers.together(
                [self._read(*pair, ahead) for pair in zip(readers, shares, strict=True)]
            )

    def values(self, start: int, stop: int) -> dict[str, NDArray[Any]]:
        """Of the symbols start…stop of the block that was read last, by array path; overwritten by the next."""
        model, H = self._schema, self._schema.hidden
        found: dict[str, NDArray[Any]] = {
            model.signal_path(layer, name): self._layers[layer, start:stop, index * H : (index + 1) * H].T
            for layer in range(model.layers)
            for index, name in enumerate(model.signals)
        }
        if model.next:
            found[model.next_path] = self._next[start:stop]
        if model.surprisal:
            found[model.surprisal_path] = self._surprisal[start:stop]
        return found

    def _read(self, reader: Reader, places: Sequence[Place], ahead: ReadAhead) -> Iterator[int]:
        """Read pieces side by side, the longest first, each to its place."""
        pieces = [piece for piece, _ in places]
        data = [self._pairs(piece) for piece in pieces]
        state = ahead.state(pieces)
        step, longest = 0, pieces[0].length
        while step < longest:
            active = sum(piece.length > step for piece in pieces)
            window = min(max(self._window // active, SHORTEST_WINDOW), LONGEST_WINDOW, longest - step)
            window = min(window, max(1, WINDOW_LOGITS // (active * self._schema.vocabulary_size)))
            lengths = [min(window, piece.length - step) for piece in pieces[:active]]
            read = np.zeros((2, window, active), np.int64)
            for column, length in enumerate(lengths):
                read[:, :length, column] = data[column][:, step : step + length]
            symbols, targets = torch.from_numpy(read).to(self._readers.device)
            state = tuple(part[:, :active].contiguous() for part in state)
            signals, state = reader.layers(symbols, state)
            begins = [start + step for _, start in places[:active]]
            into = [slice(at, at + length) for at, length in zip(begins, lengths, strict=True)]
            for layer, tensors in enumerate(signals):
                place([tensors[name] for name in self._schema.signals], into, self._layers[layer])
            if self._schema.surprisal:
                self._keep_predictions(signals[-1]["h"], targets, into)
            step += window
            yield sum(lengths)
        self.after = state

    def _pairs(self, piece: Piece) -> NDArray[np.int64]:
        """What is read and what comes after it: int64 [2, length]."""
        stretch = piece.segment, piece.offset, piece.offset + piece.length
        return np.stack([self._source.symbols(*stretch), self._source.targets(*stretch)])

    @torch.inference_mode()
    def _keep_predictions(self, h: Tensor, targets: Tensor, places: list[slice]) -> None:
        log_p = torch.log_softmax(self._readers.model.decoder(h), dim=-1)
        surprisal = -log_p.gather(-1, targets.clamp(min=0)[..., None])[..., 0]
        surprisal.masked_fill_(targets == UNKNOWN, torch.nan)
        pairs: list[tuple[NDArray[Any], Tensor]] = [(self._surprisal, surprisal)]
        if self._schema.next:
            pairs.append((self._next, log_p.half()))
        for values, tensor in pairs:
            window = tensor.cpu().numpy()
            for column, at in enumerate(places):
                values[at] = window[: at.stop - at.start, column]
