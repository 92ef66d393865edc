"""A dialog that says what went wrong and what to do next."""

from __future__ import annotations

from typing import Final, Protocol, runtime_checkable

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from rnnviz.store.errors import RnnvizError
from rnnviz.tui.screens.base.dialog import Dialog
from rnnviz.tui.text.glyphs import visible

_SCROLLING: Final = frozenset(["up", "down", "pageup", "pagedown", "home", "end"])


@runtime_checkable
class Typable(Protocol):
    """A screen with a question that may be open."""

    def type(self, characters: str) -> None: ...


class MessageScreen(Dialog):
    """An error's title, sentence and hint. Any key closes it but those that scroll it; what is typed goes on into the
    question below, if one is open."""

    def __init__(self, error: RnnvizError) -> None:
        super().__init__()
        self._error = error

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title = self._error.title
            yield Static(visible(self._error.message) + ".", markup=False)
            if self._error.hint:
                lines = self._error.hint.split("\n")
                yield Static("\n" + "\n".join(map(visible, lines)), markup=False)
            yield Static("\n[dim]Any key closes this[/]")

    def takes_key(self, key: str, character: str | None) -> bool:
        return True

    def on_key(self, event: events.Key) -> None:
        if event.key in _SCROLLING and self.query_one(VerticalScroll).max_scroll_y > 0:
            return
        event.stop()
        event.prevent_default()
        if self.is_current:
            self.dismiss()
        below = self.app.screen
        if event.is_printable and event.character is not None and isinstance(below, Typable):
            below.type(event.character)
