"""The line at the bottom where a person answers a question: a cell's name, a search, a file."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static


class Prompt(Horizontal):
    """A label and an input line, shown while a question is open."""

    DEFAULT_CSS = """
    Prompt { height: 1; display: none; }
    Prompt > Static { width: auto; padding: 0 1; text-style: bold; }
    Prompt > Input { width: 1fr; height: 1; border: none; padding: 0; background: ansi_default; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", show=False)]

    class Answered(Message):
        """The person pressed Enter. `label` is what `ask` was given."""

        def __init__(self, label: str, answer: str) -> None:
            super().__init__()
            self.label = label
            self.answer = answer

    class Closed(Message):
        """The prompt went away, with an answer or without."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._label = ""

    def compose(self) -> ComposeResult:
        yield Static(id="prompt-label")
        yield Input(id="prompt-input", compact=True, select_on_focus=False)

    def ask(self, label: str, value: str = "") -> None:
        """Open the prompt with an answer to begin with."""
        self._label = label
        self.query_one("#prompt-label", Static).update(label)
        line = self.query_one("#prompt-input", Input)
        line.value = value
        line.cursor_position = len(value)
        self.display = True
        # Not line.focus(): that waits its turn, and the next keys of a fast typist would miss the prompt.
        self.screen.set_focus(line)

    def action_cancel(self) -> None:
        self._close()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._close()
        self.post_message(self.Answered(self._label, event.value))

    def _close(self) -> None:
        self.display = False
        self.post_message(self.Closed())
