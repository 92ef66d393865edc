"""What the explorer looks at: a model, a cell, one of its signals, a place in the text, and all that is shown with it.

A view is a value; each step makes a new one. It says everything that is needed to draw the screen anew from the same
capture. What needs the text goes through a `TextWindow`, so nothing here waits for a disk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from rnnviz.analysis.cells import Cell, Reading
from rnnviz.tui.paint.shading import Shade
from rnnviz.tui.text.rows import Row, TextWindow

if TYPE_CHECKING:
    from rnnviz.analysis.conditions import Condition


class Panel(StrEnum):
    """What can stand above the text, over the whole width."""

    GATES = "gates"
    """Histograms of all signals of the cell."""
    LAYER = "layer"
    """The saturation of every unit of the layer."""


@dataclass(frozen=True)
class ShownBefore:
    """What the text was shaded by before a panel chose another signal."""

    signal: str
    shade: Shade


@dataclass(frozen=True)
class View:
    """`top` is the offset of the first byte on the screen, the start of a row; `cursor` is the number of a symbol.

    `pins` are what is seen together with the cell, in strips under each row of text. `left` and `right` are the
    models whose predictions are compared, and `shade` says what shades the text. `above` is the panel that stands
    above the text; `panels` whether there are others beside it, None while the width decides. `condition` is the one
    in force: symbols at which it holds are marked, as are matches of `search`. Where dead cells are hidden, steps
    pass over them. `shown_before` is what a panel that shows signals of its own will give back when it is closed.
    """

    model: str
    cell: Cell
    signal: str
    top: int = 0
    cursor: int = 0
    pins: tuple[Reading, ...] = ()
    left: str | None = None
    right: str | None = None
    shade: Shade = Shade.CELL
    above: Panel | None = None
    panels: bool | None = None
    hides_dead: bool = False
    condition: Condition | None = None
    search: re.Pattern[bytes] | None = None
    shown_before: ShownBefore | None = None

    @property
    def pair(self) -> tuple[str, str] | None:
        """The two models that are compared, where there are two."""
        return None if self.left is None or self.right is None else (self.left, self.right)

    @property
    def shading_models(self) -> tuple[str, ...]:
        """The models whose surprisals shade the text."""
        chosen = {
            Shade.CELL: (),
            Shade.LEFT: (self.left,),
            Shade.RIGHT: (self.right,),
            Shade.DIFFERENCE: (self.left, self.right),
        }[self.shade]
        return tuple(name for name in chosen if name is not None)


def next_signal(view: View, by: int, signals: tuple[str, ...]) -> View:
    """The same cell seen through the signal `by` further in its layer's order."""
    return replace(view, signal=signals[(signals.index(view.signal) + by) % len(signals)])


def with_gates(view: View, gates: tuple[str, ...]) -> View:
    """The view with the saturation of the layer above the text, which shows one of these signals: the one on the screen
    or else the first."""
    signal = view.signal if view.signal in gates else gates[0]
    shown_before = ShownBefore(view.signal, view.shade)
    return replace(view, above=Panel.LAYER, signal=signal, shade=Shade.CELL, shown_before=shown_before)


def with_above(view: View, above: Panel | None, signals: tuple[str, ...]) -> View:
    """The view with another panel above the text, or none, shaded as it was before the one that stood there chose a
    signal. `signals` are those of the cell, which may be another by now."""
    shown_before = view.shown_before
    if shown_before is not None and shown_before.signal in signals:
        # A shading that was chosen meanwhile stays.
        shade = shown_before.shade if view.shade is Shade.CELL else view.shade
        view = replace(view, signal=shown_before.signal, shade=shade)
    return replace(view, above=above, shown_before=None)


def scrolled_to_cursor(view: View, window: TextWindow, width: int, height: int) -> View:
    """The view with its top moved as little as possible so that the cursor is on the screen."""
    top = window.row(view.top, width).start
    rows = window.rows_from(top, width, height)
    at = window.byte_of(view.cursor)
    if rows and rows[0].start <= at < rows[-1].stop:
        return replace(view, top=top)
    row = window.row(at, width)
    if at < top:
        return replace(view, top=row.start)
    above = window.rows_before(row.start, width, height - 1)
    return replace(view, top=above[0].start if above else row.start)


