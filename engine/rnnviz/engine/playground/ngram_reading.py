"""An n-gram model reads a text that is being typed. All it needs of the text before a change is n symbols."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.ngram.directory import load_ngrams
from rnnviz.engine.ngram.scorers.scorer import NgramModel
from rnnviz.engine.playground.reading import of_what_came
from rnnviz.engine.symbols.typed_symbols import Bytes, TypedBytes, TypedSymbols, common_length
from rnnviz.store.errors import InvalidRequest

WINDOW: Final = 4096
"""Symbols read between two looks at whether the text has changed again: about 2 ms."""
LONGEST: Final = 1 << 16


class LiveNgram:
    """An n-gram model over bytes. What its vocabulary does not have it reads as `<unk>`, as in a capture."""

    longest = LONGEST
    signals: tuple[str, ...] = ()

    def __init__(self, model: NgramModel) -> None:
        self.model = model
        self.typed: TypedSymbols = TypedBytes(model.vocabulary)
        self.length = 0
        self._text = np.empty(0, np.uint8)
        self._surprisal = np.empty(LONGEST, np.float32)
        """Of each symbol itself, given those before it."""

    def follow(self, text: Bytes, *, unfinished: bool = False) -> Iterator[int]:
        self.typed.become(text, unfinished=unfinished)
        text = text[:LONGEST]
        self.length = min(self.length, common_length(self._text, text))
        self._text = text
        reader = self.model.reader()
        reader.surprisal(text[max(0, self.length - self.model.n) : self.length])
        while self.length < len(text):
            stop = min(self.length + WINDOW, len(text))
            self._surprisal[self.length : stop] = reader.surprisal(text[self.length : stop])
            self.length = stop
            yield stop

    def next(self, length: int) -> NDArray[np.float32]:
        return self.model.distribution(self._text[max(0, length - self.model.n) : length].tobytes())

    def surprisal(self, start: int, stop: int) -> NDArray[np.float32]:
        return of_what_came(self._surprisal, start, stop, self.length)

    def values(self, layer: int, signal: str, unit: int, start: int, stop: int) -> NDArray[np.float16]:
        raise InvalidRequest("an n-gram model has no cells", "Look at those of a recurrent model.")


def open_ngram(path: Path, n: int) -> LiveNgram:
    """The model that looks back n symbols, of the directory at `path`. Raises what `load_ngrams` and
    `NgramModels.load` raise, and InvalidRequest where the directory has no such model."""
    models = load_ngrams(path)
    if n not in models.orders:
        raise InvalidRequest(
            f"{path} has no model of n = {n}", f"It has n = {', '.join(map(str, models.orders))}."
        )
    return LiveNgram(models.load(n))
