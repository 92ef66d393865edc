"""Statistics of each unit's signals: histogram, mean, deviation, extremes, shares of saturated symbols.

All are of the *views* (`signals.Signal.view`), because those are what a person looks at. Every value of a
capture passes through here, so the passes are few, vectorised and made over pieces that stay in cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.schema import BINS, STATISTICS
from rnnviz.store.signals import SATURATION, SIGNALS, Signal

_PIECE: Final = 1 << 18
"""Values that are worked on at once: a megabyte as float32."""


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


class LayerAccumulator:
    """Statistics of a layer, gathered from columns of its signals in the order of time.

    `histogram` is int64 [signal, unit, 64]; `moments` is float64 [signal, unit, 6]: mean, sum of squared
    distances from it, minimum, maximum, and the numbers of symbols saturated low and high. Both together are
    all there is to save and restore.
    """

    def __init__(self, signals: tuple[str, ...], units: int) -> None:
        self.signals = signals
        self.histogram: NDArray[np.int64] = np.zeros((len(signals), units, BINS), np.int64)
        self.moments: NDArray[np.float64] = np.zeros((len(signals), units, len(STATISTICS)))
        self.moments[..., 2:4] = np.inf, -np.inf

    def add(self, signal: str, values: NDArray[np.float16]) -> None:
        """Count a column: `values` float16 [unit, time] of any length, none of them NaN."""
        units, length = values.shape
        if not length:
            return
        row = self.signals.index(signal)
        together = min(units, max(1, _PIECE // length))
        views = _Views(SIGNALS[signal], together, length)
        for first in range(0, units, together):
            piece = slice(first, min(first + together, units))
            views.load(values[piece])
            histogram = self.histogram[row, piece]
            views.add_moments(self.moments[row, piece], int(histogram[0].sum()))
            histogram += views.histogram()

    def statistics(self) -> LayerStatistics:
        """Of everything added so far."""
        count = self.histogram.sum(axis=2).astype(np.float64)
        summary = np.full_like(self.moments, np.nan)
        seen = count > 0
        summary[seen] = self.moments[seen]
        summary[seen, 1] = np.sqrt(self.moments[seen, 1] / count[seen])
        summary[seen, 4:] /= count[seen, None]
        return LayerStatistics(self.signals, self.histogram.copy(), summary)


class _Views:
    """The views of some units over a column, float32 [unit, time], in memory that is used again and again."""

    def __init__(self, signal: Signal, units: int, length: int) -> None:
        self._signal = signal
        self._saturation = _saturation(signal)
        self._wide = np.empty((units, length), np.int32)
        self._scratch = np.empty((units, length), np.float32)
        self._bins = np.empty((units, length + length % 2), np.uint8)
        self._flags = np.empty((units, length), np.bool_)
        self._patterns = np.empty((units, length), np.int16)
        self._view = self._wide.view(np.float32)

    def load(self, values: NDArray[np.float16]) -> None:
        """Take the values of as many units or fewer: `signal.view(values)`, in a tenth of the time.

        numpy widens float16 one by one. A float16 is sign, 5 bits of exponent (bias 15) and 10 of mantissa.
        Moved up by 13 bits, with the sign on top, the pattern is a float32 (8 bits of exponent, bias 127) that
        is 2^-112 times the value. Infinity becomes 65536, whose tanh is the same.
        """
        self._patterns = values.view(np.int16)
        wide = self._wide[: len(values)]
        np.copyto(wide, self._patterns)
        np.left_shift(wide, 13, out=wide)
        np.bitwise_and(wide, np.int32(-0x70002000), out=wide)
        self._view = wide.view(np.float32)
        np.multiply(self._view, np.float32(2.0**112), out=self._view)
        if self._signal.squashed:
            np.tanh(self._view, out=self._view)

    def histogram(self) -> NDArray[np.int64]:
        """How many views of each unit lie in each of 64 equal bins: int64 [unit, 64].

        The bin is the whole part of a product with a power of two, so the edges are exact. Adding 1 first, where
        the range is −1…1, rounds no float16 over an edge: they are multiples of 2^-24, as float32 below 1 are.
        """
        units, length = self._view.shape
        scale = BINS / (self._signal.high - self._signal.low)
        places, bins = self._scratch[:units], self._bins[:units]
        np.subtract(self._view, np.float32(self._signal.low), out=places)
        np.multiply(places, np.float32(scale), out=places)
        np.clip(places, np.float32(0), np.float32(BINS - 1), out=places)  # the upper end is in the last bin
        np.copyto(bins[:, :length], places, casting="unsafe")

        # Neighbours are counted as pairs, 64 × 64 of them: half as many steps for bincount.
        neighbours = bins[:, : length - length % 2].view(np.uint16)
        pairs = (neighbours & 0x3F) | ((neighbours >> 2) & 0xFC0)
        counted = np.stack([np.bincount(pair, minlength=BINS * BINS) for pair in pairs])
        counted = counted.reshape(units, BINS, BINS)
        counts: NDArray[np.int64] = counted.sum(axis=1) + counted.sum(axis=2)
        if length % 2:
            counts[np.arange(units), bins[:, length - 1]] += 1
        return counts

    def add_moments(self, moments: NDArray[np.float64], before: int) -> None:
        """Add the views to the moments, float64 [unit, 6], of `before` views."""
        view, added = self._view, self._view.shape[1]
        mean = view.sum(axis=1).astype(np.float64) / added
        away = self._scratch[: len(view)]
        np.subtract(view, mean[:, None].astype(np.float32), out=away)
        squares = np.array([unit.dot(unit) for unit in away], np.float64)

        # Chan, Golub & LeVeque (1983): the mean and the squared distances from it of two samples joined.
        distance = mean - moments[:, 0]
        moments[:, 0] += distance * added / (before + added)
        moments[:, 1] += squares + distance**2 * before * added / (before + added)

        least, most = (self._signal.view(end) for end in _extremes(self._patterns))
        np.minimum(moments[:, 2], least, out=moments[:, 2])
        np.maximum(moments[:, 3], most, out=moments[:, 3])
        flags = self._flags[: len(view)]
        self._saturation.low(self._patterns, flags)
        moments[:, 4] += [np.count_nonzero(unit) for unit in flags]
        self._saturation.high(self._patterns, flags)
        moments[:, 5] += [np.count_nonzero(unit) for unit in flags]


class _Saturation:
    """Which float16 patterns are saturated low or high, as a comparison of integers: a tenth of the time of one of
    floats. Positive patterns ascend with their value as int16; negative ones descend as uint16, above all others."""

    def __init__(self, signal: Signal) -> None:
        margin = SATURATION * (signal.high - signal.low)
        positive = signal.view(np.arange(0x7C01, dtype=np.uint16).view(np.float16))
        negative = signal.view(np.arange(0x8000, 0xFC01, dtype=np.uint16).view(np.float16))
        self._from = np.int16(np.argmax(positive > np.float32(signal.high - margin)))
        low = np.float32(signal.low + margin)
        self._both_signs = signal.low < 0
        if self._both_signs:
            self._below: np.int16 | np.uint16 = np.uint16(0x8000 + np.argmax(negative < low))
        else:
            self._below = np.int16(np.argmax(positive >= low))

    def low(self, patterns: NDArray[np.int16], flags: NDArray[np.bool_]) -> None:
        if self._both_signs:
            np.greater_equal(patterns.view(np.uint16), self._below, out=flags)
        else:
            np.less(patterns, self._below, out=flags)

    def high(self, patterns: NDArray[np.int16], flags: NDArray[np.bool_]) -> None:
        np.greater_equal(patterns, self._from, out=flags)


@cache
def _saturation(signal: Signal) -> _Saturation:
    return _Saturation(signal)


def _extremes(patterns: NDArray[np.int16]) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """The least and the greatest value of each unit, from patterns [unit, time]; see `_Saturation` for their order."""
    unsigned = patterns.view(np.uint16)
    greatest, furthest = patterns.max(axis=1), unsigned.max(axis=1)
    least = np.where(furthest >= 0x8000, furthest, patterns.min(axis=1).view(np.uint16))
    most = np.where(greatest >= 0, greatest.view(np.uint16), unsigned.min(axis=1))
    return least.view(np.float16), most.view(np.float16)
