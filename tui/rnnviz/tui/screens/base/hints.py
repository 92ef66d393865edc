"""Which keys the line at the bottom of a screen names where there is not room for all of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from rnnviz.tui.paint.lines import Inks, Line


@dataclass(frozen=True)
class Hint:
    """A key, or several, with the few words that say what it does."""

    keys: str
    what: str
    action: str

    @property
    def width(self) -> int:
        """Its columns, those between it and the next one included."""
        return len(self.keys) + len(self.what) + 3


def chosen(hints: Sequence[Hint], width: int, stay: Sequence[str], used: Mapping[str, int]) -> list[Hint]:
    """As many of the hints as have room in `width` columns, in the order in which they are given.

    Those whose keys are in `stay` are there before any other, the first of them first. Of the others, those whose
    action was used least come first (`used` counts), and of these the ones given first: what somebody does anyway needs
    no hint any more.
    """

    def rank(place: int) -> tuple[int, int, int]:
        hint = hints[place]
        if hint.keys in stay:
            return 0, stay.index(hint.keys), 0
        return 1, used.get(hint.action, 0), place

    shown: set[int] = set()
    for place in sorted(range(len(hints)), key=rank):
        if hints[place].width <= width:
            shown.add(place)
            width -= hints[place].width
    return [hint for place, hint in enumerate(hints) if place in shown]


def line_of(hints: Collection[Hint], inks: Inks) -> Line:
    """The hints as a painted line."""
    return [
        piece for hint in hints for piece in ((f" {hint.keys} ", inks.accent), (f"{hint.what} ", inks.faint))
    ]
