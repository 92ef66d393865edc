"""The line of hints at the bottom of a screen: keys, each with a few words, that can be clicked."""

from __future__ import annotations

from collections.abc import Sequence

from textual.events import Click
from textual.message import Message

from rnnviz.tui.paint.lines import Inks, Line
from rnnviz.tui.screens.base.hints import Hint, line_of
from rnnviz.tui.widgets.lines import Lines


class HintLine(Lines):
    """One line, of hints or of anything else that is said there."""

    class Clicked(Message):
        """A hint was clicked, whose key would have this action done."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    _hints: Sequence[Hint] = ()

    def show_hints(self, hints: Sequence[Hint], inks: Inks) -> None:
        """Show these hints."""
        self.show([line_of(hints, inks)])
        self._hints = hints

    def show(self, lines: list[Line]) -> None:
        """Show these lines, which no click does anything in."""
        self._hints = ()
        super().show(lines)

    def on_click(self, event: Click) -> None:
        end = 0
        for hint in self._hints:
            end += hint.width
            if event.x < end:
                self.post_message(self.Clicked(hint.action))
                return