def moved_to(view: View, symbol: int, window: TextWindow, width: int, height: int) -> View:
    """The view with the cursor at `symbol`; a place off the screen comes to a third of its height."""
    rows: list[Row] = []
    position = window.byte_of(symbol)
    if window.holds(view.top, view.top):
        rows = window.rows_from(window.row(view.top, width).start, width, height)
    if rows and rows[0].start <= position < rows[-1].stop:
        return scrolled_to_cursor(replace(view, cursor=symbol), window, width, height)
    row = window.row(position, width)
    above = window.rows_before(row.start, width, height // 3)
    top = filled(above[0] if above else row, window, width, height)
    return replace(view, cursor=symbol, top=top.start)


def filled(top: Row, window: TextWindow, width: int, height: int) -> Row:
    """The row to start the screen with: `top`, or one further up where the text ends before the screen does."""
    rows = window.rows_from(top.start, width, height)
    before = window.rows_before(top.start, width, height - len(rows))
    return before[0] if before else top


def moved_by_symbols(view: View, by: int, window: TextWindow, width: int, height: int) -> View:
    cursor = min(max(view.cursor + by, 0), window.symbol_of(window.stop - 1))
    return scrolled_to_cursor(replace(view, cursor=cursor), window, width, height)


def moved_by_rows(view: View, by: int, window: TextWindow, width: int, height: int) -> View:
    """The cursor `by` rows further down (or up), in the same column where the row is long enough."""
    at = window.byte_of(view.cursor)
    row = window.row(at, width)
    if by > 0:
        target = window.rows_from(row.start, width, by + 1)[-1]
    else:
        before = window.rows_before(row.start, width, -by)
        target = before[0] if before else row
    cursor = window.symbol_of(window.position(target, window.column(at, row)))
    if by > 0 and cursor == view.cursor:  # a symbol that is longer than a row
        cursor = min(cursor + 1, window.symbol_of(window.stop - 1))
    return scrolled_to_cursor(replace(view, cursor=cursor), window, width, height)


def moved_by_pages(view: View, by: int, window: TextWindow, width: int, height: int) -> View:
    """Screen and cursor `by` pages further, a row of the old page kept in sight."""
    return _moved_with_screen(view, by * max(1, height - 1), window, width, height)


def moved_by_half_pages(view: View, by: int, window: TextWindow, width: int, height: int) -> View:
    """Screen and cursor `by` half pages further."""
    return _moved_with_screen(view, by * max(1, height // 2), window, width, height)


def _moved_with_screen(view: View, by: int, window: TextWindow, width: int, height: int) -> View:
    """Screen and cursor `by` rows further."""
    top = window.row(view.top, width)
    if by > 0:
        target = filled(window.rows_from(top.start, width, by + 1)[-1], window, width, height)
    else:
        before = window.rows_before(top.start, width, -by)
        target = before[0] if before else top
    moved = moved_by_rows(view, by, window, width, height)
    rows = window.rows_from(target.start, width, height)
    at = min(max(window.byte_of(moved.cursor), rows[0].start), rows[-1].stop - 1)
    cursor = window.symbol_of(at)
    if window.byte_of(cursor) < rows[0].start and window.symbol_of(rows[-1].stop - 1) > cursor:
        cursor += 1  # it starts above the screen
    return replace(view, top=target.start, cursor=cursor)


def scrolled_by(view: View, by: int, window: TextWindow, width: int, height: int) -> View:
    """The screen `by` rows further down (or up), the cursor moved only where it would leave the screen."""
    top = window.row(view.top, width)
    if by > 0:
        target = filled(window.rows_from(top.start, width, by + 1)[-1], window, width, height)
    else:
        before = window.rows_before(top.start, width, -by)
        target = before[0] if before else top
    rows = window.rows_from(target.start, width, height)
    at = window.byte_of(view.cursor)
    if at < rows[0].start:
        at = rows[1].start - 1 if len(rows) > 1 else rows[0].start
    elif at >= rows[-1].stop:
        at = rows[-1].start
    moved = replace(view, top=target.start, cursor=window.symbol_of(at))
    return scrolled_to_cursor(moved, window, width, height)


def at_place(view: View, x: int, y: int, window: TextWindow, width: int, height: int) -> View:
    """The cursor at column x of the row y of the screen; as it was where no row stands there."""
    rows = window.rows_from(view.top, width, height)
    if not (0 <= y < len(rows) and 0 <= x < width):
        return view
    return replace(view, cursor=window.symbol_of(window.position(rows[y], x)))


def moved_in_row(view: View, to_end: bool, window: TextWindow, width: int, height: int) -> View:
    """The cursor at the first or the last byte of its row."""
    row = window.row(window.byte_of(view.cursor), width)
    cursor = window.symbol_of(row.stop - 1 if to_end else row.start)
    return scrolled_to_cursor(replace(view, cursor=cursor), window, width, height)
