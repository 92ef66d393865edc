"""Painted text: what panels and bars are made of before Textual, a file or a page draws them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.tui.paint.palette import Depth, Paint, Palette, Theme
from rnnviz.tui.paint.text_frame import LEVELS, Frame
from rnnviz.tui.text.character_widths import is_wide
from rnnviz.tui.text.glyphs import COVERED, UNSHOWABLE

Line = list[tuple[str, Paint]]
"""Pieces of text, each of one paint, left to right. Every character is one column wide."""


@dataclass(frozen=True)
class Inks:
    """The paints of everything that is not shaded text, for one colour depth and theme."""

    plain: Paint
    faint: Paint
    strong: Paint
    accent: Paint
    wrong: Paint
    """Of what says that something is wrong."""

    @classmethod
    def of(cls, palette: Palette) -> Inks:
        theme: Theme = palette.theme
        match palette.depth:
            case Depth.NONE:
                return cls(Paint(), Paint(), Paint(bold=True), Paint(bold=True), Paint(bold=True))
            case Depth.FOUR_BIT:
                return cls(Paint(), Paint(8), Paint(bold=True), Paint(11, bold=True), Paint(9, bold=True))
            case _:
                ground = theme.neutral
                return cls(
                    palette.fit(Paint(theme.text, ground)),
                    palette.fit(Paint(theme.faint, ground)),
                    palette.fit(Paint(theme.text, ground, bold=True)),
                    palette.fit(Paint(theme.accent, ground, bold=True)),
                    palette.fit(Paint(theme.wrong, ground, bold=True)),
                )


def painted_row(frame: Frame, row: int, palette: Palette) -> Line:
    """A row of a frame as pieces of one paint each. Styles that a shallow palette draws alike make one piece."""
    codes, styles = frame.codes[row], palette.canonical[frame.styles[row]]
    cuts = [0, *(np.flatnonzero(np.diff(styles)) + 1).tolist(), len(styles)]
    return [
        ("".join(map(chr, codes[a:b][codes[a:b] != COVERED].tolist())), palette.paint(int(styles[a])))
        for a, b in itertools.pairwise(cuts)
        if b > a
    ]


def width_of(line: Line) -> int:
    return sum(len(text) for text, _ in line)


def cut(line: Line, width: int) -> Line:
    """The line's first `width` columns."""
    found: Line = []
    for text, paint in line:
        if width <= 0:
            break
        kept = text[:width]
        if len(kept) < len(text) and is_wide(kept[-1]):
            kept = f"{kept[:-1]}{chr(UNSHOWABLE)}"  # its right half is cut off
        found.append((kept, paint))
        width -= len(text)
    return found


def spread(left: Line, right: Line, width: int, ground: Paint) -> Line:
    """`left` and `right` at the two ends of a line; where both do not fit, the right one goes."""
    gap = width - width_of(left) - width_of(right)
    if gap < 1:
        return ellipsed(left, width)
    return [*left, (" " * gap, ground), *right]


def shortened(line: Line, optional: Line, width: int) -> Line:
    """The line without as many of the `optional` pieces, in turn, as leave the rest narrower than `width`."""
    for piece in optional:
        if width_of(line) < width:
            break
        line = [other for other in line if other is not piece]
    return line


def ellipsed(line: Line, width: int) -> Line:
    """The line in `width` columns; where some of it is left out, an ellipsis says so."""
    if width_of(line) <= width:
        return line
    kept = cut(line, width - 1)
    return [*kept, ("…", kept[-1][1] if kept else line[0][1])] if width > 0 else []


def fitted(left: Line, right: Line, optional: Line, width: int, ground: Paint) -> Line:
    """`left` and `right` at the ends of a line, without as many of the `optional` pieces, in turn, as do not fit."""
    for piece in optional:
        if width_of(left) + width_of(right) < width:
            break
        left = [other for other in left if other is not piece]
        right = [other for other in right if other is not piece]
    room = width - width_of(right) - 1
    return spread(ellipsed(left, room), right, width, ground) if right else ellipsed(left, width)


def side_by_side(blocks: Sequence[Sequence[Line]], each: int, ground: Paint) -> list[Line]:
    """Blocks of equally many lines beside each other, `each` columns a block: none of their lines is wider."""
    return [
        [piece for line in row for piece in (*line, (" " * (each - width_of(line)), ground))]
        for row in zip(*blocks, strict=True)
    ]


def legend(palette: Palette, low: float, high: float, steps: int = 9) -> Line:
    """A short strip of the colour map between its two ends' values."""
    inks = Inks.of(palette)
    levels = [round(step * (LEVELS - 1) / (steps - 1)) for step in range(steps)]
    strip: Line = [(" ", palette.paint(level)) for level in levels]
    return [(f"{_number(low)} ", inks.faint), *strip, (f" {_number(high)}", inks.faint)]


def _number(value: float) -> str:
    return f"{value:.0f}".replace("-", "−")
