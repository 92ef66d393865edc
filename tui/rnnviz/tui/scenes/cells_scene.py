"""The list of cells as a grid: what it looks like with what is in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from rnnviz.analysis.cell_columns import DEAD, Order
from rnnviz.analysis.cells import Cell, Reading, cell_at
from rnnviz.analysis.switching import Sample
from rnnviz.store.reader import Capture
from rnnviz.store.signals import SIGNALS
from rnnviz.tui.capture_cache.block_cache import Source
from rnnviz.tui.capture_cache.blocks import Block, StatisticsBlock, signal_blocks
from rnnviz.tui.paint.grid import Band, Grid
from rnnviz.tui.paint.lines import Inks, Line, spread
from rnnviz.tui.paint.palette import Palette
from rnnviz.tui.panels.cell_table import CellRow, column_at, heading, row_line, shown_columns, strip_start
from rnnviz.tui.panels.status import model_title
from rnnviz.tui.panels.strips import Strip, activity_strip
from rnnviz.tui.text.glyphs import in_columns
from rnnviz.tui.view.cell_list import CellList
from rnnviz.tui.view.view import View

ABOVE, MARGIN = 2, 3
"""Lines of the page above the cells, a title and the columns' names, and all that are no cells: a status below, too."""
STRIPS_KEPT = 512


@dataclass(frozen=True)
class Progress:
    """What is known beside the numbers of the cells."""

    shares: Mapping[Order, float]
    """How far the passes over the capture have come, of those that were begun."""
    sample: Sample
    """What they look at."""
    reference: Cell | None
    """The cell that the others are compared with."""


