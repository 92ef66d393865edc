"""The line that shows what somebody noted about the cell, and what to press next."""

from __future__ import annotations

from rnnviz.tui.paint.lines import Inks, Line, spread, width_of
from rnnviz.tui.text.glyphs import in_columns

NEXT = (("M", "marks"), ("j", "next cell"), ("?", "keys"))
"""Keys and what they are for, as many from the first on as there is room for."""


def note_line(cell: str, note: str | None, noted: list[str], width: int, inks: Inks) -> Line:
    """The line. note: what was noted about the cell, if anything was; noted: the cells that there are notes on."""
    left: Line = [(f" {cell} ", inks.accent), (in_columns(note or ""), inks.strong)]
    if note is None:
        left = [(f" no note on {cell}; there are notes on ", inks.faint)]
        left.append((in_columns(", ".join(noted)), inks.plain))
    keys = [[(f" {name} ", inks.accent), (f"{what} ", inks.faint)] for name, what in NEXT]
    while keys and width_of(left) + sum(map(width_of, keys)) >= width:
        keys.pop()
    return spread(left, [piece for key in keys for piece in key], width, inks.plain)
