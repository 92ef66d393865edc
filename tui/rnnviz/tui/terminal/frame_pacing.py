"""When to send the next frame: when the terminal has shown the last one.

A slow link holds what was written to it: over 250 KB/s a held key soon draws many seconds ahead of what is seen.
So each frame ends with the question where the cursor is (DSR 6), which a terminal answers when it comes to it, and
the next frame waits for the answer; steps that were overtaken meanwhile are never drawn. A terminal that has not
answered yet, or answers no more for `PATIENCE` seconds, is not waited for.
"""

from __future__ import annotations

QUESTION = "\x1b[6n"
PATIENCE = 2.0


class Pace:
    """Frames sent to one terminal and its answers. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._answers = False
        """Whether the terminal is known to answer."""
        self._open = 0
        """Frames it has not answered."""
        self._asked = 0.0

    def free(self, now: float) -> bool:
        """Whether a frame may be sent now."""
        if self._answers and self._open and now - self._asked >= PATIENCE:
            self._answers, self._open = False, 0
        return not (self._answers and self._open)

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self._open > 0

    def sent(self, now: float) -> None:
        """A frame with a question at its end was sent."""
        self._open += 1
        self._asked = now

    def answered(self) -> None:
        """An answer came."""
        self._answers = True
        self._open = max(0, self._open - 1)
