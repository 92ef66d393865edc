"""Keys that move through the text."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from rnnviz.tui.screens.base.keys import key
from rnnviz.tui.screens.base.number_prefix import Numbered
from rnnviz.tui.view import view as moves
from rnnviz.tui.widgets.canvas import Canvas

WHEEL = 3
"""Rows that a notch of the mouse's wheel scrolls."""


class Movement(Numbered):
    GROUP = "Text"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("left", "symbols(-1)", "left", "Cursor one symbol back"),
        key("right", "symbols(1)", "right", "Cursor one symbol on"),
        key("up", "rows(-1)", "up", "Cursor one row up"),
        key("down", "rows(1)", "down", "Cursor one row down"),
        key("pagedown,space,ctrl+f", "pages(1)", "page down", "One screen down"),
        key("pageup,ctrl+b", "pages(-1)", "page up", "One screen up"),
        key("ctrl+d", "half(1)", "half down", "Half a screen down"),
        key("ctrl+u", "half(-1)", "half up", "Half a screen up"),
        key("home", "row_end(False)", "row start", "Cursor to the start of its row"),
        key("end", "row_end(True)", "row end", "Cursor to the end of its row"),
        key(
            "g",
            "edge(False)",
            "start",
            "To the start of the text; with a number before it to that line, as G",
        ),
        key(
            "G",
            "edge(True)",
            "end",
            "To the end of the text; with a number before it, as in 1200G, to that line",
        ),
        key("%", "share", "share", "With a number before it, as in 50%, to that share of the text"),
    ]

    def on_canvas_clicked(self, event: Canvas.Clicked) -> None:
        at, strips = self.places.text, self.places.strips
        x, y = event.x - at.x, (event.y - at.y) // (1 + strips)
        self.move(lambda v, window, w, h: moves.at_place(v, x, y, window, w, h))

    def on_canvas_wheeled(self, event: Canvas.Wheeled) -> None:
        by = WHEEL if event.down else -WHEEL
        self.move(lambda v, window, w, h: moves.scrolled_by(v, by, window, w, h))

    def action_symbols(self, by: int) -> None:
        self.move(lambda v, window, w, h: moves.moved_by_symbols(v, by, window, w, h))

    def action_rows(self, by: int) -> None:
        self.move(lambda v, window, w, h: moves.moved_by_rows(v, by, window, w, h))

    def action_pages(self, by: int) -> None:
        self.move(lambda v, window, w, h: moves.moved_by_pages(v, by, window, w, h))

    def action_row_end(self, to_end: bool) -> None:
        self.move(lambda v, window, w, h: moves.moved_in_row(v, to_end, window, w, h))

    def action_half(self, by: int) -> None:
        self.move(lambda v, window, w, h: moves.moved_by_half_pages(v, by, window, w, h))

    def action_share(self) -> None:
        if self._number is None:
            self.say("type a number before %, as in 50%", wrong=True)
        else:
            self.go_to_share(self._number)

    def action_edge(self, to_end: bool) -> None:
        if self._number is not None:
            self.go_to_line(self._number)
        else:
            self.go_to(self.capture.captured - 1 if to_end else 0)
