"""A screen as a grid of characters and paints, and the bytes that turn one such grid into another.

Textual sends whole lines again whenever something in them changed. A step to the next cell changes the colour of
most characters and leaves the characters alone, so rnnviz sends just the columns that differ, all columns of one
paint together: one colour sequence per paint instead of one per column. At 200×50 that is 11 KB for a step where
whole lines take 79 KB.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnviz.tui.frame import BLANK, Frame
from rnnviz.tui.glyphs import COVERED
from rnnviz.tui.painting import Line
from rnnviz.tui.palette import Paint, Palette

_paints: list[Paint] = [Paint()]
_inks: dict[Paint, int] = {_paints[0]: 0}
_tables: dict[Palette, NDArray[np.uint16]] = {}


def ink(paint: Paint) -> int:
    """The number of a paint: equal paints have equal numbers, in every grid of this process."""
    number = _inks.get(paint)
    if number is None:
        number = _inks[paint] = len(_paints)
        _paints.append(paint)
    return number


def paint_of(number: int) -> Paint:
    return _paints[number]


def inks_of(palette: Palette) -> NDArray[np.uint16]:
    """uint16 [style]: the ink of every style of a palette."""
    table = _tables.get(palette)
    if table is None:
        table = np.array([ink(palette.paint(style)) for style in range(256)], dtype=np.uint16)
        _tables[palette] = table
    return table


@dataclass(frozen=True, eq=False)
class Grid:
    """codes: uint32 [row, column], `COVERED` right of a wide character; inks: uint16 [row, column], see `ink`."""

    codes: NDArray[np.uint32]
    inks: NDArray[np.uint16]

    @classmethod
    def blank(cls, width: int, height: int, ground: Paint) -> Grid:
        return cls(
            np.full((height, width), BLANK, dtype=np.uint32),
            np.full((height, width), ink(ground), dtype=np.uint16),
        )

    @property
    def width(self) -> int:
        return int(self.codes.shape[1])

    @property
    def height(self) -> int:
        return int(self.codes.shape[0])

    def put_frame(self, frame: Frame, palette: Palette, x: int, y: int) -> None:
        """Draw shaded text with its top left corner at column x, row y."""
        height, width = frame.codes.shape
        self.codes[y : y + height, x : x + width] = frame.codes
        self.inks[y : y + height, x : x + width] = inks_of(palette)[frame.styles]

    def put_line(self, line: Line, x: int, y: int, width: int) -> None:
        """Draw a painted line from column x on, `width` columns at most."""
        if not 0 <= y < self.height:
            return
        stop = min(x + width, self.width)
        for text, paint in line:
            end = max(x, min(x + len(text), stop))
            self.codes[y, x:end] = [ord(character) for character in text[: end - x]]
            self.inks[y, x:end] = ink(paint)
            x = end

    def row(self, y: int) -> Line:
        """A row as pieces of one paint each."""
        codes, inks = self.codes[y], self.inks[y]
        cuts = [0, *(np.flatnonzero(np.diff(inks)) + 1).tolist(), len(inks)]
        return [(_text(codes[a:b]), paint_of(int(inks[a]))) for a, b in itertools.pairwise(cuts) if b > a]


def _text(codes: NDArray[np.uint32]) -> str:
    return "".join(map(chr, codes[codes != COVERED].tolist()))


def difference(old: Grid, new: Grid, left: int = 0, top: int = 0) -> str:
    """The bytes that turn a screen that shows `old` into one that shows `new`; empty where they are equal.

    Both have the same shape; `left` and `top` say where their corner is on the terminal. Columns are painted ink by
    ink, each ink's from the top left on, and the terminal's cursor is left where it was.
    """
    changed = (old.codes != new.codes) | (old.inks != new.inks)
    if not changed.any():
        return ""
    # Both halves of a wide character are drawn with its first one.
    covered = new.codes == COVERED
    changed[:, :-1] |= covered[:, 1:] & changed[:, 1:]
    changed &= ~covered

    rows, columns = np.nonzero(changed)
    inks = new.inks[rows, columns]
    order = np.argsort(inks, kind="stable")
    rows, columns, inks = rows[order], columns[order], inks[order]
    codes = new.codes[rows, columns]
    follows = (rows[1:] == rows[:-1]) & (columns[1:] == columns[:-1] + 1) & (inks[1:] == inks[:-1])
    starts = np.concatenate([[0], np.flatnonzero(~follows) + 1])
    stops = np.append(starts[1:], len(rows))

    parts = ["\x1b7"]
    last_ink = -1
    at_row, at_column = -1, -1
    run_rows, run_columns, run_inks = rows[starts].tolist(), columns[starts].tolist(), inks[starts].tolist()
    text = "".join(map(chr, codes.tolist()))
    for y, x, number, start, stop in zip(
        run_rows, run_columns, run_inks, starts.tolist(), stops.tolist(), strict=True
    ):
        if number != last_ink:
            sgr = _paints[number].sgr
            parts.append(f"\x1b[0;{sgr}m" if sgr else "\x1b[0m")
            last_ink = number
        if y == at_row and x > at_column:
            parts.append(f"\x1b[{x - at_column}C" if x - at_column > 1 else "\x1b[C")
        else:
            parts.append(f"\x1b[{y + top + 1};{x + left + 1}H")
        parts.append(text[start:stop])
        at_row, at_column = y, x + stop - start
        if new.codes[y, min(at_column, new.width - 1)] == COVERED:
            at_row = -1  # after a wide character the column is not what the count says
    parts.append("\x1b[0m\x1b8")
    return "".join(parts)
