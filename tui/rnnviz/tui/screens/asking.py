"""Questions in the bottom line of a screen, in the place of its hints."""

from __future__ import annotations

from collections.abc import Callable

from textual.screen import ScreenResultType
from textual.widgets import Input

from rnnviz.store.errors import RnnvizError
from rnnviz.tui.screens.hinted import Hinted
from rnnviz.tui.screens.message import MessageScreen
from rnnviz.tui.widgets.prompt import Prompt


class Asking(Hinted[ScreenResultType]):
    """A screen with a `Prompt` named `prompt` and, named `hints`, the line that it takes the place of."""

    _answered: Callable[[str], None] | None = None
    _emptied: Callable[[], None] | None = None

    @property
    def asking(self) -> bool:
        """Whether a question is open."""
        return bool(self.query_one("#prompt", Prompt).display)

    def ask(
        self,
        label: str,
        value: str,
        answered: Callable[[str], None],
        emptied: Callable[[], None] | None = None,
    ) -> None:
        """Ask something, with an answer to begin with. An RnnvizError of `answered` is shown, and the question asked
        again with the answer in it, to be mended. A blank answer is none, but for `emptied`."""
        self._answered = answered
        self._emptied = emptied
        self.query_one("#hints").display = False
        self.query_one("#prompt", Prompt).ask(label, value)

    def on_prompt_closed(self) -> None:
        self.query_one("#hints").display = True
        self.set_focus(None)

    def on_prompt_answered(self, event: Prompt.Answered) -> None:
        answered, emptied = self._answered, self._emptied
        if not event.answer.strip():
            if emptied is not None:
                emptied()
            return
        if answered is None:
            return
        try:
            answered(event.answer)
        except RnnvizError as error:
            self.ask(event.label, event.answer, answered, emptied)
            self.app.push_screen(MessageScreen(error))

    def type(self, characters: str) -> None:
        """Type into the answer what was typed while a dialog stood over the question."""
        if self.asking:
            self.query_one("#prompt-input", Input).insert_text_at_cursor(characters)
