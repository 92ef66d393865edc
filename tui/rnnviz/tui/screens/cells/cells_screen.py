"""The list of all cells: sorted, filtered, with a strip of each one's activity, and which are like one of them."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType

from rnnviz.analysis.cell_columns import Order
from rnnviz.analysis.cells import Reading
from rnnviz.tui.paint.shading import Shade
from rnnviz.tui.scenes.cells_scene import ABOVE, MARGIN
from rnnviz.tui.screens.base.help_dialog import HelpScreen
from rnnviz.tui.screens.base.keys import key
from rnnviz.tui.screens.base.signs import LIST_SIGNS
from rnnviz.tui.screens.cells.cells_view import ListedCells
from rnnviz.tui.screens.text.keys.pin_keys import MOST, toggled
from rnnviz.tui.view.view import next_signal
from rnnviz.tui.widgets.canvas import Canvas
from rnnviz.tui.widgets.prompt import Question

ORDERS = tuple(Order)
WHEEL = 3
"""Rows that a notch of the mouse's wheel moves the mark."""


class BegunFilter(ListedCells):
    """Digits and the colon, which begin a filter by themselves. The help names them with the key that asks for one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(name, f"ask_filter({sign!r})", show=False, priority=True)
        for name, sign in [*((digit, digit) for digit in "0123456789"), ("colon", ":")]
    ]


class CellsScreen(BegunFilter):
    """The list with its keys. It is dismissed with the view of the chosen cell, or with the one it was opened with,
    but for pins and whether dead cells are hidden."""

    GROUP = "Cell list"
    BINDINGS: ClassVar[list[BindingType]] = [
        key(
            "enter",
            "choose",
            "open",
            "Go to the cell under the mark, as a double click on its row does",
            show=True,
        ),
        key("question_mark", "help", "keys", "This list", show=True),
        key(
            "escape,q,c",
            "back",
            "back",
            "Back where you were; first ends what is running or clears the filter",
            show=True,
        ),
        key("j,down", "mark(1)", "down", "Mark one cell down"),
        key("k,up", "mark(-1)", "up", "Mark one cell up"),
        key("J", "mark(10)", "ten down", "Mark ten cells down"),
        key("K", "mark(-10)", "ten up", "Mark ten cells up"),
        key("pagedown,space,ctrl+f", "page(1)", "page down", "One screen down"),
        key("pageup,ctrl+b", "page(-1)", "page up", "One screen up"),
        key("ctrl+d", "half(1)", "half down", "Half a screen down"),
        key("ctrl+u", "half(-1)", "half up", "Half a screen up"),
        key("home,g", "edge(-1)", "first", "To the first cell"),
        key("end,G", "edge(1)", "last", "To the last cell"),
        key(
            "right", "sort(1)", "sort", "Sort by the next column; a click on its name does it, too", show=True
        ),
        key("left", "sort(-1)", "sort by previous", "Sort by the column before"),
        key("r", "reverse", "reverse", "Turn the order round", show=True),
        key(
            "/",
            "ask_filter('')",
            "filter",
            "Type what to show: 1: or 1:3 (a digit begins by itself), deviation>0.2, sat<5%",
            show=True,
        ),
        key("=", "alike", "like this", "Compare all cells with this one over the text", show=True),
        key(
            "z", "dead", "dead", "Hide dead cells, here and from j and k in the text, or show them", show=True
        ),
        key("s", "signal(1)", "signal", "The same of the next signal", show=True),
        key("S", "signal(-1)", "previous signal", "The same of the previous signal"),
        key("*", "pin", "pin", f"Pin this cell under the text, or unpin it; {MOST} at most"),
        key("ctrl+l", "redraw", "redraw", "Draw the whole screen again"),
        key("ctrl+z", "app.suspend", "suspend", "Back to the shell for a while; fg there comes back here"),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a filter is typed, the arrows and the page keys still move through what it shows."""
        return action in ("mark", "page") or super().check_action(action, parameters)

    def action_ask_filter(self, beginning: str) -> None:
        """Ask which cells to show: what is typed holds at once. Esc brings back the filter there was."""
        before = self.cells.filter_text

        def answered(answer: str) -> None:
            self._filter_by(answer)
            if self.cells.mistake is not None:
                raise self.cells.mistake

        question = Question(
            "show",
            answered,
            emptied=lambda: self._filter_by(""),
            typed=self._filter_by,
            left=lambda: self._filter_by(before),
        )
        self.put_question(question, beginning or before, kept=not beginning)
        if beginning:
            self._filter_by(beginning)

    def _filter_by(self, text: str) -> None:
        self.cells.filter_by(text)
        self._draw()

    def action_mark(self, by: int) -> None:
        self.cells.move(by)
        self._draw()

    def action_page(self, by: int) -> None:
        self.action_mark(by * max(1, self._height - MARGIN - 1))

    def action_half(self, by: int) -> None:
        self.action_mark(by * max(1, (self._height - MARGIN) // 2))

    def action_edge(self, to: int) -> None:
        self.action_mark(to * sum(self.cells.units))

    def action_sort(self, by: int) -> None:
        sortable = {Order.LAYER, self.cells.order, *self.cells.columns}
        orders = [order for order in ORDERS if order in sortable]
        self.cells.sort_by(orders[(orders.index(self.cells.order) + by) % len(orders)])
        self._draw()

    def action_reverse(self) -> None:
        self.cells.sort_by(self.cells.order, descending=not self.cells.descending)
        self._draw()

    def action_dead(self) -> None:
        self.cells.hides_dead = not self.cells.hides_dead
        self.view = replace(self.view, hides_dead=self.cells.hides_dead)
        self.cells.arrange()
        self._draw()

    def action_signal(self, by: int) -> None:
        self.view = next_signal(self.view, by, self._model.layers[self.view.cell.layer].signals)
        self.cells.forget()
        self._begin()

    def action_alike(self) -> None:
        self._compare_with(self.cells.cell)
        self._draw()

    def action_pin(self) -> None:
        view = toggled(self.view, Reading(self.cells.cell, self.view.signal))
        if view is None:
            self.notify(f"{MOST} are pinned: unpin one with *", timeout=3)
            return
        self.view = view
        self._draw()

    def action_choose(self) -> None:
        if len(self.cells.places):
            self.dismiss(replace(self.view, cell=self.cells.cell, shade=Shade.CELL))

    def action_back(self) -> None:
        if self._stop_comparing():
            return
        if self.cells.filter_text:
            self.cells.filter_by("")
            self._draw()
        else:
            self.dismiss(replace(self._start, pins=self.view.pins, hides_dead=self.view.hides_dead))

    def action_redraw(self) -> None:
        """For a terminal that something else has written into."""
        self.query_one("#canvas", Canvas).forget()
        self.refresh()

    def action_help(self) -> None:
        bindings = [binding for binding in self.BINDINGS if isinstance(binding, Binding)]
        self.app.push_screen(HelpScreen([(self.GROUP, bindings)], LIST_SIGNS))

    def on_canvas_wheeled(self, event: Canvas.Wheeled) -> None:
        self.action_mark(WHEEL if event.down else -WHEEL)

    def on_canvas_clicked(self, event: Canvas.Clicked) -> None:
        """Mark the cell whose row was clicked, and go to it with the second click of a double one. A click on the name
        of a column sorts by it, or turns the order round."""
        if event.y == ABOVE - 1:
            self._sort_by_column_at(event.x)
            return
        row = self.cells.top + event.y - ABOVE
        if not (ABOVE <= event.y < self._height - 1 and row < len(self.cells.places)):
            return
        self.action_mark(row - self.cells.row)
        if event.again:
            self.action_choose()

    def _sort_by_column_at(self, x: int) -> None:
        order = self._page.order_at(self.cells, x, self.size.width)
        if order is self.cells.order:
            self.action_reverse()
        elif order is not None:
            self.cells.sort_by(order)
            self._draw()
