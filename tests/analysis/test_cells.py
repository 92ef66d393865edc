"""Cells by name and by steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.analysis.cells import Cell, liveliest, parse_cell, step, to_layer
from rnnviz.store.accumulator import LayerAccumulator
from rnnviz.store.errors import InvalidRequest
from support.captures import count

UNITS = (4, 3)


def test_a_cell_is_read_as_it_is_written() -> None:
    assert parse_cell("1:2", UNITS) == Cell(1, 2)
    assert parse_cell(" 0 : 3 ", UNITS) == Cell(0, 3)
    assert parse_cell("3", UNITS) == Cell(0, 3)
    assert parse_cell("2", UNITS, layer=1) == Cell(1, 2)  # a bare number stays in the layer one looks at


@pytest.mark.parametrize("name", ["", "a", "1:", ":1", "1:2:3", "-1:2", "1.5", "2:0", "0:4", "1:3", "9" * 30])
def test_what_is_no_cell_is_refused_with_what_would_be(name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_cell(name, UNITS)
    assert caught.value.hint


@given(st.integers(0, 6), st.integers(-100, 100))
def test_steps_go_through_all_cells_in_order_and_around(index: int, by: int) -> None:
    cells = [Cell(0, 0), Cell(0, 1), Cell(0, 2), Cell(0, 3), Cell(1, 0), Cell(1, 1), Cell(1, 2)]
    assert step(cells[index], by, UNITS) == cells[(index + by) % 7]


def test_a_layer_on_keeps_the_unit_where_it_can() -> None:
    assert to_layer(Cell(0, 1), 1, UNITS) == Cell(1, 1)
    assert to_layer(Cell(0, 3), 1, UNITS) == Cell(1, 2)
    assert to_layer(Cell(1, 1), 1, UNITS) == Cell(0, 1)
    assert to_layer(Cell(0, 1), -1, UNITS) == Cell(1, 1)


def test_the_liveliest_unit_is_that_whose_view_deviates_most() -> None:
    layer = LayerAccumulator(("c", "f"), 4)
    assert liveliest(layer.statistics(), "c") is None, "nothing is counted yet"
    # tanh(c) of the second is nearly as constant as that of the first, though its c is not.
    cells = np.array([[0.1, 0.1, 0.1, 0.1], [5, 50, 5, 50], [-1, 1, -1, 1], [1, -1, 1, -1]], np.float16)
    count(layer, "c", cells)
    count(layer, "f", np.array([[0, 1, 0, 1], *[[0.5] * 4] * 3], np.float16))
    assert liveliest(layer.statistics(), "c") == 2, "the first of equals"
    assert liveliest(layer.statistics(), "f") == 0
