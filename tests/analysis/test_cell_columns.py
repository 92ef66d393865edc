"""The list of cells: sorting, hiding, filtering."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.analysis.cell_columns import Bound, Filter, Order, dead, ordered, parse_filter, statistics_columns
from rnnviz.analysis.cells import Cell, cell_at, index_of
from rnnviz.store.accumulator import LayerAccumulator
from rnnviz.store.errors import InvalidRequest
from support.captures import count

UNITS = (3, 12)
NAN = np.nan
ALL = np.ones(15, dtype=np.bool_)


def test_columns_come_from_the_statistics_of_the_layers() -> None:
    layer = LayerAccumulator(("c", "f"), 3)
    gate = np.array([[0, 0, 1, 0.5], [0.5] * 4, [1, 1, 1, 1]], np.float16)
    count(layer, "c", gate)
    count(layer, "f", gate)
    columns = statistics_columns([layer.statistics(), None], "f", UNITS)
    assert columns[Order.MEAN][:3].tolist() == pytest.approx([0.375, 0.5, 1])
    assert columns[Order.SATURATION][:3].tolist() == [0.75, 0, 1]
    assert np.isnan(columns[Order.MEAN][3:]).all()
    assert dead(columns).tolist() == [False, True, True, *[False] * 12]


def test_unknown_numbers_come_last_either_way() -> None:
    columns = {Order.MEAN: np.array([0.5, NAN, -1, 0.5, 2, *[NAN] * 10])}
    assert ordered(ALL, columns, Order.MEAN, descending=True)[:5].tolist() == [4, 0, 3, 2, 1]
    assert ordered(ALL, columns, Order.MEAN, descending=False)[:5].tolist() == [2, 0, 3, 4, 1]
    assert ordered(ALL, columns, Order.LAYER, descending=True)[:2].tolist() == [14, 13]
    assert len(ordered(ALL, {}, Order.SIMILARITY, descending=True)) == 15


def test_filters() -> None:
    columns = {Order.DEVIATION: np.linspace(0, 1.4, 15), Order.SATURATION: np.full(15, NAN)}

    def shown(text: str) -> list[str]:
        return [
            str(cell_at(int(i), UNITS)) for i in np.flatnonzero(parse_filter(text).passes(columns, UNITS))
        ]

    assert shown("") == [str(cell_at(place, UNITS)) for place in range(15)]
    assert shown("0:") == ["0:0", "0:1", "0:2"]
    assert shown("1:1") == ["1:1", "1:10", "1:11"]
    assert shown("0:2 1:11") == ["0:2", "1:11"]
    assert shown("deviation > 1.25") == ["1:10", "1:11"]
    assert shown("1:1 dev<60%") == ["1:1"]
    assert shown("sat>0") == []  # not known
    assert shown("sim>0") == []
    assert parse_filter("mean>-.5") == Filter((), (Bound(Order.MEAN, ">", -0.5),))


@pytest.mark.parametrize("text", ["x", "s>1", "layer>1", "dev", "dev>", "dev>x", "1:2:3", "dev>.", ">1"])
def test_what_is_no_filter_says_so(text: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_filter(text)


def test_a_share_is_per_cent_or_at_most_1() -> None:
    assert parse_filter("switch<10%") == Filter((), (Bound(Order.SWITCHING, "<", 0.1),))
    assert parse_filter("sat>.5 sat<1") == parse_filter("sat>50% sat<100%")
    assert parse_filter("mean<1.5 dev<3").bounds[0] == Bound(Order.MEAN, "<", 1.5), "no shares"
    for text, hint in (
        ("dev>0.4 switch<10", "Type switch<10% for per cent."),
        ("SAT > 62.3", "Type sat>62.3% for per cent."),
        ("sat>101", "Type a number from 0% to 100%."),
        ("sat>101%", "Type a number from 0% to 100%."),
    ):
        with pytest.raises(InvalidRequest, match=r"is a share of all symbols|is 100% at most") as caught:
            parse_filter(text)
        assert caught.value.hint == hint


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(-100, 100))
def test_places_of_cells(units: list[int], index: int) -> None:
    cell = cell_at(index, tuple(units))
    assert index_of(cell, tuple(units)) == index % sum(units)
    assert 0 <= cell.unit < units[cell.layer]
    assert cell_at(index_of(Cell(0, 0), tuple(units)), tuple(units)) == Cell(0, 0)
