"""Keys that change the page and move in it, and the way between typing and commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding

from rnnviz.tui.playground.document import Page
from rnnviz.tui.screens.base.keys import key
from rnnviz.tui.screens.playground.document_screen import PageScreen
from rnnviz.tui.screens.text.keys.movement_keys import WHEEL
from rnnviz.tui.text.rows import TextWindow
from rnnviz.tui.view import view as moves
from rnnviz.tui.view.view import View
from rnnviz.tui.widgets.canvas import Canvas


class WhileTyping(PageScreen):
    GROUP = "While typing"
    MODES = (True,)
    KEYS: ClassVar[list[Binding]] = [
        key(
            "escape",
            "command",
            "commands",
            "From typing to commands (a last word is read then); there, back to the text view",
            show=True,
        ),
        key("ctrl+n", "cell(1)", "next cell", "Next cell, without leaving the text", show=True),
        key("ctrl+r", "cell(-1)", "previous cell", "Previous cell"),
        key("ctrl+t", "signal(1)", "next signal", "Next signal of this cell", show=True),
        key("ctrl+g", "write", "write on", "A model goes on writing, or stops", show=True),
        key(
            "ctrl+q,ctrl+c",
            "way_out",
            "leave",
            "Say how to leave (Esc, then q), and nothing else: while you type, no key quits rnnviz",
        ),
        key("backspace,ctrl+h", "erase_before", "back", "Take away the character before the cursor"),
    ]

    def action_command(self) -> None:
        self.typing = self.writing = False
        self.turned()

    def action_way_out(self) -> None:
        self.notify("Esc, then q goes back to the text view", timeout=2)

    def action_erase_before(self) -> None:
        self.writing = False
        self.edit(self.session.page.erased_before())


class Editing(PageScreen):
    GROUP = "Editing"
    KEYS: ClassVar[list[Binding]] = [
        key("left", "character(-1)", "left", "Cursor one character back"),
        key("right", "character(1)", "right", "Cursor one character on"),
        key("up", "rows(-1)", "up", "Cursor one row up"),
        key("down", "rows(1)", "down", "Cursor one row down"),
        key("pageup", "pages(-1)", "page up", "One screen up"),
        key("pagedown", "pages(1)", "page down", "One screen down"),
        key("home,ctrl+a", "row_end(False)", "row start", "Cursor to the start of its row"),
        key("end,ctrl+e", "row_end(True)", "row end", "Cursor to the end of its row"),
        key("delete,ctrl+d", "erase_after", "delete", "Take away the character under the cursor"),
        key("ctrl+w", "erase_word", "delete word", "Take away the word before the cursor"),
        key("ctrl+u", "erase_line", "delete line", "Take away the line before the cursor"),
        key("ctrl+x", "erase_all", "empty", "Empty the page"),
        key("ctrl+z", "undo", "undo", "Undo: the page as it was before the last word or change"),
        key("ctrl+y", "redo", "redo", "Redo what was undone"),
    ]

    def on_canvas_clicked(self, event: Canvas.Clicked) -> None:
        at = self.sheet.text
        x, y = event.x - at.x, event.y - at.y
        if 0 <= y < at.height:
            self._move(lambda view, window, w, h: moves.at_place(view, x, y, window, w, h))

    def on_canvas_wheeled(self, event: Canvas.Wheeled) -> None:
        by = WHEEL if event.down else -WHEEL
        self._move(lambda view, window, w, h: moves.scrolled_by(view, by, window, w, h))

    def action_character(self, by: int) -> None:
        self.edit(self.session.page.moved(by))

    def action_rows(self, by: int) -> None:
        self._move(lambda view, window, w, h: moves.moved_by_rows(view, by, window, w, h))

    def action_pages(self, by: int) -> None:
        self._move(lambda view, window, w, h: moves.moved_by_pages(view, by, window, w, h))

    def action_row_end(self, to_end: bool) -> None:
        self._move(lambda view, window, w, h: moves.moved_in_row(view, to_end, window, w, h))

    def _move(self, move: Callable[[View, TextWindow, int, int], View]) -> None:
        text = self.sheet.text
        if text.width > 0 and text.height > 0:
            self.view = move(self.view, self.window, text.width, text.height)
            self.edit(self.session.page.moved_to(self.view.cursor))

    def action_erase_after(self) -> None:
        self.writing = False
        self.edit(self.session.page.erased_after())

    def action_erase_word(self) -> None:
        self.writing = False
        self.edit(self.session.page.erased_word())

    def action_erase_line(self) -> None:
        self.writing = False
        self.edit(self.session.page.erased_line())

    def action_erase_all(self) -> None:
        self.writing = False
        self.edit(Page())

    def action_undo(self) -> None:
        self._turn_to(self.session.history.back(self.session.page), "nothing is left to undo")

    def action_redo(self) -> None:
        self._turn_to(self.session.history.on(self.session.page), "nothing is left to redo")

    def _turn_to(self, page: Page, nothing: str) -> None:
        self.writing = False
        if page == self.session.page:
            self.notify(nothing, timeout=2)
        self.session.page = page
        self.turned()


class Commands(PageScreen):
    GROUP = "Commands, after Esc"
    MODES = (False,)
    KEYS: ClassVar[list[Binding]] = [
        key("i", "type", "type", "Type on", show=True),
        key("escape,q", "leave", "text view", "Back to the text view; what was typed stays", show=True),
        key("g", "edge(False)", "start", "To the start of the page"),
        key("G", "edge(True)", "end", "To the end of the page"),
    ]

    def action_type(self) -> None:
        self.typing, self.writing = True, False
        self.turned()

    def action_leave(self) -> None:
        """Stop the writing first, if there is any."""
        if self.writing:
            self.writing = False
            self.turned()
        else:
            self.dismiss(replace(self.came_from, cell=self.view.cell, signal=self.view.signal))

    def action_edge(self, to_end: bool) -> None:
        page = self.session.page
        self.edit(page.moved_to(len(page.text) if to_end else 0))
