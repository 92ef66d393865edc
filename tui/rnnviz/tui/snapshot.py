"""A view as a file: the same frame as on the screen, as ANSI text, HTML, SVG or plain text."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.errors import AlreadyExists, InvalidRequest, NotFound, StorageFailure
from rnnviz.store.reader import Capture
from rnnviz.store.signals import SIGNALS
from rnnviz.tui.ansi import as_ansi
from rnnviz.tui.cells import Cell
from rnnviz.tui.frame import compose, levels
from rnnviz.tui.glyphs import is_wide, visible
from rnnviz.tui.layout import LIMIT, TextWindow
from rnnviz.tui.painting import Inks, Line, painted_row, spread, width_of
from rnnviz.tui.palette import RGB, Depth, Paint, Palette, palette
from rnnviz.tui.panels.status import cell_line
from rnnviz.tui.shading import Shade, of_symbols, signal_of
from rnnviz.tui.symbols import symbols_in
from rnnviz.tui.view import View

Format = Literal["ansi", "html", "svg", "txt"]
SUFFIXES: dict[str, Format] = {".ans": "ansi", ".ansi": "ansi", ".html": "html", ".svg": "svg", ".txt": "txt"}


def format_of(path: Path) -> Format:
    """The format that a file's suffix stands for."""
    try:
        return SUFFIXES[path.suffix.lower()]
    except KeyError:
        raise InvalidRequest(
            f"{path.name} has no suffix of a snapshot", "Use .ans, .html, .svg or .txt, or give --format."
        ) from None


def default_name(capture: Path, cell: Cell, signal: str, start: int) -> str:
    """The file name offered for a snapshot."""
    return f"{capture.stem}-{cell.layer}_{cell.unit}-{signal}-{start}.ans"


def picture(capture: Capture, view: View, *, lines: int, width: int, shades: Palette) -> list[Line]:
    """A view as painted lines: one that names the cell, then `lines` of text at most, `width` columns each.

    The text starts with the row that holds view.top. Raises InvalidCapture for a damaged capture.
    """
    stop = min(capture.text_bytes, view.top + lines * width + 2 * LIMIT)
    start = max(0, view.top - 3 * LIMIT)
    symbols, breaks = symbols_in(capture, start, stop), capture.segments[:, 0]
    if symbols is not None:
        inside = (breaks >= symbols.first) & (breaks < symbols.first + len(symbols.edges) - 1)
        breaks = symbols.edges[breaks[inside] - symbols.first]
    window = TextWindow(start, capture.text(start, stop), capture.text_bytes, breaks, symbols)
    rows = window.rows_from(view.top, width, lines)
    first, last = window.span(rows)
    values = levels(_shade(capture, view, first, last), signal_of(view.shade, view.signal))
    shade = window.by_byte(values, rows)
    frame = compose(window, rows, width, len(rows), shade)
    inks = Inks.of(shades)
    head = cell_line(capture, view, width=width, palette=shades)
    where = spread([], [(f"symbols {first:,} to {last - 1:,} ", inks.faint)], width, inks.plain)
    body = [painted_row(frame, row, shades) for row in range(len(rows))]
    return [head, *body, where]


def _shade(capture: Capture, view: View, start: int, stop: int) -> NDArray[np.float16] | NDArray[np.float32]:
    """[stop - start], what shades the text, as stored."""
    if view.shade is Shade.CELL:
        layer = capture.models[view.model].layers[view.cell.layer]
        return layer.read(view.signal, view.cell.unit, start, stop)
    starts = capture.segments[:, 0]
    first, last = np.searchsorted(starts, [start, stop])
    found = []
    for name in view.shading_models:
        before = capture.models[name].surprisal(max(0, start - 1), stop - 1)
        padded = np.append(np.float32(np.nan), before) if start == 0 else before
        found.append(of_symbols(padded, starts[first:last] - start))
    return found[0] if len(found) == 1 else found[1] - found[0]


def as_text(lines: list[Line]) -> str:
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def _css(colour: RGB | int | None, default: str) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour) if isinstance(colour, tuple) else default


