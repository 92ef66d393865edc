"""Keys that look at gates: their histograms, the saturation of a layer, where a gate opens and closes."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from rnnviz.analysis.events import crossing, saturating
from rnnviz.tui.panels.scatter import gates_of
from rnnviz.tui.screens.base.keys import key
from rnnviz.tui.screens.text.keys.event_jumps import Seeking
from rnnviz.tui.view.view import Panel, with_gates


class Gates(Seeking):
    GROUP = "Gates"
    BINDINGS: ClassVar[list[BindingType]] = [
        key(
            "h",
            "histograms",
            "gates",
            "Histograms of all signals of this cell above the text, under each the share of symbols beyond its marks ┴",
            show=True,
        ),
        key(
            "v",
            "scatter",
            "saturation",
            "Saturation of the whole layer above the text; arrows move the mark",
            show=True,
        ),
        key(
            "o",
            "crossing(False)",
            "opens",
            "Next symbol where this gate opens or closes (others: change sign)",
            show=True,
        ),
        key("O", "crossing(True)", "opened or closed", "The symbol before at which it opens or closes"),
        key("u", "saturating(False)", "saturates", "Next symbol at which this signal becomes saturated"),
        key("U", "saturating(True)", "saturated", "The symbol before at which it becomes saturated"),
    ]

    def action_histograms(self) -> None:
        self.put_above(None if self.view.above is Panel.GATES else Panel.GATES)

    def action_scatter(self) -> None:
        if self.view.above is Panel.LAYER:
            self.put_above(None)
        else:
            self.lay_out(with_gates(self.view, gates_of(self.signals)))

    # Where it opens, closes, and saturates

    def action_crossing(self, backwards: bool) -> None:
        model = self.capture.models[self.view.model]
        self.seek(crossing(model, self.view.cell, self.view.signal), backwards=backwards)

    def action_saturating(self, backwards: bool) -> None:
        model = self.capture.models[self.view.model]
        self.seek(saturating(model, self.view.cell, self.view.signal), backwards=backwards)
