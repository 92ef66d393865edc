"""How one signal of one cell is distributed over the whole text, and how often it is saturated."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.signals import Signal
from rnnviz.store.statistics import UnitStatistics
from rnnviz.tui.paint.lines import Inks, Line, spread
from rnnviz.tui.paint.palette import Paint, Palette
from rnnviz.tui.paint.text_frame import LEVELS

_EIGHTHS = np.array(list(" ▁▂▃▄▅▆▇█"))
_STEP = 4
"""Levels between the colours of bars, as between those of the legend. With a colour of its own for every column, the
panel would be a sixth of what a step to the next cell sends."""


def rebinned(histogram: NDArray[np.int64], columns: int) -> NDArray[np.float64]:
    """Counts over evenly spaced bins as counts over `columns` bins of the same range (float64, same sum)."""
    bins = len(histogram)
    cumulative = np.concatenate([[0.0], np.cumsum(histogram, dtype=np.float64)])
    edges = np.linspace(0, bins, columns + 1)
    return np.diff(np.interp(edges, np.arange(bins + 1), cumulative))


def bars(counts: NDArray[np.float64], height: int) -> list[str]:
    """Rows of block characters, the top one first. Heights are square roots, so that the tails stay visible."""
    top = float(counts.max(initial=0.0))
    heights = np.sqrt(counts / top) * height * 8 if top > 0 else np.zeros(len(counts))
    eighths = np.where(counts > 0, np.maximum(np.rint(heights), 1), 0).astype(int)
    above = np.clip(eighths - 8 * np.arange(height)[::-1, None], 0, 8)
    return ["".join(row) for row in _EIGHTHS[above].tolist()]


def inked(row: str, paints: list[Paint], plain: Paint) -> Line:
    """A row of bars, each character in its column's paint; blanks are plain, so that no bar changes them."""
    return [
        (character, plain if character == " " else paint)
        for character, paint in zip(row, paints, strict=True)
    ]


def histogram_lines(
    statistics: UnitStatistics | None, signal: Signal, width: int, height: int, palette: Palette
) -> list[Line]:
    """The panel: a title, the bars, the range, mean and deviation, extremes, and the saturation shares."""
    inks = Inks.of(palette)
    title: Line = [(f"{signal.view_name} ", inks.strong), (f"{signal.title}, √count", inks.faint)]
    if statistics is None:
        return [title, [("…", inks.faint)]]
    bar_rows = max(1, height - 5)
    rows = bars(rebinned(statistics.histogram, width), bar_rows)
    paints = _column_inks(palette, width)
    lines = [title]
    lines += [inked(row, paints, inks.plain) for row in rows]
    low, high = f"{signal.low:+.0f}" if signal.low else "0", f"{signal.high:+.0f}"
    lines.append(spread([(low, inks.faint)], [(high, inks.faint)], width, inks.plain))
    lines.append([(f"mean {statistics.mean:+.3f} ± {statistics.deviation:.3f}", inks.plain)])
    lines.append([(f"from {statistics.minimum:+.3f} to {statistics.maximum:+.3f}", inks.plain)])
    edge = (signal.high - signal.low) / 10
    lines.append(
        [
            (f"<{signal.low + edge:.1f} ", inks.faint),
            (f"{statistics.low:.1%}", inks.plain),
            (f"  >{signal.high - edge:.1f} ", inks.faint),
            (f"{statistics.high:.1%}", inks.plain),
        ]
    )
    return lines


@lru_cache(maxsize=32)
def _column_inks(palette: Palette, width: int) -> list[Paint]:
    """The paint of each column of the bars: that of the colour of the legend which is nearest to its level's."""
    steps = (LEVELS - 1) // _STEP
    paints = [level_ink(palette, _STEP * step) for step in range(steps + 1)]
    return [paints[round(column * steps / max(1, width - 1))] for column in range(width)]


def level_ink(palette: Palette, level: int) -> Paint:
    """A level's colour as a foreground on the plain ground; where it would not be seen, the faint ink."""
    shade = palette.paint(level).background
    inks = Inks.of(palette)
    if shade is None or shade == inks.plain.background:
        return inks.faint
    if palette.scale == "diverging" and abs(2 * level / (LEVELS - 1) - 1) < 0.4:
        return inks.faint
    if palette.scale == "sequential" and level < 0.4 * LEVELS:
        return inks.faint
    return Paint(shade, inks.plain.background)
