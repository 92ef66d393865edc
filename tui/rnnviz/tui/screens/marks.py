"""The list of marks: places with notes, to go to and to take away."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from rnnviz.tui.glyphs import visible
from rnnviz.tui.keeping import Mark
from rnnviz.tui.screens.bindings import key


class MarksScreen(ModalScreen[tuple[list[Mark], Mark | None]]):
    """Dismissed with the marks that are left and the one to go to, if any."""

    DEFAULT_CSS = """
    MarksScreen { align: center middle; }
    MarksScreen > OptionList {
        width: 76; max-width: 98%; height: auto; max-height: 90%;
        border: round ansi_default; padding: 0 1; background: ansi_default;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("escape,q", "leave", "Close", "Back to the text"),
        key("d,delete", "drop", "Delete", "Take the mark away"),
        key("u", "restore", "Undo", "Put the mark back that was taken away last"),
        key("j", "step(1)", "down", "Next mark"),
        key("k", "step(-1)", "up", "Previous mark"),
    ]

    def __init__(self, marks: list[Mark]) -> None:
        super().__init__()
        self._marks = marks
        self._dropped: list[tuple[int, Mark]] = []
        """Those that were taken away, each with its place then."""

    def compose(self) -> ComposeResult:
        marks = OptionList(*(self._option(mark) for mark in self._marks))
        marks.border_title = "Marks"
        marks.border_subtitle = "Enter goes there, d deletes, u undoes, Esc closes"
        yield marks

    def _option(self, mark: Mark) -> Option:
        return Option(Content(f"{mark.symbol:>12,}  {visible(mark.note) or visible(mark.view)}"))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss((self._marks, self._marks[event.option_index]))

    def action_leave(self) -> None:
        self.dismiss((self._marks, None))

    def action_step(self, by: int) -> None:
        marks = self.query_one(OptionList)
        if by > 0:
            marks.action_cursor_down()
        else:
            marks.action_cursor_up()

    def action_drop(self) -> None:
        marks = self.query_one(OptionList)
        if marks.highlighted is not None:
            place = marks.highlighted
            self._dropped.append((place, self._marks.pop(place)))
            self._show(min(place, len(self._marks) - 1))

    def action_restore(self) -> None:
        if self._dropped:
            place, mark = self._dropped.pop()
            self._marks.insert(place, mark)
            self._show(place)

    def _show(self, place: int) -> None:
        """Show the marks there are now, the one at a place highlighted."""
        marks = self.query_one(OptionList)
        marks.clear_options()
        marks.add_options(map(self._option, self._marks))
        marks.highlighted = place if self._marks else None
        marks.border_title = "Marks" if self._marks else "No marks are left"
