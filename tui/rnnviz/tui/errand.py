"""Longer work done for the screen in a thread: how it asks whether to go on and says how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rnnviz.store.reader import Capture
from rnnviz.tui.view import View


class Cancelled(Protocol):
    """Ask it between two pieces of work, often: `if cancelled(done / whole): return None`."""

    def __call__(self, share: float | None = None) -> bool:
        """Whether to stop. `share` 0…1 is how much has been done, for the progress shown."""


Jump = Callable[[Capture, View, Cancelled], int | None]
"""Finds a place: (capture, view, cancelled) → the symbol to move the cursor to, or None. Runs in a thread."""
