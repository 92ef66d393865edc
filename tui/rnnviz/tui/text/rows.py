"""Where the bytes of a text stand on the screen: lines, wrapped softly into rows.

A text can be gigabytes long and can hold lines of any length, so nothing here looks further than `2 * LIMIT`
bytes from where it is asked. A line ends after a newline and at the end of a segment (the model's state is reset
there). A line longer than `LIMIT` is broken at the multiples of `LIMIT` (as absolute offsets), from the first one
that is at least `LIMIT` from the line's start: a rule that gives the same breaks from whichever side one comes.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rnnviz.tui.text.glyphs import columns_of
from rnnviz.tui.text.symbol_edges import Symbols

Value = TypeVar("Value", bound=np.generic)

LIMIT = 8192
NEWLINE = 0x0A


@dataclass(frozen=True)
class Row:
    """One row of the screen: the bytes from `start` up to `stop`, as offsets in the text."""

    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class TextWindow:
    """The part of a text that is in memory: `data` begins at offset `start` of a text of `length` bytes.

    `breaks` are the offsets at which segments start (int64, ascending). `symbols` says where the symbols stand, None
    where each byte is one.
    """

    start: int
    data: NDArray[np.uint8]
    length: int
    breaks: NDArray[np.int64]
    symbols: Symbols | None = None

    @property
    def stop(self) -> int:
        return self.start + len(self.data)

    @cached_property
    def _bytes(self) -> bytes:
        """The same as `data`: bytes are searched ten times faster."""
        return self.data.tobytes()

    def holds(self, start: int, stop: int) -> bool:
        """Whether the layout around start…stop can be found without reading more of the text."""
        return self.start <= max(0, start - 2 * LIMIT) and min(self.length, stop + 2 * LIMIT) <= self.stop

    def bytes_at(self, start: int, stop: int) -> NDArray[np.uint8]:
        return self.data[start - self.start : stop - self.start]

    def byte_of(self, symbol: int) -> int:
        """The byte that a symbol starts with."""
        return symbol if self.symbols is None else self.symbols.start(symbol)

    def symbol_of(self, byte: int) -> int:
        """The symbol that holds a byte."""
        return byte if self.symbols is None else self.symbols.at(byte)

    def span(self, rows: list[Row]) -> tuple[int, int]:
        """The symbols, (first, after the last), that stand in rows, wholly or in part."""
        return self.symbol_of(rows[0].start), self.symbol_of(rows[-1].stop - 1) + 1

    def by_byte(self, values: NDArray[Value], rows: list[Row]) -> NDArray[Value]:
        """A value for each byte of the rows, from one for each symbol of their `span`."""
        if self.symbols is None:
            return values
        first, last = self.span(rows)
        edges = self.symbols.edges[first - self.symbols.first : last - self.symbols.first + 1]
        start, stop = rows[0].start, rows[-1].stop
        clipped = np.clip(edges, start, stop)
        return np.repeat(values, clipped[1:] - clipped[:-1])

    def line(self, position: int) -> Row:
        """The line that holds `position`, from its first byte to after its newline."""
        behind = max(self.start, position - 2 * LIMIT)
        newline = self._bytes.rfind(b"\n", behind - self.start, position - self.start)
        base = self.start + newline + 1 if newline >= 0 else (0 if behind == 0 else behind - LIMIT)
        base = max(base, self._segment_start(position))
        forced = position // LIMIT * LIMIT
        start = forced if forced - base >= LIMIT else base

        stop = forced + LIMIT
        if stop - base < LIMIT:
            stop += LIMIT
        stop = min(stop, self._segment_stop(position), self.stop)
        newline = self._bytes.find(b"\n", position - self.start, stop - self.start)
        if newline >= 0:
            stop = self.start + newline + 1
        return Row(start, stop)

    def column_of(self, position: int) -> int | None:
        """How many characters of its line stand before the one at `position`, one more as columns count from 1. None
        where the line begins so far before that it is not known. The bytes that continue a character of UTF-8 are not
        counted; a line ends after a newline, also where a segment has ended before."""
        if not self.start <= position < self.stop:
            return None
        newline = self._bytes.rfind(b"\n", 0, position - self.start)
        if newline < 0 and self.start:
            return None
        before = self.data[newline + 1 : position - self.start + 1]
        return max(1, int(np.count_nonzero((before & 0xC0) != 0x80)))

    def rows(self, line: Row, width: int) -> list[Row]:
        """A line cut into the rows it fills at `width` columns."""
        data = self.bytes_at(line.start, line.stop)
        ends = np.cumsum(columns_of(data))
        if len(data) and ends[-1] <= width:
            return [line]
        cuts = [0]
        while len(data) - cuts[-1] > 0:
            taken = int(ends[cuts[-1] - 1]) if cuts[-1] else 0
            fits = int(np.searchsorted(ends, taken + width, side="right"))
            cuts.append(max(fits, cuts[-1] + 1))  # one byte a row at least, however narrow the screen
        return [Row(line.start + a, line.start + b) for a, b in itertools.pairwise(cuts)]

    def row(self, position: int, width: int) -> Row:
        """The row that holds `position`."""
        return next(row for row in self.rows(self.line(position), width) if position < row.stop)

    def rows_from(self, position: int, width: int, count: int) -> list[Row]:
        """Up to `count` rows from the one that holds `position` on."""
        found: list[Row] = []
        while len(found) < count and position < self.stop:
            line = self.line(position)
            rows = self.rows(line, width)
            found += [row for row in rows if position < row.stop]
            position = line.stop
        return found[:count]

    def rows_before(self, position: int, width: int, count: int) -> list[Row]:
        """Up to `count` rows that end above the row that holds `position`, in reading order."""
        found: list[Row] = []
        boundary = self.row(position, width).start
        while len(found) < count and boundary > self.start:
            rows = [row for row in self.rows(self.line(boundary - 1), width) if row.stop <= boundary]
            found = rows + found
            boundary = rows[0].start
        return found[-count:] if count else []

    def column(self, position: int, row: Row) -> int:
        """The column at which the byte at `position` of a row starts."""
        return int(columns_of(self.bytes_at(row.start, position)).sum())

    def position(self, row: Row, column: int) -> int:
        """The byte of a row that covers `column`, or the row's last byte."""
        ends = np.cumsum(columns_of(self.bytes_at(row.start, row.stop)))
        return row.start + min(int(np.searchsorted(ends, column, side="right")), row.stop - row.start - 1)

    def _segment_start(self, position: int) -> int:
        index = int(np.searchsorted(self.breaks, position, side="right")) - 1
        return int(self.breaks[index]) if index >= 0 else 0

    def _segment_stop(self, position: int) -> int:
        index = int(np.searchsorted(self.breaks, position, side="right"))
        return int(self.breaks[index]) if index < len(self.breaks) else self.length
