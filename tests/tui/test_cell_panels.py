"""Strips, histograms side by side, saturation scatter, the table of cells: as pure functions of their values."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rnnviz.analysis.cell_columns import Order
from rnnviz.analysis.cells import Cell
from rnnviz.store.accumulator import LayerAccumulator
from rnnviz.store.signals import SIGNALS
from rnnviz.store.statistics import LayerStatistics
from rnnviz.tui.paint.grid import Grid, paint_of
from rnnviz.tui.paint.lines import Inks, Line, width_of
from rnnviz.tui.paint.palette import Depth, palette
from rnnviz.tui.panels.activity_strip import BLOCKS
from rnnviz.tui.panels.cell_table import CellRow, figure, heading, row_line, shown_columns
from rnnviz.tui.panels.gates import gate_lines, gates_shown
from rnnviz.tui.panels.scatter import MARK, Saturation, braille, gates_of, nearest, scatter_lines
from rnnviz.tui.panels.strips import activity_strip, strip
from rnnviz.tui.view.cell_list import CellList
from support.captures import SIGNALS_OF_KIND, count

DIVERGING = palette(Depth.TRUE, "dark", "diverging")
SEQUENTIAL = palette(Depth.TRUE, "dark", "sequential")
PALETTES = {name: SEQUENTIAL if signal.is_gate else DIVERGING for name, signal in SIGNALS.items()}
INKS = Inks.of(DIVERGING)


def text_of(lines: list[Line]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


def statistics(kind: str, units: int = 5) -> LayerStatistics:
    random = np.random.default_rng(3)
    layer = LayerAccumulator(SIGNALS_OF_KIND[kind], units)
    for name in SIGNALS_OF_KIND[kind]:
        low = 0.0 if SIGNALS[name].is_gate else -1.0
        count(layer, name, random.uniform(low, 1, (units, 1000)).astype(np.float16))
    return layer.statistics()


def test_a_strip_is_as_high_as_its_values_and_in_their_colours() -> None:
    drawn = strip(np.array([-1, 0, 1, np.nan], np.float32), SIGNALS["c"], DIVERGING)
    assert "".join(map(chr, drawn.codes)) == BLOCKS[0] + BLOCKS[4] + BLOCKS[7] + " "
    low, middle, high, missing = (paint_of(int(number)).foreground for number in drawn.inks)
    assert low == DIVERGING.theme.negative
    assert high == DIVERGING.theme.positive
    assert middle == DIVERGING.theme.faint  # where the level's own colour would be that of the ground
    assert missing == DIVERGING.theme.text


def test_a_strip_is_cut_where_its_place_ends() -> None:
    grid = Grid.blank(10, 2, INKS.plain)
    drawn = activity_strip(np.full(100, 3, np.float16), SIGNALS["c"], 8, DIVERGING)
    drawn.put(grid, 4, 1, 5)
    drawn.put(grid, 8, 0, 50)
    drawn.put(grid, 0, 2, 50)  # there is no such row
    assert text_of([grid.row(0), grid.row(1)]) == [" " * 8 + "██", " " * 4 + "█" * 5 + " "]


def dots(codes: NDArray[np.uint32]) -> set[tuple[int, int]]:
    """The dots of braille characters, as (column, row) from the top left, by the Unicode standard's numbering."""
    places = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]
    found = set()
    for y, x in np.ndindex(codes.shape):
        bits = int(codes[y, x]) - 0x2800
        found |= {(2 * x + dx, 4 * y + dy) for bit, (dx, dy) in enumerate(places) if bits >> bit & 1}
    return found


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=30), st.integers(1, 9), st.integers(1, 9)
)
def test_every_point_is_a_dot(points: list[tuple[float, float]], width: int, height: int) -> None:
    x, y = np.array([point[0] for point in points]), np.array([point[1] for point in points])
    expected = {
        (int(np.rint(px * (2 * width - 1))), int(np.rint((1 - py) * (4 * height - 1)))) for px, py in points
    }
    assert dots(braille(x, y, width, height)) == expected


