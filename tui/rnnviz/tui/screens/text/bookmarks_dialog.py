"""The list of marks: places with notes, to go to and to take away."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList

from rnnviz.tui.screens.base.keys import key
from rnnviz.tui.text.glyphs import visible
from rnnviz.tui.view.user_state import Mark


class MarksScreen(ModalScreen[tuple[list[Mark], Mark | None]]):
    """Dismissed with the marks that are left and the one to go to, if any."""

    DEFAULT_CSS = """
    MarksScreen { align: center middle; }
    MarksScreen > OptionList {
        width: 76; max-width: 98%; height: auto; max-height: 90%;
        border: round $border; padding: 0 1; background: $background;
    }
    MarksScreen > OptionList:focus { border: round $border; background-tint: transparent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("escape,q", "leave", "Close", "Back to the text"),
        key("delete,backspace", "drop", "Delete", "Take the mark away, or put it back"),
        key("j", "step(1)", "down", "Next mark"),
        key("k", "step(-1)", "up", "Previous mark"),
        key("space,ctrl+f", "page(1)", "page down", "One screen down"),
        key("ctrl+b", "page(-1)", "page up", "One screen up"),
        key("ctrl+d", "half(1)", "half down", "Half a screen down"),
        key("ctrl+u", "half(-1)", "half up", "Half a screen up"),
        key("g", "edge(False)", "first", "First mark"),
        key("G", "edge(True)", "last", "Last mark"),
    ]

    def __init__(self, marks: list[Mark]) -> None:
        super().__init__()
        self._marks = marks
        self._dropped: set[int] = set()
        """The rows of the marks that are taken away."""

    def compose(self) -> ComposeResult:
        marks = OptionList(*(self._option(row) for row in range(len(self._marks))))
        marks.border_title = "Marks"
        marks.border_subtitle = "Enter goes there, Del takes away or puts back, Esc closes"
        yield marks

    def _option(self, row: int) -> Content:
        mark = self._marks[row]
        dropped = row in self._dropped
        told = f"{'×' if dropped else ' '}{mark.symbol:>12,}  {visible(mark.note) or visible(mark.view)}"
        return Content.styled(told, "dim strike") if dropped else Content(told)

    @property
    def _left(self) -> list[Mark]:
        return [mark for row, mark in enumerate(self._marks) if row not in self._dropped]

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss((self._left, self._marks[event.option_index]))

    def action_leave(self) -> None:
        self.dismiss((self._left, None))

    def action_drop(self) -> None:
        marks = self.query_one(OptionList)
        if marks.highlighted is not None:
            self._dropped ^= {marks.highlighted}
            marks.replace_option_prompt_at_index(marks.highlighted, self._option(marks.highlighted))

    def action_step(self, by: int) -> None:
        marks = self.query_one(OptionList)
        if by > 0:
            marks.action_cursor_down()
        else:
            marks.action_cursor_up()

    async def action_page(self, by: int) -> None:
        await self.query_one(OptionList).run_action("page_down" if by > 0 else "page_up")

    def action_half(self, by: int) -> None:
        marks = self.query_one(OptionList)
        row = (marks.highlighted or 0) + by * max(1, marks.size.height // 2)
        marks.highlighted = min(max(row, 0), len(self._marks) - 1)

    def action_edge(self, to_last: bool) -> None:
        self.query_one(OptionList).highlighted = len(self._marks) - 1 if to_last else 0
