"""How the cursor jumps to where something changes along the text."""

from __future__ import annotations

from rnnviz.analysis.cancellation import Cancelled
from rnnviz.analysis.events import Event, Found, next_occurrence, occurrences
from rnnviz.tui.screens.text.capture_screen import ShadedText


class Seeking(ShadedText):
    """Knows no keys: it is what groups of keys that jump to events share."""

    def seek(self, event: Event, *, backwards: bool, hint: str = "") -> None:
        """Move the cursor to the next place, or the one before, where `event` occurs. `hint` is what to think of where
        it occurs nowhere at all."""
        capture, cursor = self.capture, self.view.cursor

        def find(cancelled: Cancelled) -> Found | bool:
            """A place, or whether the cursor is at the only one."""
            breaks = capture.segments[:, 0]
            found = next_occurrence(
                event, breaks, capture.captured, cursor, backwards=backwards, cancelled=cancelled
            )
            return found or (
                cursor < capture.captured and len(occurrences(event, breaks, cursor, cursor + 1)) > 0
            )

        def sought() -> object:
            view = self.view
            return view.model, view.cell, view.signal, view.condition, view.pair, view.cursor

        def arrived() -> None:
            self.say(f"on from the {'end' if backwards else 'start'} of the text", about=sought)

        def then(found: Found | bool) -> None:
            if isinstance(found, bool):
                told = f"nowhere else: {event.what}" if found else f"nowhere: {event.what}{hint}"
                self.say(told, about=sought, seconds=6.0)
                self.draw()
            else:
                self.go_to(found.position, arrived if found.wrapped else None)

        self.errand("looking", find, then)
