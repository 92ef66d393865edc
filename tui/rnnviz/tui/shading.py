"""What shades the text: a cell's signal, how surprising each symbol was to a model, or which model knew better."""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.signals import SIGNALS, Signal


class Shade(StrEnum):
    """`left` and `right` are the two models that are compared."""

    CELL = "cell"
    LEFT = "left"
    RIGHT = "right"
    DIFFERENCE = "difference"


SURPRISAL = Signal("surprisal", "nats", 0.0, 5.0)
"""Of 5 nats and more, a probability below 0.7%, a symbol is fully shaded."""
DIFFERENCE = Signal("difference", "nats", -3.0, 3.0)
"""Surprisal of the right model less that of the left: positive where the left one knew better, by 3 nats a twentyfold
probability."""
ERROR = math.log(2)
"""Surprisal from which on a symbol is an error: its probability is below a half."""


def signal_of(shade: Shade, signal: str) -> Signal:
    """The range and title of what shades the text; `signal` is the cell's."""
    match shade:
        case Shade.CELL:
            return SIGNALS[signal]
        case Shade.DIFFERENCE:
            return DIFFERENCE
        case _:
            return SURPRISAL


def of_symbols(surprisal: NDArray[np.float32], first_of_segment: NDArray[np.int64]) -> NDArray[np.float32]:
    """How surprising each symbol was itself: float32 of the same length.

    surprisal: that of what came after each of the symbols from the one *before* the first on. Symbols that start a
    segment, given by index, were read from zero state and expected by nobody: NaN.
    """
    shifted = surprisal.astype(np.float32)
    shifted[first_of_segment] = np.nan
    return shifted


def averaged(values: NDArray[np.float32], columns: int) -> NDArray[np.float32]:
    """Values in `columns` columns, each the mean of its share of them: float32 [column], NaN where nothing is known.
    Fewer values than columns are repeated."""
    if not len(values):
        return np.full(columns, np.nan, dtype=np.float32)
    edges = np.arange(columns) * len(values) // columns
    stops = np.maximum(np.append(edges[1:], len(values)), edges + 1)
    known = ~np.isnan(values)
    sums = np.append(0.0, np.cumsum(np.where(known, values, 0.0), dtype=np.float64))
    counts = np.append(0, np.cumsum(known))
    count = counts[stops] - counts[edges]
    means = (sums[stops] - sums[edges]) / np.maximum(count, 1)
    return np.where(count > 0, means, np.nan).astype(np.float32)
