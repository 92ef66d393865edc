"""Statistics of each unit's signals: histogram, mean, deviation, extremes, shares of saturated symbols.

All are of the *views* (`signals.Signal.view`), because those are what a person looks at. Every value of a
capture passes through here, so the passes are few, vectorised and made over pieces that stay in cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.schema import BINS, STATISTICS
from rnnviz.store.signals import SATURATION, SIGNALS, Signal

_PIECE: Final = 1 << 16
"""Values that are worked on at once: a quarter of a megabyte as float32."""


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
        together = max(1, _PIECE // length)
        for first in range(0, units, together):
            piece = slice(first, min(first + together, units))
            view = _view(SIGNALS[signal], values[piece])
            counted = self.histogram[row, piece]
            _add_moments(self.moments[row, piece], int(counted[0].sum()), view, SIGNALS[signal])
            counted += _histogram(view, SIGNALS[signal])

    def statistics(self) -> LayerStatistics:
        """Of everything added so far."""
        count = self.histogram.sum(axis=2).astype(np.float64)
        summary = np.full_like(self.moments, np.nan)
        seen = count > 0
        summary[seen] = self.moments[seen]
        summary[seen, 1] = np.sqrt(self.moments[seen, 1] / count[seen])
        summary[seen, 4:] /= count[seen, None]
        return LayerStatistics(self.signals, self.histogram.copy(), summary)


def _view(signal: Signal, values: NDArray[np.float16]) -> NDArray[np.float32]:
    """`signal.view(values)`, in a tenth of the time: numpy widens float16 one by one.

    A float16 is sign, 5 bits of exponent (bias 15) and 10 of mantissa. Moved up by 13 bits, with the sign on top,
    the pattern is a float32 (8 bits of exponent, bias 127) that is 2^-112 times the value. Infinity becomes
    65536, whose view is the same.
    """
    patterns = values.view(np.int16).astype(np.int32)
    np.left_shift(patterns, 13, out=patterns)
    np.bitwise_and(patterns, np.int32(-0x70002000), out=patterns)
    view = patterns.view(np.float32)
    np.multiply(view, np.float32(2.0**112), out=view)
    return np.tanh(view, out=view) if signal.squashed else view


def _histogram(view: NDArray[np.float32], signal: Signal) -> NDArray[np.int64]:
    """How many of each unit's views lie in each of 64 equal bins: float32 [unit, time] -> int64 [unit, 64].

    The edges are multiples of a power of two, so that multiplying by `scale` and rounding down are exact.
    """
    units, length = view.shape
    scale = BINS / (signal.high - signal.low)
    lowest = round(signal.low * scale)
    places = view * np.float32(scale)
    np.floor(places, out=places)
    np.minimum(places, np.float32(lowest + BINS - 1), out=places)  # the upper end belongs to the last bin
    bins = places.astype(np.int8)
    np.subtract(bins, np.int8(lowest), out=bins)
    # Neighbours are counted as pairs, 64 × 64 of them: half as many steps for bincount.
    odd = bins[:, length - length % 2 :]
    even = np.ascontiguousarray(bins[:, : length - length % 2]).view(np.uint16)
    pairs = (even & 0x3F) | ((even >> 2) & 0xFC0)
    counts = np.empty((units, BINS), np.int64)
    for unit in range(units):
        both = np.bincount(pairs[unit], minlength=BINS * BINS).reshape(BINS, BINS)
        counts[unit] = both.sum(axis=0) + both.sum(axis=1)
        counts[unit, odd[unit]] += 1
    return counts


def _add_moments(
    moments: NDArray[np.float64], before: int, view: NDArray[np.float32], signal: Signal
) -> None:
    """Add views, float32 [unit, time], to the moments, float64 [unit, 6], of `before` views."""
    added = view.shape[1]
    margin = SATURATION * (signal.high - signal.low)
    # Distances from a value of the unit's own keep a unit that hardly moves from losing its deviation.
    first = view[:, :1]
    away = view - first
    sums = away.sum(axis=1, dtype=np.float32).astype(np.float64)
    mean = first[:, 0] + sums / added
    squares = np.einsum("ut,ut->u", away, away).astype(np.float64) - sums**2 / added

    # Chan, Golub & LeVeque (1983): the mean and the squared distances from it of two samples joined.
    distance = mean - moments[:, 0]
    moments[:, 0] += distance * added / (before + added)
    moments[:, 1] += np.maximum(squares, 0) + distance**2 * before * added / (before + added)
    np.minimum(moments[:, 2], view.min(axis=1), out=moments[:, 2])
    np.maximum(moments[:, 3], view.max(axis=1), out=moments[:, 3])
    moments[:, 4] += np.count_nonzero(view < np.float32(signal.low + margin), axis=1)
    moments[:, 5] += np.count_nonzero(view > np.float32(signal.high - margin), axis=1)
