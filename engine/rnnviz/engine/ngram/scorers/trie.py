"""An n-gram model as a trie of its n-grams, in which scoring a symbol takes about two steps whatever n is.

A node is an n-gram, its children are the n-grams that go on from it by one word, and each node knows that of its
longest proper suffix which is in the model. What is known of the past is one node: the longest n-gram shorter than the
order that the text ends with. To read a word is to go to the child by it; where there is none, the back-off is added
and the suffix is asked instead. A suffix is shorter by at least one word and a child longer by one, so on average no
more than one suffix is asked a symbol, where a table of n-grams is asked for every order (KenLM asks for as many as
match and one more, each a line of memory that is in no cache).

In memory a node of an inner order takes 18 bytes and one of the highest order 10; while an order is read, each of its
n-grams takes 42 more, and each of the order below up to 48, in a table that finds the n-grams by their words. The table
knows an n-gram by 64 bits, the exclusive or of a random code for every word at every place (tabulation hashing). Two
n-grams of one order that have the same bits are noticed, and the model is refused; of 30 million n-grams in 21 orders
that has a chance of 1 in 500,000. Scoring looks at the words themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rnnviz.engine.ngram.kneser_ney import Estimate
from rnnviz.engine.ngram.scorers import trie_kernels as kernels
from rnnviz.engine.ngram.scorers.trie_kernels import (
    BEGIN,
    END,
    UNKNOWN,
    WORDS,
    Floats,
    Ints,
    Keys,
    Labels,
    Nodes,
)

INNER_BYTES: Final = 18
TOP_BYTES: Final = 10
"""Of an n-gram, in the trie."""
READING_BYTES: Final = 42
"""Of an n-gram, while its order is read."""
TABLE_BYTES: Final = 48
"""Of an n-gram in the table of its order, at most."""

MOST_NODES: Final = (1 << 31) - 2
"""Nodes are numbers of 32 bits."""

MISSING_UNKNOWN: Final = -100.0
"""log10 p of `<unk>` in a model that has none, as in KenLM."""

_SEED: Final = 0x6E6772616D


class DamagedModel(ValueError):
    """What is no back-off model; the message says why."""


@dataclass(frozen=True)
class Trie:
    """A back-off model of any order. The arrays are those of `trie_kernels`."""

    order: int
    nodes: Nodes
    labels: Labels
    unigrams: Ints
    """int32 [word]: the node of each unigram, -1 for words that the model does not know."""
    top_logs: Floats
    top_suffixes: Ints

    @property
    def weights(self) -> Floats:
        return self.nodes.view(np.float32)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self.nodes.nbytes + self.labels.nbytes + self.top_logs.nbytes + self.top_suffixes.nbytes

    def score(self, state: int, words: Labels) -> tuple[Floats, int]:
        """log10 p of each of `words` (uint16, known ones), read from a state on: float32; and the state after them."""
        logs = np.empty(len(words), np.float32)
        state = kernels.score(
            self.nodes,
            self.weights,
            self.labels,
            self.unigrams,
            self.top_logs,
            self.top_suffixes,
            state,
            words,
            logs,
        )
        return logs, state

    def distributions(self, state: int, words: Labels, columns: Labels, shares: Floats) -> tuple[Floats, int]:
        """log10 p of each word of `columns`, its share added: float32 [t, column] after the first t of `words`, read
        from a state on, t from 0 to all of them; and the state after them."""
        logs = np.empty((len(words) + 1, len(columns)), np.float32)
        state = kernels.distributions(
            self.nodes,
            self.weights,
            self.labels,
            self.unigrams,
            self.top_logs,
            self.top_suffixes,
            state,
            words,
            columns,
            shares,
            logs,
        )
        return logs, state


def memory_needed(counts: Sequence[int]) -> int:
    """Bytes that building a trie takes at most, given how many n-grams there are of each order."""
    *inner, top = counts
    reading = max(
        READING_BYTES * count + TABLE_BYTES * shorter
        for count, shorter in zip(counts, [0, *inner], strict=True)
    )
    return INNER_BYTES * sum(inner) + TOP_BYTES * top + reading


@dataclass(frozen=True)
class Grams:
    """The n-grams of one order as they are read, in any order of lines; see `trie_kernels` and `word_codes`."""

    prefixes: Keys
    """[n-gram]: the key of all its words but the last."""
    keys: Keys
    """[n-gram]: its key."""
    words: Labels
    """[n-gram]: its last word."""
    logs: Floats
    backoffs: Floats

    @classmethod
    def empty(cls, count: int) -> Grams:
        return cls(
            np.empty(count, np.uint64),
            np.empty(count, np.uint64),
            np.empty(count, np.uint16),
            np.empty(count, np.float32),
            np.empty(count, np.float32),
        )

    def __len__(self) -> int:
        return len(self.keys)

    def with_unknown(self, log: float) -> Grams:
        """Unigrams, and `<unk>` with log10 p = `log` if it is not among them."""
        if UNKNOWN in self.words:
            return self
        return Grams(
            np.append(self.prefixes, np.uint64(0)),
            np.append(self.keys, word_codes(1)[0, UNKNOWN]),
            np.append(self.words, np.uint16(UNKNOWN)),
            np.append(self.logs, np.float32(log)),
            np.append(self.backoffs, np.float32(0)),
        )

    def first(self, count: int) -> Grams:
        return Grams(
            self.prefixes[:count],
            self.keys[:count],
            self.words[:count],
            self.logs[:count],
            self.backoffs[:count],
        )


def word_codes(order: int) -> Keys:
    """uint64 [place, word]: the key of an n-gram is the exclusive or of the codes of its words at their places."""
    random = np.random.default_rng(_SEED)
    return random.integers(0, 1 << 64, (order, WORDS), np.uint64)


class TrieBuilder:
    """Builds a trie from the n-grams of each order, which are added from order 1 up."""

    def __init__(self, counts: Sequence[int]) -> None:
        """`counts[k - 1]` n-grams of order k at most. Raises DamagedModel for more than can be numbered."""
        self._order = len(counts)
        inner = 1 + sum(counts[:-1]) + (self._order > 1)  # the root, and `<unk>` where it is missing
        top = counts[-1] + (self._order == 1)
        if inner + top > MOST_NODES:
            raise DamagedModel(f"it announces more than {MOST_NODES:,} n-grams")
        self._nodes = np.empty((inner + 1, 4), np.int32)
        self._labels = np.empty(inner + top, np.uint16)
        self._unigrams = np.full(WORDS, -1, np.int32)
        self._top_logs = np.empty(top, np.float32)
        self._top_suffixes = np.empty(top, np.int32)
        self._nodes[0] = 0
        self._labels[0] = 0
        self._first, self._last, self._added = 0, 1, 0
        """The nodes of the order that was added last, which at first is that of the root; and that order."""
        self._table: tuple[Keys, Ints] | None = None

    def add(self, grams: Grams) -> None:
        """Add the n-grams of the next order.

        Raises DamagedModel for one that is there twice, one whose context (all its words but the last) is no n-gram
        of the order below, and one of a word that is no unigram.
        """
        self._added += 1
        order, base, count = self._added, self._last, len(grams)
        if order == 1:
            grams = grams.with_unknown(MISSING_UNKNOWN)
            count = len(grams)
            parents = np.zeros(count, np.int32)
        else:
            parents = self._parents(grams, order)
        placed = np.empty(count, np.int32)
        nodes, labels = self._nodes, self._labels
        twice = kernels.put_children(
            nodes, labels, self._first, self._last, base, parents, grams.words, placed
        )
        if twice >= 0:
            raise DamagedModel(f"one of its {order}-grams is there twice")
        if order == 1:
            self._unigrams[grams.words[placed]] = np.arange(base, base + count)
        if order < self._order:
            weights = nodes.view(np.float32)[base : base + count]
            weights[:, kernels.LOG] = grams.logs[placed]
            weights[:, kernels.BACKOFF] = grams.backoffs[placed]
            links, column = nodes[base : base + count], kernels.SUFFIX
        else:
            self._top_logs = self._top_logs[:count]
            self._top_logs[:] = grams.logs[placed]
            links, column = self._top_suffixes[:count].reshape(-1, 1), 0
        wrong = kernels.link_suffixes(
            nodes, labels, self._unigrams, self._first, self._last, links, column, base
        )
        if wrong >= 0:
            raise DamagedModel(f"a word of its {order}-grams is not among its 1-grams")
        if order < self._order:
            self._table = _table(grams.keys[placed], base)
            self._first, self._last = base, base + count

    def trie(self) -> Trie:
        """The model, when all orders are added."""
        inner, top = self._last, len(self._top_logs)
        self._nodes[inner, 1:] = 0  # where the children of the last node end
        return Trie(
            self._order,
            self._nodes[: inner + 1],
            self._labels[: inner + top],
            self._unigrams,
            self._top_logs,
            self._top_suffixes[:top],
        )

    def _parents(self, grams: Grams, order: int) -> Ints:
        assert self._table is not None
        parents = np.empty(len(grams), np.int32)
        if kernels.look_up(*self._table, grams.prefixes, parents) < len(grams):
            raise DamagedModel(f"the context of one of its {order}-grams is missing")
        self._table = None
        return parents


def _table(keys: Keys, first: int) -> tuple[Keys, Ints]:
    """A table that finds each key's number, between a quarter and a half full."""
    size = 1 << max(1, (2 * len(keys) - 1).bit_length())
    table, values = np.empty(size, np.uint64), np.full(size, -1, np.int32)
    if kernels.fill_table(table, values, keys, first) < len(keys):
        raise DamagedModel("two of its n-grams cannot be told apart by their keys")
    return table, values


def trie_of_estimate(estimate: Estimate, order: int) -> Trie:
    """The trie of the estimated model of an order, which is that of its ARPA file but for the digits written there."""
    reals = [inner.real for inner in estimate.inner[:order]]
    builder = TrieBuilder([int(real.sum()) for real in reals])
    codes = word_codes(order)
    sentence = estimate.sentence
    words = np.array([0, BEGIN, END, *sentence.symbols], np.uint16)[sentence.codes(0, len(sentence))]
    for k, (inner, real) in enumerate(zip(estimate.inner, reals, strict=False), 1):
        if k > order:
            break
        ends = inner.ends[real]
        prefixes = np.zeros(len(ends), np.uint64)
        for place in range(k - 1):
            prefixes ^= codes[place, words[ends - (k - 1 - place)]]
        last = words[ends]
        backoffs = np.zeros(len(ends), np.float32)
        if k < order:
            backoffs = estimate.backoffs(k, order)[real]
        grams = Grams(
            prefixes, prefixes ^ codes[k - 1, last], last, estimate.probabilities(k, order)[real], backoffs
        )
        if k == 1:
            grams = grams.with_unknown(estimate.unknown)
        builder.add(grams)
    return builder.trie()
