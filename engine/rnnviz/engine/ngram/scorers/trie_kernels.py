"""The compiled loops of the trie that `trie` describes: they build it and look things up in it.

`nodes` is int32 [inner node + 1, 4], and `weights` is the same memory as float32. Of an inner node, `nodes[x, CHILD]`
is its first child, whose siblings end where the children of node x + 1 begin; `nodes[x, SUFFIX]` is the node of its
longest proper suffix; `weights[x, BACKOFF]` and `weights[x, LOG]` are log10 of its back-off and its probability. One
node is 16 bytes, so that a look-up touches one line of the processor's cache for it. The n-grams of the highest order
have no children: they are numbered after the inner nodes and have only `top_suffixes` and `top_logs`. `labels` is
uint16 [node]: the last word of each n-gram.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.compiled import compiled, inlined

WORDS: Final = 259
"""The 256 bytes and the three words below: no other word can occur in a text of bytes."""
UNKNOWN: Final = 256
"""`<unk>`"""
BEGIN: Final = 257
"""`<s>`"""
END: Final = 258
"""`</s>`"""

ROOT: Final = 0
CHILD: Final = 0
SUFFIX: Final = 1
BACKOFF: Final = 2
LOG: Final = 3

FEW: Final = 8
"""So many labels are faster looked through than halved."""

Ints = NDArray[np.int32]
Nodes = NDArray[np.int32]
Labels = NDArray[np.uint16]
Floats = NDArray[np.float32]
Keys = NDArray[np.uint64]


@inlined
def _child(nodes: Nodes, labels: Labels, unigrams: Ints, node: int, word: int) -> int:
    """The child of an inner node by a word, or -1."""
    if node == ROOT:
        return int(unigrams[word])
    low, high = int(nodes[node, CHILD]), int(nodes[node + 1, CHILD])
    while high - low > FEW:
        middle = (low + high) >> 1
        if labels[middle] <= word:
            low = middle
        else:
            high = middle
    for place in range(low, high):
        if labels[place] == word:
            return place
    return -1


@inlined
def _read(
    nodes: Nodes,
    weights: Floats,
    labels: Labels,
    unigrams: Ints,
    top_logs: Floats,
    top_suffixes: Ints,
    state: int,
    word: int,
) -> tuple[float, int]:
    """log10 p of a word after a state, and the state after it."""
    inner = len(nodes) - 1
    log = 0.0
    child = _child(nodes, labels, unigrams, state, word)
    while child < 0:
        log += weights[state, BACKOFF]
        state = int(nodes[state, SUFFIX])
        child = _child(nodes, labels, unigrams, state, word)
    if child < inner:
        return log + weights[child, LOG], child
    return log + top_logs[child - inner], int(top_suffixes[child - inner])


@compiled(
    "int64(int32[:, ::1], float32[:, ::1], uint16[::1], int32[::1], float32[::1], int32[::1], int64, uint16[::1], "
    "float32[::1])"
)
def score(
    nodes: Nodes,
    weights: Floats,
    labels: Labels,
    unigrams: Ints,
    top_logs: Floats,
    top_suffixes: Ints,
    state: int,
    words: Labels,
    logs: Floats,
) -> int:
    """Read words from a state on, putting log10 p of each into `logs`. Returns the state after the last one."""
    for place in range(len(words)):
        word = int(words[place])
        logs[place], state = _read(nodes, weights, labels, unigrams, top_logs, top_suffixes, state, word)
    return state


@compiled(
    "int64(int32[:, ::1], float32[:, ::1], uint16[::1], int32[::1], float32[::1], int32[::1], int64, uint16[::1], "
    "uint16[::1], float32[::1], float32[:, ::1])"
)
def distributions(
    nodes: Nodes,
    weights: Floats,
    labels: Labels,
    unigrams: Ints,
    top_logs: Floats,
    top_suffixes: Ints,
    state: int,
    words: Labels,
    columns: Labels,
    shares: Floats,
    logs: Floats,
) -> int:
    """Read words from a state on; logs[t], of len(words) + 1 rows, becomes the distribution after the first t of them:
    log10 p of each word of `columns`, its share added. Returns the state after the last word.

    The longest n-gram that goes on from the state says of its children how likely they are, its suffix of the others.
    """
    inner = len(nodes) - 1
    alone = np.empty(WORDS)
    for word in range(WORDS):
        child = int(unigrams[word])
        if child >= 0:
            alone[word] = weights[child, LOG] if child < inner else top_logs[child - inner]
    known = np.empty(WORDS)
    said_at = np.full(WORDS, -1)
    for t in range(len(words) + 1):
        if t > 0:
            word = int(words[t - 1])
            _, state = _read(nodes, weights, labels, unigrams, top_logs, top_suffixes, state, word)
        backoff = 0.0
        node = state
        while node != ROOT:
            for child in range(nodes[node, CHILD], nodes[node + 1, CHILD]):
                word = int(labels[child])
                if said_at[word] != t:
                    said_at[word] = t
                    known[word] = backoff + (
                        weights[child, LOG] if child < inner else top_logs[child - inner]
                    )
            backoff += weights[node, BACKOFF]
            node = int(nodes[node, SUFFIX])
        for column in range(len(columns)):
            word = int(columns[column])
            log = known[word] if said_at[word] == t else backoff + alone[word]
            logs[t, column] = log + shares[column]
    return state


@compiled("int64(uint64[::1], int32[::1], uint64[::1], int64)")
def fill_table(table: Keys, values: Ints, keys: Keys, first: int) -> int:
    """Put keys, numbered from `first`, into an empty table: a power of two of places, `values` all -1.

    Returns how many were put there before the first that was there already.
    """
    mask = np.uint64(len(table) - 1)
    for index in range(len(keys)):
        key = keys[index]
        place = np.int64(key & mask)
        while values[place] >= 0:
            if table[place] == key:
                return index
            place = (place + 1) & np.int64(mask)
        table[place] = key
        values[place] = first + index
    return len(keys)


@compiled("int64(uint64[::1], int32[::1], uint64[::1], int32[::1])")
def look_up(table: Keys, values: Ints, keys: Keys, found: Ints) -> int:
    """The number of each key, into `found`. Returns how many were found before the first that is missing."""
    mask = np.uint64(len(table) - 1)
    for index in range(len(keys)):
        key = keys[index]
        place = np.int64(key & mask)
        while values[place] >= 0 and table[place] != key:
            place = (place + 1) & np.int64(mask)
        if values[place] < 0:
            return index
        found[index] = values[place]
    return len(keys)


@compiled("int64(int32[:, ::1], uint16[::1], int64, int64, int64, int32[::1], uint16[::1], int32[::1])")
def put_children(
    nodes: Nodes, labels: Labels, first: int, last: int, base: int, parents: Ints, words: Labels, order: Ints
) -> int:
    """Number n-grams from `base` on so that those of one parent lie together by ascending word.

    The parents are the nodes first…last - 1. Writes their first children, the labels, and into `order` which n-gram got
    each number. Returns the number of an n-gram that is there twice, or -1.
    """
    count = len(parents)
    for node in range(first, last + 1):
        nodes[node, CHILD] = 0
    for index in range(count):
        nodes[parents[index], CHILD] += 1
    total = base
    for node in range(first, last):
        total += nodes[node, CHILD]
        nodes[node, CHILD] = total
    nodes[last, CHILD] = total
    for index in range(count - 1, -1, -1):
        parent = parents[index]
        nodes[parent, CHILD] -= 1
        order[nodes[parent, CHILD] - base] = index
    for place in range(count):
        index = order[place]
        word, start = words[index], int(nodes[parents[index], CHILD]) - base
        at = place
        while at > start and words[order[at - 1]] > word:
            order[at] = order[at - 1]
            at -= 1
        order[at] = index
    for place in range(count):
        labels[base + place] = words[order[place]]
    for place in range(1, count):
        same = labels[base + place] == labels[base + place - 1]
        if same and parents[order[place]] == parents[order[place - 1]]:
            return base + place
    return -1


@compiled("int64(int32[:, ::1], uint16[::1], int32[::1], int64, int64, int32[:, ::1], int64, int64)")
def link_suffixes(
    nodes: Nodes,
    labels: Labels,
    unigrams: Ints,
    first: int,
    last: int,
    links: Nodes,
    column: int,
    base: int,
) -> int:
    """Find the longest proper suffix of every child of the nodes first…last - 1, which are of one order.

    Child x gets it at `links[x - base, column]`. Returns a child whose word is no unigram, or -1.
    """
    for parent in range(first, last):
        for child in range(nodes[parent, CHILD], nodes[parent + 1, CHILD]):
            suffix = ROOT
            if parent != ROOT:
                node, word = parent, int(labels[child])
                if unigrams[word] < 0:
                    return child
                suffix = -1
                while suffix < 0:
                    node = int(nodes[node, SUFFIX])
                    suffix = _child(nodes, labels, unigrams, node, word)
            links[child - base, column] = suffix
    return -1
