"""Statistics of each unit's signals: histogram, mean, deviation, extremes, shares of saturated symbols.

All are of the *views* (`signals.Signal.view`), because those are what a person looks at. `accumulator` gathers them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
