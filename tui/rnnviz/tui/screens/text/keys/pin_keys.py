"""Keys that pin cells, to see several together."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.binding import BindingType

from rnnviz.analysis.cells import Reading
from rnnviz.tui.screens.base.keys import key
from rnnviz.tui.screens.text.capture_screen import ShadedText
from rnnviz.tui.view.view import View

MOST = 4
"""Cells that can be pinned at once: each takes a row under every row of text."""


def toggled(view: View, pin: Reading) -> View | None:
    """The view with a signal of a cell pinned, or no longer pinned; None where too many are pinned already."""
    if pin in view.pins:
        return replace(view, pins=tuple(other for other in view.pins if other != pin))
    if len(view.pins) == MOST:
        return None
    return replace(view, pins=(*view.pins, pin))


class Pins(ShadedText):
    GROUP = "Pins"
    BINDINGS: ClassVar[list[BindingType]] = [
        key(
            "*",
            "pin",
            "pin",
            f"Pin this cell's signal under the text, or unpin it; {MOST} at most",
            show=True,
        ),
        key("P", "unpin", "unpin all", "Unpin all cells"),
    ]

    def action_pin(self) -> None:
        view = toggled(self.view, Reading(self.view.cell, self.view.signal))
        if view is None:
            self.say(
                f"{MOST} are pinned: unpin one with *, or all with P",
                about=lambda: self.view.pins,
                wrong=True,
            )
            return
        self.lay_out(view)

    def action_unpin(self) -> None:
        self.lay_out(replace(self.view, pins=()))
