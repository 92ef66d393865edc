"""How keys act differently while something stands above the text."""

from __future__ import annotations

from dataclasses import replace

from rnnviz.tui import view as moves
from rnnviz.tui.painting import Inks, Line
from rnnviz.tui.panels.scatter import Saturation, gates_of, nearest
from rnnviz.tui.screens.bindings import hints_of
from rnnviz.tui.screens.movement import Movement
from rnnviz.tui.screens.stepping import Stepping
from rnnviz.tui.shading import Shade
from rnnviz.tui.view import Panel

HINTS = {
    Panel.GATES: [
        ("Esc", "closes"),
        ("j", "next cell"),
        ("s", "next signal"),
        ("%", "time beyond ┴"),
    ],
    Panel.LAYER: [("Esc", "closes"), ("← ↑ ↓ →", "to another unit"), ("s", "next gate")],
}
"""What matters most while a panel stands above the text."""


class Above(Stepping, Movement):
    """Adds no keys: it must be listed before the groups whose actions it changes."""

    @property
    def in_scatter(self) -> bool:
        """Whether the scatter stands above the text."""
        return self.view.above is Panel.LAYER

    @property
    def gates(self) -> tuple[str, ...]:
        """The signals of the cell's layer that the scatter plots."""
        return gates_of(self.capture.models[self.view.model].layers[self.view.cell.layer].signals)

    def hints(self, inks: Inks) -> Line:
        """The panel's keys, and how to get help and leave."""
        above = self.view.above
        if above is None:
            return super().hints(inks)
        keys = [*HINTS[above], ("?", "keys"), ("q", "quit")]
        return hints_of(keys, inks, self.size.width, last=2)

    # While the scatter is open, arrows move its mark and signals are its gates.

    def action_symbols(self, by: int) -> None:
        if self.in_scatter:
            self._move_mark(right=by, up=0)
        else:
            super().action_symbols(by)

    def action_rows(self, by: int) -> None:
        if self.in_scatter:
            self._move_mark(right=0, up=-by)
        else:
            super().action_rows(by)

    def action_signal(self, by: int) -> None:
        if self.in_scatter:
            self.look(moves.next_signal(self.view, by, self.gates))
        else:
            super().action_signal(by)

    def _move_mark(self, *, right: int, up: int) -> None:
        statistics = self.source.statistics(self.view.model, self.view.cell.layer)
        if statistics is None:
            return
        saturation = Saturation.of(statistics, self.view.signal)
        unit = nearest(saturation, self.view.cell.unit, right, up)
        self.look(replace(self.view, cell=replace(self.view.cell, unit=unit), shade=Shade.CELL))
