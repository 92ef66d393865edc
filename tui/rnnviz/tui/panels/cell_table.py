"""The table of cells: a heading, and a row a cell with its numbers and a strip of its activity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rnnviz.analysis.cell_columns import Order
from rnnviz.analysis.cells import Cell
from rnnviz.tui.paint.lines import Inks, Line, cut, ellipsed

NAME_WIDTH = 9
NUMBER_WIDTH = 8
LEAST_STRIP = 12


@dataclass(frozen=True)
class CellRow:
    """One row of the table: what is not known of the cell is NaN."""

    cell: Cell
    numbers: tuple[float, ...]
    """In the order of the columns that are shown."""
    marked: bool
    """Whether the person's mark is on it."""
    note: str
    """A character before its name: where the person came from, pinned, compared with."""


_HEADINGS = {
    Order.MEAN: "mean",
    Order.DEVIATION: "dev.",
    Order.SATURATION: "sat.",
    Order.SWITCHING: "switch",
    Order.SIMILARITY: "alike",
}


def shown_columns(columns: Sequence[Order], order: Order, width: int) -> tuple[Order, ...]:
    """As many of the columns as leave room for a strip, among them the one that is sorted by."""
    room = max(1, (width - NAME_WIDTH - LEAST_STRIP) // NUMBER_WIDTH)
    kept = list(columns[:room])
    if order in columns and order not in kept:
        kept[-1] = order
    return tuple(kept)


def strip_start(columns: Sequence[Order]) -> int:
    """The column of the screen at which the strips begin."""
    return NAME_WIDTH + NUMBER_WIDTH * len(columns) + 2


def column_at(columns: Sequence[Order], x: int) -> Order | None:
    """The order whose column of the table holds column x of the screen; None where the strips are."""
    if x < NAME_WIDTH:
        return Order.LAYER
    place = (x - NAME_WIDTH) // NUMBER_WIDTH
    return columns[place] if place < len(columns) else None


def heading(
    columns: Sequence[Order], order: Order, descending: bool, over: str, width: int, inks: Inks
) -> Line:
    """The names of the columns, an arrow at the one that is sorted by; `over` says what the strips show."""
    arrow = "↓" if descending else "↑"
    line: Line = [_title("  cell", order is Order.LAYER, arrow, NAME_WIDTH, inks)]
    for column in columns:
        line.append(_title(_HEADINGS[column], column is order, arrow, NUMBER_WIDTH, inks, right=True))
    return ellipsed([*line, ("  ", inks.plain), (over, inks.faint)], width)


def _title(name: str, sorted_by: bool, arrow: str, width: int, inks: Inks, *, right: bool = False) -> tuple:  # type: ignore[type-arg]
    text = f"{name}{arrow}" if sorted_by else name
    return (text.rjust(width) if right else text.ljust(width), inks.accent if sorted_by else inks.faint)


def row_line(row: CellRow, columns: Sequence[Order], width: int, inks: Inks) -> Line:
    """A row but for its strip: its mark, name and numbers."""
    ink = inks.accent if row.marked else inks.plain
    name = f"{'▸' if row.marked else ' '}{row.note or ' '}{row.cell}"
    line: Line = [(name.ljust(NAME_WIDTH), ink)]
    for column, number in zip(columns, row.numbers, strict=True):
        line.append((f" {figure(column, number)}".rjust(NUMBER_WIDTH), ink))
    return cut(line, width)


def figure(column: Order, number: float) -> str:
    """A number of a column as people read it; what is not known is a dot."""
    if math.isnan(number):
        return "·"
    if column in (Order.SATURATION, Order.SWITCHING):
        return f"{number:.1%}"
    return f"{number:.3f}" if column is Order.DEVIATION else f"{number:+.3f}"
