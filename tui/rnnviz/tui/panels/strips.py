"""Small strips of activity: a character a column, as high as the view is large, in the colour of its level."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.signals import Signal
from rnnviz.tui.paint.grid import Grid, ink
from rnnviz.tui.paint.lines import Inks
from rnnviz.tui.paint.palette import Palette
from rnnviz.tui.paint.text_frame import BLANK, LEVELS
from rnnviz.tui.panels.activity_strip import BLOCKS, heights, level_of, resampled
from rnnviz.tui.panels.histogram import level_ink

_BLOCKS = np.array([ord(block) for block in BLOCKS], dtype=np.uint32)


@dataclass(frozen=True, eq=False)
class Strip:
    """codes: uint32 [column]; inks: uint16 [column], see `canvas.ink`. Drawn as a whole: cells have hundreds."""

    codes: NDArray[np.uint32]
    inks: NDArray[np.uint16]

    def put(self, grid: Grid, x: int, y: int, width: int) -> None:
        """Draw it from column x on, `width` columns at most, where there is such a row."""
        if 0 <= y < grid.height:
            room = max(0, min(width, grid.width - x, len(self.codes)))
            grid.codes[y, x : x + room] = self.codes[:room]
            grid.inks[y, x : x + room] = self.inks[:room]


@lru_cache(maxsize=32)
def _inks_of_levels(palette: Palette) -> NDArray[np.uint16]:
    """uint16 [level]: the ink of each level, and at the end the plain one."""
    paints = [level_ink(palette, level) for level in range(LEVELS)]
    return np.array([ink(paint) for paint in [*paints, Inks.of(palette).plain]], dtype=np.uint16)


def strip(views: NDArray[np.float32], signal: Signal, palette: Palette) -> Strip:
    """A character for each view; a space for NaN. views: float32 [column]."""
    known = ~np.isnan(views)
    codes = np.where(known, _BLOCKS[heights(views, signal)], np.uint32(BLANK))
    return Strip(codes, _inks_of_levels(palette)[np.where(known, level_of(views, signal), LEVELS)])


def activity_strip(stored: NDArray[np.float16], signal: Signal, width: int, palette: Palette) -> Strip:
    """A cell's activity over a stretch of text, in `width` columns: each shows the mean of its share of it."""
    return strip(resampled(signal.view(stored), width), signal, palette)
