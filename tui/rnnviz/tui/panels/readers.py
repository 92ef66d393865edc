"""What one model makes of a typed text: the ten likeliest next symbols at the cursor, and how well it did so far.

While a word is being typed, they are those expected in its place.
"""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass

from rnnviz.tui.glyphs import name_of, shortened, token_name, visible
from rnnviz.tui.live.client import Answer, LiveModel, Opened, Symbol
from rnnviz.tui.live.page import Page
from rnnviz.tui.live.session import Reader
from rnnviz.tui.painting import Inks, Line, spread
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.predictions import bar

AGAIN = "Esc and then r start it again."
NAME = 4
"""Columns for the name of a symbol at least."""
_WHITE = " \t\n\v\f\r"
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
    if model is None or model.answer is None or model.opened is None:
        return ""
    answer = model.answer
    mean = f"{answer.nats / answer.counted:.2f} nats a {noun(model.opened)}" if answer.counted else ""
    if not answer.complete or model.waiting > SLOW:
        return f"{answer.read:,} of {answer.of:,} read"
    return mean


def noun(opened: Opened) -> str:
    """What a symbol is called."""
    return "symbol" if opened.symbols == "byte" else opened.symbols


def name_of_symbol(symbol: Symbol, room: int = 0) -> str:
    """A symbol on the screen, in `room` columns at most where that is not 0. White space after a word is not named."""
    if isinstance(symbol, int):
        return name_of(symbol)
    name = token_name(symbol.strip(_WHITE) or symbol[:1])
    return shortened(name, room) if room else name


def refusal(answer: Answer, opened: Opened) -> str:
    """The sentence about what a model cannot read; empty where there is nothing."""
    if answer.refused is None:
        return ""
    name = name_of_symbol(answer.symbol(answer.refused), 40)
    line = answer.question.text.count(b"\n", 0, answer.span(answer.refused)[0]) + 1
    return (
        f"the model has never seen the {noun(opened)} {name}, in line {line:,}: it reads what stands before it. "
        "Nothing is lost: take it away, and all is read."
    )


def _expected(model: LiveModel, page: Page, column: Column, inks: Inks) -> list[Line]:
    answer, opened = model.answer, model.opened
    if not page.text:
        return [[("type something", inks.faint)]]
    if answer is None or opened is None:
        return [[("…", inks.faint)]]
    if answer.before > opened.longest:
        return [[(f"reads {opened.longest:,} {noun(opened)}s at most", inks.accent)]]
    if answer.refused is not None and answer.before > answer.refused:
        return [[(line, inks.accent)] for line in textwrap.wrap(refusal(answer, opened), column.width)]
    if not answer.expected:
        first = f"nothing is expected of a text's first {noun(opened)}"
        return [[(first if answer.before == 0 else "…", inks.faint)]]
    named = [(name_of_symbol(symbol), math.exp(log_p)) for symbol, log_p in answer.expected]
    most = max(NAME, column.width // 3)
    room = min(max(NAME, *(len(name) for name, _ in named)), most)
    rows: list[Line] = []
    for place, (name, probability) in enumerate(named[: column.height - 2]):
        came = place == answer.came
        ink = inks.accent if came else inks.plain
        rows.append(
            [
                (f"{'▸' if came else ' '}{shortened(name, room):<{room}} ", ink),
                (bar(probability, max(1, column.width - room - 8)), ink),
                (f" {probability:5.3f}"[:6], ink),
            ]
        )
    rows += [[]] * (column.height - 2 - len(rows))
    return [*rows, _neighbours(answer, column.width, inks)]


def _neighbours(answer: Answer, width: int, inks: Inks) -> Line:
    """How surprising the symbols at both sides of the cursor were, or what is being typed as it stands."""
    room = max(NAME, width // 2 - 16)
    line: Line = []
    after: Symbol | None = answer.symbol(answer.before) if answer.before < answer.of else begun(answer)
    known = (
        ("came", answer.before - 1, answer.surprisal_before),
        ("then", answer.before, answer.surprisal_after),
    )
    for word, place, value in known:
        symbol = after if place == answer.before else answer.symbol(place) if place >= 0 else None
        if symbol is not None:
            word = "typing" if place == answer.of else word
            line.append((f"{word} {name_of_symbol(symbol, room)} ", inks.accent))
            line.append((f"{value:.2f} nats  " if not math.isnan(value) else "?  ", inks.plain))
    return line


def begun(answer: Answer) -> str | None:
    """The unfinished word at the end of the text, which is no symbol yet."""
    rest = answer.question.text[answer.edges[-1] :] if len(answer.edges) else b""
    return rest.decode(errors="replace").strip(_WHITE) or None
