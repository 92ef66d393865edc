"""The line at the bottom where a person answers a question: a cell's name, a search, a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Key
from textual.message import Message
from textual.widgets import Input, Static
from textual.widgets.input import Selection

from rnnviz.store.errors import Mistake, RnnvizError
from rnnviz.tui.text.glyphs import visible


def _ignore(_: str) -> None:
    pass


def _do_nothing() -> None:
    pass


@dataclass(frozen=True)
class Question:
    """What is asked, and what is done with the answer.

    `answered` may raise an RnnvizError: the question then stays open, with the answer in it and below it what is wrong.
    """

    label: str
    answered: Callable[[str], None]
    """Called with an answer that is not blank."""
    emptied: Callable[[], None] = _do_nothing
    """Called for a blank answer."""
    typed: Callable[[str], None] = _ignore
    """Called with the answer as far as it is typed, after each change."""
    left: Callable[[], None] = _do_nothing
    """Called when the person leaves the question with Esc."""


class AnswerLine(Input):
    """The line that is typed into.

    Textual lets keys that edit a line (and Enter) travel up to the application before anything is done, and letters
    that were typed after them arrive first. Here each key has done what it does before the next one is looked at.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave", show=False)]

    @property
    def _prompt(self) -> Prompt:
        return next(parent for parent in self.ancestors if isinstance(parent, Prompt))

    async def _on_key(self, event: Key) -> None:
        known = self._bindings.key_to_bindings.get(event.key)
        if not self._prompt.display:
            # The question was answered while this key was on its way: it is for what has the keys now.
            event.stop()
            event.prevent_default()
            self.app.post_message(Key(event.key, event.character))
        elif known:
            event.stop()
            event.prevent_default()
            await self.run_action(known[0].action)

    async def action_submit(self) -> None:
        self._prompt.answer(self.value)

    def action_leave(self) -> None:
        self._prompt.leave()

    # What is selected, as after a mistake, changes nothing about the keys that take away words and lines.

    def action_delete_left_all(self) -> None:
        """Take away everything before the cursor; all of a line in which something is selected."""
        if not self.selection.is_empty:
            self.cursor_position = len(self.value)
        super().action_delete_left_all()

    def action_delete_left_word(self) -> None:
        """Take away the word before the cursor, blanks apart, as shells do."""
        before = self.value[: self.cursor_position]
        self.delete(before.rstrip().rfind(" ") + 1, self.cursor_position)

    def action_delete_right_all(self) -> None:
        self.selection = Selection.cursor(self.cursor_position)
        super().action_delete_right_all()


class Prompt(Vertical):
    """A label and a line to type into, shown over the bottom line of a screen while a question is open.

    What is wrong with an answer stands below it, in red, until the answer is changed.
    """

    DEFAULT_CSS = """
    Prompt { layer: over; dock: bottom; height: auto; max-height: 50%; display: none; background: ansi_default; }
    Prompt > Horizontal { height: 1; }
    Prompt #prompt-label { width: auto; padding: 0 1; text-style: bold; }
    Prompt #prompt-input { width: 1fr; height: 1; border: none; padding: 0; background: ansi_default; }
    Prompt #prompt-input > .input--selection { background: ansi_default; color: ansi_default; text-style: reverse; }
    Prompt #prompt-mistake {
        display: none; width: 1fr; height: auto; padding: 0 1;
        background: ansi_default; color: ansi_bright_red; text-style: bold;
    }
    """

    class Closed(Message):
        """The question was answered or left."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._question: Question | None = None
        self._refused: str | None = None
        """The answer that is told to be wrong."""

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(id="prompt-label", markup=False)
            yield AnswerLine(id="prompt-input", compact=True, select_on_focus=False)
        yield Static(id="prompt-mistake", markup=False)

    @property
    def _line(self) -> AnswerLine:
        return self.query_one(AnswerLine)

    def ask(self, question: Question, value: str = "", *, kept: bool = False) -> None:
        """Open the prompt with an answer to begin with. One that is `kept` from before is selected: what is typed takes
        its place, and the arrow keys go into it."""
        self._question = question
        self._tell(None)
        self.query_one("#prompt-label", Static).update(question.label)
        line = self._line
        line.value = value
        line.selection = Selection(0 if kept else len(value), len(value))
        self.display = True
        # Not line.focus(): that waits its turn, and the next keys of a fast typist would miss the prompt.
        self.screen.set_focus(line)

    def type(self, characters: str) -> None:
        """Type into the answer, in the place of what is selected in it."""
        line = self._line
        line.replace(characters, *line.selection)

    def answer(self, value: str) -> None:
        """Act on an answer and close, unless that asks something else or the answer is refused."""
        question = self._question
        if question is None:
            return
        try:
            if value.strip():
                question.answered(value)
            else:
                question.emptied()
        except RnnvizError as error:
            self.refuse(error)
            return
        if self._question is question:
            self._close()

    def refuse(self, error: RnnvizError) -> None:
        """Say what is wrong with the answer that stands in the line, and select what is wrong in it: all of it, where
        the error does not say."""
        line = self._line
        if isinstance(error, Mistake):
            told, selected = f"{error.message}. {error.advice}", error.span
        else:
            told, selected = f"{error.message}. {error.hint}", (0, len(line.value))
        self._tell(told, line.value)
        line.selection = Selection(*selected)

    def leave(self) -> None:
        """Close without an answer."""
        question = self._question
        self._close()
        if question is not None:
            question.left()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._question is None or event.value != self._line.value:
            return  # it has changed again, or the question is closed
        if self._refused is not None and event.value != self._refused:
            self._tell(None)
        self._question.typed(event.value)

    def _tell(self, mistake: str | None, answer: str | None = None) -> None:
        line = self.query_one("#prompt-mistake", Static)
        self._refused = answer
        line.display = mistake is not None
        line.update(" ".join(map(visible, (mistake or "").split())))

    def _close(self) -> None:
        self._question = None
        self._tell(None)
        self.display = False
        self.screen.set_focus(None)
        self.post_message(self.Closed())
