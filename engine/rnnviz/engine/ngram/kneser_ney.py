"""Interpolated modified Kneser-Ney estimation (Chen & Goodman 1999), unpruned, as KenLM's `lmplz` does it.

For a gram g = (context, w) of order k with (adjusted) count a, and D its order's discount for that count,

    p(w | context) = (a - D) / A + γ(context) · p(w | context without its first symbol),
    A = Σ a over the grams with that context,   γ = Σ D over them / A,

down to the uniform distribution over the symbols, `</s>` and `<unk>`. Counts are adjusted below a model's highest
order and plain at it, so models of different order share all but their two highest orders: each order is estimated
once as an inner order, and once more as the highest where a model ends there.

Two peculiarities of `lmplz` are kept, because agreement is worth more than tidiness: where the counts of counts
admit no discounts, they are replaced by those of `--discount_fallback`; and in the counts of counts of the inner
orders, the very last gram of the sort counts with its plain count.
"""

from __future__ import annotations

from collections.abc import Collection, Generator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.ngram.counting import ContextOrder, Grams, Indices, Sentence, SortedPositions
from rnnviz.engine.ngram.packed_counts import can_pack, count_in_parts
from rnnviz.engine.progress import Progress

FALLBACK: Final = (0.0, 0.5, 1.0, 1.5)
"""`lmplz --discount_fallback`"""

LEAST_LOG10: Final = -99.0
"""What is written for a probability or back-off of zero, as is the custom in ARPA files."""

Log10 = NDArray[np.float32]


@dataclass(frozen=True)
class Highest:
    """What is a model's own: the log10 probabilities of its highest order, the back-offs of the order below."""

    probabilities: Log10
    backoffs: Log10


@dataclass(frozen=True)
class Inner:
    """What models share: the grams of an order, log10 of their probabilities and, as contexts, back-offs."""

    ends: Indices
    """[gram]: a position of the sentence where it ends."""
    real: NDArray[np.bool_]
    """[gram]: the others are to be left out."""
    probabilities: Log10
    backoffs: Log10
    """Empty where no model has a higher order."""


@dataclass(frozen=True)
class Estimate:
    """Models of one sentence. `inner[k - 1]` is order k; `highest[k]` belongs to the model of order k."""

    sentence: Sentence
    unknown: float
    """log10 of the probability of `<unk>`."""
    inner: tuple[Inner, ...]
    highest: dict[int, Highest]

    def probabilities(self, order: int, model: int) -> Log10:
        """log10 [gram] of an order in the model of order `model`."""
        return self.highest[model].probabilities if order == model else self.inner[order - 1].probabilities

    def backoffs(self, order: int, model: int) -> Log10:
        """log10 [gram] of an order below the model's."""
        return self.highest[model].backoffs if order == model - 1 else self.inner[order - 1].backoffs


def estimate(
    sentence: Sentence, orders: Collection[int], most: int | None = None
) -> Generator[Progress, None, Estimate]:
    """Estimate models of the given orders, each at least 2. The sentence has at least max(orders) - 1 symbols.

    Where grams of the highest order can be counted in `parts`, memory grows with the distinct ones: 0.45 GB for 80 M
    symbols of program text at order 6, where more than `most` are refused by InvalidRequest. Longer ones are sorted
    with all positions: up to 100 bytes a symbol, then 13 for each distinct gram of each order and 4 more for each of
    a model's highest two. For 2.6 M symbols and orders 2…10 and 21 that was 0.8 GB.
    """
    depth = max(orders)
    size = len(sentence)
    total = (depth + 1) * size
    estimator = _Estimator(sentence, (yield from _sort(sentence, depth, most, total)))
    inner: list[Inner] = []
    highest: dict[int, Highest] = {}
    for order in range(1, depth + 1):
        yield Progress(order * size, total, f"order {order} of {depth}")
        if order in orders:
            own = estimator.as_highest()
            highest[order] = Highest(own.probabilities, own.gammas)
        shared = estimator.as_inner() if order < depth else own
        if inner:
            inner[-1] = _with_backoffs(inner[-1], shared.gammas)
        inner.append(
            Inner(estimator.grams.ends, estimator.grams.real, shared.probabilities, np.empty(0, np.float32))
        )
        if order < depth:
            estimator.advance(shared)
    yield Progress(total, total)
    return Estimate(sentence, estimator.unknown, tuple(inner), highest)


def _sort(
    sentence: Sentence, depth: int, most: int | None, total: int
) -> Generator[Progress, None, ContextOrder]:
    if not can_pack(len(sentence.symbols), depth):
        yield Progress(0, total, "sorting by context")
        return SortedPositions.of(sentence, depth)
    counting = count_in_parts(sentence, depth, most)
    done = 0
    while True:
        yield Progress(done, total, "counting")
        try:
            done += next(counting)
        except StopIteration as stop:
            counted: ContextOrder = stop.value
            return counted