def test_the_mark_moves_to_what_lies_in_the_direction() -> None:
    saturation = Saturation(
        right=np.array([0.2, 0.5, 0.2, 0.0, 0.2]), left=np.array([0.2, 0.25, 0.6, 0.2, 0.2])
    )
    assert nearest(saturation, 0, right=1, up=0) == 1
    assert nearest(saturation, 0, right=-1, up=0) == 3
    assert nearest(saturation, 0, right=0, up=1) == 2
    assert nearest(saturation, 0, right=0, up=-1) == 0  # nothing lies there
    assert nearest(saturation, 1, right=-1, up=0) == 0  # of two at one place, the first


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize(("width", "height"), [(80, 9), (120, 15), (200, 18), (20, 4), (9, 3)])
def test_panels_fill_their_place_and_no_more(kind: str, width: int, height: int) -> None:
    layer = statistics(kind)
    signals = SIGNALS_OF_KIND[kind]
    for chosen in signals:
        above = gate_lines(layer, signals, chosen, 2, {chosen: 0.3}, width, height, PALETTES)
        scatter = scatter_lines(layer, gates_of(signals), gates_of(signals)[0], 2, width, height, PALETTES)
        for lines in (above, scatter):
            assert len(lines) <= max(height, 4)
            assert all(width_of(line) <= width for line in lines)
        assert sum(f"▸{chosen}" in line for line in text_of(above)) == 1
        assert chosen in gates_shown(signals, chosen, width)


def test_histograms_carry_the_marks_of_saturation() -> None:
    layer = statistics("lstm")
    lines = text_of(gate_lines(layer, ("i", "f"), "f", 1, {"f": 0.55}, 84, 12, PALETTES))
    axis = lines[9]
    assert axis[:41].index("┴") == 4  # 0.1 of 41 columns
    assert axis[:41].rindex("┴") == 36
    assert axis[42:].index("▲") == 22  # 0.55 of 41 columns
    shares = layer.of("f", 1)
    assert f"<.1 {shares.low:.0%}" in lines[10]
    assert f"{shares.high:.0%} >.9" in lines[10]
    assert f"mean {shares.mean:+.2f} ± {shares.deviation:.2f}" in lines[11]


def test_the_scatter_marks_the_unit_where_it_is() -> None:
    layer = LayerAccumulator(("r",), 3)
    gates = np.full((3, 100), 0.5, np.float16)
    gates[1, :80], gates[2, :50], gates[2, 50:] = 0.95, 0.05, 0.95
    count(layer, "r", gates)
    lines = text_of(scatter_lines(layer.statistics(), ("r",), "r", 2, 60, 14, PALETTES))
    assert "<0.1 50% · >0.9 50%" in lines[0]
    where = [(x, y) for y, line in enumerate(lines) for x, code in enumerate(line) if code == MARK]
    assert where == [(4 + round(0.5 * 54), 1 + round(0.5 * 11))]
    bottom = lines[12]  # the row of the units that are never left-saturated
    assert [x for x, code in enumerate(bottom) if code != " " and x > 3][:2] == [4, 4 + round(0.8 * 54)]


def test_a_row_of_the_table() -> None:
    columns = (Order.MEAN, Order.SWITCHING)
    row = CellRow(Cell(1, 37), (-0.25, 0.0123), marked=True, note="*")
    assert text_of([row_line(row, columns, 80, INKS)]) == ["▸*1:37     -0.250    1.2%"]
    title = text_of([heading(columns, Order.SWITCHING, True, "activity", 80, INKS)])[0]
    assert title == "  cell       mean switch↓  activity"
    assert figure(Order.SIMILARITY, float("nan")) == "·"
    assert figure(Order.DEVIATION, 0.5) == "0.500"
    assert shown_columns(list(Order)[1:], Order.SIMILARITY, 40) == (Order.MEAN, Order.SIMILARITY)


def test_the_list_keeps_its_mark_on_the_screen() -> None:
    cells = CellList((10, 30), Cell(1, 5))
    assert cells.rows(8).tolist() == list(range(8, 16))
    cells.move(-3)
    assert cells.rows(8).tolist() == list(range(8, 16))
    cells.move(-10)
    assert cells.rows(8).tolist() == list(range(2, 10))
    cells.move(100)
    assert cells.rows(8).tolist() == list(range(32, 40))
    cells.filter_by("0:")
    assert cells.rows(8).tolist() == list(range(2, 10))
    assert cells.cell == Cell(0, 9)  # the mark was on a cell that is gone
    cells.filter_by("0:7 nonsense")
    assert cells.mistake is not None
    assert len(cells.places) == 10  # the last good filter holds
    cells.filter_by("")
    cells.learn({Order.DEVIATION: np.where(np.arange(40) % 2, 0.001, 0.5)})
    assert cells.dead == 20
    cells.hides_dead = True
    cells.sort_by(Order.DEVIATION)
    assert cells.places.tolist() == list(range(0, 40, 2))
    assert cells.marked == 0


@given(st.lists(st.integers(-50, 50), max_size=20), st.integers(1, 40))
def test_wherever_the_mark_goes_it_is_shown(steps: list[int], height: int) -> None:
    cells = CellList((10, 30), Cell(0, 0))
    for by in steps:
        cells.move(by)
        rows = cells.rows(height).tolist()
        assert cells.marked in rows
        assert len(rows) == min(height, 40)
        assert all(b - a == 1 for a, b in pairwise(rows))
