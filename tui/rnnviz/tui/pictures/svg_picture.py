"""Painted lines as an SVG picture that looks the same in every viewer.

Nothing in it depends on the widths of the viewer's fonts or on how white space is read: each run of glyphs has its
own position and length (see `font_runs`), and what is no letter is drawn as a shape (see `picture_shapes`).
"""

from __future__ import annotations

from html import escape

from rnnviz.tui.paint.lines import Line
from rnnviz.tui.paint.palette import Paint
from rnnviz.tui.pictures.font_runs import FontRun, columns_of, font_runs
from rnnviz.tui.pictures.picture_shapes import CELL_HEIGHT, CELL_WIDTH, Shapes, has_shapes, short
from rnnviz.tui.pictures.web_colours import web_colours

FONT_SIZE, BASELINE = 14.0, 12.5
"""Pixels; the baseline is counted from the top of a row."""
FONTS = "DejaVu Sans Mono, Menlo, Consolas, Liberation Mono, monospace"


def as_svg(lines: list[Line], ground: Paint, title: str) -> str:
    """A picture of painted lines that needs nothing but a monospaced font."""
    fore, back = web_colours(ground)
    columns = max((sum(columns_of(text) for text, _ in line) for line in lines), default=1)
    width, height = (columns + 2) * CELL_WIDTH, (len(lines) + 1) * CELL_HEIGHT
    behind, before, texts = Shapes(), Shapes(), []
    for row, line in enumerate(lines):
        column, top = 0, (row + 0.5) * CELL_HEIGHT
        for text, paint in line:
            letters, ground_colour = web_colours(paint, ground)
            left, after = _x(column), column + columns_of(text)
            if ground_colour != back:
                behind.rectangle(ground_colour, left, top, _x(after), top + CELL_HEIGHT)
            for run in font_runs(text):
                if has_shapes(run.text):
                    before.text(letters, run.text, _x(column + run.x), top)
                else:
                    texts.append(_text(run, column, top, "" if letters == fore else letters, paint.bold))
            if paint.underline:  # drawn, because not every reader of SVG underlines spaces
                before.rectangle(letters, left, top + BASELINE + 2, _x(after), top + BASELINE + 3)
            column = after
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.1f}" height="{height:.1f}" '
            f'viewBox="0 0 {width:.1f} {height:.1f}">',
            f"<title>{escape(title)}</title>",
            f'<rect width="100%" height="100%" fill="{back}"/>',
            *behind.elements(),
            *before.elements(),
            f'<g font-family="{FONTS}" font-size="{short(FONT_SIZE)}" fill="{fore}">',
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
    length = f' textLength="{short(run.columns * CELL_WIDTH)}"' if len(run.text) > 1 else ""
    place = f'x="{short(_x(column + run.x))}" y="{short(top + BASELINE)}"'
    return f"<text {place}{length}{colour}{weight}>{escape(run.text, quote=False)}</text>"
