"""How the cursor jumps to where something changes along the text."""

from __future__ import annotations

from rnnviz.tui.crossings import Event, Found, next_occurrence
from rnnviz.tui.errand import Cancelled
from rnnviz.tui.screens.shaded import ShadedText


class Seeking(ShadedText):
    """Knows no keys: it is what groups of keys that jump to events share."""

    def seek(self, event: Event, *, backwards: bool) -> None:
        """Move the cursor to the next place, or the one before, where `event` occurs."""
        capture, cursor = self.capture, self.view.cursor

        def find(cancelled: Cancelled) -> Found | None:
            breaks = capture.segments[:, 0]
            return next_occurrence(
                event, breaks, capture.captured, cursor, backwards=backwards, cancelled=cancelled
            )

        def then(found: Found | None) -> None:
            if found is None:
                self.say(f"nowhere else: {event.what}")
                self.draw()
                return
            if found.wrapped:
                edge = "end" if backwards else "start"
                self.say(f"on from the {edge} of the text")
            self.go_to(found.position)

        self.errand("looking", find, then)
