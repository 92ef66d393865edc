"""What shades the bytes of a typed page: the cell's signal, how surprising each symbol was to a model, or which model
knew better."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnnviz.tui.paint.lines import Inks, Line, legend, spread
from rnnviz.tui.paint.palette import Palette
from rnnviz.tui.paint.shading import Shade, signal_of
from rnnviz.tui.playground.model_client import Answer, Value
from rnnviz.tui.playground.session import Place, Session
from rnnviz.tui.view.view import View


def shade(session: Session, view: View, start: int, stop: int) -> NDArray[np.float16] | NDArray[np.float32]:
    """[stop - start], what shades each byte of the page, as stored; NaN where that is not known."""
    if view.shade is Shade.CELL:
        answer = session.answer("recurrent")
        asked = None if answer is None else answer.question
        same = asked and (asked.layer, asked.unit, asked.signal) == (
            view.cell.layer,
            view.cell.unit,
            view.signal,
        )
        if answer is None or not same:
            return np.full(stop - start, np.nan, np.float16)
        return _placed(answer, answer.shade, session.page.text, start, stop)
    left, right = (_surprises(session, place, start, stop) for place in ("recurrent", "ngram"))
    return {Shade.LEFT: left, Shade.RIGHT: right}.get(view.shade, right - left)


def _surprises(session: Session, place: Place, start: int, stop: int) -> NDArray[np.float32]:
    answer = session.answer(place)
    if answer is None:
        return np.full(stop - start, np.nan, np.float32)
    return _placed(answer, answer.surprises, session.page.text, start, stop)


def _placed(answer: Answer, values: NDArray[Value], text: bytes, start: int, stop: int) -> NDArray[Value]:
    """One value a symbol as one for each of the bytes start…stop, as far as the answer holds for the text."""
    first, known = answer.by_byte(values)
    known = known[: max(0, answer.alike(text) - first)]
    placed = np.full(stop - start, np.nan, values.dtype)
    inside = known[max(0, start - first) :][: max(0, stop - max(start, first))]
    placed[max(0, first - start) :][: len(inside)] = inside
    return placed


def shade_line(session: Session, view: View, palette: Palette, width: int) -> Line:
    """What shades the page, and the legend."""
    inks, signal = Inks.of(palette), signal_of(view.shade, view.signal)
    names = [reader.name for reader in session.readers.values()]
    if view.shade is Shade.CELL:
        left: Line = [(f" {view.cell} ", inks.accent), (f"{signal.view_name} ", inks.strong)]
        left += [(signal.title, inks.faint), (f"  {names[0]}", inks.plain)]
    elif view.shade is Shade.DIFFERENCE:
        left = [(f" {names[0]} better + / {names[1]} better − ", inks.accent), ("nats", inks.faint)]
    else:
        name = names[view.shade is Shade.RIGHT]
        left = [(f" surprisal of {name} ", inks.accent), ("nats", inks.faint)]
    marks: Line = [("  ", inks.plain), *legend(palette, signal.low, signal.high), (" ", inks.plain)]
    return spread([*left, (" · what you type", inks.plain)], marks, width, inks.plain)