def as_html(lines: list[Line], shades: Palette, title: str) -> str:
    """A page that stands alone: a `pre` with a span for each run."""
    ground = Inks.of(shades).plain
    back, fore = _css(ground.background, "#000"), _css(ground.foreground, "#fff")

    def span(text: str, paint: Paint) -> str:
        weight = ";font-weight:bold" if paint.bold else ""
        line = ";text-decoration:underline" if paint.underline else ""
        style = (
            f"color:{_css(paint.foreground, fore)};background:{_css(paint.background, back)}{weight}{line}"
        )
        return f'<span style="{style}">{escape(text)}</span>'

    body = "\n".join("".join(span(text, paint) for text, paint in line) for line in lines)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title></head>\n'
        f'<body style="background:{back}">\n<pre style="color:{fore};font:14px/1.25 monospace">{body}</pre>\n'
        f"</body></html>\n"
    )


CELL_WIDTH, CELL_HEIGHT, FONT_SIZE = 8.4, 17.0, 14.0


def as_svg(lines: list[Line], shades: Palette, title: str) -> str:
    """A picture that needs nothing but a monospaced font: a rectangle and a text for each run."""
    ground = Inks.of(shades).plain
    back, fore = _css(ground.background, "#000"), _css(ground.foreground, "#fff")
    columns = max((_columns(line) for line in lines), default=1)
    width, height = (columns + 2) * CELL_WIDTH, (len(lines) + 1) * CELL_HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.1f}" height="{height:.1f}" '
        f'viewBox="0 0 {width:.1f} {height:.1f}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="100%" height="100%" fill="{back}"/>',
        f'<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{FONT_SIZE}" '
        'xml:space="preserve">',
    ]
    for y, line in enumerate(lines):
        x = CELL_WIDTH
        top = CELL_HEIGHT / 2 + y * CELL_HEIGHT
        for text, paint in line:
            wide = _columns([(text, paint)]) * CELL_WIDTH
            fill = _css(paint.background, back)
            if fill != back:
                parts.append(
                    f'<rect x="{x:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{CELL_HEIGHT}" fill="{fill}"/>'
                )
            if text.strip():
                weight = ' font-weight="bold"' if paint.bold else ""
                under = ' text-decoration="underline"' if paint.underline else ""
                parts.append(
                    f'<text x="{x:.1f}" y="{top + 12.5:.1f}" textLength="{wide:.1f}" '
                    f'fill="{_css(paint.foreground, fore)}"{weight}{under}>{escape(text)}</text>'
                )
            x += wide
    return "\n".join([*parts, "</g></svg>", ""])


def _columns(line: Line) -> int:
    return width_of(line) + sum(is_wide(character) for text, _ in line for character in text)


def render(
    capture: Capture, view: View, form: Format, *, lines: int, width: int, theme: str, depth: Depth
) -> str:
    """A view in one of the formats. Colour depth matters to ANSI alone: pages and pictures have all colours."""
    gate = signal_of(view.shade, view.signal).is_gate
    scale: Literal["diverging", "sequential"] = "sequential" if gate else "diverging"
    shades = palette(depth if form == "ansi" else Depth.TRUE, theme, scale)
    drawn = picture(capture, view, lines=lines, width=width, shades=shades)
    title = visible(f"{view.cell} {SIGNALS[view.signal].view_name} · {capture.text_name}")
    match form:
        case "ansi":
            return as_ansi(drawn)
        case "txt":
            return as_text(drawn)
        case "html":
            return as_html(drawn, shades, title)
        case "svg":
            return as_svg(drawn, shades, title)


def write_snapshot(
    capture: Capture,
    view: View,
    path: Path,
    *,
    form: Format,
    lines: int,
    width: int,
    theme: str,
    depth: Depth,
    replace: bool = True,
) -> None:
    """Write a view to a file. Raises NotFound or StorageFailure where that cannot be done, and AlreadyExists where
    something is there that is not to be replaced.
    """
    content = render(capture, view, form, lines=lines, width=width, theme=theme, depth=depth)
    try:
        with path.open("w" if replace else "x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError as error:
        raise AlreadyExists(f"{path} is there already", "Give another name.") from error
    except FileNotFoundError as error:
        raise NotFound(
            f"there is no folder {path.parent}", "Make it first, or choose another place."
        ) from error
    except OSError as error:
        raise StorageFailure(
            f"cannot write {path}: {error.strerror}", "Choose another place for the snapshot."
        ) from error
