"""How long work asks whether to go on, and says how far it is."""

from __future__ import annotations

from typing import Protocol


class Cancelled(Protocol):
    """Ask it between two pieces of work, often: `if cancelled(done / whole): return None`."""

    def __call__(self, share: float | None = None) -> bool:
        """Whether to stop. `share` 0…1 is how much has been done, for the progress shown."""
