"""Keys that find places in the text."""

from __future__ import annotations

import re
from typing import ClassVar

from textual.binding import BindingType

from rnnviz.store.reader import Capture
from rnnviz.tui.errand import Cancelled
from rnnviz.tui.screens.bindings import key
from rnnviz.tui.screens.shaded import ShadedText
from rnnviz.tui.search import find, pattern_of
from rnnviz.tui.view import View


class Finding(ShadedText):
    GROUP = "Find"
    BINDINGS: ClassVar[list[BindingType]] = [
        key(
            "/",
            "ask_search",
            "search",
            "Search for a regular expression; lower case finds both cases",
            show=True,
        ),
        key("n", "search(False)", "next match", "Next match"),
        key("N", "search(True)", "previous match", "Previous match"),
        key("escape", "stop", "stop", "Stop a search that takes long"),
    ]

    def action_ask_search(self) -> None:
        self.ask("search", "", self._search_for)

    def _search_for(self, answer: str) -> None:
        self.pattern = pattern_of(answer)
        self._search(self.pattern, backwards=False)

    def action_search(self, backwards: bool) -> None:
        if self.pattern is None:
            self.say("nothing to look for yet: press /")
        else:
            self._search(self.pattern, backwards=backwards)

    def _search(self, pattern: re.Pattern[bytes], *, backwards: bool) -> None:
        def match(capture: Capture, view: View, cancelled: Cancelled) -> int | None:
            text = capture.text
            span = find(
                pattern, text, capture.captured, view.cursor, backwards=backwards, cancelled=cancelled
            )
            return None if span is None else span[0]

        self.jump("searching", match, missing="no match")
