"""What a model expects after the symbol under the cursor: its ten likeliest symbols and the one that came."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnviz.analysis.model_comparison import spoken
from rnnviz.store.reader import CapturedModel
from rnnviz.tui.paint.lines import Inks, Line, cut, width_of
from rnnviz.tui.paint.palette import Paint, Palette
from rnnviz.tui.text.glyphs import in_columns, name_of, shortened, token_name

LIKELIEST = 10
SHORT_NAME, LONG_NAME = 4, 24
"""Columns for the names of symbols, at least and at most."""
READ_AS = 0.02
"""Nats by which a log probability, kept in 16 bits, may miss the surprisal kept in 32."""
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float, width: int) -> str:
    """A horizontal bar that fills `share` of `width` columns, to an eighth of a column."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


UNKNOWN = -1
"""The number of a token that a model does not know."""


@dataclass(frozen=True)
class Came:
    """The symbol that followed the cursor in the text, and how it is called on the screen."""

    symbol: int
    """The byte, or the number of the token."""
    name: str


@dataclass(frozen=True)
class Expected:
    """What one model expected after the symbol under the cursor; what is still being read is None."""

    model: str
    has_next: bool
    likeliest: list[Named] | None = None
    came: Named | None = None
    """None where nothing came, or a symbol that the model does not know."""
    surprisal: float | None = None
    failed: bool = False
    """Whether the predictions cannot be read."""


@dataclass(frozen=True)
class Named:
    """A symbol a model may expect: how it is called on the screen, its probability, and its rank, the likeliest being
    1."""

    name: str
    probability: float
    rank: int
    is_came: bool


def expected(
    model: CapturedModel,
    log_probabilities: NDArray[np.float16] | None,
    surprisal: float | None,
    came: Came | None,
    *,
    failed: bool = False,
) -> Expected:
    """What a model expected, from the distribution it gave (float16 [symbol], natural logarithms).

    Only the likeliest symbols are looked at one by one: a vocabulary of words has tens of thousands.
    """
    if log_probabilities is None:
        return Expected(model.name, model.has_next, surprisal=surprisal, failed=failed)
    scores = log_probabilities.astype(np.float32)
    order = np.argsort(-scores, kind="stable")[:LIKELIEST].tolist()
    place = None if came is None else _place(model, came.symbol)
    if came is not None and place is None and model.tokens is not None and surprisal is not None:
        # Read as another token (lower case, unknown): the one that was as probable.
        misses = np.abs(scores + np.float32(surprisal))
        nearest = int(np.argmin(np.where(np.isnan(misses), np.inf, misses)))
        place = nearest if misses[nearest] < READ_AS else None

    def named(index: int, rank: int) -> Named:
        return Named(symbol_name(model, index), float(np.exp(scores[index])), rank, index == place)

    found = None
    if place is not None:
        ahead = (scores > scores[place]) | ((scores == scores[place]) & (np.arange(len(scores)) < place))
        found = named(place, int(np.count_nonzero(ahead)) + 1)
    likeliest = [named(index, rank) for rank, index in enumerate(order, start=1)]
    return Expected(model.name, model.has_next, likeliest, found, surprisal)


def symbol_name(model: CapturedModel, index: int) -> str:
    """How the symbol of an index of a model's vocabulary is called on the screen."""
    tokens = model.tokens
    return name_of(model.vocabulary[index]) if tokens is None else token_name(tokens[index])


def _place(model: CapturedModel, symbol: int) -> int | None:
    """The index in the vocabulary of a byte or, where symbols are tokens, of a token's number."""
    if model.tokens is not None:
        return symbol if 0 <= symbol < len(model.tokens) else None
    place = model.vocabulary.find(symbol)
    return place if place >= 0 else None


def prediction_lines(
    expected: Expected, came: Came | None, width: int, palette: Palette, missing: str = "nothing follows"
) -> list[Line]:
    """The panel of one model. Where nothing `came`, `missing` gives the reason."""
    inks = Inks.of(palette)
    title: Line = [
        ("next ", inks.strong),
        (shortened(f"by {in_columns(spoken(expected.model))}", width - 5), inks.faint),
    ]
    if not expected.has_next:
        return [title, *_no_predictions(expected, came, width, missing, inks)]
    if expected.likeliest is None:
        return [title, [(_waiting(expected), inks.faint)]]
    lines = [title, *bar_lines(_marked(expected.likeliest), width, inks)]
    return [*lines, _came_line(expected, came, width, missing, inks)]


