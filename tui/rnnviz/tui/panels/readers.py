"""What one model makes of a typed text: the ten likeliest next symbols at the cursor, and how well it did so far."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass

from rnnviz.tui.glyphs import name_of, visible
from rnnviz.tui.live.client import LiveModel
from rnnviz.tui.live.page import Page
from rnnviz.tui.live.session import Reader
from rnnviz.tui.painting import Inks, Line, spread
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.predictions import bar, predictions

AGAIN = "Esc and then r start it again."
SLOW = 1.0
"""Seconds without an answer after which that is said."""


@dataclass(frozen=True)
class Column:
    """A place for one model: a title, predictions from the second row on, the cursor's neighbours in the last."""

    width: int
    height: int


def reader_lines(reader: Reader, page: Page, column: Column, palette: Palette, *, writes: bool) -> list[Line]:
    """The panel of one model. `writes` says whether it is the one that goes on writing."""
    inks = Inks.of(palette)
    says = _says(reader)
    title: Line = [(f"{reader.name} ", inks.strong)]
    if writes:
        title.append(("writes ", inks.accent))
    if reader.note:
        title.append((f"≠ {reader.note} ", inks.accent))
    right: Line = [] if says else [(_success(reader.model), inks.faint)]
    lines = [spread(title, right, column.width, inks.plain) if right else title]
    if says:
        wrapped = [line for part in says for line in textwrap.wrap(visible(part), column.width)]
        return [*lines, *([(line, inks.accent if reader.model else inks.faint)] for line in wrapped)][
            : column.height
        ]
    assert reader.model is not None
    return [*lines, *_expected(reader.model, page, column, inks)][: column.height]


def _says(reader: Reader) -> list[str]:
    """What stands in place of predictions."""
    model = reader.model
    if model is None:
        return [reader.says]
    if model.failure is not None:
        return [f"{model.failure.message}.", model.failure.hint or AGAIN]
    if model.opened is None:
        return [f"loading {model.wanted.path.name}… {model.waiting:.0f} s"]
    if reader.lost:
        return [f"its process has not answered for {model.waiting:.0f} s.", AGAIN]
    return []


def _success(model: LiveModel | None) -> str:
    """The mean surprisal of what was typed, and how far it is read."""
    if model is None or model.answer is None:
        return ""
    answer = model.answer
    mean = f"{answer.nats / answer.counted:.2f} nats a symbol" if answer.counted else ""
    if not answer.complete or model.waiting > SLOW:
        return f"{answer.read:,} of {len(answer.question.text):,} read"
    return mean


def _expected(model: LiveModel, page: Page, column: Column, inks: Inks) -> list[Line]:
    answer, opened = model.answer, model.opened
    if not page.text:
        return [[("type something", inks.faint)]]
    if answer is None or opened is None:
        return [[("…", inks.faint)]]
    if page.cursor > opened.longest:
        return [[(f"reads {opened.longest:,} symbols at most", inks.accent)]]
    if answer.next is None:
        return [[("nothing is expected of a text's first symbol" if page.cursor == 0 else "…", inks.faint)]]
    came = page.text[page.cursor] if page.cursor < len(page.text) else None
    room = max(1, column.width - 12)
    rows: list[Line] = []
    for entry in predictions(answer.next, opened.vocabulary)[: column.height - 2]:
        ink = inks.accent if entry.symbol == came else inks.plain
        mark = "▸" if entry.symbol == came else " "
        rows.append(
            [
                (f"{mark}{name_of(entry.symbol):<4} ", ink),
                (bar(entry.probability, room), ink),
                (f" {entry.probability:5.3f}"[:6], ink),
            ]
        )
    rows += [[]] * (column.height - 2 - len(rows))
    return [*rows, _neighbours(page, answer.before, answer.after, inks)]


def _neighbours(page: Page, before: float, after: float, inks: Inks) -> Line:
    """How surprising the symbols at both sides of the cursor were."""
    line: Line = []
    for place, value, word in ((page.cursor - 1, before, "came"), (page.cursor, after, "then")):
        if 0 <= place < len(page.text):
            line.append((f"{word} {name_of(page.text[place])} ", inks.accent))
            line.append((f"{value:.2f} nats  " if not math.isnan(value) else "?  ", inks.plain))
    return line
