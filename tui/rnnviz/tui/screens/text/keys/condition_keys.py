"""Keys that find places by what cells do there, and the count of how often a condition holds."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import BindingType
from textual.message import Message
from textual.worker import get_current_worker

from rnnviz.analysis.events import Tally, coming_true, tally
from rnnviz.store.errors import RnnvizError
from rnnviz.store.signals import SIGNALS
from rnnviz.tui.screens.base.background_work import PROGRESS_EVERY
from rnnviz.tui.screens.base.keys import key
from rnnviz.tui.screens.text.keys.event_jumps import Seeking

if TYPE_CHECKING:
    from rnnviz.analysis.conditions import Condition

COUNT_SHOWN = 15.0
"""Seconds that the result of a count stays on the screen."""

Counted = tuple[str, "Condition"]
"""What is counted: the condition, and the model whose cells it speaks of."""


class Conditions(Seeking):
    GROUP = "Conditions"
    BINDINGS: ClassVar[list[BindingType]] = [
        key(
            "f",
            "ask_condition",
            "condition",
            "Mark where a condition holds, and go there: 1:37 > 0.8 and 0:12.f < 0.5; empty or Esc: no more",
            show=True,
        ),
        key("x", "condition(False)", "next", "Next place where the condition comes true"),
        key("X", "condition(True)", "previous", "The place before where it comes true"),
        key("F", "tally", "count", "How often the condition holds and comes true in the whole text"),
    ]

    class Tallied(Message):
        """The whole text was counted, or more of it."""

        def __init__(self, of: Counted, counted: Tally) -> None:
            super().__init__()
            self.of = of
            self.counted = counted

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Conditions.Tallied)

    _counted: Counted | None = None
    """What `tally` is of."""

    @property
    def settled(self) -> bool:
        return super().settled and not self._counting

    @property
    def _counting(self) -> bool:
        """Whether it is still to be found out how often the condition in force holds."""
        return self._wanted is not None and (self.tally is None or self.tally.done < self.tally.length)

    def action_ask_condition(self) -> None:
        typed = "" if self.view.condition is None else self.view.condition.text
        self.ask("condition", typed, self._find_condition, self._end_condition, kept=True)

    def _find_condition(self, answer: str) -> None:
        from rnnviz.analysis.conditions import (
            parse_condition,  # 8 ms that opening the explorer need not wait for
        )

        condition = parse_condition(answer, self.capture.models[self.view.model], self.view.signal)
        self.lay_out(replace(self.view, condition=condition))
        self.action_condition(False)

    def _end_condition(self) -> None:
        self.lay_out(replace(self.view, condition=None))

    def action_condition(self, backwards: bool) -> None:
        if self.view.condition is None:
            self._say_there_is_none()
        else:
            model = self.capture.models[self.view.model]
            squashed = any(SIGNALS[reading.signal].squashed for reading in self.view.condition.readings)
            hint = " (c is compared as tanh(c), −1 to 1)" if squashed else ""
            self.seek(coming_true(model, self.view.condition), backwards=backwards, hint=hint)

    def action_tally(self) -> None:
        counted = self.tally
        if self.view.condition is None:
            self._say_there_is_none()
        elif counted is None or counted.done < counted.length:
            self.say("still counting", about=lambda: (self._wanted, self._counting))
        else:
            share = counted.symbols / max(1, counted.length)
            self.say(
                f"true at {counted.symbols:,} of {counted.length:,} symbols ({share:.2%}), "
                f"comes true {counted.occurrences:,} times: {self.view.condition.text}",
                about=lambda: (self._wanted, self.tally),
                seconds=COUNT_SHOWN,
            )

    def _say_there_is_none(self) -> None:
        self.say("no condition yet: press f", about=lambda: self.view.condition)

    # The count

    def draw(self) -> None:
        """Count anew where another condition is in force, and go on where the capture has grown."""
        if self._wanted != self._counted:
            self._counted, self.tally = self._wanted, None
            self.workers.cancel_group(self, "tally")
            if self._counted is not None:
                self._tally(self._counted, None)
        counted, captured = self.tally, self.capture.captured
        if self._counted is not None and counted is not None and counted.done == counted.length < captured:
            self._tally(self._counted, counted)
            self.tally = replace(counted, length=captured)
        super().draw()

    @property
    def _wanted(self) -> Counted | None:
        condition = self.view.condition
        return None if condition is None else (self.view.model, condition)

    @work(thread=True, exclusive=True, group="tally")
    def _tally(self, of: Counted, before: Tally | None) -> None:
        worker, capture = get_current_worker(), self.capture
        event, due = coming_true(capture.models[of[0]], of[1]), 0.0
        try:
            for counted in tally(event, capture.segments[:, 0], capture.captured, before):
                if worker.is_cancelled:
                    return
                if counted.done == counted.length or time.monotonic() >= due:
                    due = time.monotonic() + PROGRESS_EVERY
                    self.post_message(self.Tallied(of, counted))
        except RnnvizError as error:
            failure = error
            self.post_message(self.Returned(lambda: self.report(failure)))

    def on_conditions_tallied(self, event: Tallied) -> None:
        if event.of == self._counted:
            self.tally = event.counted
            if self.is_current:
                self.draw()
