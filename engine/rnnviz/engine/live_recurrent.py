"""A recurrent model reads a text that is being typed.

Every signal of every symbol is kept. The state after any symbol is h and c at that symbol, which are kept as float32,
so the model can go on from wherever a text was changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from rnnviz.engine.live import Bytes, common_length
from rnnviz.engine.model import STATE_PARTS, RecurrentModel, State
from rnnviz.engine.run import load_run
from rnnviz.engine.vocabulary import UNKNOWN, Vocabulary
from rnnviz.store.errors import InvalidRequest, InvalidRun
from rnnviz.store.signals import SIGNALS_OF_KIND

WINDOW: Final = 64
"""Symbols read between two looks at whether the text has changed again: 10 ms at 3×241 on one core."""
MOST_SYMBOLS: Final = 1 << 16
MOST_BYTES: Final = 512 << 20
"""Bounds on the text of a reading: it ends where either is reached. At 3×241, 12 KB a symbol, the second comes first,
at 42,000 symbols. Memory is taken as the text grows."""


class LiveRecurrent:
    """A recurrent model over bytes, and every signal of what it has read.

    Bytes that it does not know are read as `read_as`, as in a capture: a space, or the first of its vocabulary.
    """

    def __init__(self, model: RecurrentModel, vocabulary: Vocabulary) -> None:
        self.model = model
        self.vocabulary = vocabulary
        self.signals = SIGNALS_OF_KIND[model.kind]
        self.read_as = ord(" ") if b" " in vocabulary.symbols else vocabulary.symbols[0]
        self.length = 0
        self._codes = np.where(
            vocabulary.encode(np.arange(256, dtype=np.uint8)) == UNKNOWN,
            vocabulary.symbols.index(self.read_as),
            vocabulary.encode(np.arange(256, dtype=np.uint8)),
        )
        self._state_signals = ("h", "c")[: STATE_PARTS[model.kind]]
        dtypes = {name: np.float32 if name in self._state_signals else np.float16 for name in self.signals}
        cells = model.layers * model.hidden
        each = sum(cells * np.dtype(dtype).itemsize for dtype in dtypes.values()) + 4 * model.symbols
        self.longest = max(1, min(MOST_SYMBOLS, MOST_BYTES // each))
        shape = (self.longest, model.layers, model.hidden)
        self._values: dict[str, NDArray[Any]] = {
            name: np.empty(shape, dtype) for name, dtype in dtypes.items()
        }
        self._next = np.empty((self.longest, model.symbols), np.float32)
        self._text = np.empty(0, np.uint8)

    @torch.inference_mode()
    def follow(self, text: Bytes) -> Iterator[int]:
        text = text[: self.longest]
        self.length = min(self.length, common_length(self._text, text))
        self._text = text
        state = self._state()
        while self.length < len(text):
            stop = min(self.length + WINDOW, len(text))
            symbols = torch.from_numpy(self._codes[text[self.length : stop]])[:, None]
            layers, logits, state = self.model.signals(symbols, state)
            for layer, signals in enumerate(layers):
                for name, kept in self._values.items():
                    kept[self.length : stop, layer] = signals[name][:, 0].numpy()
            self._next[self.length : stop] = torch.log_softmax(logits[:, 0], dim=-1).numpy()
            self.length = stop
            yield stop

    def values(self, layer: int, signal: str, unit: int, start: int, stop: int) -> NDArray[np.float16]:
        cells = range(self.model.layers), range(self.model.hidden)
        if layer not in cells[0] or unit not in cells[1] or signal not in self.signals:
            raise InvalidRequest(
                f"the model has no signal {signal} of cell {layer}:{unit}",
                f"It has {self.model.layers} layers of {self.model.hidden} cells.",
            )
        values: NDArray[np.float16] = self._values[signal][start:stop, layer, unit].astype(np.float16)
        return values

    def next(self, length: int) -> NDArray[np.float32]:
        row: NDArray[np.float32] = self._next[length - 1]
        return row

    def surprisal(self, start: int, stop: int) -> NDArray[np.float32]:
        codes = self.vocabulary.encode(self._text[start + 1 : min(stop + 1, self.length)])
        found = np.full(stop - start, np.nan, np.float32)
        found[: len(codes)] = -self._next[np.arange(start, start + len(codes)), codes]
        found[: len(codes)][codes == UNKNOWN] = np.nan
        return found

    def _state(self) -> State:
        """After the last symbol that was read: each part [layers, 1, hidden]."""
        if not self.length:
            return self.model.zero_state(1)
        last = (self._values[name][self.length - 1] for name in self._state_signals)
        return tuple(torch.from_numpy(part.copy())[:, None] for part in last)


def open_recurrent(path: Path) -> LiveRecurrent:
    """The best weights of the run at `path`, ready to read, on the CPU.

    Raises what `load_run` and `Run.model` raise, and InvalidRequest for a model of characters or words.
    """
    run = load_run(path)
    vocabulary = run.byte_vocabulary
    model = run.model(torch.device("cpu"))
    if not all(bool(torch.isfinite(parameter).all()) for parameter in model.parameters()):
        raise InvalidRun(f"{path} has weights that are no numbers", "Train it again, with a lower rate.")
    # A step is a few matrix-vector products: threads would only wait for each other.
    torch.set_num_threads(1)
    return LiveRecurrent(model, vocabulary)
