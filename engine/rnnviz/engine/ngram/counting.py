"""Counting the n-grams of a text, all orders at once.

The positions of the text are sorted by what stands before them, read backwards (*context order*). The k-grams that
end alike then lie together, for every k: one sort serves all orders. A group of order k is a run of rows in
that order whose last k symbols agree; the positions in it are the count of that k-gram, and the number of groups of
order k + 1 inside it is how many distinct symbols precede it, its *adjusted* count (Chen & Goodman 1999, section 4.1).

A row is a position here; in `parts`, which counts large texts, it stands for all positions that look alike.

The text is one sentence: `<s>`, its symbols, `</s>`. Symbols are numbered in the order of their first occurrence,
as KenLM's estimator does, so that both see the n-grams in one order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

NOTHING: Final = 0
"""What stands before `<s>`."""
BEGIN: Final = 1
"""`<s>`"""
END: Final = 2
"""`</s>`"""
FIRST: Final = 3
"""The number of the symbol that occurs first."""

Indices = NDArray[np.int32]
"""Positions fit: memory ends long before 2^31 of them."""


@dataclass(frozen=True)
class Sentence:
    """A text as one sentence of T + 2 codes: BEGIN, the symbols of `data`, END."""

    data: NDArray[np.uint8]
    symbols: bytes
    """The distinct bytes, in the order of their first occurrence: `symbols[c - FIRST]` has code c."""
    code_of: NDArray[np.uint16]
    """[byte]: its code."""

    @classmethod
    def of(cls, data: NDArray[np.uint8]) -> Sentence:
        first: dict[int, int] = {}
        for start in range(0, len(data), 1 << 20):
            values, places = np.unique(data[start : start + (1 << 20)], return_index=True)
            for value, place in zip(values.tolist(), places.tolist(), strict=True):
                first.setdefault(value, start + place)
        symbols = bytes(value for value, _ in sorted(first.items(), key=itemgetter(1)))
        code_of = np.zeros(256, np.uint16)
        code_of[np.frombuffer(symbols, np.uint8)] = np.arange(FIRST, FIRST + len(symbols))
        return cls(data, symbols, code_of)

    def __len__(self) -> int:
        return len(self.data) + 2

    def codes(self, start: int, stop: int) -> NDArray[np.uint16]:
        """The codes at the positions start…stop; NOTHING before 0."""
        found = np.zeros(stop - start, np.uint16)
        first, last = max(start, 1), min(stop, len(self) - 1)
        if first < last:
            found[first - start : last - start] = self.code_of[self.data[first - 1 : last - 1]]
        if start <= 0 < stop:
            found[-start] = BEGIN
        if start < len(self) <= stop:
            found[len(self) - 1 - start] = END
        return found

    @property
    def types(self) -> int:
        """How many outcomes a model of it distinguishes: the symbols, `</s>` and `<unk>`."""
        return len(self.symbols) + 2


@dataclass(frozen=True)
class ContextOrder(ABC):
    """Rows, each of which stands for one position or more, sorted by the symbols that end there, the last one first.

    `positions` int32 [row] is one of those a row stands for; `shared` uint8 [row] says how many symbols it has in
    common with the row before, counted backwards and up to `depth`; `weights` int32 [row] how many positions it
    stands for, 1 where None.
    """

    positions: Indices
    shared: NDArray[np.uint8]
    depth: int
    weights: Indices | None

    def grams(self, order: int) -> Grams:
        """The distinct n-grams of an order from 1 to `depth`."""
        begins = self.shared < order
        starts = np.flatnonzero(begins).astype(np.int32)
        group = np.cumsum(begins, dtype=np.int32)
        group -= 1
        return Grams(order, starts, self.positions[starts], group, self.weights)

    @abstractmethod
    def contexts(self, grams: Grams, shorter: Grams) -> Indices:
        """[gram]: which gram of the order below is its context, that is, all but its last symbol.

        `<s>` alone has no symbol before it; it is given itself, and no weight.
        """


@dataclass(frozen=True)
class SortedPositions(ContextOrder):
    """Every position has a row of its own; `row` is the inverse of `positions`."""

    row: Indices

    @classmethod
    def of(cls, sentence: Sentence, depth: int) -> SortedPositions:
        """Sort so that groups up to order `depth` lie together."""
        codes = sentence.codes(0, len(sentence))
        ranks = _ranks(codes, FIRST + len(sentence.symbols), depth)
        positions = np.argsort(ranks, kind="stable").astype(np.int32)
        row = np.empty_like(positions)
        row[positions] = np.arange(len(positions), dtype=np.int32)
        return cls(positions, _shared(codes, positions, depth), depth, None, row)

    def contexts(self, grams: Grams, shorter: Grams) -> Indices:
        return shorter.group[self.row[np.maximum(grams.ends - 1, 0)]]


@dataclass(frozen=True)
class Grams:
    """The distinct n-grams of one order, in context order; int32 arrays.

    Those that would begin before `<s>` are among them, at most order - 1, so that groups of different orders nest;
    they are not `real`, and are given no weight.
    """

    order: int
    starts: Indices
    """[gram]: the first row of each."""
    ends: Indices
    """[gram]: a position where it ends."""
    group: Indices
    """[row]: the gram that ends at the positions of the row."""
    weights: Indices | None
    """[row]: as in the order."""

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def real(self) -> NDArray[np.bool_]:
        """[gram]: whether it begins within the sentence."""
        return self.ends >= self.order - 1

    def counts(self) -> Indices:
        """[gram]: how often each occurs; 0 where it is not real."""
        if self.weights is None:
            counts = np.diff(self.starts, append=np.int32(len(self.group)))
        else:
            counts = np.add.reduceat(self.weights, self.starts)
        return np.where(self.real, counts, np.int32(0))

    def adjusted_counts(self, longer: Grams) -> Indices:
        """[gram]: how many distinct symbols precede each, given the grams of the next order.

        `<s>` counts as one, and is itself preceded by nothing: a gram that begins with it keeps its count, 1.
        """
        first = longer.group[self.starts]
        counts = np.diff(first, append=np.int32(len(longer)))
        return np.where(self.real, counts, np.int32(0))

    def suffixes(self, shorter: Grams) -> Indices:
        """[gram]: which gram of the order below is all but its first symbol."""
        return shorter.group[self.starts]


def _ranks(codes: NDArray[np.uint16], radix: int, depth: int) -> NDArray[np.int64]:
    """A number for each position; in their order, positions are sorted by at least `depth` symbols backwards."""
    reach = 0
    ranks = np.zeros(len(codes), np.int64)
    while reach < depth and radix ** (reach + 1) < 1 << 63:
        ranks *= radix
        ranks[reach:] += codes[: len(codes) - reach]
        reach += 1
    while reach < depth:
        ranks = _dense(ranks)
        # Ranks start at 1, so that what would lie before the sentence sorts first.
        pairs = ranks * (int(ranks.max()) + 1)
        pairs[reach:] += ranks[:-reach]
        ranks, reach = pairs, 2 * reach
    return ranks


def _dense(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rank of each value among the distinct ones, from 1."""
    order = np.argsort(values)
    ascending = values[order]
    steps = np.ones(len(values), np.int64)
    steps[1:] = ascending[1:] != ascending[:-1]
    ranks = np.empty_like(values)
    ranks[order] = np.cumsum(steps)
    return ranks


def _shared(codes: NDArray[np.uint16], positions: Indices, depth: int) -> NDArray[np.uint8]:
    """How many symbols each position shares with the one before it in `positions`: uint8, 0 for the first."""
    padded = np.concatenate([np.zeros(depth, np.uint16), codes])
    alike = np.ones(len(positions) - 1, np.bool_)
    shared = np.zeros(len(positions), np.uint8)
    for back in range(depth):
        symbols = padded[depth - back :][positions]
        alike &= symbols[1:] == symbols[:-1]
        if not alike.any():
            break
        shared[1:] += alike
    return shared
