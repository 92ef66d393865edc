"""The bytes that turn a terminal that shows one grid into one that shows another.

Textual sends whole lines again whenever something in them changed. A step to the next cell changes the colour of
most characters and leaves the characters alone, so rnnviz sends just the columns that differ:

- all columns of one paint together: one colour sequence a paint instead of one a column;
- the paint of most columns first, painting over what later paints will correct where that is shorter than going
  around it, and moving by the shortest sequence there is (a vertical tab is one byte down);
- a text that moved up or down a few rows is scrolled by the terminal itself.

Measured on a 2×128 LSTM over source lines at 200×50 (2,160 columns change at a step to the next cell).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnnviz.tui.canvas import Grid, paint_of
from rnnviz.tui.frame import BLANK
from rnnviz.tui.glyphs import COVERED
from rnnviz.tui.palette import RGB, Paint

_WIDEST = 1024
"""Columns of the widest terminal for which moves are kept."""
_GAP = 4
"""Unpainted columns that are worth painting over: to go around them takes as many bytes."""
_DOWN = [""] + ["\v" * rows for rows in range(1, 5)]


def difference(old: Grid, new: Grid, left: int = 0, top: int = 0) -> str:
    """The bytes that turn a screen that shows `old` into one that shows `new`; empty where they are equal.

    Both have the same shape; `left` and `top` say where their corner is on the terminal. The terminal's cursor is
    left where it was. Where the text scrolled, rows are moved over the terminal's whole width.
    """
    plain = _changes(old, new, left, top)
    rows = _scrolled_rows(old, new)
    if rows and len(plain) > 1000:
        scrolling, shown = _scroll(old, new, rows, top)
        scrolled = scrolling + _changes(shown, new, left, top)
        plain = min(plain, scrolled, key=len)
    return f"\x1b7{plain}\x1b[0m\x1b8" if plain else ""


def painted(grid: Grid) -> str:
    """The bytes that show a grid on a terminal of any contents, from its top left corner on."""
    ground = int(np.bincount(grid.inks.ravel()).argmax())
    blank = Grid(np.full_like(grid.codes, BLANK), np.full_like(grid.inks, ground))
    return f"\x1b[0;{paint_of(ground).sgr}m\x1b[2J{_changes(blank, grid, 0, 0)}\x1b[0m"


def _changes(old: Grid, new: Grid, left: int, top: int) -> str:
    changed = (old.codes != new.codes) | (old.inks != new.inks)
    if not changed.any():
        return ""
    # Both halves of a wide character are drawn with its first one.
    covered = new.codes == COVERED
    changed[:, :-1] |= covered[:, 1:] & changed[:, 1:]
    changed &= ~covered

    rows, columns = np.nonzero(changed)
    inks = new.inks[rows, columns]
    counts = np.bincount(inks)
    ranks = np.empty(len(counts), dtype=np.int64)
    ranks[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    order = np.argsort(ranks[inks], kind="stable")
    rows, columns, inks = rows[order], columns[order], inks[order]

    starts, stops = _runs(new, changed, covered, rows, columns, inks, ranks)
    text = [row.tobytes().decode("utf-32-le") for row in new.codes.astype("<u4")]
    parts: list[str] = []
    last: Paint | None = None
    number = -1
    at_row, at_column = -1, -1
    for y, x, ink, stop in zip(
        rows[starts].tolist(),
        columns[starts].tolist(),
        inks[starts].tolist(),
        (columns[stops - 1] + 1).tolist(),
        strict=True,
    ):
        if ink != number:
            paint = paint_of(ink)
            parts.append(_colours(last, paint))
            number, last = ink, paint
        down = y - at_row
        if at_row < 0 or not 0 <= down <= 4:
            parts.append(f"\x1b[{y + top + 1};{x + left + 1}H")
        else:
            parts.append(_DOWN[down])
            parts.append(_ASIDE[x - at_column + _WIDEST])
        piece = text[y][x:stop]
        at_row, at_column = y, stop
        if stop >= new.width or covered[y, stop] or "\0" in piece:
            at_row = -1  # at the right edge and after a wide character the column is not what the count says
            piece = piece.replace("\0", "")
        parts.append(piece)
    return "".join(parts)


def _runs(
    new: Grid,
    changed: NDArray[np.bool_],
    covered: NDArray[np.bool_],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    inks: NDArray[np.uint16],
    ranks: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which of the columns to paint, in order, are painted with one write: indices of their first ones, and after
    their last ones. A gap is painted over where later paints correct it or it has this paint already."""
    same = (rows[1:] == rows[:-1]) & (inks[1:] == inks[:-1])
    gaps = columns[1:] - columns[:-1] - 1
    joined = same & (gaps == 0)
    near = np.flatnonzero(same & (gaps > 0) & (gaps <= _GAP))
    if len(near):
        narrow = ~covered
        narrow[:, :-1] &= ~covered[:, 1:]
        # Every column's turn: changed ones come in their paint's; others must have the very paint.
        known = np.append(ranks, np.full(max(0, int(new.inks.max()) + 1 - len(ranks)), -1))
        turn = np.where(narrow & changed, known[new.inks], -1)
        across = columns[near][:, None] + 1 + np.arange(_GAP)
        inside = np.arange(_GAP) < gaps[near][:, None]
        across = np.minimum(across, new.width - 1)
        y = rows[near][:, None]
        later = turn[y, across] > ranks[inks[near]][:, None]
        alike = narrow[y, across] & (new.inks[y, across] == inks[near][:, None])
        joined[near] = (later | alike | ~inside).all(axis=1) & ~covered[rows[near], columns[near] + 1]
    starts = np.concatenate([[0], np.flatnonzero(~joined) + 1])
    return starts, np.append(starts[1:], len(rows))


def _aside(by: int) -> str:
    """The shortest way to go `by` columns to the right (left where negative)."""
    if by >= 0:
        return "" if by == 0 else "\x1b[C" if by == 1 else f"\x1b[{by}C"
    return "\b" * -by if by >= -4 else f"\x1b[{-by}D"


_ASIDE = [_aside(by) for by in range(-_WIDEST, _WIDEST)]


def _colours(last: Paint | None, paint: Paint) -> str:
    """The sequence that changes one paint into another; all of a paint where its predecessor is not known."""
    if (
        last is None
        or (last.bold, last.underline, last.reverse) != (paint.bold, paint.underline, paint.reverse)
        or (paint.foreground is None) != (last.foreground is None)
        or (paint.background is None) != (last.background is None)
    ):
        sgr = paint.sgr
        return f"\x1b[0;{sgr}m" if sgr else "\x1b[0m"
    foreground = _unless_same(last.foreground, paint.foreground)
    background = _unless_same(last.background, paint.background)
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
