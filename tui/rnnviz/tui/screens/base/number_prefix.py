"""A number that is typed before a key, as in less and vim: 1200G goes to a line, 50% to a share of the text."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

import numpy as np
from textual.binding import Binding, BindingType

from rnnviz.analysis.cancellation import Cancelled
from rnnviz.store.errors import InvalidRequest
from rnnviz.store.reader import Capture
from rnnviz.tui.paint.lines import Inks, Line
from rnnviz.tui.screens.text.capture_screen import ShadedText
from rnnviz.tui.text.rows import NEWLINE

_PIECE: Final = 1 << 20
LONGEST: Final = 15
"""Digits of a number; those that are typed after them are not taken."""


class Numbered(ShadedText):
    """Knows the digits, and the ways to a line and to a share of the text. The next key takes the number, also one that
    has no use for it; Esc takes it away and does nothing else."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # What a number does stands in the help with the keys that take one.
        Binding(str(digit), f"digit({digit})", show=False)
        for digit in range(10)
    ]

    _typed = ""
    """The digits that wait for the key they are for."""
    _number: int | None = None
    """The number before the key that is acted on."""

    def key_comes(self, action: str) -> None:
        super().key_comes(action)
        if not action.startswith("digit"):
            self._number = int(self._typed) if self._typed else None
            if self._typed:
                self._typed = ""
                self.show_hints()

    def action_digit(self, digit: int) -> None:
        self._typed = f"{self._typed}{digit}"[:LONGEST]
        self.hush()

    def action_stop(self) -> None:
        if self._number is None:
            super().action_stop()

    def bottom_line(self, inks: Inks) -> Line | None:
        if not self._typed:
            return super().bottom_line(inks)
        return [(f" {self._typed}", inks.strong), ("  G goes to that line, % to that share", inks.faint)]

    def go_to_line(self, number: int, refused: Callable[[InvalidRequest], None] | None = None) -> None:
        """To the first symbol of a line, counted from 1. Where the text has fewer, that is for `refused`, or else
        said."""
        capture = self.capture

        def then(symbol: int | None) -> None:
            if symbol is not None:
                self.go_to(symbol)
                return
            error = InvalidRequest(f"the text has fewer than {number:,} lines", "G alone goes to its end.")
            if refused is not None:
                refused(error)
            else:
                self.say(error.message, wrong=True)

        self.errand("counting lines", lambda cancelled: start_of_line(capture, number, cancelled), then)

    def go_to_share(self, percent: int) -> None:
        """To where so many percent of the text are before the cursor, its last symbol at most."""
        captured = self.capture.captured
        self.go_to(max(0, min(percent * captured // 100, captured - 1)))


def start_of_line(capture: Capture, line: int, cancelled: Cancelled) -> int | None:
    """The first symbol of a line, counted from 1 (0 is the first, too); None where the text has fewer."""
    before, length = line - 1, capture.text_bytes
    if before <= 0:
        return 0
    for start in range(0, length, _PIECE):
        if cancelled(start / length):
            return None
        ends = np.flatnonzero(capture.text(start, min(start + _PIECE, length)) == NEWLINE)
        if len(ends) >= before:
            byte = start + int(ends[before - 1]) + 1
            return capture.symbol_at(byte) if byte < length else None
        before -= len(ends)
    return None
