"""Questions in the bottom line of a screen, over its hints."""

from __future__ import annotations

from collections.abc import Callable

from textual.screen import ScreenResultType

from rnnviz.store.errors import RnnvizError
from rnnviz.tui.screens.base.hinted_screen import Hinted
from rnnviz.tui.widgets.prompt import Prompt, Question


class Asking(Hinted[ScreenResultType]):
    """A screen with a `Prompt`, over the line of hints named `hints`."""

    DEFAULT_CSS = """
    Asking { layers: default over; }
    """

    @property
    def asking(self) -> bool:
        """Whether a question is open."""
        return bool(self.query_one(Prompt).display)

    def ask(
        self,
        label: str,
        value: str,
        answered: Callable[[str], None],
        emptied: Callable[[], None] | None = None,
        *,
        mistake: RnnvizError | None = None,
        kept: bool = False,
    ) -> None:
        """Ask something, with an answer to begin with, and with what is wrong with that. An RnnvizError of `answered`
        is told below the answer, which is kept, to be mended. A blank answer is none, but for `emptied`. Where the
        answer is `kept` from before, what is typed takes its place."""
        question = Question(label, answered) if emptied is None else Question(label, answered, emptied)
        self.put_question(question, value, mistake, kept=kept)

    def put_question(
        self, question: Question, value: str, mistake: RnnvizError | None = None, *, kept: bool = False
    ) -> None:
        """Ask a question, as `ask` does."""
        prompt = self.query_one(Prompt)
        prompt.ask(question, value, kept=kept)
        if mistake is not None:
            prompt.refuse(mistake)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a question is open, keys belong to its answer."""
        return not self.asking

    def type(self, characters: str) -> None:
        """Type into the answer what was typed while a dialog stood over the question."""
        if self.asking:
            self.query_one(Prompt).type(characters)
