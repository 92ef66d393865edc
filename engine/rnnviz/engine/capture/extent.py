"""What of a text is captured where nobody says: what can be read as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rnnviz.engine.runs.run import Run
from rnnviz.engine.text.segments import CapturedPart
from rnnviz.engine.text.split import spans
from rnnviz.engine.text.text import Text

READABLE: Final = 2_000
"""Symbols of a stretch of the test part that reads as text: thirty lines of 65. Those of War and Peace have 3,300."""
ENOUGH_HELD_OUT: Final = 100_000
"""Symbols of a test part that is worth looking at by itself."""
MOST_FROM_THE_BEGINNING: Final = 400_000
"""Symbols that are captured of a longer text whose test part is small: a little more than the test part of War and
Peace, some 1.2 GB of a 2×128 LSTM before compression."""


@dataclass(frozen=True)
class Extent:
    """What of a text is captured: a part, and of `all` perhaps only the `first` so many symbols."""

    part: CapturedPart
    first: int | None = None


def default_extent(run: Run, text: Text) -> Extent:
    """What is captured where nobody says: all of a text that the run was not trained on.

    Of its own text, the test part, if that can be read as text. Where it is small, or consists of short stretches that
    begin in the middle of a word, the text itself from its beginning on, though most of it was trained on.
    """
    if not run.text or text.sha256() != run.text.sha256:
        return Extent("all")
    stretches = spans(text.length, run.config.split, "test")
    if stretches[0].length >= READABLE and len(stretches) * stretches[0].length >= ENOUGH_HELD_OUT:
        return Extent("test")
    return Extent("all", None if text.length <= MOST_FROM_THE_BEGINNING else MOST_FROM_THE_BEGINNING)