def discounts(counts: Indices, exception: tuple[int, int] | None = None) -> tuple[float, ...]:
    """D for counts 0, 1, 2 and 3 or more, from the counts of counts (Chen & Goodman, equation 26).

    `exception` replaces one occurrence of a count by another: see the module's last paragraph. Falls back to
    FALLBACK where a needed count of counts is 0 or a discount is out of range.
    """
    n = np.bincount(np.minimum(counts, 5), minlength=6)
    if exception is not None:
        n[min(exception[0], 5)] -= 1
        n[min(exception[1], 5)] += 1
    if not n[1:4].all():
        return FALLBACK
    y = n[1] / (n[1] + 2 * n[2])
    found = [float(j - (j + 1) * y * n[j + 1] / n[j]) for j in (1, 2, 3)]
    if any(not 0 <= discount <= j for j, discount in enumerate(found, 1)):
        return FALLBACK
    return (0.0, *found)


@dataclass(frozen=True)
class _Order:
    """One order estimated: p and log10 p of each gram, log10 γ of each gram of the order below."""

    p: NDArray[np.float64]
    probabilities: Log10
    gammas: Log10


class _Estimator:
    """Goes through the orders of a sentence from 1 up. Holds the grams of three neighbouring orders at most."""

    def __init__(self, sentence: Sentence, order: ContextOrder) -> None:
        self._sentence = sentence
        self._order = order
        self.grams = order.grams(1)
        self._shorter: Grams | None = None
        self._longer = order.grams(2) if order.depth > 1 else None
        self._p_shorter: NDArray[np.float64] = np.empty(0)
        self.unknown = 0.0

    def as_inner(self) -> _Order:
        """Estimate the order with adjusted counts."""
        assert self._longer is not None
        counts = self.grams.adjusted_counts(self._longer)
        last = int(self._order.positions[-1])
        exception = None
        if last + 1 >= self.grams.order:
            exception = (int(counts[-1]), int(self.grams.counts()[-1]))
        if self._shorter is None:
            return self._unigrams(counts, exception)
        return self._interpolate(counts, discounts(counts, exception), self._shorter)

    def as_highest(self) -> _Order:
        """Estimate the order with plain counts."""
        assert self._shorter is not None
        counts = self.grams.counts()
        return self._interpolate(counts, discounts(counts), self._shorter)

    def advance(self, estimated: _Order) -> None:
        """Go on to the next order."""
        assert self._longer is not None
        self._shorter, self.grams = self.grams, self._longer
        following = self.grams.order + 1
        self._longer = self._order.grams(following) if following <= self._order.depth else None
        self._p_shorter = estimated.p

    def _unigrams(self, counts: Indices, exception: tuple[int, int] | None) -> _Order:
        """`<s>` has no probability of its own: it is written as 1 and takes no part."""
        is_begin = self.grams.ends == 0
        counts[is_begin] = 0
        by_count = np.array(discounts(counts, exception))
        discount = by_count[np.minimum(counts, 3)]
        whole = counts.sum()
        uniform = discount.sum() / whole / self._sentence.types
        p = (counts - discount) / whole + uniform
        p[is_begin] = 1.0
        self.unknown = float(_log10(np.array([uniform]))[0])
        return _Order(p, _log10(p), np.empty(0, np.float32))

    def _interpolate(self, counts: Indices, by_count: tuple[float, ...], shorter: Grams) -> _Order:
        contexts = self._order.contexts(self.grams, shorter)
        discount = np.array(by_count)[np.minimum(counts, 3)]
        whole = np.bincount(contexts, counts, minlength=len(shorter))
        # A gram that ends the sentence is no context; its γ is never asked for but in its line, where it is 1.
        is_context = whole > 0
        gamma: NDArray[np.float64] = np.bincount(contexts, discount, minlength=len(shorter)).astype(
            np.float64, copy=False
        )
        np.divide(gamma, whole, out=gamma, where=is_context)
        gamma[~is_context] = 1.0
        whole[~is_context] = 1.0
        p = self._p_shorter[self.grams.suffixes(shorter)]
        p *= gamma[contexts]
        p += (counts - discount) / whole[contexts]
        return _Order(p, _log10(p), _log10(gamma))


def _with_backoffs(inner: Inner, backoffs: Log10) -> Inner:
    return Inner(inner.ends, inner.real, inner.probabilities, backoffs)


def _log10(values: NDArray[np.float64]) -> Log10:
    """log10, no greater than 0 and no less than LEAST_LOG10."""
    logs = np.full(values.shape, LEAST_LOG10)
    np.log10(values, out=logs, where=values > 0)
    np.minimum(logs, 0.0, out=logs)
    return logs.astype(np.float32)
