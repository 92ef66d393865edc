"""A dialog that says what went wrong and what to do next."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from rnnviz.store.errors import RnnvizError
from rnnviz.tui.glyphs import visible


class MessageScreen(ModalScreen[None]):
    """An error's title, sentence and hint. Any of Escape, Enter and q closes it."""

    DEFAULT_CSS = """
    MessageScreen { align: center middle; }
    MessageScreen > VerticalScroll {
        width: 70; max-width: 95%; height: auto; max-height: 90%;
        border: round ansi_default; padding: 0 1; background: ansi_default;
    }
    MessageScreen Static { background: ansi_default; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss", "Close")]

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
            yield Static("\n[dim]Esc closes this[/]")
