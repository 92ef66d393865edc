"""Painted lines as an HTML page that stands alone."""

from __future__ import annotations

from html import escape

from rnnviz.tui.paint.lines import Line
from rnnviz.tui.paint.palette import Paint
from rnnviz.tui.pictures.font_runs import FontRun, columns_of, font_runs
from rnnviz.tui.pictures.svg_picture import FONTS
from rnnviz.tui.pictures.web_colours import web_colours

_STYLE = (
    # A span as high as its row: no stripes of the ground between rows of shaded text or of bars.
    "pre{font:14px/16px FONTS}pre span{display:inline-block;height:16px;vertical-align:top}"
    # What may come from another font keeps to its columns.
    "pre i{display:inline-block;font-style:normal;text-decoration:inherit;text-align:center}"
)


def as_html(lines: list[Line], ground: Paint, title: str) -> str:
    """A page with a `pre` that holds a span for each piece of one paint."""
    fore, back = web_colours(ground)

    def span(text: str, paint: Paint) -> str:
        weight = ";font-weight:bold" if paint.bold else ""
        line = ";text-decoration:underline" if paint.underline else ""
        letters, behind = web_colours(paint, ground)
        style = f"color:{letters};background:{behind}{weight}{line}"
        return f'<span style="{style}">{_kept_in_columns(text)}</span>'

    body = "\n".join("".join(span(text, paint) for text, paint in line) for line in lines)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f"<style>{_STYLE.replace('FONTS', FONTS)}</style></head>\n"
        f'<body style="background:{back}">\n<pre style="color:{fore}">{body}</pre>\n'
        f"</body></html>\n"
    )


def _kept_in_columns(text: str) -> str:
    """A text in which each run that is not Latin has the width of its columns."""
    parts, x = [], 0
    for run in font_runs(text):
        parts.append(" " * (run.x - x) + _run(run))
        x = run.x + run.columns
    return "".join(parts) + " " * (columns_of(text) - x)


def _run(run: FontRun) -> str:
    letters = escape(run.text)
    return letters if run.is_latin else f'<i style="width:{run.columns}ch">{letters}</i>'
