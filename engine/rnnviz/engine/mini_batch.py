"""The shape of a mini-batch that suits the size of a text.

The paper's 100 streams × 100 steps suit its texts of megabytes. A small text has few such mini-batches, and so few
updates of the weights in an epoch: 300 KB have 24.

Measured with an LSTM 1×128 and seed 0 on 300 KB of War and Peace, on one thread; the test loss is that of 100 KB
further on in the book, with the weights that validated best:

    streams × steps   updates an epoch   test loss after 10 epochs   the best      reached in
    100 × 100         24                 2.2134                      1.8154        50 epochs, 119 s (still falling)
    10 × 50           480                1.6752                      1.6732        11–15 epochs, 50 s
"""

from __future__ import annotations

from rnnviz.engine.split import Split

PAPER = Split()
ENOUGH = 2_000_000
"""Symbols of a train part from which on mini-batches are the paper's: 200 updates an epoch."""

UPDATES = 200
"""That an epoch of a smaller text has, at least, where that leaves LEAST_STREAMS."""

LEAST_STREAMS = 4
STEPS = 50

FEW_UPDATES = 100
"""An epoch with fewer is one with few."""

MEASURED = (
    "on 300 KB of a novel, 10 epochs of an LSTM 1×128 came to a test loss of 2.21 with 24 updates an epoch, and of "
    "1.68 with 240"
)
"""What few updates cost, for who is warned of them."""


def suited(shares: str, length: int) -> Split:
    """The split of a text of `length` symbols into `shares` (`80/10/10`), with streams and steps that suit it.

    Raises InvalidRequest for shares that are none.
    """
    split = Split.parse(shares)
    symbols = length * split.train // 100
    if symbols >= ENOUGH:
        return split
    streams = min(max(symbols // (UPDATES * STEPS), LEAST_STREAMS), PAPER.streams)
    return Split.parse(shares, streams=streams, unroll=STEPS)
