"""Statistics of each unit's signals: histogram, mean, deviation, extremes, shares of saturated symbols.

All are of the *views* (`signals.Signal.view`), because those are what a person looks at.

A float16 takes 65,536 values at most, and far fewer within the range of a signal. So a column of a unit is
counted once by its bit patterns, exactly, and everything else follows from the counts: one pass of
`np.bincount` over the values, whatever the number of statistics.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.schema import BINS, STATISTICS
from rnnviz.store.signals import SATURATION, SIGNALS


@dataclass(frozen=True)
class UnitStatistics:
    """Of one unit's signal over everything captured: of the views, so tanh(c) for c.

    `histogram` is int64 [64], equal bins over the signal's range. `low` and `high` are the shares of symbols
    within `SATURATION` of the range of its lower and upper end. All but the histogram are NaN before the
    first symbol.
    """

    histogram: NDArray[np.int64]
    mean: float
    deviation: float
    minimum: float
    maximum: float
    low: float
    high: float


@dataclass(frozen=True)
class LayerStatistics:
    """Of all units and signals of a layer: `histogram` int64 [signal, unit, bin], `summary` float64 [signal,
    unit, statistic] in the order of `schema.STATISTICS`."""

    signals: tuple[str, ...]
    histogram: NDArray[np.int64]
    summary: NDArray[np.float64]

    def of(self, signal: str, unit: int) -> UnitStatistics:
        """Raises KeyError for a signal the layer does not have, IndexError for a unit it does not have."""
        if signal not in self.signals:
            raise KeyError(signal)
        row = self.signals.index(signal), unit
        mean, deviation, minimum, maximum, low, high = (float(value) for value in self.summary[row])
        return UnitStatistics(self.histogram[row], mean, deviation, minimum, maximum, low, high)


@dataclass(frozen=True)
class _Codes:
    """What each of the 65,536 float16 bit patterns means to a signal; entries of NaN patterns are not used."""

    view: NDArray[np.float64]
    bin: NDArray[np.intp]
    low: NDArray[np.bool_]
    high: NDArray[np.bool_]


@cache
def _codes(name: str) -> _Codes:
    signal = SIGNALS[name]
    values = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    with np.errstate(invalid="ignore"):  # signalling NaNs are among the patterns
        view = signal.view(values).astype(np.float64)
    edges = np.linspace(signal.low, signal.high, BINS + 1)
    margin = SATURATION * (signal.high - signal.low)
    return _Codes(
        view=view,
        bin=np.clip(np.searchsorted(edges, view, side="right") - 1, 0, BINS - 1),
        low=view < signal.low + margin,
        high=view > signal.high - margin,
    )


class LayerAccumulator:
    """Statistics of a layer, gathered from columns of its signals in the order of time.

    `histogram` is int64 [signal, unit, 64]; `moments` is float64 [signal, unit, 6]: mean, sum of squared
    distances from it, minimum, maximum, and the numbers of symbols saturated low and high. Both are all there
    is to save and restore. NaN values are counted nowhere.
    """

    def __init__(self, signals: tuple[str, ...], units: int) -> None:
        self.signals = signals
        self.histogram: NDArray[np.int64] = np.zeros((len(signals), units, BINS), np.int64)
        self.moments: NDArray[np.float64] = np.zeros((len(signals), units, len(STATISTICS)))
        self.moments[..., 2:4] = np.inf, -np.inf

    def add(self, signal: str, values: NDArray[np.float16]) -> None:
        """Count a column: `values` float16 [unit, time], any length."""
        row = self.signals.index(signal)
        codes = _codes(signal)
        for unit, patterns in enumerate(values.view(np.uint16)):
            self._add_counts(row, unit, codes, np.bincount(patterns))

    def _add_counts(self, row: int, unit: int, codes: _Codes, counts: NDArray[np.intp]) -> None:
        present = np.flatnonzero(counts)
        view = codes.view[present]
        if np.isnan(view).any():
            present = present[~np.isnan(view)]
            view = codes.view[present]
        if not present.size:
            return
        weight = counts[present].astype(np.float64)
        moments = self.moments[row, unit]
        histogram = self.histogram[row, unit]
        before, added = float(histogram.sum()), float(weight.sum())
        histogram += np.bincount(codes.bin[present], weight, BINS).astype(np.int64)

        # Chan, Golub & LeVeque (1983): the mean and the squared distances of two samples joined. A plain sum
        # of squares would lose the deviation of a unit that hardly moves.
        mean = float(weight @ view) / added
        squares = float(weight @ np.square(view - mean))
        distance = mean - moments[0]
        moments[0] += distance * added / (before + added)
        moments[1] += squares + distance**2 * before * added / (before + added)
        moments[2] = min(moments[2], view.min())
        moments[3] = max(moments[3], view.max())
        moments[4] += weight @ codes.low[present]
        moments[5] += weight @ codes.high[present]

    def statistics(self) -> LayerStatistics:
        """Of everything added so far."""
        count = self.histogram.sum(axis=2).astype(np.float64)
        summary = np.full_like(self.moments, np.nan)
        seen = count > 0
        count = count[seen]
        moments = self.moments[seen]
        summary[seen] = np.stack(
            [
                moments[:, 0],
                np.sqrt(moments[:, 1] / count),
                moments[:, 2],
                moments[:, 3],
                moments[:, 4] / count,
                moments[:, 5] / count,
            ],
            axis=1,
        )
        return LayerStatistics(self.signals, self.histogram.copy(), summary)
