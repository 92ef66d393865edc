"""Cells that a person hides as dead: steps pass over them, in the text as in the list, and the screen says so."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.analysis.cell_columns import DEAD
from rnnviz.analysis.cells import Cell, cell_at, index_of, step, step_over
from rnnviz.store.reader import open_capture
from rnnviz.store.signals import SIGNALS
from rnnviz.tui.launch.app import Explorer
from rnnviz.tui.paint.palette import Depth
from rnnviz.tui.view.address import address_of, view_at
from rnnviz.tui.view.view import View
from support.captures import HandMade, make_capture, model_schema
from support.explored import Explored
from support.terminal import Terminal

TEXT = b"and so on\n" * 60
UNITS = 12
DEAD_UNITS = ([1, 2, 11], [0, 5])
"""Of each layer, those whose c never moves; of f only 0:3."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    random = np.random.default_rng(5)
    values = {}
    for layer, units in enumerate(DEAD_UNITS):
        array = random.normal(size=(UNITS, len(TEXT))).astype(np.float16)
        array[units] = np.float16(0.3)
        values[f"models/model/layers/{layer}/c"] = array
    gate = random.uniform(0, 1, (UNITS, len(TEXT))).astype(np.float16)
    gate[3] = 1
    values["models/model/layers/0/f"] = gate
    path = tmp_path_factory.mktemp("hidden") / "hand.zarr"
    return make_capture(path, TEXT, models=[model_schema(TEXT, layers=2, hidden=UNITS)], values=values)


def alive(made: HandMade, signal: str) -> list[Cell]:
    """The cells whose view deviates enough, from the values that were put into the capture."""
    return [
        Cell(layer, unit)
        for layer in range(2)
        for unit in range(UNITS)
        if SIGNALS[signal].view(made.signal(layer, signal)[unit]).std() >= DEAD
    ]


@pytest.fixture
async def ui(made: HandMade) -> AsyncIterator[Explored]:
    app = Explorer(open_capture(made.path), View("model", Cell(0, 0), "c"), Depth.TRUE, "dark")
    async with app.run_test(size=(100, 30)) as pilot:
        yield Explored(app, pilot)


async def test_steps_pass_over_cells_that_were_hidden_in_the_list(made: HandMade, ui: Explored) -> None:
    cells = alive(made, "c")
    assert len(cells) == 2 * UNITS - 5
    await ui.press("c", "z", "escape")
    assert "5 dead hidden" in ui.rows[0]
    for by, key in ((1, "j"), (-1, "k"), (10, "J"), (-10, "K")):
        for _ in range(4):
            expected = cells[(cells.index(ui.view.cell) + by) % len(cells)]
            await ui.press(key)
            assert ui.view.cell == expected
    await ui.press("s", "s", "s")  # of the forget gate, only 0:3 is dead
    assert ui.view.signal == "f"
    assert "1 dead hidden" in ui.rows[0]
    await ui.press(":", *"0:2", "enter", "j")
    assert ui.view.cell == Cell(0, 4)


async def test_the_list_and_the_text_agree_and_both_show_them_again(ui: Explored) -> None:
    await ui.press("z")
    assert "5 dead hidden" in ui.rows[0]
    await ui.press("c")
    assert "19 of 24 cells" in ui.rows[0]
    assert "5 dead hidden" in ui.shown
    await ui.press("z", "q")
    assert "hidden" not in ui.rows[0]
    await ui.press("j")
    assert ui.view.cell == Cell(0, 1)
    await ui.press("z", "z", "c")
    assert "24 cells" in ui.rows[0]


async def test_a_dead_cell_can_be_gone_to_by_name_and_left(ui: Explored) -> None:
    await ui.press("z", ":", *"1:5", "enter")
    assert ui.view.cell == Cell(1, 5)
    await ui.press("j")
    assert ui.view.cell == Cell(1, 6)
    await ui.press(":", *"1:5", "enter", "k")
    assert ui.view.cell == Cell(1, 4)


async def test_a_view_that_hides_them_opens_so(made: HandMade) -> None:
    capture = open_capture(made.path)
    view = view_at("0:0,dead=hidden", capture)
    assert view_at(address_of(view), capture) == view
    app = Explorer(capture, view, Depth.TRUE, "dark")
    async with app.run_test(size=(60, 20)) as pilot:
        ui = Explored(app, pilot)
        await ui.press()
        assert "5 dead hidden" in ui.rows[0]
        await ui.press("j")
        assert ui.view.cell == Cell(0, 3)


def test_hidden_cells_in_a_terminal(made: HandMade) -> None:
    with Terminal(["browse", str(made.path), "--cell", "0:0"]) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("c")
        terminal.wait_for_text("24 cells")
        terminal.press("z")
        terminal.wait_for_text("5 dead hidden")
        terminal.press("c")
        terminal.wait_for(lambda: "5 dead hidden" in terminal.row(0), "how many are hidden")
        terminal.press("j")
        terminal.wait_for_text("0:3 tanh(c)")
        terminal.press("q")
        assert terminal.wait_for_exit() == 0


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.data())
def test_steps_over_hidden_cells_are_steps_among_the_others(units: list[int], data: st.DataObject) -> None:
    sizes, count = tuple(units), sum(units)
    hidden = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    cell = cell_at(data.draw(st.integers(0, count - 1)), sizes)
    by = data.draw(st.integers(-12, 12).filter(bool))
    found = step_over(cell, by, sizes, hidden)
    shown = np.flatnonzero(~hidden).tolist()
    if not shown:
        assert found == cell
        return
    place = index_of(cell, sizes)
    way = [(place + n * (1 if by > 0 else -1)) % count for n in range(1, count * 13)]
    assert found == cell_at([at for at in way if at in shown][abs(by) - 1], sizes)
    if not hidden.any():
        assert found == step(cell, by, sizes)
