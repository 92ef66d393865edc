"""Which cell, and which of its signals: names people type (`1:37`) and steps they take."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.errors import InvalidRequest
from rnnviz.store.schema import STATISTICS
from rnnviz.store.statistics import LayerStatistics


@dataclass(frozen=True)
class Cell:
    """One unit of one layer, both counted from 0, written `layer:unit`."""

    layer: int
    unit: int

    def __str__(self) -> str:
        return f"{self.layer}:{self.unit}"


@dataclass(frozen=True)
class Reading:
    """One signal of a cell, written `layer:unit.signal`."""

    cell: Cell
    signal: str

    def __str__(self) -> str:
        return f"{self.cell}.{self.signal}"


def liveliest(statistics: LayerStatistics, signal: str) -> int | None:
    """The unit of a layer whose view of a signal deviates most from its mean over the text, the first of equals; None
    where no unit's deviation is known, as before the first symbol."""
    column = STATISTICS.index("deviation")
    deviation = statistics.summary[statistics.signals.index(signal), :, column]
    known = np.where(np.isnan(deviation), -np.inf, deviation)
    unit = int(np.argmax(known))
    return unit if np.isfinite(known[unit]) else None


def index_of(cell: Cell, units: tuple[int, ...]) -> int:
    """A cell's place among all cells of a model, layer after layer."""
    return sum(units[: cell.layer]) + cell.unit


def cell_at(index: int, units: tuple[int, ...]) -> Cell:
    """The cell at a place among all cells of a model, around at both ends."""
    index %= sum(units)
    for layer, count in enumerate(units):
        if index < count:
            return Cell(layer, index)
        index -= count
    raise AssertionError("unreachable: the index was reduced modulo the number of cells")


def parse_cell(name: str, units: tuple[int, ...], layer: int = 0) -> Cell:
    """The cell called `name` in a model whose layers have these numbers of units.

    A bare number is a unit of `layer`. Raises InvalidRequest for anything that is no such cell.
    """
    match = re.fullmatch(r"\s*(?:(\d{1,6})\s*:)?\s*(\d{1,9})\s*", name)
    example = f"{len(units) - 1}:{min(37, units[-1] - 1)}" if units else "1:37"
    if match is None:
        raise InvalidRequest(
            f"{name!r} is no cell", f"A cell is written layer:unit, both counted from 0, as in {example}."
        )
    cell = Cell(layer if match[1] is None else int(match[1]), int(match[2]))
    if cell.layer >= len(units):
        raise InvalidRequest(
            f"there is no layer {cell.layer}", f"The model has layers 0 to {len(units) - 1}, counted from 0."
        )
    if cell.unit >= units[cell.layer]:
        raise InvalidRequest(
            f"there is no unit {cell.unit} in layer {cell.layer}",
            f"That layer has units 0 to {units[cell.layer] - 1}, counted from 0.",
        )
    return cell


def step(cell: Cell, by: int, units: tuple[int, ...]) -> Cell:
    """The cell `by` cells further, going on into the next layer at a layer's end and around at the last."""
    return cell_at(index_of(cell, units) + by, units)


def step_over(cell: Cell, by: int, units: tuple[int, ...], hidden: NDArray[np.bool_]) -> Cell:
    """As `step`, but as if the hidden cells (bool [cell]) were not there; the same cell where all are hidden."""
    shown = np.flatnonzero(~hidden)
    if not len(shown):
        return cell
    place = int(np.searchsorted(shown, index_of(cell, units), side="right" if by > 0 else "left"))
    return cell_at(int(shown[(place + by - (by > 0)) % len(shown)]), units)


def to_layer(cell: Cell, by: int, units: tuple[int, ...]) -> Cell:
    """The cell of the same number `by` layers further (around at the last), or that layer's last unit."""
    layer = (cell.layer + by) % len(units)
    return Cell(layer, min(cell.unit, units[layer] - 1))
