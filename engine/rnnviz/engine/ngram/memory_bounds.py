"""What memory our estimator and our scorer take, and what of it there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rnnviz.engine.ngram.packed_counts import PART, can_pack
from rnnviz.engine.ngram.scorers.trie import memory_needed
from rnnviz.store import limits
from rnnviz.store.errors import InvalidRequest

MOST_SYMBOLS: Final = (1 << 31) - 3
"""Positions are numbers of 32 bits."""

SHARE: Final = 0.75
"""Of the memory that this process may have that is taken."""

TEXT_BYTES: Final = 2
"""For a symbol of the train part, which is read whole."""
PART_BYTES: Final = 40
"""For a symbol of a part that is counted."""
DISTINCT_BYTES: Final = 28
"""For each order and distinct gram of the highest one: 23 and 26 of 8 M random symbols of 64, at orders 6 and 9; texts
have fewer grams of the lower orders, and take less."""

SORTING_BYTES: Final = 100
GRAM_BYTES: Final = 13
"""Where the grams are too long to be counted in parts: at most for a symbol while it is sorted, and for a distinct
gram."""

_HINT: Final = "Use --estimator lmplz, which works on disk, or a smaller --n."


def refuse_too_large(symbols: int, distinct: int, depth: int) -> None:
    """Raise InvalidRequest for what would not fit, whatever the text is like: `symbols` in all, `distinct` ones, grams
    up to order `depth`."""
    if symbols > MOST_SYMBOLS:
        raise InvalidRequest(
            f"the train part has {symbols:,} symbols, and the estimator counts at most {MOST_SYMBOLS:,}",
            _HINT,
        )
    if can_pack(distinct, depth):
        needed = TEXT_BYTES * symbols + PART_BYTES * min(PART, symbols)
    else:
        grams: int = sum(min(symbols, (distinct + 2) ** order) for order in range(1, depth + 1))
        needed = SORTING_BYTES * symbols + GRAM_BYTES * grams
    there = limits.memory()
    if needed > SHARE * there.amount:
        raise InvalidRequest(
            f"estimating n = {depth - 1} on {symbols:,} symbols takes {needed / 1e9:,.2f} GB, and this process may "
            f"have {there.amount / 1e9:,.2f} ({there.source})",
            _HINT,
        )


def most_grams(symbols: int, depth: int) -> int:
    """How many distinct grams of order `depth` fit beside the text, where they are counted in parts."""
    left = SHARE * limits.memory().amount - TEXT_BYTES * symbols - PART_BYTES * min(PART, symbols)
    return max(0, int(left / (DISTINCT_BYTES * depth)))


def refuse_large_model(counts: Sequence[int]) -> None:
    """Raise InvalidRequest for a model that would not fit while it is loaded: `counts[k - 1]` n-grams of order k."""
    needed, there = memory_needed(counts), limits.memory()
    if needed > SHARE * there.amount:
        raise InvalidRequest(
            f"loading {sum(counts):,} n-grams takes {needed / 1e9:,.2f} GB, and this process may have "
            f"{there.amount / 1e9:,.2f} ({there.source})",
            "Use a model of a smaller n, or one of a shorter text.",
        )
