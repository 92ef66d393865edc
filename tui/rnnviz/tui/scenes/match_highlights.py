"""The matches of a search that are on the screen."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rnnviz.analysis.pattern_process import matches
from rnnviz.analysis.pattern_search import Span, is_plain
from rnnviz.store.errors import Unavailable

if TYPE_CHECKING:
    from rnnviz.analysis.pattern_matcher import Matcher

MARKING = 0.1
"""Seconds of processor time for the matches of one screen."""
PATIENCE = 2.0
"""Seconds that a frame waits for them, however busy the processor is."""


class Marks:
    """The matches on the screen. A pattern that takes long has none, and a frame never waits for it twice."""

    def __init__(self) -> None:
        self._matcher: Matcher | None = None
        self._slow: re.Pattern[bytes] | None = None
        self._last: tuple[re.Pattern[bytes], int, int, bytes] | None = None
        self._spans: list[Span] = []

    def spans(
        self, pattern: re.Pattern[bytes], data: NDArray[np.uint8], offset: int, start: int
    ) -> list[Span]:
        """Every match from `start` on in `data`, whose first byte lies at `offset` of the text."""
        wanted = (pattern, offset, start, data.tobytes())
        if wanted != self._last:
            self._last = wanted
            found = self._found(pattern, wanted[3], start - offset)
            self._spans = [(offset + first, offset + last) for first, last in found]
        return self._spans

    def _found(self, pattern: re.Pattern[bytes], data: bytes, start: int) -> list[Span]:
        if is_plain(pattern):
            return matches(pattern, data, start, len(data))
        if pattern == self._slow:
            return []
        if self._matcher is None:
            from rnnviz.analysis.pattern_matcher import (
                Matcher,  # plain patterns, and first screens, do without
            )

            self._matcher = Matcher()
        late = time.monotonic() + PATIENCE
        try:
            found = self._matcher.matches(
                pattern,
                data,
                start,
                len(data),
                seconds=MARKING,
                cancelled=lambda: time.monotonic() > late,
            )
        except Unavailable:
            found = None
        if found is None:
            self._slow = pattern
        return found or []
