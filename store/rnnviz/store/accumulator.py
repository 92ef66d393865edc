"""Gathering the statistics of a layer while its columns are written.

A float16 has 65,536 patterns, so what a value counts as is looked up: its *class*, which is the bin of the histogram
and whether it is saturated, and its view. `counting` does it, in one pass with turning the values to [unit, time].
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.schema import BINS, STATISTICS
from rnnviz.store.signals import SATURATION, SIGNALS
from rnnviz.store.statistics import LayerStatistics


class LayerAccumulator:
    """Statistics of a layer, gathered from columns of its signals in the order of time.

    `histogram` is int64 [signal, unit, 64]; `moments` is float64 [signal, unit, 6]: mean, sum of squared
    distances from it, minimum, maximum, and the numbers of symbols saturated low and high. Both together are
    all there is to save and restore. Different signals may be added by different threads.
    """

    def __init__(self, signals: tuple[str, ...], units: int) -> None:
        self.signals = signals
        self.histogram: NDArray[np.int64] = np.zeros((len(signals), units, BINS), np.int64)
        self.moments: NDArray[np.float64] = np.zeros((len(signals), units, len(STATISTICS)))
        self.moments[..., 2:4] = np.inf, -np.inf

    def add(
        self, signal: str, values: NDArray[np.float16], memory: NDArray[np.uint16] | None = None
    ) -> NDArray[np.float16]:
        """Count a column, `values` float16 [unit, time] of any length and strides, none of them NaN; return it with
        each unit's values side by side, as they are stored: in `memory`, if given, of at least as many values."""
        from rnnviz.store.counting import turn_and_count  # loads Numba, which who only reads has no use for

        units, added = values.shape
        memory = np.empty(values.size, np.uint16) if memory is None else memory
        turned = memory[: values.size].reshape(units, added)
        if not added:
            return turned.view(np.float16)
        row = self.signals.index(signal)
        histogram, moments = self.histogram[row], self.moments[row]
        before = int(histogram[0].sum())
        classes = _classes(signal)
        counts, sums = np.zeros((units, len(classes.bins)), np.int64), np.zeros((units, 2))
        turn_and_count(values.view(np.uint16).T, turned, classes.of_pattern, classes.views, counts, sums)

        for index, place in enumerate(classes.bins):
            histogram[:, place] += counts[:, index]
        moments[:, 4] += counts[:, classes.low].sum(axis=1)
        moments[:, 5] += counts[:, classes.high].sum(axis=1)
        # Chan, Golub & LeVeque (1983): the mean and the squared distances from it of two samples joined.
        mean = sums[:, 0] / added
        distance = mean - moments[:, 0]
        squares = np.maximum(sums[:, 1] - sums[:, 0] * mean, 0)
        moments[:, 0] += distance * added / (before + added)
        moments[:, 1] += squares + distance**2 * before * added / (before + added)
        least, most = (SIGNALS[signal].view(end) for end in _extremes(turned))
        np.minimum(moments[:, 2], least, out=moments[:, 2])
        np.maximum(moments[:, 3], most, out=moments[:, 3])
        return turned.view(np.float16)

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
    [class] is a class's bin, `low` and `high` bool [class] whether its views are saturated.
    """

    of_pattern: NDArray[np.uint8]
    views: NDArray[np.float32]
    bins: NDArray[np.int64]
    low: NDArray[np.bool_]
    high: NDArray[np.bool_]


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
    return _Classes(of_pattern.reshape(-1).astype(np.uint8), views, rows[0], rows[1] > 0, rows[2] > 0)


def _extremes(patterns: NDArray[np.uint16]) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """The least and the greatest value of each unit, from patterns [unit, time]. Positive patterns ascend with their
    value as int16; negative ones descend as uint16, above all others."""
    signed = patterns.view(np.int16)
    greatest, furthest = signed.max(axis=1), patterns.max(axis=1)
    least = np.where(furthest >= 0x8000, furthest, signed.min(axis=1).view(np.uint16))
    most = np.where(greatest >= 0, greatest.view(np.uint16), patterns.min(axis=1))
    return least.view(np.float16), most.view(np.float16)
