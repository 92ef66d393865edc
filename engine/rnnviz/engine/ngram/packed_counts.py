"""Counting the n-grams of a large text in parts, in memory that grows with the distinct ones.

A gram of the highest order is packed into one number, its last symbol in the highest place, so that numbers sort in
context order. The grams of each part of the text are counted by a sort; the tables are merged when together they are
as long as the one they are merged into. What is left has a row for every distinct gram of the highest order, and says
of the lower orders all that the text does.

Packed into 63 bits, a gram of 87 different bytes has 9 symbols at most, one of 256 has 7.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.ngram.counting import FIRST, ContextOrder, Grams, Indices, Sentence
from rnnviz.store.errors import InvalidRequest

PART: Final = 1 << 22
"""Symbols counted at a time: sorting them takes 150 MB."""


@dataclass(frozen=True)
class CountedGrams(ContextOrder):
    """A row stands for every position where a gram of order `depth` ends."""

    packed: NDArray[np.int64]
    """[row]: the gram as a number, ascending."""
    radix: int

    def contexts(self, grams: Grams, shorter: Grams) -> Indices:
        # Grams without what stands below their order: those of the order below, and without its last symbol each one.
        rest = self.radix ** (self.depth - grams.order)
        known = self.packed[shorter.starts] // (rest * self.radix)
        wanted = self.packed[grams.starts] % self.radix ** (self.depth - 1) // rest
        found: NDArray[np.int64] = np.searchsorted(known, wanted)
        return found.astype(np.int32)


def can_pack(distinct: int, depth: int) -> bool:
    """Whether grams of that order fit into a number, of so many distinct symbols."""
    return depth * math.log2(FIRST + distinct) < 63


def count_in_parts(
    sentence: Sentence, depth: int, most: int | None = None
) -> Generator[int, None, CountedGrams]:
    """Count all grams up to order `depth`, yielding numbers of symbols as they are done with.

    Raises InvalidRequest for more than `most` distinct ones of that order.
    """
    tables: list[_Table] = []
    for start in range(0, len(sentence), PART):
        stop = min(start + PART, len(sentence))
        tables.append(_count(sentence, start, stop, depth))
        if sum(map(len, tables[1:])) >= len(tables[0]):
            tables = [_merge(tables)]
        if most is not None and len(tables[0]) > most:
            raise InvalidRequest(
                f"the text has more than {most:,} different n-grams of order {depth}, and memory holds no more",
                "Use --estimator lmplz, which works on disk, or a smaller --n.",
            )
        yield stop - start
    table = _merge(tables)
    radix = _radix(sentence)
    shared = np.zeros(len(table), np.uint8)
    for order in range(1, depth + 1):
        prefixes = table.packed // radix ** (depth - order)
        shared[1:] += prefixes[1:] == prefixes[:-1]
    return CountedGrams(table.positions, shared, depth, table.counts, table.packed, radix)


@dataclass(frozen=True)
class _Table:
    """Distinct grams, ascending: the number, the count and a position of each."""

    packed: NDArray[np.int64]
    counts: Indices
    positions: Indices

    def __len__(self) -> int:
        return len(self.packed)


def _radix(sentence: Sentence) -> int:
    return FIRST + len(sentence.symbols)


def _count(sentence: Sentence, start: int, stop: int, depth: int) -> _Table:
    """The grams that end at the positions start…stop."""
    codes = sentence.codes(start - depth + 1, stop)
    packed = np.zeros(stop - start, np.int64)
    for back in range(depth):
        packed *= _radix(sentence)
        packed += codes[depth - 1 - back : len(codes) - back]
    order = np.argsort(packed)
    packed = packed[order]
    starts = _starts(packed)
    counts = np.diff(starts, append=len(packed)).astype(np.int32)
    return _Table(packed[starts], counts, (start + order[starts]).astype(np.int32))


def _merge(tables: Sequence[_Table]) -> _Table:
    if len(tables) == 1:
        return tables[0]
    packed = np.concatenate([table.packed for table in tables])
    order = np.argsort(packed)
    packed = packed[order]
    starts = _starts(packed)
    counts = np.concatenate([table.counts for table in tables])[order]
    positions = np.concatenate([table.positions for table in tables])[order[starts]]
    return _Table(packed[starts], np.add.reduceat(counts, starts), positions)


def _starts(ascending: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each distinct value begins."""
    begins = np.ones(len(ascending), np.bool_)
    begins[1:] = ascending[1:] != ascending[:-1]
    return np.flatnonzero(begins)
