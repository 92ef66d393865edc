"""What one model makes of a typed text: the ten likeliest next symbols at the cursor, and how well it did so far.

While a word is being typed, they are those expected in its place.
"""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass

from rnnviz.tui.paint.lines import Inks, Line, spread
from rnnviz.tui.paint.palette import Palette
from rnnviz.tui.panels.predictions import SHORT_NAME, bar_lines
from rnnviz.tui.playground.document import Page
from rnnviz.tui.playground.model_client import Answer, LiveModel, Opened, Symbol
from rnnviz.tui.playground.session import Reader
from rnnviz.tui.text.glyphs import in_columns, name_of, shortened, token_name

AGAIN = "Esc and then ! start it again."
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
        wrapped = [line for part in says for line in textwrap.wrap(in_columns(part), column.width)]
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
        f"the model has never seen the {noun(opened)} {name} (line {line:,}), and reads up to there. "
        "Nothing is lost: take it away to have the rest read."
    )


def _expected(model: LiveModel, page: Page, column: Column, inks: Inks) -> list[Line]:
    answer, opened = model.answer, model.opened
    if not page.text:
        return [[("type something", inks.faint)]]
    if answer is None or opened is None:
        return [[("…", inks.faint)]]
    if answer.before > opened.longest:
        return [
            [(f"reads {opened.longest:,} {noun(opened)}s at most", inks.accent)],
            [("Ctrl-Z takes back the last change,", inks.faint)],
            [("Ctrl-X empties the page", inks.faint)],
        ]
    if answer.refused is not None and answer.before > answer.refused:
        return [[(line, inks.accent)] for line in textwrap.wrap(refusal(answer, opened), column.width)]
    if not answer.expected:
        first = f"nothing is expected of a text's first {noun(opened)}"
        return [[(first if answer.before == 0 else "…", inks.faint)]]
    typing = begun(answer) if answer.before == answer.of else None
    entries = [
        (_mark(answer, place, typing), name_of_symbol(symbol), math.exp(log_p))
        for place, (symbol, log_p) in enumerate(answer.expected[: column.height - 2])
    ]
    rows = bar_lines(entries, column.width, inks)
    rows += [[]] * (column.height - 2 - len(rows))
    return [*rows, _neighbours(answer, opened, column.width, inks)]


def _mark(answer: Answer, place: int, typing: str | None) -> str:
    """Of a symbol that is expected: whether it came, or may come of what is being typed."""
    if place == answer.came:
        return "▸"
    return "›" if typing is not None and str(answer.expected[place][0]).startswith(typing) else " "


def _neighbours(answer: Answer, opened: Opened, width: int, inks: Inks) -> Line:
    """How surprising the symbols at both sides of the cursor were, and what is being typed."""
    room = max(SHORT_NAME, width // 2 - 16)
    line: Line = []
    known = (
        ("came", answer.before - 1, answer.surprisal_before),
        ("then", answer.before, answer.surprisal_after),
    )
    for word, number, value in known:
        if 0 <= number < answer.of:
            name = name_of_symbol(answer.symbol(number), room)
            flag = answer.unknown[max(0, number - answer.first) :][:1]
            if number >= answer.first and flag.any() and isinstance(opened.read_as, str):
                name += f" ({opened.read_as})"
            line.append((f"{word} {name} ", inks.strong))
            line.append((f"{value:.2f} nats  " if not math.isnan(value) else "?  ", inks.plain))
    typing = begun(answer) if answer.before == answer.of else None
    if typing is not None:
        line.append((f"typing {name_of_symbol(typing, room)} ", inks.strong))
        value = answer.surprisal_after
        line.append((f"{value:.2f} nats as it stands" if not math.isnan(value) else "…", inks.plain))
    return line


def begun(answer: Answer) -> str | None:
    """The unfinished word at the end of the text, which is no symbol yet."""
    rest = answer.question.text[answer.edges[-1] :] if len(answer.edges) else b""
    return rest.decode(errors="replace").strip(_WHITE) or None
