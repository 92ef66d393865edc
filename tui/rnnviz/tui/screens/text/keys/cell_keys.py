"""Keys that step through cells, layers and signals."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.binding import BindingType

from rnnviz.analysis.cell_columns import DEAD
from rnnviz.analysis.cells import Cell, parse_cell, step, step_over, to_layer
from rnnviz.analysis.model_comparison import default_pair
from rnnviz.store.reader import Capture
from rnnviz.tui.paint.shading import Shade
from rnnviz.tui.screens.base.keys import key
from rnnviz.tui.screens.text.capture_screen import ShadedText
from rnnviz.tui.text.glyphs import visible
from rnnviz.tui.view import view as moves
from rnnviz.tui.view.view import View


def of_model(view: View, name: str, capture: Capture) -> View:
    """The same place seen by the cells of another model: the same cell and signal as far as it has them, without what
    speaks of the other's cells, and compared with what it is compared with at first."""
    layers = capture.models[name].layers
    layer = min(view.cell.layer, len(layers) - 1)
    cell, signals = Cell(layer, min(view.cell.unit, layers[layer].units - 1)), layers[layer].signals
    signal = view.signal if view.signal in signals else signals[0]
    left, right = default_pair(capture, name)
    shown_before = view.shown_before and replace(view.shown_before, shade=Shade.CELL)
    other = replace(
        view,
        model=name,
        cell=cell,
        signal=signal,
        left=left,
        right=right,
        pins=(),
        condition=None,
        shown_before=shown_before,
    )
    needed = {Shade.CELL: 0, Shade.DIFFERENCE: 2}.get(view.shade, 1)
    return other if len(other.shading_models) == needed else replace(other, shade=Shade.CELL)


class Stepping(ShadedText):
    GROUP = "Cells"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("j", "cell(1)", "cell", "Next cell", show=True),
        key("k", "cell(-1)", "previous cell", "Previous cell"),
        key("J", "cell(10)", "ten cells on", "Ten cells on"),
        key("K", "cell(-10)", "ten cells back", "Ten cells back"),
        key("s", "signal(1)", "signal", "Next signal of this cell", show=True),
        key("S", "signal(-1)", "previous signal", "Previous signal of this cell"),
        key("]", "layer(1)", "layer", "Next layer, same unit", show=True),
        key("[", "layer(-1)", "previous layer", "Previous layer, same unit"),
        key(
            "z",
            "hide_dead",
            "hide dead",
            "Step over dead cells, or over none, as in the list of cells",
        ),
        key("l", "model", "next model", "The cells of the next model of the capture that has cells"),
        key(":", "ask_cell", "to cell", "Go to a cell by name, as in 1:37", show=True),
    ]

    def look_at(self, cell: Cell) -> None:
        """Look at another cell of the model, through the same signal."""
        self.look(replace(self.view, cell=cell))

    def action_cell(self, by: int) -> None:
        """A step of `by` cells. Those that are hidden as dead are passed over and not counted."""
        if not self.view.hides_dead:
            self.look_at(step(self.view.cell, by, self.units))
            return
        hidden = self.scene.dead(self.view)
        if hidden.all():
            self.say(
                f"every cell is dead (deviation below {DEAD:g}): z shows them again",
                about=lambda: (self.view.model, self.view.signal, self.view.hides_dead),
            )
        self.look_at(step_over(self.view.cell, by, self.units, hidden))

    def action_hide_dead(self) -> None:
        self.look(replace(self.view, hides_dead=not self.view.hides_dead))
        self.say(
            "j and k step over dead cells" if self.view.hides_dead else "j and k step through all cells",
            about=lambda: self.view.hides_dead,
        )

    def action_layer(self, by: int) -> None:
        self.look_at(to_layer(self.view.cell, by, self.units))

    def action_signal(self, by: int) -> None:
        self.look(moves.next_signal(self.view, by, self.signals))

    def action_model(self) -> None:
        names = [model.name for model in self.capture.models.values() if model.layers]
        name = names[(names.index(self.view.model) + 1) % len(names)]
        if name == self.view.model:
            self.say(
                "this capture has one model with cells: rnnviz capture --add X.zarr --run RUN adds another"
            )
        else:
            self.lay_out(of_model(self.view, name, self.capture))
            self.say(f"cells of {visible(name)}", about=lambda: self.view.model)

    def action_ask_cell(self) -> None:
        self.ask(
            f"go to cell ({self.view.cell})",
            "",
            lambda answer: self.look_at(parse_cell(answer, self.units, self.view.cell.layer)),
        )
