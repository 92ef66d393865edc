"""Where things stand on the text screen, for every size of terminal."""

from __future__ import annotations

from dataclasses import dataclass

PANEL_WIDTH, PANEL_WIDTH_NARROW = 36, 26
NARROW = 100
"""Below this many columns the panels are narrow; below PANELS_FROM there are none unless they are asked for."""
PANELS_FROM = 60
HISTOGRAM_LEAST, HISTOGRAM_MOST = 6, 16
PREDICTIONS_HEIGHT = 12
COMPARISON_WIDTH, COMPARISON_WIDTH_NARROW, COMPARISON_HEIGHT = 44, 30, 14
"""Of the panel of two models' predictions side by side."""
HINTS_HEIGHT = 1
"""Rows under the canvas."""


@dataclass(frozen=True)
class Place:
    """A rectangle of columns and rows; x and y count from 0 at the top left."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Places:
    """The text between a line above and a line below it, and the panels at its right, if there are any.

    Each row of text has `strips` rows under it, so that row y of the text stands at text.y + y * (1 + strips);
    text.height counts the rows of text alone. `overhead` lies over text and panels.
    """

    text: Place
    panels: Place | None
    overhead: Place | None = None
    strips: int = 0
    difference: Place | None = None
    """A row under the text for the difference of two models."""
    condition: Place | None = None
    """A row under all of these for the condition in force."""
    note: Place | None = None
    """A row above all of these for the note on the cell."""


def places(
    width: int,
    height: int,
    wanted: bool | None,
    overhead: int = 0,
    strips: int = 0,
    *,
    compared: bool = False,
    condition: bool = False,
    noted: bool = False,
) -> Places:
    """The places on a canvas of width × height. `wanted` says whether to have panels; None: where there is room.

    `overhead` rows are taken above the text, but never so many that no row of text is left. `compared` says whether
    there are two models to compare, `condition` whether one is in force, `noted` whether any cell has a note.
    """
    shown = width >= PANELS_FROM if wanted is None else wanted
    strips = max(0, min(strips, height - 3))
    note = 1 if noted and height - 3 - strips >= 2 else 0
    over = max(0, min(overhead, height - 3 - note - strips))
    told = 1 if condition and height - 3 - note - over - strips >= 2 else 0
    below = 1 if compared and height - 3 - note - over - strips - told >= 2 else 0
    top, middle = 1 + note + over, height - 2 - note - over - told
    condition_row = Place(0, height - 2, width, 1) if told else None
    note_row = Place(0, 1, width, 1) if note else None
    above = Place(0, 1 + note, width, over) if over else None
    rows = (middle - below) // (1 + strips)
    if not shown:
        under = Place(0, top + middle - 1, width, 1) if below else None
        return Places(Place(0, top, width, rows), None, above, strips, under, condition_row, note_row)
    room = PANEL_WIDTH_NARROW if width < NARROW else PANEL_WIDTH
    if compared:
        room = COMPARISON_WIDTH_NARROW if width < NARROW else COMPARISON_WIDTH
    # A column is left free on each side of the panels.
    text = Place(0, top, width - room - 2, rows)
    under = Place(0, top + middle - 1, text.width, 1) if below else None
    panels = Place(text.width + 1, top, room, middle)
    return Places(text, panels, above, strips, under, condition_row, note_row)
