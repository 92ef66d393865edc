"""The shortest ways of a terminal's cursor from one column to another.

Where the tab stops are known to stand (see `tab_stops`), a tab is one byte for up to eight columns: tabs up to the
last stop before a column or past it, and a step forward or back from there. All ways are made once for a terminal's
width, so that those of thousands of moves are found with a few look-ups in arrays.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnnviz.tui.terminal.tab_stops import EVERY

Pieces: TypeAlias = NDArray[np.int32]
"""Numbers of pieces, see `CursorMoves`."""


class CursorMoves:
    """The moves on a terminal of so many columns and rows, which count from 0. `tabs` says whether its tab stops stand
    at the multiples of `EVERY` and nowhere else; if not, none is used.

    A move is two *pieces*: one down or up and one aside. Piece p is the code points
    codes[offsets[p] : offsets[p] + lengths[p]].
    """

    def __init__(self, columns: int, rows: int, *, tabs: bool) -> None:
        self._columns, self._rows, self._tabs = columns, rows, tabs
        self._last_stop = (columns - 1) // EVERY * EVERY if tabs else 0
        self._every = EVERY if tabs else 1
        pieces: dict[str, int] = {}

        def piece(text: str) -> int:
            return pieces.setdefault(text, len(pieces))

        sides = [
            [[piece(text) for text in self._aside(past, by)] for by in range(-columns, columns + 1)]
            for past in range(self._every)
        ]
        self._aside_by: Pieces = np.array(sides, dtype=np.int32)
        """int32 [columns past a stop, columns aside + width, whether the next stop may be passed]"""
        starts = [[piece(text) for text in self._from_margin(column)] for column in range(columns)]
        self._to: Pieces = np.array(starts, dtype=np.int32)
        """int32 [column, whether the next stop may be passed]: from any column of a row"""
        self._down: Pieces = np.array([piece(_down(by)) for by in range(-rows, rows + 1)], dtype=np.int32)
        self._row: Pieces = np.array([piece(f"\x1b[{row + 1};") for row in range(rows)], dtype=np.int32)
        self._column: Pieces = np.array([piece(f"{column + 1}H") for column in range(columns)], np.int32)

        self.codes: NDArray[np.uint32] = np.array([ord(code) for code in "".join(pieces)], dtype=np.uint32)
        self.lengths: NDArray[np.int64] = np.array([len(text) for text in pieces], dtype=np.int64)
        self.offsets: NDArray[np.int64] = np.cumsum(self.lengths) - self.lengths

    def relative(
        self,
        from_row: NDArray[np.int64],
        from_column: NDArray[np.int64],
        row: NDArray[np.int64],
        column: NDArray[np.int64],
    ) -> tuple[Pieces, Pieces, NDArray[np.int64]]:
        """Moves from known places: the pieces down and aside, and the length of both together."""
        passing = (column < self._last_stop).astype(np.int64)
        aside = self._aside_by[from_column % self._every, column - from_column + self._columns, passing]
        anew = self._to[column, passing]
        aside = np.where(self.lengths[anew] < self.lengths[aside], anew, aside)
        down = self._down[row - from_row + self._rows]
        return down, aside, self.lengths[down] + self.lengths[aside]

    def absolute(
        self, row: NDArray[np.int64], column: NDArray[np.int64]
    ) -> tuple[Pieces, Pieces, NDArray[np.int64]]:
        """Moves from anywhere: the two pieces, and the length of both together."""
        down, aside = self._row[row], self._column[column]
        return down, aside, self.lengths[down] + self.lengths[aside]

    def _aside(self, past: int, by: int) -> tuple[str, str]:
        """The shortest way `by` columns to the right (left where negative) from `past` columns past a stop: without
        passing the first stop behind the goal, and if it may be passed."""
        plain = _plainly(by)
        if not self._tabs or by <= 0:
            return plain, plain
        stops, beyond = divmod(past + by, EVERY)
        if stops:
            plain = min(plain, "\t" * stops + _plainly(beyond), key=len)
        return plain, min(plain, "\t" * (stops + 1) + "\b" * (EVERY - beyond), key=len)

    def _from_margin(self, column: int) -> tuple[str, str]:
        """The shortest way to a column from any other of its row, in the same two ways."""
        direct = f"\x1b[{column + 1}G" if column else "\x1b[G"
        if not self._tabs:
            return direct, direct
        behind, past = self._aside(0, column)
        return min("\r" + behind, direct, key=len), min("\r" + past, direct, key=len)


@lru_cache(maxsize=8)
def cursor_moves(columns: int, rows: int, *, tabs: bool) -> CursorMoves:
    return CursorMoves(columns, rows, tabs=tabs)


def _plainly(by: int) -> str:
    if by >= 0:
        return "" if by == 0 else "\x1b[C" if by == 1 else f"\x1b[{by}C"
    return "\b" * -by if by >= -4 else f"\x1b[{-by}D"


def _down(by: int) -> str:
    """The shortest way `by` rows down (up where negative). A line feed may be changed on its way to the terminal, a
    vertical tab is not."""
    if by >= 0:
        return "\v" * by if by <= 4 else f"\x1b[{by}B"
    return "\x1bM" * -by if by >= -2 else f"\x1b[{-by}A"
