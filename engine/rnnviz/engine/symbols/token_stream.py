"""The segments of a text that is cut into characters or words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.engine.symbols.tokenized_text import TokenText
from rnnviz.engine.text.segments import Segments, Source
from rnnviz.engine.text.text import PIECE
from rnnviz.store.schema import SymbolUnit

ENDS: Final = 1 << 16
"""Symbols whose ends are found at a time."""


def substitute_of(vocabulary: TokenVocabulary) -> int:
    """What is outside the vocabulary is read as its symbol for that, where it has one; else as a space, or as its
    first symbol."""
    if vocabulary.unknown is not None:
        return vocabulary.unknown
    return vocabulary.tokens.index(" ") if " " in vocabulary.tokens else 0


class TokenSource(Source):
    """Of a text that a vocabulary cuts."""

    def __init__(self, tokens: TokenText, segments: Segments) -> None:
        super().__init__(segments, substitute_of(tokens.vocabulary))
        self._tokens = tokens

    @property
    def unit(self) -> SymbolUnit:
        return self._tokens.vocabulary.unit

    @property
    def read_as(self) -> int:
        return self.substitute

    def count_unknown(self) -> int:
        return super().count_unknown() if self._tokens.unknown else 0

    def table(self) -> NDArray[np.int64]:
        table = self.segments.table.copy()
        table[:, 2] = [begin for begin, _ in self._stretches()]
        return table

    def text(self) -> Iterator[NDArray[np.uint8]]:
        for begin, end in self._stretches():
            for offset in range(begin, end, PIECE):
                yield self._tokens.text.read(offset, min(offset + PIECE, end))

    def ends(self) -> Iterator[NDArray[np.int64]]:
        passed = 0
        for (begin, end), (_, length, source) in zip(
            self._stretches(), self.segments.table.tolist(), strict=True
        ):
            for start in range(source, source + length, ENDS):
                stop = min(start + ENDS, source + length)
                yield self._tokens.begins(start + 1, stop + 1) + (passed - begin)
            passed += end - begin

    def _stretches(self) -> Iterator[tuple[int, int]]:
        """The bytes of the text that each segment covers."""
        for _, length, source in self.segments.table.tolist():
            (begin,) = self._tokens.begins(source, source + 1).tolist()
            (end,) = self._tokens.begins(source + length, source + length + 1).tolist()
            yield begin, end

    def _read(self, start: int, stop: int) -> NDArray[np.int64]:
        return self._tokens.read(start, stop)

    def _symbol_after(self, after: int) -> int:
        return after
