"""The typing screen as a grid: the page shaded by a cell, and below it what each model expects at the cursor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.signals import SIGNALS
from rnnviz.tui.canvas import Grid
from rnnviz.tui.frame import compose, levels
from rnnviz.tui.glyphs import name_of
from rnnviz.tui.layout import Row, TextWindow
from rnnviz.tui.live.client import Answer, Opened
from rnnviz.tui.live.page import Page
from rnnviz.tui.live.session import Session
from rnnviz.tui.painting import Inks, Line, cut, legend, spread
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.readers import Column, reader_lines
from rnnviz.tui.places import Place
from rnnviz.tui.view import View

PANELS: Final = 12
"""Rows of the models' columns: a title, ten symbols, and the cursor's neighbours."""
LEAST_TEXT: Final = 4
GAP: Final = 2
"""Columns between the two models."""
WIDEST: Final = 70
"""Columns of one model at most: longer bars are no easier to compare."""


@dataclass(frozen=True)
class Sheet:
    """Where things stand: the text below a line, the columns below the text, a line at the very bottom."""

    text: Place
    columns: tuple[Place, Place] | None


def sheet(width: int, height: int, panels: bool) -> Sheet:
    """The places on a canvas of width × height, with the models' columns or without."""
    middle = height - 2
    rows = min(PANELS, middle - LEAST_TEXT) if panels else 0
    if rows < 3:
        return Sheet(Place(0, 1, width, middle), None)
    half = min((width - GAP - 1) // 2, WIDEST)
    top = 1 + middle - rows
    return Sheet(
        Place(0, 1, width, middle - rows - 1),
        (Place(1, top, half, rows), Place(1 + half + GAP, top, half, rows)),
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
    """The whole screen. `view` has the cell and signal; `rows` are those of the page that are on the screen."""
    inks, page = Inks.of(palette), session.page
    grid = Grid.blank(width, height, inks.plain)
    model = session.readers["recurrent"].model
    opened = None if model is None else model.opened
    shade, first = _shade(session, view)
    if rows:
        frame = compose(
            window,
            rows,
            at.text.width,
            at.text.height,
            _levels(shade, first, rows, view),
            cursor=page.cursor,
            matches=_unknown_spans(page, opened, rows),
        )
        grid.put_frame(frame, palette, at.text.x, at.text.y)
    grid.put_line(_head(session, view, palette, width), 0, 0, width)
    if at.columns is not None:
        top = at.columns[0].y - 1
        grid.put_line([("─" * width, inks.faint)], 0, top, width)
        for place, (name, reader) in zip(at.columns, session.readers.items(), strict=True):
            column = Column(place.width, place.height)
            writes = mode == "writing" and name == session.writer
            for y, line in enumerate(reader_lines(reader, page, column, palette, writes=writes)):
                grid.put_line(line, place.x, place.y + y, place.width)
    grid.put_line(_foot(session, view, shade, first, inks, width, mode), 0, height - 1, width)
    return grid


def unknown(page: Page, opened: Opened | None) -> NDArray[np.int64]:
    """Where the page has bytes that the recurrent model does not know: int64, ascending."""
    if opened is None:
        return np.empty(0, np.int64)
    data = np.frombuffer(page.text, np.uint8)
    known = np.isin(data, np.frombuffer(opened.vocabulary, np.uint8))
    return np.flatnonzero(~known)


def _unknown_spans(page: Page, opened: Opened | None, rows: list[Row]) -> list[tuple[int, int]]:
    found = unknown(page, opened)
    seen = found[(found >= rows[0].start) & (found < rows[-1].stop)]
    return [(position, position + 1) for position in seen.tolist()]


def _shade(session: Session, view: View) -> tuple[NDArray[np.float16], int]:
    """The values of the view's cell that hold for the page as it is now, and where they begin.

    An answer to an earlier page holds up to where the two begin to differ.
    """
    model = session.readers["recurrent"].model
    answer: Answer | None = None if model is None or model.failure else model.answer
    asked = None if answer is None else answer.question
    if answer is None or asked is None:
        return np.empty(0, np.float16), 0
    if (asked.layer, asked.unit, asked.signal) != (view.cell.layer, view.cell.unit, view.signal):
        return np.empty(0, np.float16), 0
    old, new = asked.text, session.page.text
    if old is not new:
        shorter = min(len(old), len(new))
        differ = np.flatnonzero(
            np.frombuffer(old, np.uint8)[:shorter] != np.frombuffer(new, np.uint8)[:shorter]
        )
        shorter = int(differ[0]) if len(differ) else shorter
        return answer.shade[: max(0, shorter - asked.start)], asked.start
    return answer.shade, asked.start


def _levels(shade: NDArray[np.float16], first: int, rows: list[Row], view: View) -> NDArray[np.uint8]:
    """The level of each symbol from the first row's on, as `compose` wants it."""
    start, stop = rows[0].start, rows[-1].stop
    values = np.full(stop - start, np.nan, np.float16)
    known = shade[max(0, start - first) :][: max(0, stop - max(start, first))]
    values[max(0, first - start) :][: len(known)] = known
    return levels(values, SIGNALS[view.signal])


def _head(session: Session, view: View, palette: Palette, width: int) -> Line:
    """Which cell shades the page, and the legend."""
    inks, signal = Inks.of(palette), SIGNALS[view.signal]
    left: Line = [
        (f" {view.cell} ", inks.accent),
        (f"{signal.view_name} ", inks.strong),
        (f"{signal.title}", inks.faint),
        (f"  {session.readers['recurrent'].name} · what you type", inks.plain),
    ]
    marks: Line = [("  ", inks.plain), *legend(palette, signal.low, signal.high), (" ", inks.plain)]
    return spread(left, marks, width, inks.plain)


def _foot(
    session: Session, view: View, shade: NDArray[np.float16], first: int, inks: Inks, width: int, mode: str
) -> Line:
    """Where the cursor is, the symbol before it with the cell's value there, unknown symbols, and the mode."""
    page = session.page
    last = page.cursor - 1
    line = page.text.count(b"\n", 0, page.cursor) + 1
    left: Line = [(f" {page.cursor:,}", inks.strong), (f"/{len(page.text):,}  line {line:,}", inks.faint)]
    if last >= 0:
        left.append((f"  after {name_of(page.text[last])}", inks.accent))
        if first <= last < first + len(shade):
            value = float(SIGNALS[view.signal].view(shade[last - first : last - first + 1])[0])
            left.append((f"  {SIGNALS[view.signal].view_name} {value:+.4f}", inks.strong))
    model = session.readers["recurrent"].model
    opened = None if model is None else model.opened
    strange = len(unknown(page, opened))
    if strange and opened is not None and opened.read_as is not None:
        left.append((f"  {strange:,} unknown, read as {name_of(opened.read_as)}", inks.accent))
    right: Line = [(f" temperature {session.temperature:.1f} ", inks.faint), (f" {mode} ", inks.accent)]
    return [*cut(spread(left, right, width, inks.plain), width)]
