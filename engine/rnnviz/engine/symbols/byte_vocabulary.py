"""The vocabulary: which of the 256 bytes a model knows, numbered in byte order (paper notes: sorted set)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.text.text import Text
from rnnviz.store.errors import InvalidText

UNKNOWN = -1
"""What a byte outside the vocabulary is encoded as."""


@dataclass(frozen=True)
class Unknown:
    """The first byte of a text that a vocabulary does not have."""

    offset: int
    """In the text, from 0."""
    value: int
    line: int
    """In the file that holds it, from 1."""
    part: str
    """The name of that file."""
    count: int
    """How many bytes of the text are unknown in all."""


class Vocabulary:
    """The distinct bytes `symbols`, ascending; K = len(vocabulary). Symbol k is the byte symbols[k]."""

    def __init__(self, symbols: bytes) -> None:
        """Raises ValueError unless the bytes ascend strictly and there is at least one."""
        if not symbols or list(symbols) != sorted(set(symbols)):
            raise ValueError("a vocabulary is one or more distinct bytes in ascending order")
        self.symbols = symbols
        self._index = np.full(256, UNKNOWN, dtype=np.int64)
        self._index[np.frombuffer(symbols, dtype=np.uint8)] = np.arange(len(symbols))

    @classmethod
    def of(cls, text: Text) -> Vocabulary:
        """Every byte that occurs in the text."""
        return cls(bytes(np.flatnonzero(_counts(text)).astype(np.uint8)))

    def __len__(self) -> int:
        return len(self.symbols)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.symbols == other.symbols

    def __hash__(self) -> int:
        return hash(self.symbols)

    def __repr__(self) -> str:
        return f"Vocabulary({self.symbols!r})"

    def encode(self, data: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The symbol of each byte, int64 of the same shape; UNKNOWN (-1) for bytes it does not have."""
        return self._index[data]

    def first_unknown(self, text: Text) -> Unknown | None:
        """Where the text first has a byte that the vocabulary lacks, None if it has none."""
        count = int(_counts(text)[self._index == UNKNOWN].sum())
        if not count:
            return None
        start = 0
        for piece in text.pieces():
            unknown = np.flatnonzero(self._index[piece] == UNKNOWN)
            if unknown.size:
                offset = start + int(unknown[0])
                break
            start += piece.size
        part = text.part_at(offset)
        line = 1 + count_newlines(text, part.start, offset)
        return Unknown(offset, int(text.read(offset, offset + 1)[0]), line, part.name, count)


def refuse_unknown(vocabulary: Vocabulary, text: Text, hint: str) -> None:
    """Raise InvalidText if the text has a byte outside the vocabulary, naming the first one."""
    unknown = vocabulary.first_unknown(text)
    if unknown is None:
        return
    others = f", the first of {unknown.count:,} places with an unseen byte" if unknown.count > 1 else ""
    raise InvalidText(
        f"the model has never seen the byte 0x{unknown.value:02X} ({bytes([unknown.value])!r}), which is at offset "
        f"{unknown.offset:,}, in line {unknown.line:,} of {unknown.part}{others}",
        hint,
    )


def _counts(text: Text) -> NDArray[np.int64]:
    """How often each byte occurs in the text, int64 [256]."""
    counts = np.zeros(256, dtype=np.int64)
    for piece in text.pieces():
        counts += np.bincount(piece, minlength=256)
    return counts


def count_newlines(text: Text, start: int, stop: int) -> int:
    """How many newlines are among the bytes start … stop."""
    count = 0
    for position in range(start, stop, 1 << 20):
        count += int(np.count_nonzero(text.read(position, min(position + (1 << 20), stop)) == ord("\n")))
    return count
