"""How often cells switch, over a whole text or a sample of it.

A cell *switches* where its view changes sign, or where a gate crosses 0.5: both are the middle of its range. The
rate is that of all symbols but the first of each segment. Where a text is too long to look at every value of every
cell, windows spread evenly over it stand for it (see `sample_of`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.reader import CapturedModel
from rnnviz.store.signals import SIGNALS, Signal

WINDOW = 8192
"""Symbols of a window: those that lie together on disk."""
PIECE = 64
"""Units that are worked on at once: 64 × 8192 values are a megabyte as float16."""
BUDGET = 200_000_000
"""Values that a pass over all cells looks at: 65,000 symbols of 3,072 cells, or 330,000 of 600. It takes 2 seconds on
one core, most of them reading, and says more with every window."""


@dataclass(frozen=True)
class Sample:
    """Stretches of a text that stand for all of it: (start, stop), ascending."""

    windows: tuple[tuple[int, int], ...]
    length: int

    @property
    def symbols(self) -> int:
        return sum(stop - start for start, stop in self.windows)

    @property
    def is_whole(self) -> bool:
        return self.symbols == self.length

    def __str__(self) -> str:
        if self.is_whole:
            return "all symbols"
        return f"{self.symbols:,} of {self.length:,} symbols, in {len(self.windows)} windows"


def sample_of(length: int, cells: int, budget: int = BUDGET) -> Sample:
    """All windows of a text of `length` symbols, or as many, spread evenly, as the budget allows for `cells` cells."""
    count = -(-length // WINDOW)
    affordable = max(1, budget // (WINDOW * max(1, cells)))
    chosen = (
        range(count) if count <= affordable else np.linspace(0, count - 1, affordable).round().astype(int)
    )
    return Sample(tuple((int(n) * WINDOW, min((int(n) + 1) * WINDOW, length)) for n in chosen), length)


@dataclass(frozen=True, eq=False)
class Switching:
    """The rates found so far: float64 [cell], layer after layer, NaN where nothing was looked at."""

    share: float
    """Of the windows that were looked at."""
    rates: NDArray[np.float64]


def switching(
    model: CapturedModel, signal: str, sample: Sample, breaks: NDArray[np.int64]
) -> Iterator[Switching]:
    """Count how often every cell of a model switches, better with every window.

    `breaks` are where segments start. Raises what reading the capture raises.
    """
    counts = np.zeros(sum(layer.units for layer in model.layers), dtype=np.int64)
    pairs = 0
    for done, (start, stop) in enumerate(sample.windows, start=1):
        joined = np.ones(stop - start - 1, dtype=np.bool_)
        inside = breaks[slice(*np.searchsorted(breaks, [start + 1, stop]))]
        joined[inside - start - 1] = False
        pairs += int(np.count_nonzero(joined))
        first = 0
        for layer in model.layers:
            for unit in range(0, layer.units, PIECE):
                on = above_middle(
                    layer.read_units(signal, slice(unit, unit + PIECE), start, stop), SIGNALS[signal]
                )
                switched = on[:, 1:] != on[:, :-1]
                counts[first + unit : first + unit + len(on)] += np.count_nonzero(switched[:, joined], axis=1)
            first += layer.units
        rates = counts / pairs if pairs else np.full(len(counts), np.nan)
        yield Switching(done / len(sample.windows), rates)


def above_middle(stored: NDArray[np.float16], signal: Signal) -> NDArray[np.bool_]:
    """Whether the view of each stored value lies above the middle of its range, 0.5 or 0. Same shape.

    Of numbers that are not negative, the bit patterns of float16 are in the order of the numbers, and those of
    negative numbers are negative as int16: comparing patterns takes a tenth of the time of comparing numbers.
    """
    middle = np.float16((signal.low + signal.high) / 2).view(np.int16)
    above: NDArray[np.bool_] = np.ascontiguousarray(stored).view(np.int16) > middle
    return above
