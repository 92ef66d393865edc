"""The bytes that turn a terminal that shows one grid into one that shows another.

Textual sends whole lines again whenever something in them changed. A step to the next cell changes the colour of
most characters and leaves the characters alone, so rnnviz sends just the columns that differ:

- all columns of one paint together: one colour sequence a paint instead of one a column (see `strokes`);
- painting over what later paints will correct where that is shorter than going around it;
- moving by the shortest sequence there is (see `cursor_moves`);
- a text that moved up or down a few rows is scrolled by the terminal itself.

Measured on a 2×128 LSTM at 200×50, means of 60 steps to the next cell: 6.4 KB for a C text (1,430 columns change),
9.7 KB for a Python text of longer lines (2,170), 29.2 KB with every column filled (7,250), made in 2 ms. Of the 6.4 KB,
3.7 are moves, 1.0 colours, and the rest the characters themselves.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rnnviz.tui.paint.grid import Grid, paint_of
from rnnviz.tui.paint.palette import RGB, Paint
from rnnviz.tui.paint.text_frame import BLANK
from rnnviz.tui.terminal.cursor_sequences import cursor_moves
from rnnviz.tui.terminal.strokes import strokes

_WORTH_SCROLLING = 20
"""Columns that a scroll must spare: about what it takes."""


def difference(old: Grid, new: Grid, left: int = 0, top: int = 0, *, tabs: bool = False) -> str:
    """The bytes that turn a screen that shows `old` into one that shows `new`; empty where they are equal.

    Both have the same shape; `left` and `top` say where their corner is on the terminal, `tabs` whether its tab stops
    are known to stand every eight columns. The terminal's cursor is left where it was. Where the text scrolled, rows
    are moved over the terminal's whole width.
    """
    changed = _differing(old, new)
    scrolling = ""
    rows = _scrolled_rows(old, new)
    if rows:
        moving, shown = _scroll(old, new, rows, top)
        left_over = _differing(shown, new)
        if np.count_nonzero(left_over) + _WORTH_SCROLLING < np.count_nonzero(changed):
            scrolling, changed = moving, left_over
    if not changed.any():
        return f"\x1b7{scrolling}\x1b8" if scrolling else ""
    return f"\x1b7{scrolling}{_painting(changed, new, left, top, tabs=tabs)}\x1b[0m\x1b8"


def painted(grid: Grid) -> str:
    """The bytes that show a grid on a terminal of any contents, from its top left corner on."""
    ground = int(np.bincount(grid.inks.ravel()).argmax())
    blank = Grid(np.full_like(grid.codes, BLANK), np.full_like(grid.inks, ground))
    changed = _differing(blank, grid)
    painting = _painting(changed, grid, 0, 0, tabs=False) if changed.any() else ""
    return f"\x1b[0;{paint_of(ground).sgr}m\x1b[2J{painting}\x1b[0m"


def _differing(old: Grid, new: Grid) -> NDArray[np.bool_]:
    """bool [row, column]"""
    differing: NDArray[np.bool_] = (old.codes != new.codes) | (old.inks != new.inks)
    return differing


def _painting(changed: NDArray[np.bool_], new: Grid, left: int, top: int, *, tabs: bool) -> str:
    """The bytes that paint the changed columns: for each stroke a colour, if it is another one, a move and a text."""
    moves = cursor_moves(left + new.width, top + new.height, tabs=tabs)
    found = strokes(changed, new, moves, left, top)
    colours = _colour_sequences(found.inks)
    colour_lengths = np.array([len(colour) for colour in colours], dtype=np.int64)
    colour_codes = np.array([ord(code) for code in "".join(colours)], dtype=np.uint32)
    pool = np.concatenate([moves.codes, colour_codes, new.codes.ravel()])
    colours_at, texts_at = len(moves.codes), len(moves.codes) + len(colour_codes)

    # Four pieces a stroke, each so many code points of the pool from somewhere on.
    offsets = np.empty((len(found.starts), 4), dtype=np.int64)
    lengths = np.empty_like(offsets)
    offsets[:, 0] = colours_at + (np.cumsum(colour_lengths) - colour_lengths)[found.turns]
    lengths[:, 0] = np.where(np.diff(found.turns, prepend=-1) != 0, colour_lengths[found.turns], 0)
    for column, move in ((1, found.down), (2, found.aside)):
        offsets[:, column], lengths[:, column] = moves.offsets[move], moves.lengths[move]
    offsets[:, 3] = texts_at + found.starts
    lengths[:, 3] = found.stops - found.starts
    counts = lengths.ravel()
    stops = np.cumsum(counts)
    at = np.repeat(offsets.ravel() - (stops - counts), counts) + np.arange(stops[-1])
    written: bytes = pool[at].astype("<u4").tobytes()
    return written.decode("utf-32-le")


def _colour_sequences(inks: NDArray[np.int64]) -> list[str]:
    """For each of the inks in turn, the sequence that changes the one before it into it."""
    numbers = inks.tolist()
    return [_colours(None, numbers[0]), *map(_colours, numbers, numbers[1:])]


@lru_cache(maxsize=4096)
def _colours(last: int | None, ink: int) -> str:
    """The sequence that changes one paint into another; all of a paint where its predecessor is not known."""
    paint = paint_of(ink)
    before = None if last is None else paint_of(last)
    if (
        before is None
        or (before.bold, before.underline, before.reverse) != (paint.bold, paint.underline, paint.reverse)
        or (paint.foreground is None) != (before.foreground is None)
        or (paint.background is None) != (before.background is None)
    ):
        sgr = paint.sgr
        return f"\x1b[0;{sgr}m" if sgr else "\x1b[0m"
    foreground = _unless_same(before.foreground, paint.foreground)
    background = _unless_same(before.background, paint.background)
    return f"\x1b[{Paint(foreground, background).sgr}m"


def _unless_same(last: RGB | int | None, colour: RGB | int | None) -> RGB | int | None:
    return None if last == colour else colour


def _scrolled_rows(old: Grid, new: Grid) -> int:
    """How many rows further down in the text the new grid starts (negative: further up); 0 for any other change."""
    if old.band is None or new.band is None or old.band.top != new.band.top or not new.band.starts:
        return 0
    was, now = old.band.starts, new.band.starts
    if len(was) != len(now) or was[0] == now[0]:
        return 0
    if now[0] in was:
        return was.index(now[0])
    return -now.index(was[0]) if was and was[0] in now else 0


def _scroll(old: Grid, new: Grid, rows: int, top: int) -> tuple[str, Grid]:
    """The bytes that move the band's rows, and what the terminal shows after them."""
    assert new.band is not None
    first, last = new.band.top, new.band.top + len(new.band.starts)
    count = abs(rows)
    at = last - 1 if rows > 0 else first
    parts = [f"\x1b[0m\x1b[{first + top + 1};{last + top}r", f"\x1b[{at + top + 1};1H"]
    parts.append("\v" * count if rows > 0 else "\x1bM" * count)
    parts.append("\x1b[r")
    shown = Grid(old.codes.copy(), old.inks.copy())
    fresh = slice(last - count, last) if rows > 0 else slice(first, first + count)
    moved = slice(first, last - count) if rows > 0 else slice(first + count, last)
    origin = slice(first + count, last) if rows > 0 else slice(first, last - count)
    shown.codes[moved], shown.inks[moved] = old.codes[origin], old.inks[origin]
    # What a terminal fills fresh rows with depends on the terminal.
    shown.codes[fresh], shown.inks[fresh] = 0xFFFFFFFF, 0xFFFF
    return "".join(parts), shown
