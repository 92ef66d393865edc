"""The shape of a mini-batch that suits the size of a text.

The paper's 100 streams × 100 steps suit its texts of megabytes. A small text has few such mini-batches, and so few
updates of the weights in an epoch: 300 KB have 24. It is read in 24 streams × 50 steps instead, and in fewer streams
where that would be less than 200 updates, which is what a text of 2.5 MB has in the paper's shape.

Measured on War and Peace from its millionth byte on, seed 0, on one thread. The test loss is that of 100 KB a megabyte
further on, in nats per symbol, with the weights that validated best; the time is that of one core, up to the epoch.

    text, model     streams × steps   updates   10 epochs       the best seen
    300 KB, 1×128   100 × 100         24        2.21 (24 s)     1.815 in epoch 50 (119 s), still falling
                    50 × 50           96        1.83 (28 s)     1.692 in epoch 20 (56 s), still falling
                    24 × 50           200       1.71 (28 s)     1.659 in epoch 20 (58 s), still falling
                    20 × 50           240       1.68 (29 s)     1.644 in epoch 20 (57 s); 40 epochs are no better
                    10 × 50           480       1.68 (33 s)     1.673 in epoch 15 (50 s); 45 epochs are no better
    300 KB, 2×128   100 × 100         24        2.20 (51 s)
                    24 × 50           200       1.61 (57 s)     1.588 in epoch 12 (67 s), still falling
                    10 × 50           480       1.63 (64 s)     1.635 in epoch 10; 15 epochs are no better
    1 MB, 1×128     100 × 100         80        1.74 (85 s)     1.621 in epoch 15 (129 s), still falling
                    80 × 50           200       1.56 (88 s)     1.527 in epoch 12 (107 s), still falling
                    24 × 50           666       1.47 (112 s)    1.466 in epoch 10, still falling
                    20 × 50           800       1.46 (112 s)    1.459 in epoch 10, still falling
    50 KB, 1×128    20 × 50           40        2.20 (5 s)      2.027 in epoch 30 (14 s)
                    10 × 50           80        2.08 (5 s)      2.017 in epoch 20 (10 s)
                    4 × 50            200       2.02 (7 s)      2.021 in epoch 10
                    4 × 25            400       2.01 (10 s)     2.004 in epoch 7 (7 s)
    50 KB, 2×128    4 × 50            200       1.98 (15 s)

The same for 300 KB of Python's standard library, whose test loss is that of other modules:

    300 KB, 1×128   100 × 100         24        2.49 (26 s)     2.265 in epoch 20 (53 s), still falling
                    24 × 50           200       2.12 (34 s)     2.118 in epoch 10; 15 epochs are no better
                    10 × 50           480       2.13 (35 s)     2.080 in epoch 7; 20 epochs are no better

Fewer streams take more time a symbol (4 take 1.8 times that of 100), which the updates make up for many times.
"""

from __future__ import annotations

from rnnviz.engine.text.split import Split

PAPER = Split()
ENOUGH = 2_000_000
"""Symbols of a train part from which on mini-batches are the paper's: 200 updates an epoch."""

UPDATES = 200
"""That an epoch of a smaller text has, at least, where that leaves LEAST_STREAMS."""

LEAST_STREAMS = 4
MOST_STREAMS = 24
"""Of a smaller text: more gain little time (a fifth with 100) and lose updates."""

STEPS = 50

FEW_UPDATES = 100
"""An epoch with fewer is one with few."""

MEASURED = (
    "on 300 KB of a novel, 10 epochs of an LSTM 1×128 came to a test loss of 2.21 with 24 updates an epoch, and of "
    "1.71 with 200"
)
"""What few updates cost, for who is warned of them."""


def suited(shares: str, length: int, streams: int | None = None, unroll: int | None = None) -> Split:
    """The split of a text of `length` symbols into `shares` (`80/10/10`), with streams and steps that suit its size
    where they are not given.

    N-gram models take it too: a symbol that a recurrent model has not been trained on is then new to them as well.

    Raises InvalidRequest for shares that are none, and for streams or steps that are no positive number.
    """
    by_size = _by_size(shares, length)
    return Split.parse(
        shares,
        streams=by_size.streams if streams is None else streams,
        unroll=by_size.unroll if unroll is None else unroll,
    )


def _by_size(shares: str, length: int) -> Split:
    split = Split.parse(shares)
    symbols = length * split.train // 100
    if symbols >= ENOUGH:
        return split
    streams = min(max(symbols // (UPDATES * STEPS), LEAST_STREAMS), MOST_STREAMS)
    return Split.parse(shares, streams=streams, unroll=STEPS)
