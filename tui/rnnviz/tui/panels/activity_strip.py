"""A cell's activity along the text in one row: resampled to columns, as heights of blocks or as levels of a map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.signals import Signal
from rnnviz.tui.paint.text_frame import LEVELS

BLOCKS = "▁▂▃▄▅▆▇█"


def resampled(values: NDArray[np.float32], columns: int) -> NDArray[np.float32]:
    """Values along the text as `columns` values: each the mean of its share of them, or the nearest one."""
    if len(values) == 0:
        return np.full(columns, np.nan, dtype=np.float32)
    edges = np.linspace(0, len(values), columns + 1)
    starts = np.minimum(edges[:-1].astype(np.int64), len(values) - 1)
    sums = np.add.reduceat(values.astype(np.float64), starts)
    widths = np.diff(np.append(starts, len(values)))
    # Where columns are more than values, reduceat gives the one value that a column stands on.
    return (sums / np.maximum(widths, 1)).astype(np.float32)


def heights(values: NDArray[np.float32], signal: Signal) -> NDArray[np.uint8]:
    """Views as indices into `BLOCKS`, 0…7: the low end of the range to its high end. Same shape, uint8."""
    share = (values - signal.low) / (signal.high - signal.low)
    found: NDArray[np.uint8] = np.clip(np.nan_to_num(share) * len(BLOCKS), 0, len(BLOCKS) - 1).astype(
        np.uint8
    )
    return found


def level_of(values: NDArray[np.float32], signal: Signal) -> NDArray[np.uint8]:
    """Views as levels of a colour map, 0…LEVELS-1. Same shape, uint8."""
    share = (values - signal.low) / (signal.high - signal.low)
    found: NDArray[np.uint8] = np.rint(np.clip(np.nan_to_num(share), 0, 1) * (LEVELS - 1)).astype(np.uint8)
    return found
