"""The list of cells as a person has set it: sorted, filtered, scrolled, with the mark on one cell.

Nothing here reads a capture or draws: numbers come in with `learn`, and `rows` says which cells to show.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnnviz.analysis.cell_columns import Filter, Order, dead, ordered, parse_filter
from rnnviz.analysis.cells import Cell, cell_at, index_of
from rnnviz.store.errors import InvalidRequest


class CellList:
    """Cells of a model, by their places among all of them (layer after layer)."""

    def __init__(self, units: tuple[int, ...], start: Cell) -> None:
        self.units = units
        self.columns: dict[Order, NDArray[np.float64]] = {}
        self.order = Order.LAYER
        self.descending = False
        self.hides_dead = False
        self.filter_text = ""
        self.mistake: InvalidRequest | None = None
        """What is wrong with the filter as it stands; the last good one holds meanwhile."""
        self._filter = Filter()
        self.marked = index_of(start, units)
        self.top = 0
        """The first row on the screen."""
        self.places = np.arange(sum(units))
        """int64 [row]: the cells shown, in their order."""

    @property
    def cell(self) -> Cell:
        """The cell the mark is on."""
        return cell_at(self.marked, self.units)

    @property
    def row(self) -> int:
        """The mark's row; 0 where no cell is shown."""
        found = np.flatnonzero(self.places == self.marked)
        return int(found[0]) if len(found) else 0

    @property
    def dead(self) -> int:
        """How many cells are known to be dead."""
        return int(np.count_nonzero(dead(self.columns))) if Order.DEVIATION in self.columns else 0

    def learn(self, columns: dict[Order, NDArray[np.float64]]) -> None:
        """Take in numbers of all cells, float64 [cell], and sort anew."""
        self.columns |= columns
        self.arrange()

    def forget(self) -> None:
        """The numbers are those of another signal now."""
        self.columns.clear()
        self.arrange()

    def sort_by(self, order: Order, *, descending: bool | None = None) -> None:
        """Sort by a column and mark the first row; unless told otherwise large numbers come first, but cells in
        their order."""
        self.order = order
        self.descending = order is not Order.LAYER if descending is None else descending
        self.arrange()
        self.top = 0
        self.move(-len(self.places))

    def set_as(self, earlier: CellList) -> None:
        """Sort and filter as an earlier list did. A comparison with a cell is over: its order is not taken up."""
        if earlier.order is not Order.SIMILARITY:
            self.order, self.descending = earlier.order, earlier.descending
        self.filter_text, self._filter = earlier.filter_text, earlier._filter
        self.arrange()

    def mark(self, cell: Cell) -> None:
        """Put the mark on a cell, if it is shown."""
        if (place := index_of(cell, self.units)) in self.places:
            self.marked = place

    def filter_by(self, text: str) -> None:
        """Show the cells that pass what is typed; while it is no filter, those of the last one that was."""
        self.filter_text = text
        try:
            self._filter, self.mistake = parse_filter(text), None
        except InvalidRequest as error:
            self.mistake = error
        self.arrange()

    def arrange(self) -> None:
        """Find the rows anew. The mark stays on its cell; where that is no longer shown it goes to the row's new
        cell, or the last."""
        row = self.row
        shown = self._filter.passes(self.columns, self.units)
        if self.hides_dead and Order.DEVIATION in self.columns:
            shown &= ~dead(self.columns)
        self.places = ordered(shown, self.columns, self.order, descending=self.descending)
        if len(self.places) and self.marked not in self.places:
            self.marked = int(self.places[min(row, len(self.places) - 1)])

    def move(self, by: int) -> None:
        """Move the mark by rows, to the first or last at most."""
        if len(self.places):
            row = min(max(self.row + by, 0), len(self.places) - 1)
            self.marked = int(self.places[row])

    def rows(self, height: int) -> NDArray[np.int64]:
        """The places of the cells on a screen with room for `height` rows, scrolled as little as shows the mark."""
        last = max(0, len(self.places) - height)
        self.top = min(max(self.top, self.row - height + 1, 0), self.row, last)
        return self.places[self.top : self.top + height]
