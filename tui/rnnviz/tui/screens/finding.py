"""Keys that find places in the text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from textual.binding import BindingType

from rnnviz.tui.crossings import Found
from rnnviz.tui.errand import Cancelled
from rnnviz.tui.matcher_process import matches
from rnnviz.tui.screens.bindings import key
from rnnviz.tui.screens.shaded import ShadedText
from rnnviz.tui.search import Nearest, find, is_plain, pattern_of


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
        key(
            "escape",
            "stop",
            "stop",
            "Stop what takes long; else take away panels above the text, the condition's marks, the search's",
        ),
    ]
    _sought: re.Pattern[bytes] | None = None
    """What was searched for last, also when its marks were taken away."""

    def action_ask_search(self) -> None:
        self.ask("search", "", self._search_for)

    def _search_for(self, answer: str) -> None:
        self._search(pattern_of(answer), backwards=False)

    def action_search(self, backwards: bool) -> None:
        pattern = self.view.search or self._sought
        if pattern is None:
            self.say("nothing to look for yet: press /")
        else:
            self._search(pattern, backwards=backwards)

    def _search(self, pattern: re.Pattern[bytes], *, backwards: bool) -> None:
        self._sought = pattern
        self.look(replace(self.view, search=pattern))
        capture, cursor = self.capture, self.view.cursor

        def match(cancelled: Cancelled) -> Found | None:
            length, done, read = capture.text_bytes, 0, 0

            def text(start: int, stop: int) -> NDArray[np.uint8]:
                nonlocal done, read
                done, read = read, read + stop - start
                cancelled(min(1.0, done / length))
                return capture.text(start, stop)

            place = int(capture.ends(cursor - 1, cursor)[0]) if cursor else 0
            span = find(
                pattern,
                text,
                length,
                place,
                backwards=backwards,
                cancelled=cancelled,
                nearest=self._nearest(pattern, lambda: cancelled(min(1.0, done / length))),
            )
            if span is None:
                return None
            wrapped = span[0] > place if backwards else span[0] <= place
            return Found(capture.symbol_at(span[0]), wrapped)

        def then(found: Found | None) -> None:
            if found is None:
                self.say("no match")
                self.draw()
                return
            if found.wrapped:
                self.say("on from the end of the text" if backwards else "on from the start of the text")
            self.go_to(found.position)

        self.errand("searching", match, then)

    @staticmethod
    def _nearest(pattern: re.Pattern[bytes], cancelled: Callable[[], bool]) -> Nearest:
        """How a piece of the text is searched: in a process that can be ended, where the pattern could take long."""
        if is_plain(pattern):
            return matches
        from rnnviz.tui.matcher import Matcher

        return partial(Matcher().matches, cancelled=cancelled)
