"""What is told of the symbol under the cursor: the line below the text, and the panels beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rnnviz.store.reader import Capture
from rnnviz.store.signals import SIGNALS
from rnnviz.store.training_split import PART_WORDS, parts_of, training_split
from rnnviz.tui.capture_cache.blocks import next_block
from rnnviz.tui.paint.lines import Line
from rnnviz.tui.paint.palette import Palette
from rnnviz.tui.panels.histogram import histogram_lines
from rnnviz.tui.panels.predictions import (
    UNKNOWN,
    Came,
    Expected,
    comparison_lines,
    expected,
    prediction_lines,
)
from rnnviz.tui.panels.status import UnderCursor, cursor_line
from rnnviz.tui.scenes.layout import (
    COMPARISON_HEIGHT,
    HISTOGRAM_LEAST,
    HISTOGRAM_MOST,
    PREDICTIONS_HEIGHT,
    Place,
)
from rnnviz.tui.text.glyphs import name_of, token_name
from rnnviz.tui.text.rows import TextWindow
from rnnviz.tui.view.view import View

if TYPE_CHECKING:
    from rnnviz.tui.capture_cache.capture_data import Material


class AtCursor:
    """Tells it of views of one capture, with what `source` has. `palette` gives the colours of a signal."""

    def __init__(self, capture: Capture, source: Material, palette: Callable[[str], Palette]) -> None:
        self._capture = capture
        self._source = source
        self._palette = palette
        self._tokens: tuple[str, ...] = ()
        self._number_of: dict[str, int] = {}
        splits = {name: training_split(capture, name) for name in capture.models}
        self._splits = {name: split for name, split in splits.items() if split is not None}

    def line(self, view: View, window: TextWindow, width: int) -> Line:
        """The line below the text."""
        cursor, signal = view.cursor, SIGNALS[view.signal]
        layer, unit = view.cell.layer, view.cell.unit
        at = self._source.values(view.model, layer, view.signal, unit, cursor, cursor + 1)
        data, segments = _symbol(window, cursor), self._source.segments()
        if not data or segments is None:
            return []
        under = UnderCursor(
            offset=cursor,
            name=_name(data, tokens=self._capture.has_tokens),
            code="" if self._capture.has_tokens else f"{data[0]:#04x}",
            line=self._source.line(window.byte_of(cursor)),
            column=window.column_of(window.byte_of(cursor)),
            segment=segments.index(cursor) + 1,
            segments=len(segments.starts),
            stored=None if at is None else float(at[0]),
            view=None if at is None else float(signal.view(at)[0]),
            surprisal=self._source.surprisal(view.model, cursor),
            part=self._part(view),
        )
        return cursor_line(self._capture, view, under, width=width, palette=self._palette(view.signal))

    def _part(self, view: View) -> str:
        """What the symbol under the cursor was to the models whose numbers are on the screen, where that is known. If
        one of them was trained on it, that is told, because then they are not to be compared."""
        shown = dict.fromkeys((view.model, *view.shading_models, *(view.pair or ())))
        splits = [self._splits[name] for name in shown if name in self._splits]
        parts = [int(parts_of(self._capture, split, view.cursor, view.cursor + 1)[0]) for split in splits]
        return PART_WORDS[min(parts)] if parts else ""

    def _came(self, view: View, window: TextWindow) -> Came | None:
        """The symbol that follows the cursor: the next of its segment, or the one after it in the source."""
        segments = self._source.segments()
        if segments is None:
            return None
        index = segments.index(view.cursor)
        tokens = self._capture.models[view.model].tokens
        after = int(segments.after[index])
        if view.cursor + 1 < int(segments.stops[index]):
            data = _symbol(window, view.cursor + 1)
            if not data:
                return None
            name = _name(data, tokens=tokens is not None)
            return Came(
                data[0] if tokens is None else self._number(tokens, data.decode(errors="replace")), name
            )
        if after < 0:
            return None
        return Came(after, name_of(after) if tokens is None else token_name(tokens[after]))

    def _number(self, tokens: tuple[str, ...], symbol: str) -> int:
        """The number of the token that a symbol of the text says: in the text, white space may follow a word."""
        if self._tokens is not tokens:
            self._tokens = tokens
            self._number_of = {token: number for number, token in enumerate(tokens)}
        return self._number_of.get(symbol, self._number_of.get(symbol.rstrip(), UNKNOWN))

    def panels(self, view: View, window: TextWindow, place: Place, *, with_histogram: bool) -> list[Line]:
        """The histogram and, in the rows that leaves, the predictions."""
        shades, signal = self._palette(view.signal), SIGNALS[view.signal]
        came = self._came(view, window)
        ends = view.cursor + 1 == self._capture.captured and not self._capture.complete
        missing = "not captured yet" if ends else "nothing follows"
        if view.pair is None:
            alone = self._expected(view.model, view.cursor, came)
            below = prediction_lines(alone, came, place.width, shades, missing)
            least = PREDICTIONS_HEIGHT
        else:
            left, right = (self._expected(name, view.cursor, came) for name in view.pair)
            below = comparison_lines(left, right, came, place.width, shades, missing)
            least = COMPARISON_HEIGHT

        if not with_histogram:
            return below[: place.height]
        statistics = self._source.statistics(view.model, view.cell.layer)
        unit = None if statistics is None else statistics.of(view.signal, view.cell.unit)
        height = max(HISTOGRAM_LEAST, min(HISTOGRAM_MOST, place.height - least))
        above = histogram_lines(unit, signal, place.width, height, shades)
        blank: list[Line] = [[]] * (height - len(above))
        return [*above, *blank, *below][: place.height]

    def _expected(self, name: str, cursor: int, came: Came | None) -> Expected:
        """What a model expected after the cursor, as far as it is in memory."""
        model = self._capture.models[name]
        following = self._source.next(name, cursor) if model.has_next else None
        failed = self._source.failure([next_block(model, cursor)]) is not None
        surprisal = self._source.surprisal(name, cursor) if model.has_surprisal else None
        return expected(model, following, surprisal, came, failed=failed)


def _symbol(window: TextWindow, symbol: int) -> bytes:
    """The bytes of a symbol; none where it is not in the window."""
    start, stop = window.byte_of(symbol), window.byte_of(symbol + 1)
    return window.bytes_at(start, stop).tobytes() if window.start <= start < window.stop else b""


def _name(data: bytes, *, tokens: bool) -> str:
    return token_name(data.decode(errors="replace")) if tokens else name_of(data[0])
