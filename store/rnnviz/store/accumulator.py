"""Gathering the statistics of a layer while its files are written.

A float16 has 65,536 patterns, so what a value counts as is looked up: its *class*, which is the bin of the histogram
and whether it is saturated, and its view. `counting` does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.schema import BINS, STATISTICS
from rnnviz.store.signals import SATURATION, SIGNALS
from rnnviz.store.statistics import LayerStatistics


class Tally:
    """What there is of one signal in a stretch of time, of the units from `first` on.

    `histogram` is int64 [unit, 64]; `sums` is float64 [unit, 6]: of the views and of their squares, the least and the
    greatest view, and the numbers of symbols saturated low and high.
    """

    def __init__(self, signal: str, first: int, units: int) -> None:
        self.signal = signal
        self.units = slice(first, first + units)
        self.histogram: NDArray[np.int64] = np.zeros((units, BINS), np.int64)
        self.sums: NDArray[np.float64] = np.zeros((units, len(STATISTICS)))
        self.sums[:, 2:4] = np.inf, -np.inf

    def count(self, values: NDArray[np.float16], start: int = 0) -> None:
        """Count values [unit, time], none of them NaN, of the tally's units from its number `start` on."""
        from rnnviz.store.counting import count  # loads Numba, which who only reads has no use for

        units = slice(start, start + len(values))
        classes = _classes(self.signal)
        count(
            np.ascontiguousarray(values).view(np.uint16),
            classes.of_pattern,
            classes.bins,
            classes.saturated,
            classes.views,
            not SIGNALS[self.signal].squashed,
            self.histogram[units],
            self.sums[units],
        )


class LayerAccumulator:
    """Statistics of a layer, gathered in the order of time.

    `histogram` is int64 [signal, unit, 64]; `moments` is float64 [signal, unit, 6]: mean, sum of squared
    distances from it, minimum, maximum, and the numbers of symbols saturated low and high. Both together are
    all there is to save and restore.
    """

    def __init__(self, signals: tuple[str, ...], units: int) -> None:
        self.signals = signals
        self.histogram: NDArray[np.int64] = np.zeros((len(signals), units, BINS), np.int64)
        self.moments: NDArray[np.float64] = np.zeros((len(signals), units, len(STATISTICS)))
        self.moments[..., 2:4] = np.inf, -np.inf

    def add(self, tally: Tally) -> None:
        """Add what was counted of a stretch, at least one symbol, that follows those added before."""
        row = self.signals.index(tally.signal)
        histogram, moments = self.histogram[row, tally.units], self.moments[row, tally.units]
        before, added = histogram.sum(axis=1), tally.histogram.sum(axis=1)
        total, squares, least, most = tally.sums[:, :4].T
        # Chan, Golub & LeVeque (1983): the mean and the squared distances from it of two samples joined.
        mean = total / added
        distance = mean - moments[:, 0]
        moments[:, 0] += distance * added / (before + added)
        moments[:, 1] += np.maximum(squares - total * mean, 0) + distance**2 * before * added / (
            before + added
        )
        np.minimum(moments[:, 2], least, out=moments[:, 2])
        np.maximum(moments[:, 3], most, out=moments[:, 3])
        moments[:, 4:] += tally.sums[:, 4:]
        histogram += tally.histogram

    def statistics(self) -> LayerStatistics:
        """Of everything added so far."""
        count = self.histogram.sum(axis=2).astype(np.float64)
        summary = np.full_like(self.moments, np.nan)
        seen = count > 0
        summary[seen] = self.moments[seen]
        summary[seen, 1] = np.sqrt(self.moments[seen, 1] / count[seen])
        summary[seen, 4:] /= count[seen, None]
        return LayerStatistics(self.signals, self.histogram.copy(), summary)


@dataclass(frozen=True)
class _Classes:
    """What the patterns of float16 count as.

    `of_pattern` uint8 [65536] is a pattern's class, `views` float32 [65536] the view of its value. `bins` int64
    [class] is a class's bin, `saturated` bool [2, class] whether its views are so, low and high.
    """

    of_pattern: NDArray[np.uint8]
    views: NDArray[np.float32]
    bins: NDArray[np.int64]
    saturated: NDArray[np.bool_]


@cache
def _classes(name: str) -> _Classes:
    """Of 64 equal bins, the upper end in the last one. A bin's edge is a product of powers of two, so it is exact."""
    signal = SIGNALS[name]
    values = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    values = np.where(np.isnan(values), np.float16(signal.low), values)
    views = signal.view(values)
    span = signal.high - signal.low
    places = (views.astype(np.float64) - signal.low) * BINS / span
    bins = np.clip(places, 0, BINS - 1).astype(np.int64)
    low = views < np.float32(signal.low + SATURATION * span)
    high = views > np.float32(signal.high - SATURATION * span)
    rows, of_pattern = np.unique(np.stack([bins, low, high]), axis=1, return_inverse=True)
    rows = np.ascontiguousarray(rows)
    return _Classes(of_pattern.reshape(-1).astype(np.uint8), views, rows[0], rows[1:] > 0)
