"""Bars, lines and signs of a picture, drawn as shapes: they need no font.

Bars and lines must reach the edges of their columns, which glyphs of a font do only if it is as wide and as high as
ours. Braille, arrows and the stand-ins of `glyphs` are lacking in many monospaced fonts: a viewer without a font that
has them would show boxes.
"""

from __future__ import annotations

from typing import NamedTuple

CELL_WIDTH, CELL_HEIGHT = 8.4, 17.0
"""Pixels. Monospaced fonts are 0.5 to 0.62 of their size wide, most of them 0.6."""

_BLOCKS = {chr(0x2580 + eighths): (0.0, 1 - eighths / 8, 1.0, 1.0) for eighths in range(1, 9)}  # ▁ to █
_BLOCKS |= {chr(0x2590 - eighths): (0.0, 0.0, eighths / 8, 1.0) for eighths in range(1, 8)}  # ▏ to ▉
_BLOCKS |= {"▀": (0.0, 0.0, 1.0, 0.5), "▐": (0.5, 0.0, 1.0, 1.0), "▔": (0.0, 0.0, 1.0, 0.125)}
"""left, top, right, bottom of a block, in shares of its column and row."""

_DOTS = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]
"""Column of 2 and row of 4 of the dot that each bit of a Braille character stands for."""
_DOT = 2.0
"""Pixels, the side of a dot."""

_LEFT, _RIGHT = (0.0, 8.5, "h4.2"), (4.2, 8.5, "h4.2")
_UP, _DOWN = (4.2, 0.0, "v8.5"), (4.2, 8.5, "v8.5")
_STROKES = {
    "─": (_LEFT, _RIGHT),
    "│": (_UP, _DOWN),
    "┌": (_RIGHT, _DOWN),
    "┐": (_LEFT, _DOWN),
    "└": (_UP, _RIGHT),
    "┘": (_UP, _LEFT),
    "├": (_UP, _DOWN, _RIGHT),
    "┤": (_UP, _DOWN, _LEFT),
    "┬": (_LEFT, _RIGHT, _DOWN),
    "┴": (_LEFT, _RIGHT, _UP),
    "┼": (_LEFT, _RIGHT, _UP, _DOWN),
    "┊": tuple((4.2, y, "v2.2") for y in (1.0, 5.2, 9.5, 13.7)),
    "↵": ((7.0, 5.0, "v5h-6"), (3.4, 7.6, "l-2.4 2.4l2.4 2.4")),
    "⇥": ((0.8, 9.0, "h5.6"), (4.2, 6.6, "l2.4 2.4l-2.4 2.4"), (7.4, 6.0, "v6")),
    "←": ((7.6, 9.0, "h-6.8"), (3.4, 6.4, "l-2.6 2.6l2.6 2.6")),
    "→": ((0.8, 9.0, "h6.8"), (5.0, 6.4, "l2.6 2.6l-2.6 2.6")),
    "↑": ((4.2, 13.0, "v-8.6"), (1.6, 6.8, "l2.6 -2.6l2.6 2.6")),
    "↓": ((4.2, 4.2, "v8.6"), (1.6, 10.4, "l2.6 2.6l2.6 -2.6")),
    "␣": ((1.2, 11.0, "v2.4h6v-2.4"),),
    "▯": ((2.2, 4.5, "h4v8.5h-4z"),),
}
"""The lines that a sign is made of: where each begins, in pixels from the corner of its column, and how it goes on."""
_FILLED = {
    "▸": (1.6, 5.6, "l5.6 3.2l-5.6 3.2z"),
    "◂": (6.8, 5.6, "l-5.6 3.2l5.6 3.2z"),
    "▴": (4.2, 5.6, "l3.4 6h-6.8z"),
    "▲": (4.2, 4.0, "l4 8.6h-8z"),
    "◆": (4.2, 4.6, "l3.8 4.2l-3.8 4.2l-3.8 -4.2z"),
}


class _Drawn(NamedTuple):
    """Paths, each in one colour."""

    rectangles: dict[str, list[str]]
    strokes: dict[str, list[str]]
    filled: dict[str, list[str]]


def has_shapes(text: str) -> bool:
    """Whether every glyph of a text is drawn as a shape."""
    return all(
        glyph in _BLOCKS or glyph in _STROKES or glyph in _FILLED or "\u2800" <= glyph <= "\u28ff"
        for glyph in text
    )


class Shapes:
    """The shapes of a picture, gathered by colour: all of one colour and kind are one path."""

    def __init__(self) -> None:
        self._drawn = _Drawn({}, {}, {})

    def rectangle(self, colour: str, left: float, top: float, right: float, bottom: float) -> None:
        self._drawn.rectangles.setdefault(colour, []).append(
            f"M{short(left)} {short(top)}h{short(right - left)}V{short(bottom)}H{short(left)}z"
        )

    def text(self, colour: str, text: str, x: float, y: float) -> None:
        """Draw glyphs side by side, of which each must have a shape; x, y is the corner of the first."""
        start = 0
        while start < len(text):
            glyph, stop = text[start], start + 1
            left, top = x + start * CELL_WIDTH, y
            if glyph in _BLOCKS:
                if _BLOCKS[glyph][::2] == (0.0, 1.0):  # equal ones side by side are one shape
                    stop = len(text) - len(text[start:].lstrip(glyph))
                self._block(colour, glyph, left, top, stop - start)
            elif glyph in _FILLED:
                self._put(self._drawn.filled, colour, _FILLED[glyph], left, top)
            elif glyph in _STROKES:
                for stroke in _STROKES[glyph]:
                    self._put(self._drawn.strokes, colour, stroke, left, top)
            else:
                self._braille(colour, ord(glyph), left, top)
            start = stop

    def elements(self) -> list[str]:
        """The elements of SVG that draw them."""
        paths = [
            [f'<path {paint}="{colour}" d="{"".join(d)}"/>' for colour, d in kind.items()]
            for paint, kind in zip(("fill", "stroke", "fill"), self._drawn, strict=True)
        ]
        return [
            '<g shape-rendering="crispEdges">',  # otherwise the ground shines through between two rectangles
            *paths[0],
            '</g><g fill="none">',
            *paths[1],
            "</g>",
            *paths[2],
        ]

    @staticmethod
    def _put(
        kind: dict[str, list[str]], colour: str, path: tuple[float, float, str], left: float, top: float
    ) -> None:
        x, y, then = path
        kind.setdefault(colour, []).append(f"M{short(left + x)} {short(top + y)}{then}")

    def _block(self, colour: str, glyph: str, x: float, y: float, count: int) -> None:
        left, top, right, bottom = _BLOCKS[glyph]
        self.rectangle(
            colour,
            x + left * CELL_WIDTH,
            y + top * CELL_HEIGHT,
            x + (count - 1 + right) * CELL_WIDTH,
            y + bottom * CELL_HEIGHT,
        )

    def _braille(self, colour: str, code: int, x: float, y: float) -> None:
        for bit, (across, down) in enumerate(_DOTS):
            if code >> bit & 1:
                left = x + (across + 0.5) * CELL_WIDTH / 2 - _DOT / 2
                top = y + (down + 0.5) * CELL_HEIGHT / 4 - _DOT / 2
                self.rectangle(colour, left, top, left + _DOT, top + _DOT)


def short(pixels: float) -> str:
    """A number of pixels in as few characters as do."""
    return f"{pixels:.1f}".removesuffix(".0")
