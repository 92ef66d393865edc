"""Painted lines as an SVG picture that looks the same in every viewer.

Nothing in it depends on the widths of the viewer's fonts or on how white space is read: each run of glyphs has its
own position and length (see `font_runs`). Bars and blocks, which must fill their columns to the edge, and the dots of
Braille, which few fonts have, are drawn as shapes. All shapes of one colour are one path, which makes files smaller
than a rectangle for each would.
"""

from __future__ import annotations

from html import escape

from rnnviz.tui.font_runs import FontRun, columns_of, font_runs
from rnnviz.tui.painting import Line
from rnnviz.tui.palette import Paint
from rnnviz.tui.web_colours import web_colours

CELL_WIDTH, CELL_HEIGHT, FONT_SIZE = 8.4, 17.0, 14.0
"""Pixels. Monospaced fonts are 0.5 to 0.62 of their size wide, most of them 0.6."""
BASELINE = 12.5
"""Pixels from the top of a row."""
FONTS = "DejaVu Sans Mono, Menlo, Consolas, Liberation Mono, monospace"

_EIGHTHS = {chr(0x2580 + eighths): (0.0, 1 - eighths / 8, 1.0, 1.0) for eighths in range(1, 9)}  # ▁ to █
_EIGHTHS |= {chr(0x2590 - eighths): (0.0, 0.0, eighths / 8, 1.0) for eighths in range(1, 8)}  # ▏ to ▉
_BLOCKS = _EIGHTHS | {"▀": (0.0, 0.0, 1.0, 0.5), "▐": (0.5, 0.0, 1.0, 1.0), "▔": (0.0, 0.0, 1.0, 0.125)}
"""left, top, right, bottom of a block, in shares of its column and row."""
_BRAILLE = range(0x2800, 0x2900)
_DOTS = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]
"""Column of 2 and row of 4 of the dot that each bit of a Braille character stands for."""
_DOT = 2.0
"""Pixels, the side of a dot."""


class _Shapes:
    """Rectangles, gathered by colour."""

    def __init__(self) -> None:
        self._by_colour: dict[str, list[str]] = {}

    def add(self, colour: str, left: float, top: float, right: float, bottom: float) -> None:
        across = f"h{_short(right - left)}"
        self._by_colour.setdefault(colour, []).append(
            f"M{_short(left)} {_short(top)}{across}V{_short(bottom)}H{_short(left)}z"
        )

    def paths(self) -> list[str]:
        return [f'<path fill="{colour}" d="{"".join(d)}"/>' for colour, d in self._by_colour.items()]


def as_svg(lines: list[Line], ground: Paint, title: str) -> str:
    """A picture of painted lines that needs nothing but a monospaced font."""
    fore, back = web_colours(ground)
    columns = max((sum(columns_of(text) for text, _ in line) for line in lines), default=1)
    width, height = (columns + 2) * CELL_WIDTH, (len(lines) + 1) * CELL_HEIGHT
    behind, before, texts = _Shapes(), _Shapes(), []
    for row, line in enumerate(lines):
        column, top = 0, (row + 0.5) * CELL_HEIGHT
        for text, paint in line:
            letters, ground_colour = web_colours(paint, ground)
            left, after = _x(column), column + columns_of(text)
            if ground_colour != back:
                behind.add(ground_colour, left, top, _x(after), top + CELL_HEIGHT)
            for run in font_runs(text):
                if ord(run.text[0]) in _BRAILLE:
                    _draw_dots(before, letters, run, column, top)
                elif all(glyph in _BLOCKS for glyph in run.text):
                    _draw_blocks(before, letters, run, column, top)
                else:
                    texts.append(_text(run, column, top, "" if letters == fore else letters, paint.bold))
            if paint.underline:  # drawn, because not every reader of SVG underlines spaces
                before.add(letters, left, top + BASELINE + 2, _x(after), top + BASELINE + 3)
            column = after
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.1f}" height="{height:.1f}" '
            f'viewBox="0 0 {width:.1f} {height:.1f}">',
            f"<title>{escape(title)}</title>",
            f'<rect width="100%" height="100%" fill="{back}"/>',
            '<g shape-rendering="crispEdges">',  # otherwise the ground shines through between two shapes
            *behind.paths(),
            *before.paths(),
            "</g>",
            f'<g font-family="{FONTS}" font-size="{_short(FONT_SIZE)}" fill="{fore}">',
            *texts,
            "</g></svg>",
            "",
        ]
    )


def _x(column: int) -> float:
    """The left edge of a column."""
    return (column + 1) * CELL_WIDTH


def _text(run: FontRun, column: int, top: float, fill: str, bold: bool) -> str:
    colour = f' fill="{fill}"' if fill else ""
    weight = ' font-weight="bold"' if bold else ""
    length = f' textLength="{_short(run.columns * CELL_WIDTH)}"' if len(run.text) > 1 else ""
    place = f'x="{_short(_x(column + run.x))}" y="{_short(top + BASELINE)}"'
    return f"<text {place}{length}{colour}{weight}>{escape(run.text, quote=False)}</text>"


def _draw_blocks(shapes: _Shapes, colour: str, run: FontRun, column: int, top: float) -> None:
    start = 0
    while start < len(run.text):
        block = run.text[start]
        stop = start + 1
        left, above, right, below = _BLOCKS[block]
        if (left, right) == (0.0, 1.0):  # equal ones side by side are one shape
            stop = start + len(run.text[start:]) - len(run.text[start:].lstrip(block))
        at = column + run.x
        shapes.add(
            colour,
            _x(at + start) + left * CELL_WIDTH,
            top + above * CELL_HEIGHT,
            _x(at + stop - 1) + right * CELL_WIDTH,
            top + below * CELL_HEIGHT,
        )
        start = stop


def _draw_dots(shapes: _Shapes, colour: str, run: FontRun, column: int, top: float) -> None:
    """Few monospaced fonts have Braille."""
    for at, character in enumerate(run.text, column + run.x):
        for bit, (across, down) in enumerate(_DOTS):
            if ord(character) >> bit & 1:
                x = _x(at) + (across + 0.5) * CELL_WIDTH / 2 - _DOT / 2
                y = top + (down + 0.5) * CELL_HEIGHT / 4 - _DOT / 2
                shapes.add(colour, x, y, x + _DOT, y + _DOT)


def _short(pixels: float) -> str:
    return f"{pixels:.1f}".removesuffix(".0")
