"""Conditions on cells, as people type them: `1:37 > 0.8 and (0:12.f < 0.5 or not abs(0:3.h) >= 0.9)`.

    condition   = alternative { "or" alternative }
    alternative = term { "and" term }
    term        = "not" term | "(" condition ")" | comparison
    comparison  = value order value { order value }             0.2 < 1:37 <= 0.8 is two at once
    order       = "<" | "<=" | ">" | ">=" | "=" | "!="
    value       = number | cell [ "." signal ] | "abs" "(" value ")" | "-" value

A cell is `layer:unit`. Its values are its *views*, what the screen shows: tanh(c) for c. A cell without a signal
means the one that is on the screen, and the condition's text is written out with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from rnnviz.analysis.cells import Reading, parse_cell
from rnnviz.store.errors import InvalidRequest, Mistake
from rnnviz.store.reader import CapturedModel
from rnnviz.store.signals import SIGNALS

DEEPEST = 50
"""Parentheses and negations within each other."""
MOST_READINGS = 64
"""Different signals of cells in one condition: a window of each is held in memory."""
EXAMPLE = "1:37 > 0.8 and 0:12.f < 0.5"


Part = TypeVar("Part")

Views = Mapping[Reading, NDArray[np.float32]]
"""The views of every reading of a condition over one stretch of the text, float32 [time]."""


@dataclass(frozen=True)
class Number:
    value: float

    def of(self, views: Views) -> NDArray[np.float32] | float:
        return self.value


@dataclass(frozen=True)
class Viewed:
    reading: Reading

    def of(self, views: Views) -> NDArray[np.float32]:
        return views[self.reading]


@dataclass(frozen=True)
class Absolute:
    value: Value

    def of(self, views: Views) -> NDArray[np.float32]:
        return np.abs(np.asarray(self.value.of(views), dtype=np.float32))


@dataclass(frozen=True)
class Negative:
    value: Value

    def of(self, views: Views) -> NDArray[np.float32] | float:
        return -self.value.of(views)


Value = Number | Viewed | Absolute | Negative


@dataclass(frozen=True)
class Comparison:
    """values[0] orders[0] values[1] orders[1] … : true where every neighbouring pair compares so."""

    values: tuple[Value, ...]
    orders: tuple[str, ...]

    def holds(self, views: Views, symbols: int) -> NDArray[np.bool_]:
        true = np.ones(symbols, dtype=np.bool_)
        for left, order, right in zip(self.values, self.orders, self.values[1:], strict=False):
            true &= _ORDERS[order](left.of(views), right.of(views))
        return true


@dataclass(frozen=True)
class Not:
    term: Term

    def holds(self, views: Views, symbols: int) -> NDArray[np.bool_]:
        return ~self.term.holds(views, symbols)


@dataclass(frozen=True)
class And:
    terms: tuple[Term, ...]

    def holds(self, views: Views, symbols: int) -> NDArray[np.bool_]:
        true = np.ones(symbols, dtype=np.bool_)
        for term in self.terms:
            true &= term.holds(views, symbols)
        return true


@dataclass(frozen=True)
class Or:
    terms: tuple[Term, ...]

    def holds(self, views: Views, symbols: int) -> NDArray[np.bool_]:
        true = np.zeros(symbols, dtype=np.bool_)
        for term in self.terms:
            true |= term.holds(views, symbols)
        return true


Term = Comparison | Not | And | Or


@dataclass(frozen=True)
class Condition:
    """A condition as it was typed, with the signal of every cell, what it means, and which signals it reads, in the
    order of their naming."""

    text: str
    term: Term
    readings: tuple[Reading, ...]

    def holds(self, model: CapturedModel, start: int, stop: int) -> NDArray[np.bool_]:
        """bool [stop - start]: where it is true. Raises what reading the capture raises."""
        views = {reading: _view(model, reading, start, stop) for reading in self.readings}
        return self.term.holds(views, stop - start)


def _view(model: CapturedModel, reading: Reading, start: int, stop: int) -> NDArray[np.float32]:
    stored = model.layers[reading.cell.layer].read(reading.signal, reading.cell.unit, start, stop)
    return SIGNALS[reading.signal].view(stored)


_ORDERS: dict[str, np.ufunc] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "=": np.equal,
    "!=": np.not_equal,
}
_SPELLINGS = {"==": "=", "≤": "<=", "≥": ">=", "≠": "!=", "−": "-", "&": "and", "|": "or", "!": "not"}
_TOKEN = re.compile(
    r"\s*(?:(?P<cell>\d+:\d+(?:\.[A-Za-z]\w*)?)|(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)"
    r"|(?P<word>[A-Za-z]+)|(?P<mark><=|>=|!=|==|[-<>=()&|!≤≥≠−]))"
)


@dataclass(frozen=True)
class _Token:
    kind: str
    """`cell`, `number`, `word`, `mark`, or `end`."""
    text: str
    start: int


def parse_condition(text: str, model: CapturedModel, signal: str | None = None) -> Condition:
    """A condition on the cells of a model that has layers. `signal` is what is meant by a cell without one; where it is
    None or the cell's layer has no such signal, it is the layer's first.

    Raises InvalidRequest for anything else: its message says what is wrong, its hint has the text and below it a
    caret at the place.
    """
    return _Parser(text, model, signal).condition()


class _Parser:
    """Recursive descent, a method a rule of the grammar above."""

    def __init__(self, text: str, model: CapturedModel, signal: str | None) -> None:
        self._text = text
        self._model = model
        self._signal = signal
        self._meant: list[tuple[int, str]] = []
        """The signals that were not typed, and where in the text they belong."""
        self._tokens = self._split()
        self._before = ""
        """The last word or mark that was understood."""
        self._readings: dict[Reading, None] = {}
        self._depth = 0

    def condition(self) -> Condition:
        term = self._any()
        if self._tokens[0].kind != "end":
            self._expected("'and', 'or' or the end is")
        return Condition(self._written_out(), term, tuple(self._readings))

    def _written_out(self) -> str:
        """The text with the signal of every cell."""
        text = self._text
        for place, signal in sorted(self._meant, reverse=True):
            text = f"{text[:place]}.{signal}{text[place:]}"
        return text.strip()

    def _split(self) -> list[_Token]:
        tokens: list[_Token] = []
        at, end = 0, len(self._text.rstrip())
        while at < end:
            match = _TOKEN.match(self._text, at)
            if match is None:
                at += len(self._text[at:]) - len(self._text[at:].lstrip())
                raise self._wrong(f"{self._text[at]!r} has no meaning in a condition", at)
            kind = str(match.lastgroup)
            found = _SPELLINGS.get(match[kind], match[kind])
            if found.isalpha():
                kind, found = "word", found.lower()
            tokens.append(_Token(kind, found, match.start(match.lastgroup or 0)))
            at = match.end()
        return [*tokens, _Token("end", "the end", end)]

    def _take(self, *texts: str) -> _Token | None:
        """The next token, if it is one of these words or marks."""
        token = self._tokens[0]
        return self._next() if token.kind in ("word", "mark") and token.text in texts else None

    def _next(self) -> _Token:
        token = self._tokens.pop(0)
        self._before = token.text
        return token

    def _any(self) -> Term:
        terms = [self._all()]
        while self._take("or"):
            terms.append(self._all())
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def _all(self) -> Term:
        terms = [self._term()]
        while self._take("and"):
            terms.append(self._term())
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def _term(self) -> Term:
        if self._take("not"):
            return Not(self._deeper(self._term))
        if opening := self._take("("):
            inner = self._deeper(self._any)
            self._close(opening)
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        values, orders = [self._value()], list[str]()
        while order := self._take(*_ORDERS):
            orders.append(order.text)
            values.append(self._value())
        if not orders:
            self._expected("one of < <= > >= = != is")
        return Comparison(tuple(values), tuple(orders))

    def _value(self) -> Value:
        if self._take("-"):
            return Negative(self._deeper(self._value))
        if self._take("abs"):
            opening = self._take("(")
            if opening is None:
                self._expected("( is")
            inner = self._deeper(self._value)
            self._close(opening)
            return Absolute(inner)
        token = self._tokens[0]
        if token.kind == "number":
            return Number(float(self._next().text))
        if token.kind != "cell":
            self._expected("a number or a cell, as in 1:37, is")
        return Viewed(self._reading())

    def _reading(self) -> Reading:
        token = self._tokens[0]
        name, _, signal = token.text.partition(".")
        layers = self._model.layers
        try:
            cell = parse_cell(name, tuple(layer.units for layer in layers))
        except InvalidRequest as error:
            raise self._wrong(error.message, token.start, error.hint) from error
        known = layers[cell.layer].signals
        if signal and signal not in known:
            place = token.start + len(name) + 1
            raise self._wrong(f"the capture has no signal {signal!r}", place, f"It has {', '.join(known)}.")
        if not signal:
            signal = self._signal if self._signal in known else known[0]
            self._meant.append((token.start + len(token.text), signal))
        reading = Reading(cell, signal)
        self._readings[reading] = None
        if len(self._readings) > MOST_READINGS:
            self._refuse(f"a condition names {MOST_READINGS} different signals at most")
        self._next()
        return reading

    def _close(self, opening: _Token) -> None:
        if self._take(")"):
            return
        if self._tokens[0].kind == "end":
            raise self._wrong("this ( is never closed", opening.start)
        self._expected(") is")

    def _deeper(self, rule: Callable[[], Part]) -> Part:
        self._depth += 1
        if self._depth > DEEPEST:
            self._refuse(f"more than {DEEPEST} levels within each other")
        found = rule()
        self._depth -= 1
        return found

    def _expected(self, what: str) -> NoReturn:
        """Refuse the next token, in the place of which something else, with its verb, is expected."""
        token = self._tokens[0]
        after = f" after {self._before}" if self._before else " first"
        self._refuse(f"{what} expected{after}{'' if token.kind == 'end' else f', not {token.text}'}")

    def _refuse(self, message: str) -> NoReturn:
        raise self._wrong(message, self._tokens[0].start)

    def _wrong(self, message: str, place: int, advice: str = f"Write it like {EXAMPLE}.") -> Mistake:
        word = _TOKEN.match(self._text, place)
        stop = word.end() if word is not None else min(place + 1, len(self._text))
        if not self._text[place:].strip():  # something is missing at the end: it is to be typed there
            place = stop = len(self._text)
        return Mistake(message, self._text, (place, stop), advice)
