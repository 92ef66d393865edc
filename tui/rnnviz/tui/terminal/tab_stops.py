"""Whether a terminal's tab stops stand where they do by default: every eight columns.

A tab is the shortest way over eight columns, but nothing says where it leads: a person may have set stops elsewhere
(`tabs -4`), and a terminal may have none. So the terminal is asked: one tab after another is sent along a row, each
with the question where the cursor is (DSR 6). Only if every answer is the one expected are tabs used for moving, until
the terminal gets another size. That a tab leaves alone what it passes is what terminals do; some put blanks where
nothing was written yet, and of such columns the explorer leaves none.
"""

from __future__ import annotations

import termios
from collections import deque

from rnnviz.tui.terminal.frame_pacing import QUESTION

EVERY = 8
_ROW = 1
"""Where the tabs are tried, counted from 0. Not in the first row: an answer from there may look like a key (F3)."""
_OUTPUT_MODES = 1
"""Where these modes stand in what `tcgetattr` returns."""


class TabStops:
    """What one terminal has said of its tab stops."""

    def __init__(self) -> None:
        self.known = False
        """Whether they are known to stand at the multiples of `EVERY` and nowhere else."""
        self.asked = False
        """Whether that was asked since the terminal has had this size."""
        self._expected: deque[tuple[int, int]] = deque()
        """The answers that are still to come, as they should be."""
        self._right = False
        """Whether all that came since were so."""

    @property
    def waiting(self) -> bool:
        """Whether answers are still to come."""
        return bool(self._expected)

    def question(self, columns: int) -> str:
        """What to send to a terminal of so many columns, when no other question waits for its answer. It leaves the
        cursor and the screen as they were."""
        self.asked, self.known, self._right = True, False, True
        stops = range(EVERY, columns, EVERY)
        self._expected = deque((stop, _ROW) for stop in stops)
        tried = f"\t{QUESTION}" * len(stops)
        return f"\x1b7\x1b[{_ROW + 1};2H\r{tried}\x1b8" if tried else ""

    def answered(self, column: int, row: int) -> None:
        """One of the answers came: the cursor is there, both counted from 0."""
        self._right &= self._expected.popleft() == (column, row)
        self.known = self._right and not self._expected

    def forget(self) -> None:
        """The terminal has another size, or may be in another state."""
        self.asked = self.known = self._right = False


def pass_unchanged(output: int) -> bool:
    """Whether tabs and carriage returns that are written to a terminal get there as they are."""
    try:
        modes = termios.tcgetattr(output)[_OUTPUT_MODES]
    except termios.error:
        return False
    if not modes & termios.OPOST:
        return True
    return modes & termios.TABDLY != termios.TAB3 and not modes & (termios.OCRNL | termios.ONOCR)