def comparison_lines(
    left: Expected, right: Expected, came: Came | None, width: int, palette: Palette, missing: str
) -> list[Line]:
    """The panel of two models side by side: names, the likeliest symbols, then the one that came: its probability
    and rank, and both surprisals with the better one's lead."""
    inks = Inks.of(palette)
    each = (width - 2) // 2
    columns = [_column(side, came, each, inks) for side in (left, right)]
    body: list[Line] = [
        [*_padded(a, each, inks.plain), ("  ", inks.plain), *_padded(b, each, inks.plain)]
        for a, b in zip(*columns, strict=True)
    ]
    if came is None:
        return [*body, [(missing, inks.faint)]]
    lead: Line = []
    if left.surprisal is not None and right.surprisal is not None:
        ahead = right.surprisal - left.surprisal
        if ahead == ahead:
            arrow = "◂" if ahead > 0 else "▸"
            lead = [(f"  {arrow} {abs(ahead):.2f} nats", inks.strong)]
    return [*body, [(f"came {shortened(came.name, width - 5 - width_of(lead))}", inks.strong), *lead]]


def _column(expected: Expected, came: Came | None, width: int, inks: Inks) -> list[Line]:
    """One model's share of the comparison, a fixed number of lines."""
    title: Line = [(shortened(in_columns(spoken(expected.model)), width), inks.strong)]
    lines: list[Line] = []
    if not expected.has_next:
        lines = [[("only surprisal", inks.faint)], [("is captured", inks.faint)]]
    elif expected.likeliest is None:
        lines = [[(_waiting(expected)[:width], inks.faint)]]
    else:
        lines = bar_lines(_marked(expected.likeliest), width, inks)
    lines += [[]] * (LIKELIEST - len(lines))
    known = expected.came
    surprise = _surprise(expected)
    score = ""
    if known is not None:
        score = _score(known, width)
    elif came is not None and expected.likeliest is not None and not surprise:
        score = "unknown to it"
    return [title, *lines, [(score, inks.plain)], [(surprise, inks.plain)]]


def _surprise(expected: Expected) -> str:
    """The surprisal in words; empty where there is none, or what came is not in the vocabulary."""
    nats = expected.surprisal
    return "" if nats is None or math.isnan(nats) else f"{nats:.2f} nats"


def _score(came: Named, width: int) -> str:
    """The probability and the rank of what came, in words as long as there is room: digits stay."""
    probability = f"{came.probability:.3f}"
    short = probability.removeprefix("0")
    forms = [
        f"p {probability}  rank {came.rank}",
        f"p {probability} rank {came.rank}",
        f"p {short} rank {came.rank}",
        f"p {probability} #{came.rank}",
        f"p {short} #{came.rank}",
    ]
    return next((form for form in forms if len(form) <= width), forms[-1])


def _waiting(expected: Expected) -> str:
    return "cannot be read" if expected.failed else "…"


def _padded(line: Line, width: int, ground: Paint) -> Line:
    line = cut(line, width)
    return [*line, (" " * (width - width_of(line)), ground)]


def bar_lines(entries: Sequence[tuple[str, str, float]], width: int, inks: Inks) -> list[Line]:
    """Symbols as (mark, name, probability), their bars, which begin in one column, and their probabilities.

    A mark is one column, and what has one stands out.
    """
    longest = max((len(name) for _, name, _ in entries), default=0)
    room = min(max(SHORT_NAME, longest), max(SHORT_NAME, min(LONG_NAME, width // 2 - 3)))
    digits = 3 if width >= 20 else 2
    lines: list[Line] = []
    for mark, name, probability in entries:
        ink = inks.plain if mark == " " else inks.accent
        number = f" {_number(probability, digits)}"
        lines.append(
            [
                (f"{mark}{shortened(name, room):<{room}} ", ink),
                (bar(probability, max(1, width - room - 2 - len(number))), ink),
                (number, ink),
            ]
        )
    return lines


def _number(probability: float, digits: int) -> str:
    """A probability to so many digits, all as wide; one that would be 0 is written as less than the least of them."""
    least = f"{10**-digits:.{digits}f}"
    return f"{probability:.{digits}f}" if probability >= 10**-digits / 2 else f"<{least[1:]}"


def _marked(entries: list[Named]) -> list[tuple[str, str, float]]:
    """With a mark at the one that came."""
    return [("▸" if entry.is_came else " ", entry.name, entry.probability) for entry in entries]


def _no_predictions(
    expected: Expected, came: Came | None, width: int, missing: str, inks: Inks
) -> list[Line]:
    lines: list[Line] = [[("no predictions captured", inks.faint)]]
    if came is None:
        return [*lines, [(missing, inks.faint)]]
    surprise = _surprise(expected)
    told = f"  {surprise}" if surprise else ""
    return [
        *lines,
        [(f"came {shortened(came.name, width - 5 - len(told))}", inks.strong), (told, inks.plain)],
    ]


def _came_line(expected: Expected, came: Came | None, width: int, missing: str, inks: Inks) -> Line:
    if came is None:
        return [(missing, inks.faint)]
    if expected.came is None:
        told = ", unknown to the model" if width >= 32 else ", unknown to it"
        return [(f"came {shortened(came.name, width - 5 - len(told))}{told}", inks.strong)]
    score = _score(expected.came, width - 7 - min(len(came.name), SHORT_NAME))
    return [
        (f"came {shortened(came.name, width - 7 - len(score))}  ", inks.strong),
        (score, inks.plain),
    ]
