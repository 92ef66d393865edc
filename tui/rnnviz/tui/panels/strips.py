"""Small strips of activity: a character a column, as high as the view is large, in the colour of its level."""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.signals import Signal
from rnnviz.tui.activity import BLOCKS, heights, level_of, resampled
from rnnviz.tui.frame import LEVELS
from rnnviz.tui.painting import Inks, Line
from rnnviz.tui.palette import Paint, Palette
from rnnviz.tui.panels.histogram import level_ink


@lru_cache(maxsize=32)
def _inks_of_levels(palette: Palette) -> tuple[Paint, ...]:
    return tuple(level_ink(palette, level) for level in range(LEVELS))


def strip(views: NDArray[np.float32], signal: Signal, palette: Palette) -> Line:
    """A character for each view; a space for NaN. views: float32 [column]."""
    inks, plain = _inks_of_levels(palette), Inks.of(palette).plain
    known = ~np.isnan(views)
    characters = [
        BLOCKS[height] if shown else " "
        for height, shown in zip(heights(views, signal).tolist(), known.tolist(), strict=True)
    ]
    paints = [
        inks[level] if shown else plain
        for level, shown in zip(level_of(views, signal).tolist(), known.tolist(), strict=True)
    ]
    pieces = itertools.groupby(zip(characters, paints, strict=True), key=lambda piece: piece[1])
    return [("".join(character for character, _ in group), paint) for paint, group in pieces]


def activity_strip(stored: NDArray[np.float16] | None, signal: Signal, width: int, palette: Palette) -> Line:
    """A cell's activity over a stretch of text, in `width` columns: each shows the mean of its share of it."""
    if stored is None:
        return [("…", Inks.of(palette).faint)]
    return strip(resampled(signal.view(stored), width), signal, palette)
