"""The saturation scatter of the paper's figure 3: every unit of a layer a dot, one plot a gate.

x is the share of symbols at which the unit is right-saturated (a gate above 0.9), y the share at which it is
left-saturated (below 0.1). They add up to 1 at most: the diagonal.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnviz.analysis.events import saturation_marks
from rnnviz.store.signals import SIGNALS
from rnnviz.store.statistics import LayerStatistics
from rnnviz.tui.paint.lines import Inks, Line, cut, ellipsed, side_by_side, spread, width_of
from rnnviz.tui.paint.palette import Palette
from rnnviz.tui.paint.text_frame import BLANK
from rnnviz.tui.panels.gates import gates_shown

_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], dtype=np.uint32)
"""The bit of each dot of a braille character: [row, column]."""
BRAILLE = 0x2800
MARK = "◆"
LEFT = 4
"""Columns before a plot, for its axis."""
LEAST_WIDTH = 16
"""Columns of a plot with its axis. Narrower than all of them together, some are left out."""


@dataclass(frozen=True, eq=False)
class Saturation:
    """How often every unit of a layer is saturated in one signal: shares of symbols, float64 [unit]."""

    right: NDArray[np.float64]
    left: NDArray[np.float64]

    @classmethod
    def of(cls, statistics: LayerStatistics, signal: str) -> Saturation:
        summary = statistics.summary[statistics.signals.index(signal)]
        return cls(np.nan_to_num(summary[:, 5]), np.nan_to_num(summary[:, 4]))


def gates_of(signals: Sequence[str]) -> tuple[str, ...]:
    """The signals whose saturation is plotted: the gates, or all of them where a layer has none."""
    return tuple(signal for signal in signals if SIGNALS[signal].is_gate) or tuple(signals)


def braille(x: NDArray[np.float64], y: NDArray[np.float64], width: int, height: int) -> NDArray[np.uint32]:
    """Points as braille characters: uint32 [height, width], y upwards. Points lie in 0…1, the rest at the edge."""
    columns = np.rint(np.clip(x, 0, 1) * (2 * width - 1)).astype(np.int64)
    rows = np.rint((1 - np.clip(y, 0, 1)) * (4 * height - 1)).astype(np.int64)
    codes = np.full((height, width), BRAILLE, dtype=np.uint32)
    np.bitwise_or.at(codes, (rows // 4, columns // 2), _DOTS[rows % 4, columns % 2])
    return codes


def nearest(saturation: Saturation, unit: int, right: int, up: int) -> int:
    """The unit to go to from `unit` in one direction (right and up are −1, 0 or 1); itself if none lies there.

    What counts is the way in the direction and twice the way across it. Of units at one place, the first.
    """
    x, y = saturation.right - saturation.right[unit], saturation.left - saturation.left[unit]
    along, across = x * right + y * up, np.abs(x * up) + np.abs(y * right)
    cost = np.where(along > 1e-9, along + 2 * across, np.inf)
    best = int(np.argmin(cost))
    return best if np.isfinite(cost[best]) else unit


def scatter_lines(
    statistics: LayerStatistics | None,
    signals: Sequence[str],
    chosen: str,
    unit: int,
    width: int,
    height: int,
    palettes: Mapping[str, Palette],
) -> list[Line]:
    """The plots of `signals` side by side, the chosen one's title in the accent's colour, `unit` marked in each."""
    inks = Inks.of(palettes[chosen])
    if statistics is None:
        return [[(" …", inks.faint)]]
    shown = gates_shown(signals, chosen, width, LEAST_WIDTH)
    each = width // len(shown)
    plots = [
        _plot(Saturation.of(statistics, name), name, name == chosen, unit, each - 1, height, palettes[name])
        for name in shown
    ]
    return side_by_side(plots, each, inks.plain)


def _plot(
    saturation: Saturation, name: str, chosen: bool, unit: int, width: int, height: int, palette: Palette
) -> list[Line]:
    inks = Inks.of(palette)
    signal = SIGNALS[name]
    low, high = saturation_marks(signal)
    columns, rows = max(1, width - LEFT), max(1, height - 2)
    word = (signal.title if width >= len(signal.title) + 30 else signal.title.split()[0], inks.faint)
    title: Line = [(f"{'▸' if chosen else ' '}{name} ", inks.accent if chosen else inks.strong), word]
    right, left = float(saturation.right[unit]), float(saturation.left[unit])
    # What the shares are of stays longer than the gate's title.
    shares: Line = [(f"<{low:g} {left:.0%} · >{high:g} {right:.0%}", inks.plain)]
    if width_of(title) + width_of(shares) >= width:
        shares = [(f"<{low:g} {left:.0%} >{high:g} {right:.0%}".replace("0.", "."), inks.plain)]
    if width_of(title) + width_of(shares) >= width:
        title = title[:1]
    lines = [ellipsed(spread(title, shares, width, inks.plain), width)]

    codes, shown = _dots_of(saturation, unit, columns, rows, f"<{low:g}")
    # Blanks have another ink than dots, so that a picture whose font lacks braille does not draw them as one piece.
    paints = (inks.accent, inks.strong if chosen else inks.plain, inks.accent, inks.faint)
    for at in range(rows):
        cuts = [0, *(np.flatnonzero(np.diff(shown[at])) + 1).tolist(), columns]
        pieces: Line = [
            ("".join(map(chr, codes[at, first:last].tolist())), paints[shown[at, first]])
            for first, last in itertools.pairwise(cuts)
        ]
        lines.append(cut([("  1│" if at == 0 else "   │", inks.faint), *pieces], width))
    forms = (f" >{high:g} of the time →", f" >{high:g} →", "")
    axis = next(form for form in forms if len(form) < columns)
    lines.append(cut([(f"  0└{axis.center(columns - 1, '─')}1", inks.faint)], width))
    return lines


def _dots_of(
    saturation: Saturation, unit: int, columns: int, rows: int, low: str
) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """What stands in each place of a plot: its code point, uint32 [row, column], and what it is, uint8 of the same
    shape: 0 the ground, 1 units, 2 the marked one, 3 the diagonal and what is written: `low`, where no unit can be."""
    units = braille(saturation.right, saturation.left, columns, rows)
    diagonal = np.linspace(0, 1, 8 * columns)
    border = braille(diagonal, 1 - diagonal, columns, rows)
    shown = np.where(units != BRAILLE, 1, np.where(border != BRAILLE, 3, 0)).astype(np.uint8)
    codes = np.where(units != BRAILLE, units, np.where(border != BRAILLE, border, np.uint32(BLANK)))
    free = int(np.flatnonzero(codes[0] != BLANK)[-1]) + 2  # what lies over the diagonal is empty
    for text in (f"↑ {low} of the time", f"↑ {low}"):
        if free + len(text) <= columns:
            codes[0, free : free + len(text)] = [ord(character) for character in text]
            shown[0, free : free + len(text)] = 3
            break
    x = round(float(saturation.right[unit]) * (columns - 1))
    y = round((1 - float(saturation.left[unit])) * (rows - 1))
    codes[y, x], shown[y, x] = ord(MARK), 2
    return codes, shown
