"""The text screen as a grid: what a view looks like with what is in memory.

The screen, the first paint, and snapshots in every format are drawn here, so they cannot disagree.
"""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rnnviz.analysis.cells import Reading
from rnnviz.analysis.pattern_search import LONGEST
from rnnviz.analysis.surprisal import of_symbols
from rnnviz.store.errors import RnnvizError
from rnnviz.store.reader import Capture
from rnnviz.store.signals import SIGNALS, Signal
from rnnviz.tui.capture_cache.blocks import signal_blocks, surprisal_blocks
from rnnviz.tui.paint.grid import Band, Grid
from rnnviz.tui.paint.lines import Inks, Line, spread
from rnnviz.tui.paint.palette import Depth, Palette, palette
from rnnviz.tui.paint.shading import DIFFERENCE, Shade, averaged, signal_of
from rnnviz.tui.paint.text_frame import BLANK, Frame, compose, levels
from rnnviz.tui.panels.condition import MARK, condition_line
from rnnviz.tui.panels.note import note_line
from rnnviz.tui.panels.status import cell_line
from rnnviz.tui.panels.strips import strip
from rnnviz.tui.scenes.cursor_report import AtCursor
from rnnviz.tui.scenes.layout import (
    HISTOGRAM_LEAST,
    PREDICTIONS_HEIGHT,
    Place,
    Places,
    places,
)
from rnnviz.tui.scenes.match_highlights import Marks
from rnnviz.tui.text.glyphs import columns_of, in_columns
from rnnviz.tui.text.rows import Row, TextWindow, Value
from rnnviz.tui.view.user_state import read_notes
from rnnviz.tui.view.view import Panel, View

if TYPE_CHECKING:
    from rnnviz.analysis.events import Tally
    from rnnviz.tui.capture_cache.capture_data import Material
    from rnnviz.tui.scenes.top_panels import Overhead

LABELLED_FROM = 40
"""Columns from which on the strip of the difference has its scale beside it."""


