"""Longer work of a screen in a thread, with progress in its bottom line and Esc to stop it; and what is said there."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from typing import TypeVar

from textual import work
from textual.message import Message
from textual.worker import get_current_worker

from rnnviz.analysis.cancellation import Cancelled
from rnnviz.store.errors import RnnvizError
from rnnviz.tui.screens.base.message_dialog import MessageScreen
from rnnviz.tui.screens.base.questions import Asking
from rnnviz.tui.screens.base.remark import Remark
from rnnviz.tui.text.glyphs import visible
from rnnviz.tui.widgets.prompt import Question

Found = TypeVar("Found")

PROGRESS_AFTER, PROGRESS_EVERY = 0.3, 0.1
"""Seconds after which an errand shows how far it is, and how often from then on."""


class Errands(Asking[None]):
    """A screen that can have longer work done, one at a time."""

    class Progressed(Message):
        """An errand has come further."""

        def __init__(self, what: str, share: float) -> None:
            super().__init__()
            self.what = what
            self.share = share

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Errands.Progressed)

    class Returned(Message):
        """An errand has ended; `then` is what is left to do with what it found."""

        def __init__(self, then: Callable[[], None]) -> None:
            super().__init__()
            self.then = then

    def __init__(self) -> None:
        super().__init__()
        self._remark: Remark | None = None
        self.errand_line: str | None = None
        """What the line at the bottom says of an errand."""
        self._reported: set[str] = set()

    @abstractmethod
    def show_hints(self) -> None:
        """Draw the line at the bottom."""

    @property
    def remark(self) -> Remark | None:
        """What the line at the bottom says now, if it says anything."""
        if self._remark is not None and not self._remark.holds:
            self._remark = None
        return self._remark

    def say(
        self,
        text: str,
        *,
        about: Callable[[], object] | None = None,
        seconds: float = 3.0,
        wrong: bool = False,
    ) -> None:
        """Say something in the bottom line, for so many seconds and no longer than it is so; what is longer than the
        line takes rows above it, too.

        `about` returns what the words speak of, as in `lambda: (self.view.cursor, self.view.pair)`: they go as soon as
        it returns something else. Without it they stay true whatever is done. `wrong` says it in red. `text` is shown
        as it is: mind what a capture brings.
        """
        remark = Remark.made(text, about, wrong=wrong)
        self._remark = remark

        def silence() -> None:
            if self._remark is remark:
                self._remark = None
                self.show_hints()

        self.set_timer(seconds, silence)
        self.show_hints()

    def hush(self) -> None:
        """Say nothing more."""
        self._remark = None
        self.show_hints()

    def ask_again(self, question: Question, answer: str, mistake: RnnvizError) -> None:
        """Open a question once more with an answer that an errand found to be wrong; where another question is open by
        then, say what is wrong when that is closed."""
        if self.asking:
            self.say(f"{visible(mistake.message)}. {visible(mistake.hint)}", seconds=8.0, wrong=True)
        else:
            self.put_question(question, answer, mistake)

    def put_question(
        self, question: Question, value: str, mistake: RnnvizError | None = None, *, kept: bool = False
    ) -> None:
        """Ask a question. What was said gives way to it, and stands again if it is still so when that is closed."""
        super().put_question(question, value, mistake, kept=kept)
        self.show_hints()

    def on_prompt_closed(self) -> None:
        self.show_hints()

    def errand(
        self,
        what: str,
        work: Callable[[Cancelled], Found],
        then: Callable[[Found], None],
        failed: Callable[[RnnvizError], None] | None = None,
    ) -> None:
        """Run `work` in a thread and `then` with its result on the screen's own. `what` names it in the bottom line.

        A second errand takes the place of the first; one that was stopped has no `then`. An RnnvizError is for
        `failed`, or else shown.
        """

        def run(cancelled: Cancelled) -> Callable[[], None]:
            found = work(cancelled)
            return lambda: then(found)

        self._run(what, run, failed or self.report)

    @work(thread=True, exclusive=True, group="errand")
    def _run(
        self,
        what: str,
        run: Callable[[Cancelled], Callable[[], None]],
        failed: Callable[[RnnvizError], None],
    ) -> None:
        worker = get_current_worker()
        due = time.monotonic() + PROGRESS_AFTER

        def cancelled(share: float | None = None) -> bool:
            nonlocal due
            if share is not None and time.monotonic() >= due:
                due = time.monotonic() + PROGRESS_EVERY
                self.post_message(self.Progressed(what, share))
            return worker.is_cancelled

        try:
            then = run(cancelled)
        except RnnvizError as error:
            failure = error
            then = lambda: failed(failure)  # noqa: E731
        if not worker.is_cancelled:
            self.post_message(self.Returned(then))

    def on_errands_progressed(self, event: Progressed) -> None:
        if self.runs_errand:
            self.errand_line = f"{event.what}: {event.share:.0%}"
            self.show_hints()

    def on_errands_returned(self, event: Returned) -> None:
        self.errand_line = None
        event.then()
        self.show_hints()

    @property
    def runs_errand(self) -> bool:
        return any(worker.group == "errand" and worker.is_running for worker in self.workers)

    def action_stop(self) -> None:
        """End the errand that is running."""
        self.workers.cancel_group(self, "errand")
        self.errand_line = None
        self.show_hints()

    def report(self, error: RnnvizError | None) -> None:
        """Show an error once, however often a damaged block is met."""
        if error is not None and error.message not in self._reported:
            self._reported.add(error.message)
            self.app.push_screen(MessageScreen(error))
