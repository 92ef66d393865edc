"""Where things stand on the text screen, for every size of terminal."""

from __future__ import annotations

from dataclasses import dataclass

PANEL_WIDTH, PANEL_WIDTH_NARROW = 36, 26
NARROW = 100
"""Below this many columns the panels are narrow; below PANELS_FROM there are none unless they are asked for."""
PANELS_FROM = 60
HISTOGRAM_LEAST, HISTOGRAM_MOST = 7, 16
PREDICTIONS_HEIGHT = 12


@dataclass(frozen=True)
class Place:
    """A rectangle of columns and rows; x and y count from 0 at the top left."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Places:
    """The text between a line above and a line below it, and the panels at its right, if there are any."""

    text: Place
    panels: Place | None


def places(width: int, height: int, wanted: bool | None) -> Places:
    """The places on a canvas of width × height. `wanted` says whether to have panels; None: where there is room."""
    shown = width >= PANELS_FROM if wanted is None else wanted
    middle = height - 2
    if not shown:
        return Places(Place(0, 1, width, middle), None)
    room = PANEL_WIDTH_NARROW if width < NARROW else PANEL_WIDTH
    # A column is left free on each side of the panels.
    text = Place(0, 1, width - room - 2, middle)
    return Places(text, Place(text.width + 1, 1, room, middle))