class Scene:
    """Draws views of one capture in one colour depth and theme. Reads nothing but what `source` has."""

    def __init__(self, capture: Capture, source: Material, depth: Depth, theme: str) -> None:
        self._capture = capture
        self._source = source
        self._depth = depth
        self._theme = theme
        self._panels: dict[Panel, Overhead] = {}
        self._matches = Marks()
        self._at_cursor = AtCursor(capture, source, self.palette)
        self._notes = {(note.model, note.cell): note.note for note in read_notes(capture.path)}
        self.abandoned = False
        """Whether the capture is unfinished and nobody writes it."""

    def retheme(self, theme: str) -> None:
        """Draw in another theme from now on."""
        self._theme = theme

    def palette(self, signal: str) -> Palette:
        return self._palette_of(SIGNALS[signal])

    def _palette_of(self, signal: Signal) -> Palette:
        return palette(self._depth, self._theme, "sequential" if signal.is_gate else "diverging")

    def shades(self, view: View) -> Palette:
        """The palette of what shades the text."""
        return self._palette_of(signal_of(view.shade, view.signal))

    def inks(self, signal: str) -> Inks:
        return Inks.of(self.palette(signal))

    def values(self, view: View, start: int, stop: int) -> NDArray[np.float16] | None:
        """float16 [stop - start], the cell's signal as stored; None while it is being read."""
        return self._source.values(view.model, view.cell.layer, view.signal, view.cell.unit, start, stop)

    def shade(self, view: View, start: int, stop: int) -> NDArray[np.float16] | NDArray[np.float32] | None:
        """[stop - start], what shades the text, as stored; None while it is being read."""
        if view.shade is Shade.CELL:
            return self.values(view, start, stop)
        names = view.shading_models
        first = self._surprises(names[0], start, stop)
        if first is None or len(names) == 1:
            return first
        second = self._surprises(names[1], start, stop)
        return None if second is None else second - first

    def _surprises(self, model: str, start: int, stop: int) -> NDArray[np.float32] | None:
        """float32 [stop - start], how surprising each symbol was to a model."""
        segments = self._source.segments()
        before = self._source.surprisals(model, max(0, start - 1), stop - 1)
        if segments is None or before is None:
            return None
        if start == 0:
            before = np.append(np.float32(np.nan), before)
        first, last = np.searchsorted(segments.starts, [start, stop])
        return of_symbols(before, segments.starts[first:last] - start)

    def without_text(self, view: View, width: int, height: int, failure: RnnvizError | None = None) -> Grid:
        """The screen while the text is being read, when that failed, or when nothing is captured yet."""
        inks = self.inks(view.signal)
        grid = Grid.blank(width, height, inks.plain)
        if self._capture.captured:
            line = self._cell_line(view, loading=True, width=width)
        else:
            line = [(" nothing is captured yet", inks.accent)]
        grid.put_line(line, 0, 0, width)
        if failure is not None:
            told = f"{in_columns(failure.message)}. {in_columns(failure.hint)}"
            for y, part in enumerate(textwrap.wrap(told, max(20, width - 4))):
                grid.put_line([(part, inks.accent if y == 0 else inks.plain)], 2, 2 + y, width - 2)
        elif not self._capture.captured:
            told = "What is written into it will appear here."
            if self._capture.complete:
                told = "It is empty."
            elif self.abandoned:
                name = in_columns(self._capture.path.name)
                told = f"No process writes it any more: rnnviz info {name} says how to go on."
            for y, part in enumerate(textwrap.wrap(told, max(20, width - 4))):
                grid.put_line([(part, inks.faint)], 2, 2 + y, width - 2)
        return grid

    def places(self, view: View, width: int, height: int, *, text_alone: bool = False) -> Places:
        """Where things stand on a canvas of width × height. `text_alone`: nothing beside the text but a line above
        it and one below."""
        if text_alone:
            return places(width, height, False)
        above = None if view.above is None else self._panel(view.above)
        return places(
            width,
            height,
            view.panels,
            0 if above is None else above.height(width, height),
            self._marked_below(view) + len(view.pins),
            compared=view.pair is not None,
            condition=view.condition is not None,
            noted=bool(self._noted(view)),
        )

    def _noted(self, view: View) -> list[str]:
        """The cells of the view's model that there are notes on."""
        return [cell for model, cell in self._notes if model == view.model]

    def _marked_below(self, view: View) -> int:
        """1 where marks of the condition in force stand in rows of their own, under the text."""
        return int(view.condition is not None and self._depth is Depth.NONE)

    def _panel(self, above: Panel) -> Overhead:
        if above not in self._panels:
            from rnnviz.tui.scenes.top_panels import PANELS  # most views have none, and start without it

            self._panels[above] = PANELS[above](self._capture, self._source, self.palette)
        return self._panels[above]

    def draw(
        self,
        view: View,
        shown: View,
        window: TextWindow,
        rows: list[Row],
        at: Places,
        width: int,
        height: int,
        *,
        tally: Tally | None = None,
        text_alone: bool = False,
    ) -> Grid:
        """The whole screen. The text is shaded as `shown` has it, the last view whose values were in memory.

        tally: how often the condition in force holds, as far as that is counted. `text_alone`: without the cursor;
        the line below says which symbols are shown.
        """
        # A text that ends before the screen does has no band: not all of its rows would move.
        full = len(rows) == at.text.height and not at.strips
        band = Band(at.text.y, tuple(row.start for row in rows)) if full else None
        grid = Grid.blank(width, height, self.inks(view.signal).plain, band)
        span = window.span(rows)
        holds = None if text_alone else self._holds(view, *span)
        marks = None if holds is None else window.by_byte(holds, rows)
        frame = self._frame(view, shown, window, rows, at.text, marks, with_cursor=not text_alone)
        shades, apart = self.shades(shown), 1 + at.strips
        for y in range(at.text.height if at.strips else 0):
            row = Frame(frame.codes[y : y + 1], frame.styles[y : y + 1])
            grid.put_frame(row, shades, at.text.x, at.text.y + y * apart)
        if not at.strips:
            grid.put_frame(frame, shades, at.text.x, at.text.y)
        below = self._marked_below(view)
        if below and at.strips and marks is not None:
            self._put_marks(grid, view, marks, window, rows, at)
        for number, reading in enumerate(view.pins[: max(0, at.strips - below)], start=below):
            self._put_pin(grid, view, reading, number, window, rows, at)
        grid.put_line(self._cell_line(view, loading=shown != view, width=width), 0, 0, width)
        last = self._span_line(span, view, width) if text_alone else self._at_cursor.line(view, window, width)
        grid.put_line(last, 0, height - 1, width)
        if at.note is not None:
            note = self._notes.get((view.model, str(view.cell)))
            told = note_line(str(view.cell), note, self._noted(view), width, self.inks(view.signal))
            grid.put_line(told, at.note.x, at.note.y, at.note.width)
        if at.difference is not None:
            self._put_difference(grid, view, span, at.difference)
        if at.condition is not None and view.condition is not None:
            inks = Inks.of(shades)
            here = None if holds is None else (int(np.count_nonzero(holds)), len(holds))
            told = condition_line(view.condition.text, here, tally, width, inks, underlines=shades.underlines)
            grid.put_line(told, at.condition.x, at.condition.y, at.condition.width)
        if at.overhead is not None and view.above is not None:
            lines = self._panel(view.above).lines(view, at.overhead.width, at.overhead.height)
            for y, line in enumerate(lines[: at.overhead.height]):
                grid.put_line(line, at.overhead.x, at.overhead.y + y, at.overhead.width)
        if at.panels is not None:
            # Among the gates above the text the signal's histogram stands already; where another panel there leaves no
            # room for it, that tells of the cell.
            room = view.above is not Panel.GATES and (
                at.overhead is None or at.panels.height >= HISTOGRAM_LEAST + PREDICTIONS_HEIGHT
            )
            beside = self._at_cursor.panels(view, window, at.panels, with_histogram=room)
            for y, line in enumerate(beside):
                grid.put_line(line, at.panels.x, at.panels.y + y, at.panels.width)
        return grid

    def _holds(self, view: View, start: int, stop: int) -> NDArray[np.bool_] | None:
        """bool [stop - start]: where the condition in force holds; None while that is not known, or none is."""
        if view.condition is None:
            return None
        views: dict[Reading, NDArray[np.float32]] = {}
        for reading in view.condition.readings:
            cell, signal = reading.cell, reading.signal
            stored = self._source.values(view.model, cell.layer, signal, cell.unit, start, stop)
            if stored is None:
                return None
            views[reading] = SIGNALS[signal].view(stored)
        return view.condition.term.holds(views, stop - start)

    def _put_marks(
        self,
        grid: Grid,
        view: View,
        marks: NDArray[np.bool_],
        window: TextWindow,
        rows: list[Row],
        at: Places,
    ) -> None:
        """A mark under every symbol at which the condition in force holds: bool, a value for each byte of the rows."""
        plain = self.inks(view.signal).plain
        for y, row in enumerate(rows[: at.text.height]):
            columns = _by_column(marks, row, rows, window)
            line = "".join(MARK if marked else chr(BLANK) for marked in columns.tolist())
            below = at.text.y + y * (1 + at.strips) + 1
            grid.put_line([(line, plain)], at.text.x, below, at.text.width)

    def _frame(
        self,
        view: View,
        shown: View,
        window: TextWindow,
        rows: list[Row],
        place: Place,
        marks: NDArray[np.bool_] | None,
        *,
        with_cursor: bool,
    ) -> Frame:
        values = self.shade(shown, *window.span(rows))
        shade = None
        if values is not None:
            shade = window.by_byte(levels(values, signal_of(shown.shade, shown.signal)), rows)
        start, stop = rows[0].start, rows[-1].stop
        cursor = window.byte_of(view.cursor)
        long = window.byte_of(view.cursor + 1) - cursor
        matches = None
        if view.search is not None:
            behind = max(window.start, start - LONGEST)
            matches = self._matches.spans(view.search, window.bytes_at(behind, stop), behind, start)
        return compose(
            window,
            rows,
            place.width,
            place.height,
            shade,
            cursor=cursor if with_cursor else None,
            cursor_bytes=long,
            matches=matches,
            holds=marks,
        )

    def _put_pin(
        self,
        grid: Grid,
        view: View,
        reading: Reading,
        number: int,
        window: TextWindow,
        rows: list[Row],
        at: Places,
    ) -> None:
        """The strips of a pinned cell, one under each row of text, each column under the symbol it belongs to."""
        stored = self._source.values(
            view.model, reading.cell.layer, reading.signal, reading.cell.unit, *window.span(rows)
        )
        shades, signal = self.palette(reading.signal), SIGNALS[reading.signal]
        by_byte = np.zeros(0, np.float32) if stored is None else window.by_byte(signal.view(stored), rows)
        for y, row in enumerate(rows[: at.text.height]):
            below = at.text.y + y * (1 + at.strips) + 1 + number
            if stored is None:
                grid.put_line([("…", self.inks(reading.signal).faint)], at.text.x, below, at.text.width)
                continue
            strip(_by_column(by_byte, row, rows, window), signal, shades).put(
                grid, at.text.x, below, at.text.width
            )

    def _put_difference(self, grid: Grid, view: View, span: tuple[int, int], place: Place) -> None:
        """How much better one model knew than the other, over the symbols on the screen, and where the cursor is."""
        start, stop = span
        shades = self._palette_of(DIFFERENCE)
        values = self.shade(replace(view, shade=Shade.DIFFERENCE), start, stop)
        if values is None:
            grid.put_line([("…", Inks.of(shades).faint)], place.x, place.y, place.width)
            return
        label = f"◂▸ ±{DIFFERENCE.high:g} nats "
        if place.width >= LABELLED_FROM:
            grid.put_line([(label, Inks.of(shades).faint)], place.x, place.y, place.width)
            place = replace(place, x=place.x + len(label), width=place.width - len(label))
        strip(averaged(values.astype(np.float32), place.width), DIFFERENCE, shades).put(
            grid, place.x, place.y, place.width
        )
        at = (view.cursor - start) * place.width // max(1, stop - start)
        if 0 <= at < place.width:
            grid.put_line([("▴", Inks.of(shades).accent)], place.x + at, place.y, 1)

    def _cell_line(self, view: View, *, loading: bool, width: int) -> Line:
        layer, unit = view.cell.layer, view.cell.unit
        blocks = signal_blocks(view.model, layer, view.signal, unit, view.cursor, view.cursor + 1)
        for name in view.shading_models:
            blocks += surprisal_blocks(name, view.cursor, view.cursor + 1)
        failed = loading and self._source.failure(blocks) is not None
        waiting = "" if not loading else " cannot be read" if failed else " …"
        return cell_line(
            self._capture,
            view,
            waiting=waiting,
            hidden=self._hidden(view),
            width=width,
            palette=self.shades(view),
        )

    def _hidden(self, view: View) -> int:
        """How many cells are hidden as dead."""
        return int(np.count_nonzero(self.dead(view))) if view.hides_dead else 0

    def dead(self, view: View) -> NDArray[np.bool_]:
        """bool [cell], layer after layer: which cells are known to be dead in the view's signal."""
        from rnnviz.analysis.cell_columns import dead_cells  # 2 ms that most first screens need not wait for

        layers = self._capture.models[view.model].layers
        known = [self._source.statistics(view.model, number) for number in range(len(layers))]
        return dead_cells(known, view.signal, tuple(layer.units for layer in layers))

    def _span_line(self, span: tuple[int, int], view: View, width: int) -> Line:
        """Which symbols are shown."""
        inks, (first, stop) = self.inks(view.signal), span
        return spread([], [(f"symbols {first:,} to {stop - 1:,} ", inks.faint)], width, inks.plain)


def _by_column(values: NDArray[Value], row: Row, rows: list[Row], window: TextWindow) -> NDArray[Value]:
    """A value for each column of one of the rows, from one for each byte of all of them."""
    found = values[row.start - rows[0].start : row.stop - rows[0].start]
    return np.repeat(found, columns_of(window.bytes_at(row.start, row.stop)))
