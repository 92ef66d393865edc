"""A text as the characters or words of a vocabulary, cut on demand: memory does not grow with it.

The text is gone through once, and where every few thousandth symbol begins is remembered. What is read later is cut
again from there.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.progress import Progress
from rnnviz.engine.symbols.byte_vocabulary import UNKNOWN, count_newlines
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.engine.symbols.tokenizer import WHITE, Cutter, cutter
from rnnviz.engine.text.text import Part, Text
from rnnviz.store.errors import InvalidText
from rnnviz.store.schema import SymbolUnit

SHOWN: Final = 60
"""Bytes of an unknown word that a message shows."""

BLOCK: Final = 4096
"""Symbols that are cut at a time when some are wanted: about 0.1 ms."""


@dataclass(frozen=True)
class TokenText:
    """Symbols in order. `length` is their number, `parts` are the files of the text that have any, in symbols."""

    text: Text
    vocabulary: TokenVocabulary
    parts: tuple[Part, ...]
    unknown: int
    """How many the vocabulary does not have."""
    _cutter: Cutter
    _symbols: array[int]
    _bytes: array[int]
    """The symbol and the byte that each block begins with, and at last the lengths of both."""

    @property
    def length(self) -> int:
        return self._symbols[-1]

    def read(self, start: int, stop: int) -> NDArray[np.int64]:
        """The symbols start … stop, int64 [stop - start]; UNKNOWN for what the vocabulary does not have."""
        return self._read(start, stop)[0]

    def begins(self, start: int, stop: int) -> NDArray[np.int64]:
        """Where in the text each of the symbols start … stop begins, int64 [stop - start]. The one after the last
        would begin at the text's end, and may be asked for."""
        if stop <= self.length:
            return self._read(start, stop)[1]
        return np.append(self._read(start, self.length)[1], self.text.length)

    def first_unknown(self) -> int | None:
        """The first symbol that the vocabulary does not have."""
        for index in range(len(self._symbols) - 1 if self.unknown else 0):
            start, stop = self._symbols[index : index + 2]
            unknown = np.flatnonzero(self.read(start, stop) == UNKNOWN)
            if unknown.size:
                return start + int(unknown[0])
        return None

    def _read(self, start: int, stop: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        if not 0 <= start <= stop <= self.length:
            raise ValueError(f"symbols {start} to {stop} are not all within a text of {self.length}")
        first = bisect_right(self._symbols, start) - 1
        cuts = [
            cut
            for block in range(first, bisect_left(self._symbols, stop))
            for cut in self._cutter.cut(self.text, self._bytes[block], self._bytes[block + 1])
        ]
        if not cuts:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        wanted = slice(start - self._symbols[first], stop - self._symbols[first])
        symbols, begins = (np.concatenate(parts) for parts in zip(*cuts, strict=True))
        return symbols[wanted], begins[wanted]


def token_text(text: Text, vocabulary: TokenVocabulary) -> Generator[Progress, None, TokenText]:
    """Go through a text, so that its symbols can be read. Each of its files is cut by itself.

    Raises InvalidText where it holds none: nothing but white space for words.
    """
    cuts = cutter(vocabulary)
    parts: list[Part] = []
    symbols, places = array("q"), array("q")
    count = unknown = 0
    for part in text.parts:
        before = count
        for found, begins in cuts.cut(text, part.start, part.start + part.length):
            blocks = np.arange(-(count - before) % BLOCK, found.size, BLOCK)
            symbols.extend((count + blocks).tolist())
            places.extend(begins[blocks].tolist())
            count += found.size
            unknown += int(np.count_nonzero(found == UNKNOWN))
            share = int(begins[-1]) / text.length
            yield Progress(0, text.length, f"cutting the text into {vocabulary.unit}s, {share:.0%}")
        if count > before:
            parts.append(Part(part.name, before, count - before))
    if not count:
        raise InvalidText(f"{text.name} holds nothing but white space", "Give a text with words.")
    places[0] = 0
    symbols.append(count)
    places.append(text.length)
    return TokenText(text, vocabulary, tuple(parts), unknown, cuts, symbols, places)


def refuse_unknown_tokens(tokens: TokenText, hint: str) -> None:
    """Raise InvalidText if the text has a symbol that the vocabulary does not have, naming the first one."""
    symbol = tokens.first_unknown()
    if symbol is None:
        return
    text = tokens.text
    begin, end = tokens.begins(symbol, symbol + 2).tolist()
    data = text.read(begin, min(end, begin + SHOWN)).tobytes()
    if tokens.vocabulary.unit == "word":
        # White space before the first word of a file belongs to it.
        begin += len(data) - len(data.lstrip(WHITE))
    name = name_symbol(tokens.vocabulary.unit, data)
    part = text.part_at(begin)
    others = (
        f", the first of {tokens.unknown:,} places with an unseen {tokens.vocabulary.unit}"
        if tokens.unknown > 1
        else ""
    )
    raise InvalidText(
        f"the model has never seen {name}, which is at offset {begin:,}, in line "
        f"{1 + count_newlines(text, part.start, begin):,} of {part.name}{others}",
        hint,
    )


def name_symbol(unit: SymbolUnit, data: bytes) -> str:
    """What a message calls the symbol that these bytes are."""
    return f"the word {_quoted(data.strip(WHITE))}" if unit == "word" else _character(data)


def _quoted(data: bytes) -> str:
    """Bytes in quotation marks, those that are no printable text escaped."""
    decoded = data.decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in f"'{decoded}'")


def _character(data: bytes) -> str:
    try:
        character = data.decode()
    except UnicodeDecodeError:
        return f"byte 0x{data[0]:02X}, which is no UTF-8"
    return (
        f"the character '{character}'" if character.isprintable() else f"the character U+{ord(character):04X}"
    )
