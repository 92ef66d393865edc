"""A capture that is still being written: the screen looks again how far it has come, and shows what is new. One whose
process was killed looks the same on disk, but for the lock that the system lets go of: the screen says so."""

from __future__ import annotations

from textual import work
from textual.message import Message
from textual.timer import Timer

from rnnviz.store.disk import is_locked
from rnnviz.store.errors import InvalidCapture, RnnvizError
from rnnviz.store.reader import Capture, open_capture
from rnnviz.tui.screens.text.capture_screen import ShadedText
from rnnviz.tui.text.glyphs import visible

GROWTH_EVERY = 1.0
"""Seconds between two looks at a capture that is still being written."""
TOLD = 10.0
"""Seconds for which it is said that nobody writes it."""


class Growing(ShadedText):
    class Grown(Message):
        """The capture as it is now, and whether a process writes it."""

        def __init__(self, now: Capture, written: bool) -> None:
            super().__init__()
            self.now = now
            self.written = written

    _growth: Timer | None = None
    """Looks again and again at a capture that is not complete."""

    def on_mount(self) -> None:
        if not self.capture.complete:
            self._growth = self.set_interval(GROWTH_EVERY, self._look_for_growth)

    @work(thread=True, exclusive=True, group="growth")
    def _look_for_growth(self) -> None:
        """See how far the process has come that writes the capture; never on the screen's own thread."""
        written = is_locked(self.capture.path)  # before it is read: what ends between the two has finished it
        try:
            now = open_capture(self.capture.path)
        except RnnvizError as error:
            failure = error  # the name is gone when what follows runs
            self.post_message(self.Returned(lambda: self._grow_no_more(failure)))
            return
        self.post_message(self.Grown(now, written))

    def on_growing_grown(self, event: Grown) -> None:
        now, capture = event.now, self.capture
        if now.schema != capture.schema:
            self._grow_no_more(
                InvalidCapture(f"{capture.path} was replaced by another capture", "Open it again.")
            )
        elif (now.captured, now.complete) != (capture.captured, capture.complete):
            self.source.grow(now.captured, now.complete)
            if now.complete:
                self._grow_no_more(None)
            if self.is_current:
                self.go_on()
        abandoned = not (now.complete or event.written)
        if abandoned != self.scene.abandoned:
            self.scene.abandoned = abandoned
            if abandoned:
                name = visible(capture.path.name)
                self.say(
                    f"no process writes this any more: rnnviz info {name} says how to go on",
                    about=lambda: self.scene.abandoned,
                    seconds=TOLD,
                )
            if self.is_current:
                self.draw()

    def _grow_no_more(self, why: RnnvizError | None) -> None:
        if self._growth is not None:
            self._growth.stop()
        self.report(why)
