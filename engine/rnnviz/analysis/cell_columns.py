"""The cells of a model as a list: by what it is sorted, which of them it shows.

A *column* is one number per cell, float64 [cell], layer after layer, NaN where it is not known (yet). Anything that
can be said of a cell in a number is one more column: it is then shown, sorted by and filtered by like the others.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rnnviz.analysis.cells import cell_at
from rnnviz.store.errors import InvalidRequest
from rnnviz.store.schema import STATISTICS
from rnnviz.store.statistics import LayerStatistics

DEAD = 0.01
"""A cell whose view deviates by less than this from its mean, over the whole text, is called dead."""


class Order(StrEnum):
    """What cells can be sorted by; all but the layer are columns.

    The correlation with a track of the text joins as a member here and a column that `CellList.learn` is given.
    """

    LAYER = "layer"
    MEAN = "mean"
    DEVIATION = "deviation"
    SATURATION = "saturation"
    SWITCHING = "switching"
    SIMILARITY = "similarity"


SHARES = (Order.SATURATION, Order.SWITCHING)
"""Columns of shares of all symbols, which people see and type in per cent."""

Columns = Mapping[Order, NDArray[np.float64]]


def statistics_columns(
    layers: Sequence[LayerStatistics | None], signal: str, units: tuple[int, ...]
) -> dict[Order, NDArray[np.float64]]:
    """Mean, deviation and saturation of every cell's `signal`, as far as the layers' statistics are read.

    Saturation is the share of symbols saturated at either end.
    """
    rows = [
        np.full((count, len(STATISTICS)), np.nan)
        if layer is None
        else layer.summary[layer.signals.index(signal)]
        for layer, count in zip(layers, units, strict=True)
    ]
    mean, deviation, _, _, low, high = np.concatenate(rows).T
    return {Order.MEAN: mean, Order.DEVIATION: deviation, Order.SATURATION: low + high}


def dead(columns: Columns) -> NDArray[np.bool_]:
    """Which cells are known to be dead: bool [cell]."""
    found: NDArray[np.bool_] = columns[Order.DEVIATION] < DEAD
    return found


def dead_cells(
    layers: Sequence[LayerStatistics | None], signal: str, units: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Which cells are known to be dead in a signal, as far as the layers' statistics are read: bool [cell]."""
    return dead(statistics_columns(layers, signal, units))


def ordered(
    shown: NDArray[np.bool_], columns: Columns, order: Order, *, descending: bool
) -> NDArray[np.int64]:
    """The places of the cells that are shown, sorted: int64. Unknown numbers come last, equal ones by cell."""
    places = np.flatnonzero(shown)
    if order is Order.LAYER:
        return places[::-1] if descending else places
    values = columns[order][places] if order in columns else np.full(len(places), np.nan)
    found: NDArray[np.int64] = places[np.argsort(-values if descending else values, kind="stable")]
    return found


@dataclass(frozen=True)
class Bound:
    """A column above or below a number: `deviation>0.2`."""

    order: Order
    sign: str
    value: float


@dataclass(frozen=True)
class Filter:
    """Cells whose name begins with one of `names` (any, if there is none) and that lie within all bounds."""

    names: tuple[str, ...] = ()
    bounds: tuple[Bound, ...] = ()

    def passes(self, columns: Columns, units: tuple[int, ...]) -> NDArray[np.bool_]:
        """bool [cell]. A number that is not known passes no bound."""
        count = sum(units)
        shown = np.ones(count, dtype=np.bool_)
        if self.names:
            named = (str(cell_at(place, units)).startswith(self.names) for place in range(count))
            shown = np.fromiter(named, dtype=np.bool_, count=count)
        for bound in self.bounds:
            known = columns.get(bound.order)
            shown &= False if known is None else _SIGNS[bound.sign](known, bound.value)
        return shown


_SIGNS = {"<": operator.lt, ">": operator.gt}
_BOUND = re.compile(r"([a-z]+)\s*([<>])\s*(-?\d*\.?\d+)(%?)")
_NAME = re.compile(r"\d+(:\d*)?")


def parse_filter(text: str) -> Filter:
    """What a person types to see fewer cells: beginnings of names and bounds, as in `1:3 0: deviation>0.2`.

    A column may be cut short as long as it is clear (`dev`, `sat`), and a number may be per cent. A share above 1 must
    be: `switch<10` would mean 1000 %, and `switch<1` is 100 %. Raises InvalidRequest for anything else.
    """
    names: list[str] = []
    bounds: list[Bound] = []
    for word in re.sub(r"\s*([<>])\s*", r"\1", text).split():
        if match := _BOUND.fullmatch(word.lower()):
            value, column = float(match[3]) / (100 if match[4] else 1), _column(match[1])
            if column in SHARES and value > 1:
                raise _too_large(word, column, f"{match[1]}{match[2]}{match[3]}", per_cent=bool(match[4]))
            bounds.append(Bound(column, match[2], value))
        elif _NAME.fullmatch(word):
            names.append(word)
        else:
            raise InvalidRequest(f"{word!r} is no filter", "Type 1: or 1:3, or deviation>0.2.")
    return Filter(tuple(names), tuple(bounds))


def _too_large(word: str, column: Order, bound: str, *, per_cent: bool) -> InvalidRequest:
    if per_cent or float(re.split("[<>]", bound)[1]) > 100:
        return InvalidRequest(f"{word!r}: {column} is 100% at most", "Type a number from 0% to 100%.")
    return InvalidRequest(f"{word!r}: {column} is a share of all symbols", f"Type {bound}% for per cent.")


def _column(name: str) -> Order:
    columns = [order for order in Order if order is not Order.LAYER]
    found = [order for order in columns if order.startswith(name)]
    if len(found) != 1:
        raise InvalidRequest(f"{name!r} is no column", f"There are {', '.join(columns)}.")
    return found[0]
