"""The typing screen as a grid: the page shaded by a cell, and below it what each model expects at the cursor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from rnnviz.store.signals import SIGNALS
from rnnviz.tui.paint.grid import Grid
from rnnviz.tui.paint.lines import Inks, Line, fitted
from rnnviz.tui.paint.palette import Palette
from rnnviz.tui.paint.shading import signal_of
from rnnviz.tui.paint.text_frame import compose, levels
from rnnviz.tui.playground.document import Page
from rnnviz.tui.playground.model_client import Answer
from rnnviz.tui.playground.session import Session
from rnnviz.tui.scenes.layout import Place
from rnnviz.tui.screens.playground.document_shading import shade, shade_line
from rnnviz.tui.screens.playground.expectations_panel import Column, name_of_symbol, reader_lines
from rnnviz.tui.text.glyphs import name_of
from rnnviz.tui.text.rows import NEWLINE, Row, TextWindow
from rnnviz.tui.view.view import View

PANELS: Final = 12
"""Rows of the models' columns: a title, ten symbols, and the cursor's neighbours."""
LEAST_TEXT: Final = 4
GAP: Final = 2
"""Columns between the two models."""
WIDEST: Final = 70
"""Columns of one model at most: longer bars are no easier to compare."""

LONGEST_NAME: Final = 24
"""Columns of a symbol's name in the last line."""


@dataclass(frozen=True)
class Sheet:
    """Where things stand: the text below a line, the columns below the text, a line at the very bottom."""

    text: Place
    columns: tuple[Place, ...] = ()


def sheet(width: int, height: int, columns: int) -> Sheet:
    """The places on a canvas of width × height, with so many models' columns."""
    middle = height - 2
    rows = min(PANELS, middle - LEAST_TEXT) if columns else 0
    if rows < 3:
        return Sheet(Place(0, 1, width, middle))
    each = min((width - 1 - GAP * (columns - 1)) // columns, WIDEST)
    top = 1 + middle - rows
    return Sheet(
        Place(0, 1, width, middle - rows - 1),
        tuple(Place(1 + column * (each + GAP), top, each, rows) for column in range(columns)),
    )


def window_of(page: Page) -> TextWindow:
    """The page as the text screen lays it out. A blank stands after it, for the cursor to stand on."""
    data = np.frombuffer(page.text + b" ", np.uint8)
    return TextWindow(0, data, len(data), np.zeros(1, np.int64))


def draw(
    session: Session,
    view: View,
    window: TextWindow,
    rows: list[Row],
    palette: Palette,
    at: Sheet,
    width: int,
    height: int,
    mode: str,
) -> Grid:
    """The whole screen. `view` has the cell, the signal and what shades; `rows` are those of the page that are on the
    screen."""
    inks, page = Inks.of(palette), session.page
    grid = Grid.blank(width, height, inks.plain)
    answer = session.answer("recurrent")
    if rows:
        shades = shade(session, view, rows[0].start, rows[-1].stop)
        tokens = answer is not None and len(answer.edges) > 0
        frame = compose(
            window,
            rows,
            at.text.width,
            at.text.height,
            levels(shades, signal_of(view.shade, view.signal)),
            cursor=page.cursor,
            cursor_bytes=max(1, page.moved(1).cursor - page.cursor) if tokens else 1,
            matches=[] if answer is None else _unknown_spans(answer, page),
        )
        grid.put_frame(frame, palette, at.text.x, at.text.y)
    grid.put_line(shade_line(session, view, palette, width), 0, 0, width)
    if at.columns:
        top = at.columns[0].y - 1
        grid.put_line([("─" * width, inks.faint)], 0, top, width)
        for place, (name, reader) in zip(at.columns, session.readers.items(), strict=True):
            column = Column(place.width, place.height)
            writes = mode == "writing" and name == session.writer
            for y, line in enumerate(reader_lines(reader, page, column, palette, writes=writes)):
                grid.put_line(line, place.x, place.y + y, place.width)
    in_line = window.column_of(page.cursor)
    grid.put_line(_foot(session, view, answer, in_line, inks, width, mode), 0, height - 1, width)
    return grid


def _unknown_spans(answer: Answer, page: Page) -> list[tuple[int, int]]:
    """Where the symbols stand that the recurrent model does not know, as far as it was asked for them."""
    alike = answer.alike(page.text)
    spans = [answer.span(answer.first + place) for place in np.flatnonzero(answer.unknown).tolist()]
    known = [(start, min(stop, alike)) for start, stop in spans if start < alike]
    # Not the white space after a word.
    sizes = [len(page.text[start:stop].rstrip()) if len(answer.edges) else 0 for start, stop in known]
    return [(start, start + size if size else stop) for (start, stop), size in zip(known, sizes, strict=True)]


def _foot(
    session: Session,
    view: View,
    answer: Answer | None,
    column: int | None,
    inks: Inks,
    width: int,
    mode: str,
) -> Line:
    """Where the cursor is, the symbol before it with the cell's value there, unknown symbols, and the mode."""
    page, model = session.page, session.readers["recurrent"].model
    opened = None if model is None else model.opened
    line = page.text.count(bytes([NEWLINE]), 0, page.cursor) + 1
    at: Line = [(f"  line {line:,}:{column:,}" if column else f"  line {line:,}", inks.faint)]
    left: Line = at
    value: Line = []
    unit = session.capture.unit if opened is None else opened.symbols
    if unit == "byte":
        left = [(f" {page.cursor:,}", inks.strong), (f"/{len(page.text):,}", inks.faint), *at]
        if page.cursor:
            left.append((f"  after {name_of(page.text[page.cursor - 1])}", inks.strong))
    elif answer is not None:
        left = [(f" {answer.before:,}", inks.strong), (f"/{answer.of:,} {unit}s", inks.faint), *at]
        if answer.before:
            name = name_of_symbol(answer.symbol(answer.before - 1), LONGEST_NAME)
            left.append((f"  after {name}", inks.strong))
    if answer is not None and opened is not None:
        value = _value(answer, view, page, inks)
        left += value
        if answer.strange and opened.read_as is not None:
            name = name_of_symbol(opened.read_as, LONGEST_NAME)
            left.append((f"  {answer.strange:,} unknown, read as {name}", inks.accent))
        elif answer.refused is not None:
            name = name_of_symbol(answer.symbol(answer.refused), LONGEST_NAME)
            left.append((f"  {name} is unknown: read up to it", inks.accent))
    temperature = (f" temperature {session.temperature:.1f} ", inks.faint)
    right: Line = [temperature, (f" {mode} ", inks.strong)]
    # While one types, what a model would write with matters least; else it is what < and > change.
    optional = [temperature, *at, *value] if mode == "typing" else [*at, *value, temperature]
    return fitted(left, right, optional, width, inks.plain)


def _value(answer: Answer, view: View, page: Page, inks: Inks) -> Line:
    """The cell's value at the symbol before the cursor, if the answer holds for that."""
    asked, at = answer.question, answer.before - 1 - answer.first
    same = (asked.layer, asked.unit, asked.signal) == (view.cell.layer, view.cell.unit, view.signal)
    if not same or not 0 <= at < len(answer.shade) or asked.cursor != page.cursor:
        return []
    if answer.span(answer.before - 1)[1] > answer.alike(page.text):
        return []
    signal = SIGNALS[view.signal]
    return [(f"  {signal.view_name} {float(signal.view(answer.shade[at : at + 1])[0]):+.4f}", inks.strong)]
