"""The histograms of all signals of one cell side by side, with marks where each is saturated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rnnviz.analysis.events import saturation_marks
from rnnviz.store.signals import SIGNALS
from rnnviz.store.statistics import LayerStatistics, UnitStatistics
from rnnviz.tui.paint.lines import Inks, Line, ellipsed, side_by_side, spread, width_of
from rnnviz.tui.paint.palette import Palette
from rnnviz.tui.paint.text_frame import LEVELS
from rnnviz.tui.panels.histogram import bars, inked, level_ink, rebinned

LEAST_WIDTH = 13
"""Columns of a histogram with the one left free after it. Narrower than all of them together, some are left out."""
WIDE = 18
"""From this width on a histogram has its mean and deviation under it."""


def gates_shown(signals: Sequence[str], chosen: str, width: int, least: int = LEAST_WIDTH) -> tuple[str, ...]:
    """As many signals as have room at `least` columns each, in their order, around the chosen one."""
    room = max(1, width // least)
    place = signals.index(chosen) if chosen in signals else 0
    first = min(max(0, place - room // 2), max(0, len(signals) - room))
    return tuple(signals[first : first + room])


def gate_lines(
    statistics: LayerStatistics | None,
    signals: Sequence[str],
    chosen: str,
    unit: int,
    at_cursor: Mapping[str, float],
    width: int,
    height: int,
    palettes: Mapping[str, Palette],
) -> list[Line]:
    """The panel. `at_cursor` holds the views under the cursor, of those signals for which they are in memory."""
    inks = Inks.of(palettes[chosen])
    if statistics is None:
        return [[(" …", inks.faint)]]
    shown = gates_shown(signals, chosen, width)
    each = width // len(shown)
    blocks = [
        _block(
            statistics.of(name, unit),
            name,
            name == chosen,
            at_cursor.get(name),
            each - 1,
            height,
            palettes[name],
        )
        for name in shown
    ]
    return side_by_side(blocks, each, inks.plain)


def _block(
    statistics: UnitStatistics,
    name: str,
    chosen: bool,
    at_cursor: float | None,
    width: int,
    height: int,
    palette: Palette,
) -> list[Line]:
    inks, signal = Inks.of(palette), SIGNALS[name]
    low, high = saturation_marks(signal)
    span = signal.high - signal.low

    def column(view: float) -> int:
        return min(int((view - signal.low) / span * width), width - 1)

    marks = {column(low), column(high)}
    title: Line = [
        (f"{'▸' if chosen else ' '}{name} ", inks.accent if chosen else inks.strong),
        (signal.title if len(signal.title) + 3 <= width else signal.title.split()[0], inks.faint),
    ]
    lines = [ellipsed(title, width)]

    with_mean = width >= WIDE and height >= 7
    rows = bars(rebinned(statistics.histogram, width), max(1, height - 3 - with_mean))
    paints = [level_ink(palette, round(x * (LEVELS - 1) / max(1, width - 1))) for x in range(width)]
    for row in rows:
        line = inked(row, paints, inks.plain)
        lines.append(
            [("┊", inks.faint) if line[x][0] == " " and x in marks else line[x] for x in range(width)]
        )
    axis = [("┴" if x in marks else "─", inks.faint) for x in range(width)]
    if at_cursor is not None:
        axis[column(at_cursor)] = ("▲", inks.accent)
    lines.append(axis)
    left: Line = [(f"<{low:g} ".replace("0.", "."), inks.faint), (f"{statistics.low:.0%}", inks.plain)]
    right: Line = [(f"{statistics.high:.0%}", inks.plain), (f" >{high:g}".replace("0.", "."), inks.faint)]
    if width_of(left) + width_of(right) >= width:
        left, right = left[1:], right[:1]
    lines.append(spread(left, right, width, inks.plain))
    if with_mean:
        lines.append([(f" mean {statistics.mean:+.2f} ± {statistics.deviation:.2f}", inks.plain)])
    return lines
