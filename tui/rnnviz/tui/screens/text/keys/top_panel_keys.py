"""How keys act differently while something stands above the text."""

from __future__ import annotations

from dataclasses import replace

from rnnviz.tui.paint.shading import Shade
from rnnviz.tui.panels.scatter import Saturation, gates_of, nearest
from rnnviz.tui.screens.base.hints import Hint
from rnnviz.tui.screens.text.keys.cell_keys import Stepping
from rnnviz.tui.screens.text.keys.movement_keys import Movement
from rnnviz.tui.view import view as moves
from rnnviz.tui.view.view import Panel

HINTS = {
    Panel.GATES: [Hint("Esc", "closes", "stop")],
    Panel.LAYER: [Hint("Esc", "closes", "stop"), Hint("←↑↓→", "unit", "symbols(1)")],
}
"""What is named beside the text's keys while a panel stands above it."""


class Above(Stepping, Movement):
    """Adds no keys: it must be listed before the groups whose actions it changes."""

    @property
    def in_scatter(self) -> bool:
        """Whether the scatter stands above the text."""
        return self.view.above is Panel.LAYER

    @property
    def gates(self) -> tuple[str, ...]:
        """The signals of the cell's layer that the scatter plots."""
        return gates_of(self.signals)

    @property
    def stay(self) -> tuple[str, ...]:
        """The panel's keys come right after how to get help: in 80 columns there is room for all of them."""
        help, *others = super().stay
        return (help, *(hint.keys for hint in self._panels_hints), *others)

    def hints(self) -> list[Hint]:
        return [*self._panels_hints, *super().hints()]

    @property
    def _panels_hints(self) -> list[Hint]:
        return [] if self.view.above is None else HINTS[self.view.above]

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