class CellPage:
    """Draws the cells of `start`'s model as they are over the stretch of text `span`."""

    def __init__(self, capture: Capture, source: Source, start: View, span: tuple[int, int]) -> None:
        self._capture = capture
        self._source = source
        self._start = start
        self._span = span
        self._strips: OrderedDict[tuple[Cell, str, int, Palette], Strip] = OrderedDict()
        """Those drawn last: to draw 46 of them takes longer than all the rest of the page."""

    def needed(self, cells: CellList, view: View, height: int) -> list[Block]:
        """The statistics, and what the strips on a page of `height` lines are made of."""
        layers = range(len(cells.units))
        needed: list[Block] = [StatisticsBlock(view.model, layer) for layer in layers]
        start, stop = self._span
        for place in cells.rows(height - MARGIN).tolist() if stop > start else ():
            cell = cell_at(place, cells.units)
            needed += signal_blocks(view.model, cell.layer, view.signal, cell.unit, start, stop)
        return list(dict.fromkeys(needed))

    def draw(
        self, cells: CellList, view: View, progress: Progress, width: int, height: int, palette: Palette
    ) -> Grid:
        """The whole page; the view says which signal and what is pinned."""
        inks = Inks.of(palette)
        rows = cells.rows(height - MARGIN).tolist()
        # A list that scrolls is moved by the terminal: a row of strips takes a kilobyte and more.
        band = Band(ABOVE, tuple(rows)) if len(rows) == height - MARGIN else None
        grid = Grid.blank(width, height, inks.plain, band)
        grid.put_line(self._title(cells, view, width, inks), 0, 0, width)
        self._put_table(grid, cells, view, progress, palette)
        grid.put_line(_status(cells, progress, width, inks), 0, height - 1, width)
        return grid

    def order_at(self, cells: CellList, x: int, width: int) -> Order | None:
        """The order of the column whose name stands at column x of the screen, if one does."""
        return column_at(self._columns(cells, width), x)

    @staticmethod
    def _columns(cells: CellList, width: int) -> tuple[Order, ...]:
        return shown_columns([order for order in Order if order in cells.columns], cells.order, width)

    def _title(self, cells: CellList, view: View, width: int, inks: Inks) -> Line:
        signal = SIGNALS[view.signal]
        count, shown = sum(cells.units), len(cells.places)
        left: Line = [
            (" cells ", inks.accent),
            (f"{signal.view_name} ", inks.strong),
            (f"{signal.title}  ", inks.faint),
            (in_columns(model_title(self._capture, view.model)), inks.plain),
        ]
        number = f"{count:,}" if shown == count else f"{shown:,} of {count:,}"
        return spread(left, [(f"{number} cells ", inks.plain)], width, inks.plain)

    def _put_table(
        self, grid: Grid, cells: CellList, view: View, progress: Progress, palette: Palette
    ) -> None:
        inks, width = Inks.of(palette), grid.width
        columns = self._columns(cells, width)
        over = "activity, {:,} to {:,}".format(*self._span)
        grid.put_line(heading(columns, cells.order, cells.descending, over, width, inks), 0, 1, width)
        for y, place in enumerate(cells.rows(grid.height - MARGIN).tolist(), start=ABOVE):
            cell = cell_at(place, cells.units)
            numbers = tuple(float(cells.columns[column][place]) for column in columns)
            row = CellRow(cell, numbers, place == cells.marked, self._note(cell, view, progress))
            grid.put_line(row_line(row, columns, width, inks), 0, y, width)
            self._put_strip(grid, cell, view, strip_start(columns), y, palette)
        if not len(cells.places):
            grid.put_line([("  no cell passes: type another filter, or Esc", inks.faint)], 0, ABOVE, width)

    def _put_strip(self, grid: Grid, cell: Cell, view: View, x: int, y: int, palette: Palette) -> None:
        (start, stop), room = self._span, grid.width - x
        if room < 1:
            return
        name = (cell, view.signal, room, palette)
        if name not in self._strips:
            stored = self._source.values(view.model, cell.layer, view.signal, cell.unit, start, stop)
            if stored is None:
                blocks = signal_blocks(view.model, cell.layer, view.signal, cell.unit, start, stop)
                missing = "…" if self._source.failure(blocks) is None else "cannot be read"
                grid.put_line([(missing, Inks.of(palette).faint)], x, y, room)
                return
            self._strips[name] = activity_strip(stored, SIGNALS[view.signal], room, palette)
            if len(self._strips) > STRIPS_KEPT:
                self._strips.popitem(last=False)
        self._strips.move_to_end(name)
        self._strips[name].put(grid, x, y, room)

    def _note(self, cell: Cell, view: View, progress: Progress) -> str:
        if Reading(cell, view.signal) in view.pins:
            return "*"
        if cell == progress.reference:
            return "="
        return "•" if cell == self._start.cell else ""


def _status(cells: CellList, progress: Progress, width: int, inks: Inks) -> Line:
    """What is shown and what is hidden, and how far the passes over the text are."""
    left: Line = [(f" {cells.row + 1 if len(cells.places) else 0:,}/{len(cells.places):,}", inks.strong)]
    if cells.filter_text:
        left += [("  show ", inks.faint), (in_columns(cells.filter_text), inks.accent)]
    if cells.dead:
        left.append((f"  {cells.dead:,} dead{' hidden' if cells.hides_dead else ''}", inks.plain))
        left.append((f" (dev. < {DEAD:g})", inks.faint))
    right = _passes(cells, progress, inks)
    return spread(left, right, width, inks.plain)


def _passes(cells: CellList, progress: Progress, inks: Inks) -> Line:
    for order, share in progress.shares.items():
        if share < 1:
            stops = ", Esc stops it" if order is Order.SIMILARITY else ""
            return [(f"{order} {share:.0%}{stops} ", inks.accent)]
    over = "" if progress.sample.is_whole else f" over {progress.sample}"
    if cells.order is Order.SIMILARITY and progress.reference is not None:
        return [(f"correlation with {progress.reference}{over} ", inks.faint)]
    return [(f"switching{over} ", inks.faint)] if over and cells.order is Order.SWITCHING else []
