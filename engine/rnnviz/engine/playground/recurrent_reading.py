"""A recurrent model reads a text that is being typed.

Every signal of every symbol is kept. The state after any symbol is h and c at that symbol, which are kept as float32,
so the model can go on from wherever a text was changed. Distributions are not kept, for those of a vocabulary of words
would be larger than all signals: what is expected after a symbol is one product with h there, made when it is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnnviz.engine.models.layer_weights import State
from rnnviz.engine.models.recurrent import RecurrentModel
from rnnviz.engine.models.step_reader import Steps
from rnnviz.engine.playground.reading import of_what_came
from rnnviz.engine.runs.run import load_run
from rnnviz.engine.symbols.byte_vocabulary import UNKNOWN, Vocabulary
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.engine.symbols.typed_symbols import Bytes, Codes, common_length, typed_symbols
from rnnviz.store.errors import InvalidRequest, InvalidRun

WINDOW: Final = 64
"""Symbols read between two looks at whether the text has changed again: 10 ms at 3×241 on one core…"""
WINDOW_PRODUCTS: Final = 250_000_000
"""…and fewer of a model that multiplies so much for them: 18 at 3×241 over 50,000 words, 25 ms."""
MOST_SYMBOLS: Final = 1 << 16
MOST_BYTES: Final = 512 << 20
"""Bounds on the text of a reading: it ends where either is reached. At 3×241, 12 KB a symbol, the second comes first,
at 46,000 symbols. Memory is taken as the text grows."""


class LiveRecurrent:
    """A recurrent model over bytes, characters or words, and every signal of what it has read."""

    def __init__(self, model: RecurrentModel, vocabulary: Vocabulary | TokenVocabulary) -> None:
        self.model = model
        self.typed = typed_symbols(vocabulary)
        self.signals = model.layer_kind.signal_names
        self.length = 0
        self._steps = Steps(model)
        self._state_signals = model.layer_kind.state
        dtypes = {name: np.float32 if name in self._state_signals else np.float16 for name in self.signals}
        cells = model.layers * model.hidden
        each = sum(cells * np.dtype(dtype).itemsize for dtype in dtypes.values())
        self.longest = max(1, min(MOST_SYMBOLS, MOST_BYTES // each))
        products = 2 * model.layer_kind.gates * cells * model.hidden + model.symbols * model.hidden
        self.window = max(1, min(WINDOW, WINDOW_PRODUCTS // products))
        shape = (self.longest, model.layers, model.hidden)
        self._values: dict[str, NDArray[Any]] = {
            name: np.empty(shape, dtype) for name, dtype in dtypes.items()
        }
        self._surprisal = np.full(self.longest, np.nan, np.float32)
        """Of each symbol itself, given those before it."""
        self._codes: Codes = np.empty(0, np.int64)

    @torch.inference_mode()
    def follow(self, text: Bytes, *, unfinished: bool = False) -> Iterator[int]:
        self.typed.become(text, unfinished=unfinished)
        symbols = self.typed.readable[: self.longest]
        codes = self.typed.codes[: len(symbols)]
        self.length = min(self.length, common_length(self._codes, codes))
        self._codes = codes
        state = self._state()
        while self.length < len(symbols):
            start, stop = self.length, min(self.length + self.window, len(symbols))
            layers, state = self._steps.layers(torch.from_numpy(symbols[start:stop])[:, None], state)
            for layer, signals in enumerate(layers):
                for name, kept in self._values.items():
                    kept[start:stop, layer] = signals[name][:, 0].numpy()
            self._be_surprised(max(1, start), stop)
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
        row: NDArray[np.float32] = self._log_p(length - 1, length)[0].numpy()
        return row

    def surprisal(self, start: int, stop: int) -> NDArray[np.float32]:
        return of_what_came(self._surprisal, start, stop, self.length)

    def _be_surprised(self, start: int, stop: int) -> None:
        """By the symbols start…stop, of which the first has one before it, as all those have that were read by now."""
        if start < stop:
            codes = torch.from_numpy(self._codes[start:stop])
            known = self._log_p(start - 1, stop - 1).gather(1, codes.clamp(min=0)[:, None])[:, 0]
            self._surprisal[start:stop] = torch.where(codes == UNKNOWN, torch.nan, -known).numpy()

    @torch.inference_mode()
    def _log_p(self, start: int, stop: int) -> Tensor:
        """Natural log p of every symbol after each of the symbols start…stop: [stop - start, K]."""
        h = torch.from_numpy(self._values["h"][start:stop, -1])
        return torch.log_softmax(self.model.decoder(h), dim=-1)

    def _state(self) -> State:
        """After the last symbol that was read: each part [layers, 1, hidden]."""
        if not self.length:
            return self.model.zero_state(1)
        last = (self._values[name][self.length - 1] for name in self._state_signals)
        return tuple(torch.from_numpy(part.copy())[:, None] for part in last)


def open_recurrent(path: Path) -> LiveRecurrent:
    """The best weights of the run at `path`, ready to read, on the CPU.

    Raises what `load_run` and `Run.model` raise.
    """
    run = load_run(path)
    model = run.model(torch.device("cpu"))
    if not all(bool(torch.isfinite(parameter).all()) for parameter in model.parameters()):
        raise InvalidRun(f"{path} has weights that are no numbers", "Train it again, with a lower rate.")
    # A step is a few matrix-vector products: threads would only wait for each other.
    torch.set_num_threads(1)
    return LiveRecurrent(model, run.vocabulary)
