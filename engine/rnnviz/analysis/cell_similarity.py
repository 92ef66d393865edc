"""Cells that do the same as one cell, or the opposite: the correlation of their views along the text.

Pearson's r between the view of one cell and the views of all others, of the same signal, over every symbol of the
text, or over windows that stand for it (see `activity.sample_of`). Sums are gathered window by window, so memory is
a megabyte or two, whatever the text's length and the number of cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnviz.analysis.cells import Cell
from rnnviz.analysis.switching import PIECE, Sample
from rnnviz.store.reader import CapturedModel
from rnnviz.store.signals import SIGNALS

LEAST_VARIANCE = 1e-9
"""Below it a view is taken not to move: float16 near 1 has steps of 5e-4, and rounding is all there is to compare."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Correlations found so far: float64 [cell], layer after layer, −1…1, NaN where a cell never moves."""

    share: float
    """Of the windows that were looked at."""
    correlations: NDArray[np.float64]


def compare(model: CapturedModel, cell: Cell, signal: str, sample: Sample) -> Iterator[Comparison]:
    """Correlate every cell of a model with one of them, better with every window.

    Raises what reading the capture raises.
    """
    cells = sum(layer.units for layer in model.layers)
    kind = SIGNALS[signal]
    # Moments about a fixed place near the means: sums of large squares would lose the digits that matter.
    places = np.concatenate([_means(model, layer, signal) for layer in range(len(model.layers))])
    own = sum(layer.units for layer in model.layers[: cell.layer]) + cell.unit
    sums, squares, products = (np.zeros(cells) for _ in range(3))
    symbols = 0
    for done, (start, stop) in enumerate(sample.windows, start=1):
        stored = model.layers[cell.layer].read(signal, cell.unit, start, stop)
        reference = kind.view(stored) - np.float32(places[own])
        symbols += stop - start
        first = 0
        for layer in model.layers:
            for unit in range(0, layer.units, PIECE):
                views = kind.view(layer.read_units(signal, slice(unit, unit + PIECE), start, stop))
                span = slice(first + unit, first + unit + len(views))
                views -= places[span, None].astype(np.float32)
                sums[span] += views.sum(axis=1, dtype=np.float64)
                squares[span] += np.einsum("ut,ut->u", views, views)
                # Not a matrix product: a thread pool for such small ones waits more than it works.
                products[span] += np.einsum("ut,t->u", views, reference)
            first += layer.units
        yield Comparison(done / len(sample.windows), _correlations(sums, squares, products, symbols, own))


def _correlations(
    sums: NDArray[np.float64],
    squares: NDArray[np.float64],
    products: NDArray[np.float64],
    symbols: int,
    own: int,
) -> NDArray[np.float64]:
    """Of all cells with cell `own`, from moments over `symbols` symbols."""
    means = sums / symbols
    variances = np.maximum(squares / symbols - means**2, 0.0)
    covariances = products / symbols - means * means[own]
    scale = np.sqrt(variances * variances[own])
    moves = np.minimum(variances, variances[own]) > LEAST_VARIANCE
    found = np.full(len(sums), np.nan)
    found[moves] = np.clip(covariances[moves] / scale[moves], -1.0, 1.0)
    return found


def _means(model: CapturedModel, layer: int, signal: str) -> NDArray[np.float64]:
    statistics = model.layers[layer].statistics()
    means: NDArray[np.float64] = statistics.summary[statistics.signals.index(signal), :, 0]
    return np.nan_to_num(means)
