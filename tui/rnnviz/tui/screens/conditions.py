"""Keys that find places by what cells do there."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from rnnviz.tui.crossings import Event, Tally, coming_true, tally
from rnnviz.tui.errand import Cancelled
from rnnviz.tui.screens.bindings import key
from rnnviz.tui.screens.seeking import Seeking

if TYPE_CHECKING:
    from rnnviz.tui.conditions import Condition

COUNT_SHOWN = 15.0
"""Seconds that the result of a count stays on the screen."""


class Conditions(Seeking):
    GROUP = "Conditions"
    BINDINGS: ClassVar[list[BindingType]] = [
        key(
            "f",
            "ask_condition",
            "condition",
            "Go to where a condition on cells comes true: 1:37 > 0.8 and 0:12.f < 0.5",
        ),
        key("x", "condition(False)", "next", "Next place where the condition comes true"),
        key("X", "condition(True)", "previous", "The place before where it comes true"),
        key("F", "tally", "count", "Count over the whole text where the condition holds"),
    ]
    condition: Condition | None = None
    """What was asked for last."""

    def action_ask_condition(self) -> None:
        typed = "" if self.condition is None else self.condition.text
        self.ask("condition", typed, self._find_condition)

    def _find_condition(self, answer: str) -> None:
        from rnnviz.tui.conditions import parse_condition  # 8 ms that opening the explorer need not wait for

        self.condition = parse_condition(answer, self.capture.models[self.view.model])
        self.say("x goes to the next such place, X to the one before, F counts them")
        self.action_condition(False)

    def action_condition(self, backwards: bool) -> None:
        if self._asked():
            self.seek(self._event(), backwards=backwards)

    def action_tally(self) -> None:
        if not self._asked():
            return
        event, capture = self._event(), self.capture

        def count(cancelled: Cancelled) -> Tally | None:
            counted: Tally | None = None
            for counted in tally(event, capture.segments[:, 0], capture.captured):
                if cancelled(counted.done / max(1, counted.length)):
                    return None
            return counted

        def then(counted: Tally | None) -> None:
            if counted is not None:
                share = counted.symbols / max(1, counted.length)
                self.say(
                    f"true at {counted.symbols:,} of {counted.length:,} symbols ({share:.2%}), "
                    f"comes true {counted.occurrences:,} times: {event.what}",
                    seconds=COUNT_SHOWN,
                )

        self.errand("counting", count, then)

    def _event(self) -> Event:
        assert self.condition is not None
        return coming_true(self.capture.models[self.view.model], self.condition)

    def _asked(self) -> bool:
        if self.condition is None:
            self.say("no condition yet: press f")
        return self.condition is not None
