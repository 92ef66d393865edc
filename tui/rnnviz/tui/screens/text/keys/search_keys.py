"""Keys that find places in the text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from textual import work
from textual.binding import BindingType
from textual.message import Message
from textual.worker import get_current_worker

from rnnviz.analysis.cancellation import Cancelled
from rnnviz.analysis.events import Found
from rnnviz.analysis.pattern_process import matches
from rnnviz.analysis.pattern_search import Nearest, find, is_plain, pattern_of, places
from rnnviz.store.errors import RnnvizError
from rnnviz.tui.screens.base.keys import key
from rnnviz.tui.screens.text.capture_screen import ShadedText
from rnnviz.tui.text.glyphs import shortened, visible

COUNTING = 2.0
"""Seconds of processor time to count the matches of a megabyte; what takes longer is not counted."""
LONGEST_SHOWN = 30
"""Columns of a pattern that is said."""


@dataclass(frozen=True)
class _FoundAt:
    pattern: re.Pattern[bytes]
    byte: int
    around: str
    """What is said where the search went on around the end of the text."""


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

    class Counted(Message):
        """Every match of a pattern in a text of so many bytes was counted."""

        def __init__(self, pattern: re.Pattern[bytes], length: int, places: NDArray[np.int64]) -> None:
            super().__init__()
            self.pattern = pattern
            self.length = length
            self.places = places

    _found: _FoundAt | None = None
    """The match that was found last."""
    _counted_places: tuple[tuple[re.Pattern[bytes], int], NDArray[np.int64]] | None = None
    """Where all matches of a pattern in a text of so many bytes begin."""
    _sought: re.Pattern[bytes] | None = None
    """What was searched for last, also when its marks were taken away."""

    def action_ask_search(self) -> None:
        self.ask("search", "", self._search_for)

    def _search_for(self, answer: str) -> None:
        self._search(pattern_of(answer), backwards=False)

    def action_search(self, backwards: bool) -> None:
        pattern = self.view.search or self._sought
        if pattern is None:
            self.say("nothing to look for yet: press /", about=lambda: self._sought)
        else:
            self._search(pattern, backwards=backwards)

    def _search(self, pattern: re.Pattern[bytes], *, backwards: bool) -> None:
        self._sought = pattern
        self.look(replace(self.view, search=pattern))
        capture, cursor = self.capture, self.view.cursor

        def match(cancelled: Cancelled) -> tuple[Found, int] | None:
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
                nearest=_searcher(pattern, lambda: cancelled(min(1.0, done / length))),
            )
            if span is None:
                return None
            wrapped = span[0] > place if backwards else span[0] <= place
            return Found(capture.symbol_at(span[0]), wrapped), span[0]

        def then(answer: tuple[Found, int] | None) -> None:
            if answer is None:
                self.say(f"no match: {_shown(pattern)}", about=lambda: self.view.search, wrong=True)
                self.draw()
                return
            found, byte = answer
            around = f", on from the {'end' if backwards else 'start'} of the text" if found.wrapped else ""
            self._found = _FoundAt(pattern, byte, around)
            self.go_to(found.position, self._say_which)

        self.errand("searching", match, then)

    # Which of all matches it is

    def _say_which(self) -> None:
        """Say which match was found, and count all where that has not been done."""
        found = self._found
        if found is None:
            return
        if self._counted_places is None or self._counted_places[0] != (
            found.pattern,
            self.capture.text_bytes,
        ):
            self.say(f"match of {_shown(found.pattern)}{found.around}", about=self._searched)
            self._count_places(found.pattern, self.capture.text_bytes)
            return
        all_places = self._counted_places[1]
        number = int(np.searchsorted(all_places, found.byte, side="right"))
        told = f"match {number:,} of {len(all_places):,} of {_shown(found.pattern)}{found.around}"
        self.say(told, about=self._searched)

    def _searched(self) -> object:
        return self.view.search, self.view.cursor

    @work(thread=True, exclusive=True, group="matches")
    def _count_places(self, pattern: re.Pattern[bytes], length: int) -> None:
        worker, read = get_current_worker(), self.capture.text

        def cancelled() -> bool:
            return worker.is_cancelled

        try:
            counted = places(
                pattern, read, length, cancelled, _searcher(pattern, cancelled, seconds=COUNTING)
            )
        except RnnvizError:
            return  # it matters to nothing but the number
        if counted is not None and not worker.is_cancelled:
            self.post_message(self.Counted(pattern, length, counted))

    def on_finding_counted(self, event: Counted) -> None:
        self._counted_places = (event.pattern, event.length), event.places
        if self.remark is not None and self.remark.text.startswith("match of "):
            self._say_which()


def _searcher(pattern: re.Pattern[bytes], cancelled: Callable[[], bool], seconds: float = 0.0) -> Nearest:
    """How a piece of the text is searched: in a process that can be ended, where the pattern could take long."""
    if is_plain(pattern):
        return matches
    from rnnviz.analysis.pattern_matcher import Matcher

    return partial(Matcher().matches, cancelled=cancelled, seconds=seconds)


def _shown(pattern: re.Pattern[bytes]) -> str:
    return shortened(visible(pattern.pattern.decode("utf-8", "surrogateescape")), LONGEST_SHOWN)
