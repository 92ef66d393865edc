"""What shades the text: a cell's signal, how surprising each symbol was to a model, or which model knew better."""

from __future__ import annotations

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


def signal_of(shade: Shade, signal: str) -> Signal:
    """The range and title of what shades the text; `signal` is the cell's."""
    match shade:
        case Shade.CELL:
            return SIGNALS[signal]
        case Shade.DIFFERENCE:
            return DIFFERENCE
        case _:
            return SURPRISAL


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
