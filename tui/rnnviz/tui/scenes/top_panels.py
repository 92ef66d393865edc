"""What can stand above the text (see `view.Panel`), over its whole width, while all keys of the text go on working."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rnnviz.store.reader import Capture
from rnnviz.store.signals import SIGNALS
from rnnviz.tui.capture_cache.capture_data import Material
from rnnviz.tui.paint.lines import Line
from rnnviz.tui.paint.palette import Palette
from rnnviz.tui.panels.gates import gate_lines, gates_shown
from rnnviz.tui.panels.scatter import gates_of, scatter_lines
from rnnviz.tui.view.view import Panel, View

LEAST_HEIGHT, MOST_HEIGHT = 7, 18


class Overhead(Protocol):
    """A panel above the text."""

    def height(self, width: int, height: int) -> int:
        """The rows it would like on a canvas of width × height."""
        ...

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        """It, with what is in memory."""
        ...


class _Signals:
    """What the panels here know: the capture's signals, what is in memory of them, and their colours."""

    def __init__(self, capture: Capture, source: Material, palette: Callable[[str], Palette]) -> None:
        self._capture = capture
        self._source = source
        self._palette = palette

    def _signals(self, view: View) -> tuple[str, ...]:
        return self._capture.models[view.model].layers[view.cell.layer].signals

    def _palettes(self, view: View) -> dict[str, Palette]:
        return {signal: self._palette(signal) for signal in self._signals(view)}


class GateHistograms(_Signals):
    """The histograms of all signals of the cell, and the values under the cursor."""

    def height(self, width: int, height: int) -> int:
        return min(max(height // 3, LEAST_HEIGHT), MOST_HEIGHT)

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        at_cursor: dict[str, float] = {}
        signals = self._signals(view)
        for signal in gates_shown(signals, view.signal, width):
            stored = self._source.values(
                view.model, view.cell.layer, signal, view.cell.unit, view.cursor, view.cursor + 1
            )
            if stored is not None:
                at_cursor[signal] = float(SIGNALS[signal].view(stored)[0])
        statistics = self._source.statistics(view.model, view.cell.layer)
        palettes = self._palettes(view)
        return gate_lines(
            statistics, signals, view.signal, view.cell.unit, at_cursor, width, height, palettes
        )


class SaturationScatter(_Signals):
    """How often every unit of the layer is saturated, a plot a gate; the cell is the one marked."""

    def height(self, width: int, height: int) -> int:
        return min(max(height * 2 // 5, LEAST_HEIGHT + 2), MOST_HEIGHT + 4)

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        statistics = self._source.statistics(view.model, view.cell.layer)
        gates = gates_of(self._signals(view))
        palettes = self._palettes(view)
        return scatter_lines(statistics, gates, view.signal, view.cell.unit, width, height, palettes)


PANELS: dict[Panel, type[GateHistograms] | type[SaturationScatter]] = {
    Panel.GATES: GateHistograms,
    Panel.LAYER: SaturationScatter,
}
