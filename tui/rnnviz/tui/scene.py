"""The text screen as a grid: what a view looks like with what is in memory."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.reader import Capture
from rnnviz.store.signals import SIGNALS
from rnnviz.tui.canvas import Band, Grid
from rnnviz.tui.cells import Reading
from rnnviz.tui.frame import Frame, compose, levels
from rnnviz.tui.glyphs import columns_of
from rnnviz.tui.layout import Row, TextWindow
from rnnviz.tui.painting import Inks, Line
from rnnviz.tui.palette import Depth, Palette, palette
from rnnviz.tui.panels.histogram import histogram_lines
from rnnviz.tui.panels.predictions import prediction_lines, predictions
from rnnviz.tui.panels.status import UnderCursor, cell_line, cursor_line
from rnnviz.tui.panels.strips import strip
from rnnviz.tui.places import HISTOGRAM_LEAST, HISTOGRAM_MOST, PREDICTIONS_HEIGHT, Place, Places
from rnnviz.tui.search import LONGEST, spans_in
from rnnviz.tui.source import Source
from rnnviz.tui.view import View


class Scene:
    """Draws views of one capture in one colour depth and theme. Reads nothing but what `source` has in memory."""

    def __init__(self, capture: Capture, source: Source, depth: Depth, theme: str) -> None:
        self._capture = capture
        self._source = source
        self._depth = depth
        self._theme = theme

    def palette(self, signal: str) -> Palette:
        return palette(self._depth, self._theme, "sequential" if SIGNALS[signal].is_gate else "diverging")

    def inks(self, signal: str) -> Inks:
        return Inks.of(self.palette(signal))

    def values(self, view: View, start: int, stop: int) -> NDArray[np.float16] | None:
        """float16 [stop - start], what shades the text; None while it is being read."""
        return self._source.values(view.model, view.cell.layer, view.signal, view.cell.unit, start, stop)

    def without_text(self, view: View, width: int, height: int) -> Grid:
        """The screen while the text is being read, or when nothing is captured yet."""
        inks = self.inks(view.signal)
        grid = Grid.blank(width, height, inks.plain)
        if self._capture.captured:
            line = self._cell_line(view, loading=True, width=width)
        else:
            line = [(" nothing is captured yet", inks.accent)]
        grid.put_line(line, 0, 0, width)
        return grid

    def draw(
        self,
        view: View,
        shown: View,
        window: TextWindow,
        rows: list[Row],
        at: Places,
        width: int,
        height: int,
        pattern: re.Pattern[bytes] | None,
        overhead: list[Line],
    ) -> Grid:
        """The whole screen. The text is shaded as `shown` has it, the last view whose values were in memory."""
        # A text that ends before the screen does has no band: not all of its rows would move.
        full = len(rows) == at.text.height and not at.strips
        band = Band(at.text.y, tuple(row.start for row in rows)) if full else None
        grid = Grid.blank(width, height, self.inks(view.signal).plain, band)
        frame = self._frame(view, shown, window, rows, at.text, pattern)
        shades, apart = self.palette(shown.signal), 1 + at.strips
        for y in range(at.text.height if at.strips else 0):
            row = Frame(frame.codes[y : y + 1], frame.styles[y : y + 1])
            grid.put_frame(row, shades, at.text.x, at.text.y + y * apart)
        if not at.strips:
            grid.put_frame(frame, shades, at.text.x, at.text.y)
        for number, reading in enumerate(view.pins[: at.strips]):
            self._put_pin(grid, view, reading, number, window, rows, at)
        grid.put_line(self._cell_line(view, loading=shown != view, width=width), 0, 0, width)
        grid.put_line(self._cursor_line(view, window, width), 0, height - 1, width)
        if at.overhead is not None:
            for y, line in enumerate(overhead[: at.overhead.height]):
                grid.put_line(line, at.overhead.x, at.overhead.y + y, at.overhead.width)
        if at.panels is not None:
            # Where both have no room, what stands above the text tells of the cell.
            room = at.overhead is None or at.panels.height >= HISTOGRAM_LEAST + PREDICTIONS_HEIGHT
            for y, line in enumerate(self._panel_lines(view, window, at.panels, with_histogram=room)):
                grid.put_line(line, at.panels.x, at.panels.y + y, at.panels.width)
        return grid

    def _frame(
        self,
        view: View,
        shown: View,
        window: TextWindow,
        rows: list[Row],
        place: Place,
        pattern: re.Pattern[bytes] | None,
    ) -> Frame:
        start, stop = rows[0].start, rows[-1].stop
        values = self.values(shown, start, stop)
        shade = None if values is None else levels(values, SIGNALS[shown.signal])
        matches = None
        if pattern is not None:
            behind = max(window.start, start - LONGEST)
            matches = spans_in(pattern, window.bytes_at(behind, stop), behind, start)
        return compose(window, rows, place.width, place.height, shade, cursor=view.cursor, matches=matches)

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
        start, stop = rows[0].start, rows[-1].stop
        stored = self._source.values(
            view.model, reading.cell.layer, reading.signal, reading.cell.unit, start, stop
        )
        shades, signal = self.palette(reading.signal), SIGNALS[reading.signal]
        for y, row in enumerate(rows[: at.text.height]):
            below = at.text.y + y * (1 + at.strips) + 1 + number
            if stored is None:
                grid.put_line([("…", self.inks(reading.signal).faint)], at.text.x, below, at.text.width)
                continue
            views = signal.view(stored[row.start - start : row.stop - start])
            wide = np.repeat(views, columns_of(window.bytes_at(row.start, row.stop)))
            strip(wide, signal, shades).put(grid, at.text.x, below, at.text.width)

    def _cell_line(self, view: View, *, loading: bool, width: int) -> Line:
        shades = self.palette(view.signal)
        return cell_line(self._capture, view, loading=loading, width=width, palette=shades)

    def _cursor_line(self, view: View, window: TextWindow, width: int) -> Line:
        cursor, signal = view.cursor, SIGNALS[view.signal]
        at = self.values(view, cursor, cursor + 1)
        byte, segments = _byte(window, cursor), self._source.segments()
        if byte is None or segments is None:
            return []
        under = UnderCursor(
            offset=cursor,
            byte=byte,
            line=self._source.line(cursor),
            segment=segments.index(cursor) + 1,
            segments=len(segments.starts),
            stored=None if at is None else float(at[0]),
            view=None if at is None else float(signal.view(at)[0]),
            surprisal=self._source.surprisal(view.model, cursor),
        )
        return cursor_line(self._capture, view, under, width=width, palette=self.palette(view.signal))

    def _came(self, view: View, window: TextWindow) -> int | None:
        """The byte that follows the cursor: the next of its segment, or the one after it in the source."""
        segments = self._source.segments()
        if segments is None:
            return None
        index = segments.index(view.cursor)
        if view.cursor + 1 < int(segments.stops[index]):
            return _byte(window, view.cursor + 1)
        after = int(segments.after[index])
        return after if after >= 0 else None

    def _panel_lines(
        self, view: View, window: TextWindow, place: Place, *, with_histogram: bool
    ) -> list[Line]:
        """The histogram and, in the rows that leaves, the predictions."""
        model = self._capture.models[view.model]
        shades, signal = self.palette(view.signal), SIGNALS[view.signal]
        following = self._source.next(view.model, view.cursor) if model.has_next else None
        ranked = None if following is None else predictions(following, model.vocabulary)
        came = self._came(view, window)
        ends = view.cursor + 1 == self._capture.captured and not self._capture.complete
        missing = "what follows is not captured yet" if ends else "nothing follows"
        below = prediction_lines(ranked, came, view.model, model.has_next, place.width, shades, missing)

        if not with_histogram:
            return below[: place.height]
        statistics = self._source.statistics(view.model, view.cell.layer)
        unit = None if statistics is None else statistics.of(view.signal, view.cell.unit)
        height = max(HISTOGRAM_LEAST, min(HISTOGRAM_MOST, place.height - PREDICTIONS_HEIGHT))
        above = histogram_lines(unit, signal, place.width, height, shades)
        blank: list[Line] = [[]] * (height - len(above))
        return [*above, *blank, *below][: place.height]


def _byte(window: TextWindow, position: int) -> int | None:
    if not window.start <= position < window.stop:
        return None
    return int(window.bytes_at(position, position + 1)[0])
