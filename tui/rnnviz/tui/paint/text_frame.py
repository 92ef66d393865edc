"""A frame: what is drawn for a piece of text, before any colour.

The explorer, the ANSI snapshot, the SVG and the HTML all draw the same frame, so they cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.signals import Signal
from rnnviz.tui.text.character_widths import FIRST_WIDE, is_wide
from rnnviz.tui.text.glyphs import (
    CONTINUATION,
    COVERED,
    LONGEST_SEQUENCE,
    UNSHOWABLE,
    columns_of,
    glyphs,
)
from rnnviz.tui.text.rows import Row, TextWindow

LEVELS = 33
"""Steps of a colour map, an odd number so that 0 has one of its own. More cannot be told apart by eye."""
PLAIN = LEVELS
"""The style of a column that has no value."""
MATCH = 64
"""Added to the style of a search match."""
CURSOR = 128
"""Added to the style of the column under the cursor."""
HOLDS = 256
"""Added to the style of a symbol at which the condition in force holds."""
STYLES = 512

BLANK = ord(" ")
RULE = ord("─")
"""Fills a row after the last symbol of a segment: what comes next is read from zero state."""


def levels(values: NDArray[np.float16] | NDArray[np.float32], signal: Signal) -> NDArray[np.uint8]:
    """Stored values of a signal as levels 0…LEVELS-1 of its view range; NaN becomes PLAIN. Same shape, uint8."""
    unit = (signal.view(values) - signal.low) / (signal.high - signal.low)
    scaled = np.rint(np.clip(unit, 0.0, 1.0) * (LEVELS - 1))
    return np.where(np.isnan(scaled), PLAIN, scaled).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Frame:
    """Code points and styles of a rectangle of the screen.

    codes: uint32 [row, column]; `COVERED` under the right half of a wide character.
    styles: uint16 [row, column]; a level or PLAIN, plus MATCH, CURSOR and HOLDS.
    """

    codes: NDArray[np.uint32]
    styles: NDArray[np.uint16]


def compose(
    window: TextWindow,
    rows: list[Row],
    width: int,
    height: int,
    shade: NDArray[np.uint8] | None,
    *,
    cursor: int | None = None,
    cursor_bytes: int = 1,
    matches: list[tuple[int, int]] | None = None,
    holds: NDArray[np.bool_] | None = None,
) -> Frame:
    """Draw `rows` of a text into a frame of `height` rows and `width` columns.

    shade: uint8, a level for each byte from rows[0].start on (those it does not reach stay PLAIN), or None.
    cursor: where the symbol under the cursor starts, `cursor_bytes` long.
    matches: spans (start, stop) of the text to mark.
    holds: bool, for each byte of the rows, whether the condition in force holds at its symbol.
    """
    codes = np.full((height, width), BLANK, dtype=np.uint32)
    styles = np.full((height, width), PLAIN, dtype=np.uint16)
    if not rows:
        return Frame(codes, styles)

    first, last = rows[0].start, rows[-1].stop
    by_byte = np.full(last - first, PLAIN, dtype=np.uint16)
    if shade is not None:
        known = min(len(shade), last - first)
        by_byte[:known] = shade[:known]
    for start, stop in matches or ():
        by_byte[max(0, start - first) : max(0, stop - first)] |= MATCH
    if cursor is not None:
        by_byte[max(0, cursor - first) : max(0, cursor + cursor_bytes - first)] |= CURSOR
    if holds is not None:
        by_byte[holds] |= HOLDS

    # A character may begin before the first row or end after the last one.
    margin_start = max(window.start, first - LONGEST_SEQUENCE + 1)
    margin_stop = min(window.stop, last + LONGEST_SEQUENCE - 1)
    by_code = glyphs(window.bytes_at(margin_start, margin_stop))[first - margin_start :][: last - first]

    # All columns of all rows one after another, then each in its place.
    shown = rows[:height]
    stop = shown[-1].stop - first
    counts = columns_of(window.bytes_at(first, shown[-1].stop))
    ends = np.cumsum(counts)
    in_a_row = np.full(int(ends[-1]), BLANK, dtype=np.uint32)
    in_a_row[ends - counts] = by_code[:stop]
    row_stops = ends[[row.stop - first - 1 for row in shown]]
    widths = np.diff(row_stops, prepend=0)
    y = np.repeat(np.arange(len(shown)), widths)
    x = np.arange(len(in_a_row)) - np.repeat(row_stops - widths, widths)
    seen = x < width
    y, x = y[seen], x[seen]
    codes[y, x] = in_a_row[seen]
    styles[y, x] = np.repeat(by_byte[:stop], counts)[seen]
    widths = np.minimum(widths, width)
    _mend_wide(codes[: len(shown)], styles[: len(shown)], widths)
    for row in np.flatnonzero(np.isin([row.stop for row in shown], window.breaks)).tolist():
        codes[row, widths[row] + 1 :] = RULE
    return Frame(codes, styles)


def _mend_wide(codes: NDArray[np.uint32], styles: NDArray[np.uint16], widths: NDArray[np.int64]) -> None:
    """Give each covered column the style of the wide character over it, and replace characters cut by the edges of
    rows, which have so many columns."""
    covered = codes == COVERED
    codes[covered[:, 0], 0] = CONTINUATION
    y, x = np.nonzero(covered[:, 1:])
    styles[y, x + 1] = styles[y, x]
    ends = codes[np.arange(len(codes)), widths - 1]
    for row in np.flatnonzero(ends >= FIRST_WIDE).tolist():
        if is_wide(chr(ends[row])):
            codes[row, widths[row] - 1] = UNSHOWABLE
