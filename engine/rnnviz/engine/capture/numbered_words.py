"""A text that is given as numbers and a dictionary: which word or character each time step read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.capture.state_files import Values
from rnnviz.engine.symbols.token_vocabulary import LINE_END_TOKENS, longer_than_a_character
from rnnviz.engine.text.text import open_text, printable
from rnnviz.store.bounds import LONGEST_TOKEN, MOST_TOKEN_BYTES, MOST_TOKENS
from rnnviz.store.errors import InvalidRequest
from rnnviz.store.schema import SymbolUnit

PIECE: Final = 1 << 16
"""Numbers that are looked up at a time."""
GREATEST_FILE: Final = 64 << 20
"""Bytes of a vocabulary that are read at most."""
GREATEST_NUMBER: Final = 1 << 22

_LINE: Final = re.compile(r"(.+?)[\t ]+(\d{1,8})\s*")


def read_dictionary(path: Path) -> dict[int, str]:
    """What each number stands for: a line has a word, a tab or a space, and its number (LSTMVis's `.dict`).

    Raises NotFound, InvalidText, InvalidRequest for a file that is something else.
    """
    text = open_text(str(path))
    if text.length > GREATEST_FILE:
        raise InvalidRequest(f"{text.name} is too long for a dictionary", "Give a .dict file.")
    try:
        lines = text.read(0, text.length).tobytes().decode().removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{text.name} is not UTF-8", "Save the dictionary as UTF-8.") from error
    found: dict[int, str] = {}
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if not match or int(match[2]) in found or int(match[2]) > GREATEST_NUMBER:
            raise InvalidRequest(
                f"line {number} of {text.name} is no word with a number of its own",
                "Each line is WORD, a tab or a space, NUMBER.",
            )
        found[int(match[2])] = match[1]
    sizes = [len(word.encode()) for word in found.values()]
    if len(found) > MOST_TOKENS or max(sizes) > LONGEST_TOKEN or sum(sizes) > MOST_TOKEN_BYTES:
        raise InvalidRequest(f"{text.name} has too many or too long words", f"At most {MOST_TOKENS:,} fit.")
    if len(set(found.values())) != len(found):
        raise InvalidRequest(f"{text.name} gives two numbers to a word", "Give each word one number.")
    return found


class NumberedWords:
    """The words side by side, each followed by a space, a token for a line end by a newline; characters by nothing."""

    def __init__(self, ids: Values, dictionary: dict[int, str], unit: SymbolUnit | None = None) -> None:
        """Where `unit` is None, they are characters if none of them is longer, apart from tokens like `<unk>`."""
        self._ids = ids
        self._numbers = sorted(dictionary)
        self.tokens = tuple(dictionary[number] for number in self._numbers)
        longer = longer_than_a_character(self.tokens)
        if unit == "character" and longer is not None:
            raise InvalidRequest(
                f"the dictionary has '{printable(longer[:60])}', which is more than one character",
                "Leave --unit out, or give --unit word.",
            )
        self.unit: SymbolUnit = unit or ("character" if longer is None else "word")
        self._symbol_of = np.full(max(self._numbers) + 1, -1, np.int64)
        self._symbol_of[self._numbers] = np.arange(len(self._numbers))
        ending = "" if self.unit == "character" else " "
        self._written = [
            (token + ("\n" if token in LINE_END_TOKENS else ending)).encode() for token in self.tokens
        ]
        self._sizes = np.array([len(written) for written in self._written], np.int64)
        self.symbols = ids.shape[0]

    def measure(self) -> tuple[int, str]:
        """How many bytes the text has, and its SHA-256. Raises InvalidRequest for a number without a word."""
        length, digest = 0, hashlib.sha256()
        for piece in self.text():
            length += len(piece)
            digest.update(piece.data)
        return length, digest.hexdigest()

    def text(self) -> Iterator[NDArray[np.uint8]]:
        """Its bytes, some at a time."""
        for symbols in self._pieces():
            yield np.frombuffer(b"".join(map(self._written.__getitem__, symbols.tolist())), np.uint8)

    def ends(self) -> Iterator[NDArray[np.int64]]:
        """Where each symbol ends in it, some at a time."""
        passed = 0
        for symbols in self._pieces():
            ends = passed + np.cumsum(self._sizes[symbols])
            passed = int(ends[-1])
            yield ends

    def _pieces(self) -> Iterator[NDArray[np.int64]]:
        for start in range(0, self.symbols, PIECE):
            numbers = self._ids.read(start, min(start + PIECE, self.symbols)).reshape(-1)
            inside = (numbers >= 0) & (numbers < len(self._symbol_of))
            symbols = np.where(inside, self._symbol_of[np.where(inside, numbers, 0).astype(np.int64)], -1)
            unknown = np.flatnonzero(symbols < 0)
            if unknown.size:
                raise InvalidRequest(
                    f"the dictionary has no word with the number {int(numbers[unknown[0]])}, which "
                    f"{self._ids.name} has at {start + int(unknown[0]):,}",
                    "Give the dictionary that was written with it.",
                )
            yield symbols
