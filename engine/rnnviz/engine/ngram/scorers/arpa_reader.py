"""Reading ARPA files of any toolkit into a trie. The file is read once, a few megabytes at a time."""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path
from typing import BinaryIO, Final, cast

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.ngram.arpa import WORDS
from rnnviz.engine.ngram.memory_bounds import refuse_large_model
from rnnviz.engine.ngram.scorers import arpa_kernel as kernel
from rnnviz.engine.ngram.scorers.trie import DamagedModel, Grams, Trie, TrieBuilder, word_codes
from rnnviz.engine.ngram.scorers.trie_kernels import Keys

PIECE: Final = 1 << 22
"""Bytes that are read at a time. No line is longer."""

GREATEST_ORDER: Final = 64
LONGEST_HEADER: Final = 1000
"""Lines before the first n-gram: comments may stand before `\\data\\`."""

_COUNT: Final = re.compile(rb"ngram\s+(\d{1,3})\s*=\s*(\d{1,12})\s*")
_SECTION: Final = re.compile(rb"\\(\d{1,3})-grams:\s*")

_COMPLAINTS: Final = {
    kernel.MALFORMED: "a line of its {0}-grams is no n-gram",
    kernel.IMPROBABLE: "one of its {0}-grams has a probability greater than 1",
    kernel.TOO_MANY: "it has more {0}-grams than it announces",
}


def read_arpa(path: Path) -> Trie:
    """Read an ARPA file, compressed if its name ends in `.gz`.

    Raises DamagedModel for what is none, OSError where it cannot be read, InvalidRequest where the model would take
    more memory than this process may have.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return _read(_Lines(cast("BinaryIO", file)))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DamagedModel("its compressed data are damaged") from error


class _Lines:
    """The lines of a file: `buffer[start:stop]` are whole ones that were not taken yet."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._memory = bytearray(PIECE + 1)
        self.buffer: NDArray[np.uint8] = np.frombuffer(self._memory, np.uint8)
        self.start = self.stop = self._end = 0

    def fill(self) -> bool:
        """Read on, when all whole lines were taken. False at the end of the file."""
        left = self._end - self.start
        self._memory[:left] = self._memory[self.start : self._end]
        self.start, self._end = 0, left
        with memoryview(self._memory) as view:
            while self._end < PIECE:
                count = self._file.readinto(view[self._end : PIECE])  # type: ignore[attr-defined]
                if not count:
                    break
                self._end += count
        if 0 < self._end < PIECE and self._memory[self._end - 1] != ord("\n"):
            self._memory[self._end] = ord("\n")
            self._end += 1
        self.stop = self._memory.rfind(b"\n", 0, self._end) + 1
        if self._end and not self.stop:
            raise DamagedModel("it has a line of more than 4 MB")
        return self.stop > 0

    def line(self) -> bytes:
        """Take the next line. Raises DamagedModel at the end of the file."""
        if self.start == self.stop and not self.fill():
            raise DamagedModel("it ends too early")
        end = self._memory.index(b"\n", self.start, self.stop) + 1
        line = bytes(self._memory[self.start : end])
        self.start = end
        return line


def _read(lines: _Lines) -> Trie:
    counts = _header(lines)
    refuse_large_model(counts)
    builder = TrieBuilder(counts)
    pairs = np.full(1 << 16, -1, np.int32)
    for byte, word in enumerate(WORDS):
        pairs[int.from_bytes(word.encode(), "big")] = byte
    codes = word_codes(len(counts))
    for order, count in enumerate(counts, 1):
        builder.add(_section(lines, order, count, pairs, codes))
        line = _next_line(lines)
        section = _SECTION.fullmatch(line)
        if order == len(counts):
            if line.strip() != b"\\end\\":
                raise DamagedModel("it does not end with \\end\\")
        elif section is None or int(section[1]) != order + 1:
            raise DamagedModel(f"it has no section of {order + 1}-grams after its {order}-grams")
    return builder.trie()


def _header(lines: _Lines) -> list[int]:
    """How many n-grams there are of each order. The next line is that after `\\1-grams:`."""
    counts: dict[int, int] = {}
    begun = False
    for _ in range(LONGEST_HEADER):
        line = lines.line()
        count, section = _COUNT.fullmatch(line), _SECTION.fullmatch(line)
        if not begun:
            begun = line.strip() == b"\\data\\"
        elif count is not None:
            counts[int(count[1])] = int(count[2])
        elif section is not None and int(section[1]) == 1:
            break
        elif line.strip():
            raise DamagedModel("its header has a line that announces no n-grams")
    else:
        raise DamagedModel("it has no 1-grams")
    if sorted(counts) != list(range(1, len(counts) + 1)) or not 1 <= len(counts) <= GREATEST_ORDER:
        raise DamagedModel("its header does not announce the n-grams of every order from 1 up")
    return [counts[order] for order in sorted(counts)]


def _section(lines: _Lines, order: int, announced: int, pairs: NDArray[np.int32], codes: Keys) -> Grams:
    """The n-grams of an order. The next line is the one that follows them and begins with a backslash."""
    grams = Grams.empty(announced)
    counts = np.zeros(2, np.int64)
    while lines.start < lines.stop or lines.fill():
        place = kernel.parse_lines(
            lines.buffer, lines.start, lines.stop, order, announced, pairs, codes, grams.prefixes, grams.keys,
            grams.words, grams.logs, grams.backoffs, counts,
        )  # fmt: skip
        if place < 0:
            raise DamagedModel(_COMPLAINTS[place].format(order))
        lines.start = place
        if place < lines.stop:
            break
    if counts[kernel.SEEN] < announced:
        raise DamagedModel(f"it has fewer {order}-grams than it announces")
    return grams.first(int(counts[kernel.FILLED]))


def _next_line(lines: _Lines) -> bytes:
    line = lines.line()
    while not line.strip():
        line = lines.line()
    return line
