"""Cutting a text into the characters or words that a vocabulary of strings numbers.

Characters are the code points of UTF-8; a byte that is not part of one is a symbol by itself, which no vocabulary
has. Words lie between white space (the six bytes of ASCII); a newline is a symbol of its own where the vocabulary has
one to be read at the end of a line. The first symbol begins where the text does and each one ends where the next
begins: so white space belongs to the word before it, and that at the very beginning to the first word.

Where a symbol begins, cutting may begin too, and cuts the same.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterator
from itertools import repeat
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.symbols.byte_vocabulary import UNKNOWN
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.store.bounds import LONGEST_TOKEN

PIECE: Final = 1 << 20
"""Bytes that are cut at a time."""

WHITE: Final = b" \t\n\v\f\r"
_NEWLINE: Final = ord("\n")
_ESCAPED: Final = range(0xDC80, 0xDD00)
"""The code points that stand for bytes that are no UTF-8."""

Cut = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Symbols, UNKNOWN for what the vocabulary lacks, and where in the text each begins: int64 [symbol] both."""


class Bytes(Protocol):
    """A text."""

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """The bytes start … stop, uint8 of shape [stop - start]."""
        ...


class Cutter(Protocol):
    """Cuts stretches of a text that begin where a symbol does and end where one does."""

    def cut(self, text: Bytes, start: int, stop: int) -> Iterator[Cut]:
        """The symbols of the bytes start … stop, some at a time, in memory that does not grow with their number."""
        ...


def cutter(vocabulary: TokenVocabulary) -> Cutter:
    return Characters(vocabulary) if vocabulary.unit == "character" else Words(vocabulary)


class Characters:
    """Tokens of more than one character, such as `<unk>`, are found in no text."""

    def __init__(self, vocabulary: TokenVocabulary) -> None:
        unknown = UNKNOWN if vocabulary.unknown is None else vocabulary.unknown
        self._symbols = np.full(0x110000, unknown, np.int32)
        for symbol, token in enumerate(vocabulary.tokens):
            if len(token) == 1:
                self._symbols[ord(token)] = symbol
        if vocabulary.line_end is not None and "\n" not in vocabulary.tokens:
            self._symbols[_NEWLINE] = vocabulary.line_end
        self._symbols[_ESCAPED.start : _ESCAPED.stop] = UNKNOWN

    def cut(self, text: Bytes, start: int, stop: int) -> Iterator[Cut]:
        decoder = getincrementaldecoder("utf-8")("surrogateescape")
        begin = start
        for place in range(start, stop, PIECE):
            end = min(place + PIECE, stop)
            decoded = decoder.decode(text.read(place, end).tobytes(), final=end == stop)
            points = np.frombuffer(decoded.encode("utf-32-le", "surrogatepass"), "<u4")
            sizes = 1 + (points >= 0x80).astype(np.int64) + (points >= 0x800) + (points >= 0x10000)
            sizes[(points >= _ESCAPED.start) & (points < _ESCAPED.stop)] = 1
            ends = begin + np.cumsum(sizes)
            if ends.size:
                begin = int(ends[-1])
                yield self._symbols[points].astype(np.int64), ends - sizes


class Words:
    """Words are compared with the tokens byte by byte: of text that is no UTF-8, only words of ASCII are found."""

    def __init__(self, vocabulary: TokenVocabulary) -> None:
        self._index = {token.encode(): symbol for symbol, token in enumerate(vocabulary.tokens)}
        self._unknown = UNKNOWN if vocabulary.unknown is None else vocabulary.unknown
        self._line_end = vocabulary.line_end
        self._white = np.isin(np.arange(256), list(WHITE))

    def cut(self, text: Bytes, start: int, stop: int) -> Iterator[Cut]:
        first = True
        for symbols, begins in self._cut(text, start, stop):
            if begins.size:
                if first:
                    begins[0] = start
                first = False
                yield symbols, begins

    def _cut(self, text: Bytes, start: int, stop: int) -> Iterator[Cut]:
        begun = b""
        """The last word, cut off by the end of a piece; of one that is longer than any token, as much as shows that."""
        begin = start
        for place in range(start, stop, PIECE):
            piece = text.read(place, min(place + PIECE, stop)).tobytes()
            data = begun + piece
            whole = 1 + max(map(data.rfind, map(bytes, zip(WHITE, strict=True))))
            symbols, begins = self._words(data[:whole])
            begins += place - len(begun)
            if begun and whole:
                begins[0] = begin
            yield symbols, begins
            if whole or not begun:
                begin = place - len(begun) + whole
            begun = data[whole:][: LONGEST_TOKEN + 1]
        if begun:
            yield np.array([self._index.get(begun, self._unknown)], np.int64), np.array([begin], np.int64)

    def _words(self, data: bytes) -> Cut:
        """Of whole words."""
        codes = np.frombuffer(data, np.uint8)
        solid = ~self._white[codes]
        begins = np.flatnonzero(solid & np.append(True, ~solid[:-1])[: solid.size])
        symbols = np.fromiter(
            map(self._index.get, data.split(), repeat(self._unknown)), np.int64, begins.size
        )
        if self._line_end is None:
            return symbols, begins
        newlines = np.flatnonzero(codes == _NEWLINE)
        begins = np.concatenate([begins, newlines])
        order = np.argsort(begins, kind="stable")
        symbols = np.concatenate([symbols, np.full(newlines.size, self._line_end, np.int64)])
        return symbols[order], begins[order]
