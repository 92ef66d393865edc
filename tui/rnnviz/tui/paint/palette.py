"""From styles (see `frame`) to colours, for terminals of every depth.

Signals that range over −1…1 are diverging, negative red and positive blue, as in the paper's figure 2; gates range
over 0…1 and are sequential. Colour shades the background, and the foreground is whichever of light and dark reads
better on it. 16-colour terminals get seven steps of a diverging map. Without colour the sign would be lost, so
`NO_COLOR` gets a map of its own: underline for negative, bold and reverse for positive.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Literal

import numpy as np

from rnnviz.tui.paint.text_frame import CURSOR, HOLDS, LEVELS, MATCH, STYLES

RGB = tuple[int, int, int]
Scale = Literal["diverging", "sequential"]


class Depth(StrEnum):
    """How many colours a terminal shows."""

    TRUE = "16m"
    EIGHT_BIT = "256"
    FOUR_BIT = "16"
    NONE = "none"


@dataclass(frozen=True)
class Theme:
    """The colours a map runs between. `neutral` is the value 0 and the background of the whole screen."""

    name: str
    neutral: RGB
    text: RGB
    faint: RGB
    accent: RGB
    negative: RGB
    positive: RGB
    gate: RGB
    wrong: RGB
    """Of what says that something is wrong, whatever colours the maps have."""


THEMES: dict[str, Theme] = {
    "dark": Theme(
        "dark",
        neutral=(20, 22, 27),
        text=(214, 219, 227),
        faint=(125, 133, 146),
        accent=(250, 189, 47),
        negative=(238, 50, 52),
        positive=(52, 112, 255),
        gate=(46, 189, 118),
        wrong=(255, 96, 96),
    ),
    "light": Theme(
        "light",
        neutral=(255, 255, 255),
        text=(30, 33, 39),
        faint=(112, 119, 131),
        accent=(184, 112, 0),
        negative=(222, 32, 40),
        positive=(36, 84, 232),
        gate=(16, 150, 84),
        wrong=(190, 18, 30),
    ),
}


MAPS: dict[str, dict[str, tuple[RGB, RGB]]] = {
    "orange-blue": {"dark": ((244, 132, 26), (64, 124, 255)), "light": ((213, 94, 0), (0, 90, 190))},
    "brown-teal": {"dark": ((208, 138, 58), (28, 180, 158)), "light": ((156, 88, 18), (0, 124, 106))},
    "magenta-green": {"dark": ((232, 62, 164), (96, 190, 58)), "light": ((200, 24, 130), (58, 140, 30))},
}
"""Diverging maps beside the paper's red and blue: the colours of −1 and +1, for each theme. The two ends stay apart
for people who cannot tell red from green, or blue from yellow."""
DEFAULT_MAP = "red-blue"

for _base in ("dark", "light"):
    for _map, _ends in MAPS.items():
        _name = f"{_base}:{_map}"
        THEMES[_name] = replace(THEMES[_base], name=_name, negative=_ends[_base][0], positive=_ends[_base][1])


def theme_name(base: str, diverging: str) -> str:
    """The name under which `THEMES` has a dark or light theme with a diverging map."""
    return base if diverging == DEFAULT_MAP else f"{base}:{diverging}"


def base_of(name: str) -> str:
    """Whether a theme is the dark or the light one, whatever its map."""
    return name.partition(":")[0]


def other_base(name: str) -> str:
    """The light theme of a dark one with the same map, or the other way round."""
    base, colon, diverging = name.partition(":")
    return ("light" if base == "dark" else "dark") + colon + diverging


def next_map(name: str) -> str:
    """The same theme with the next diverging map, around at the last."""
    base, _, diverging = name.partition(":")
    names = [DEFAULT_MAP, *MAPS]
    return theme_name(base, names[(names.index(diverging or DEFAULT_MAP) + 1) % len(names)])


@dataclass(frozen=True)
class Paint:
    """How one column is drawn. Colours are RGB, a palette index, or None for the terminal's own."""

    foreground: RGB | int | None = None
    background: RGB | int | None = None
    bold: bool = False
    underline: bool = False
    reverse: bool = False

    @property
    def sgr(self) -> str:
        """The parameters of the Select Graphic Rendition sequence that sets this from a reset state."""
        codes = [code for on, code in ((self.bold, "1"), (self.underline, "4"), (self.reverse, "7")) if on]
        for colour, base in ((self.foreground, 30), (self.background, 40)):
            if isinstance(colour, tuple):
                codes.append(f"{base + 8};2;{colour[0]};{colour[1]};{colour[2]}")
            elif colour is not None and colour < 16:
                codes.append(str(base + colour if colour < 8 else base + 60 + colour - 8))
            elif colour is not None:
                codes.append(f"{base + 8};5;{colour}")
        return ";".join(codes)


def mix(a: RGB, b: RGB, share: float) -> RGB:
    """The colour `share` of the way from a to b."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def luminance(colour: RGB) -> float:
    """Relative luminance, 0…1 (WCAG 2.1)."""
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (part / 255 for part in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: RGB, b: RGB) -> float:
    """The contrast ratio of two colours, 1…21 (WCAG 2.1)."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


LIGHT_TEXT, DARK_TEXT = (255, 255, 255), (16, 18, 22)


def readable_on(background: RGB, theme: Theme) -> RGB:
    """The theme's text colour where it reads well on a background, else white, else the darkest.

    White is preferred while it can be read (4:1), so that a text does not flicker between black and white where a
    cell is nearly saturated.
    """
    if contrast(theme.text, background) >= 4.5:
        return theme.text
    return LIGHT_TEXT if contrast(LIGHT_TEXT, background) >= 4.0 else DARK_TEXT


_CUBE = (0, 95, 135, 175, 215, 255)


def nearest_eight_bit(colour: RGB) -> int:
    """The index of the nearest of the 240 fixed colours of a 256-colour terminal (the 6×6×6 cube and the greys)."""

    def distance(other: RGB) -> int:
        return sum((a - b) ** 2 for a, b in zip(colour, other, strict=True))

    steps = [min(range(6), key=lambda n, v=value: abs(_CUBE[n] - v)) for value in colour]  # type: ignore[misc]
    cube = (_CUBE[steps[0]], _CUBE[steps[1]], _CUBE[steps[2]])
    grey = min(max(round((sum(colour) / 3 - 8) / 10), 0), 23)
    shade = 8 + 10 * grey
    if distance((shade, shade, shade)) < distance(cube):
        return 232 + grey
    return 16 + 36 * steps[0] + 6 * steps[1] + steps[2]


class Palette:
    """The paint of every style for one colour depth, theme and scale."""

    def __init__(self, depth: Depth, theme: Theme, scale: Scale) -> None:
        self.depth = depth
        self.theme = theme
        self.scale = scale
        levels = [self._level(level) for level in range(LEVELS)]
        bases = [*levels, *[self._plain()] * (MATCH - LEVELS)]
        self._paints = [self._paint(bases[style % MATCH], style) for style in range(STYLES)]
        first: dict[Paint, int] = {}
        self.canonical = np.array(
            [first.setdefault(paint, style) for style, paint in enumerate(self._paints)], dtype=np.uint16
        )
        """uint16 [style]: the first of the styles that are painted alike."""

    def paint(self, style: int) -> Paint:
        return self._paints[style]

    @property
    def underlines(self) -> bool:
        """Whether the symbols at which a condition holds are underlined: without colour, underlines are values."""
        return self.depth is not Depth.NONE

    def _paint(self, base: Paint, style: int) -> Paint:
        if style & CURSOR:
            return self._cursor(underline=bool(style & HOLDS))
        if style & MATCH and not self.underlines:
            return Paint(underline=True, reverse=True)  # bold and underline are values there
        if style & MATCH:
            # Bold and underlined; where a condition holds too, reversed beside that.
            return replace(base, bold=True, underline=True, reverse=bool(style & HOLDS))
        return replace(base, underline=True) if style & HOLDS and self.underlines else base

    def _plain(self) -> Paint:
        if self.depth in (Depth.NONE, Depth.FOUR_BIT):
            return Paint()
        return self.fit(Paint(self.theme.text, self.theme.neutral))

    def _cursor(self, *, underline: bool) -> Paint:
        if self.depth is Depth.NONE:
            return Paint(bold=True, underline=True, reverse=True)
        if self.depth is Depth.FOUR_BIT:
            return Paint(0, 11, bold=True, underline=underline)
        return self.fit(Paint(DARK_TEXT, self.theme.accent, bold=True, underline=underline))

    def _level(self, level: int) -> Paint:
        if self.depth is Depth.NONE:
            return self._without_colour(level)
        if self.depth is Depth.FOUR_BIT:
            return self._sixteen(level)
        return self.fit(self._true(level))

    def _true(self, level: int) -> Paint:
        top = LEVELS - 1
        if self.scale == "sequential":
            end, share = self.theme.gate, level / top
        else:
            signed = 2 * level / top - 1
            end, share = (self.theme.positive if signed > 0 else self.theme.negative), abs(signed)
        background = mix(self.theme.neutral, end, share)
        return Paint(readable_on(background, self.theme), background)

    def fit(self, paint: Paint) -> Paint:
        """A paint of RGB colours as this depth can show it (truecolor and 256 colours)."""
        if self.depth is Depth.TRUE:
            return paint
        colours = [
            nearest_eight_bit(colour) if isinstance(colour, tuple) else colour
            for colour in (paint.foreground, paint.background)
        ]
        return Paint(colours[0], colours[1], paint.bold, paint.underline, paint.reverse)

    def _step(self, level: int) -> int:
        """The level as one of seven steps −3…3 (diverging) or one of four, 0…3 (sequential)."""
        if self.scale == "sequential":
            return round(3 * level / (LEVELS - 1))
        return round(3 * (2 * level / (LEVELS - 1) - 1))

    def _sixteen(self, level: int) -> Paint:
        step = self._step(level)
        if step == 0:
            return Paint()
        dark, bright = (1, 9) if step < 0 else (4, 12) if self.scale == "diverging" else (2, 10)
        return {1: Paint(bright), 2: Paint(15, dark), 3: Paint(0, bright)}[abs(step)]

    def _without_colour(self, level: int) -> Paint:
        step = self._step(level)
        if step < 0:
            return Paint(underline=True, bold=step < -1)
        return (Paint(), Paint(bold=True), Paint(bold=True), Paint(reverse=True))[step]


@lru_cache(maxsize=32)
def palette(depth: Depth, theme: str, scale: Scale) -> Palette:
    """The palette for a depth, a theme's name and a scale."""
    return Palette(depth, THEMES[theme], scale)
