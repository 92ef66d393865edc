"""The line at the bottom that names keys, and what can be clicked."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.analysis.cell_columns import Order
from rnnviz.analysis.cells import Cell
from rnnviz.store.reader import open_capture
from rnnviz.tui.launch.app import Explorer
from rnnviz.tui.paint.palette import Depth
from rnnviz.tui.screens.base.help_dialog import HelpScreen
from rnnviz.tui.screens.base.hints import Hint, chosen
from rnnviz.tui.screens.cells.cells_screen import CellsScreen
from rnnviz.tui.view.view import Panel, View
from support.captures import HandMade, make_capture, model_schema
from support.explored import Explored

TEXT = b"and so on\n" * 60
STAYS = (" c cells ", " h gates ", " t shade ", " / search ", " i type ", " ? keys ")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    path = tmp_path_factory.mktemp("hints") / "hand.zarr"
    return make_capture(path, TEXT, models=[model_schema(TEXT, layers=2, hidden=12)])


@pytest.fixture
async def ui(made: HandMade) -> AsyncIterator[Explored]:
    app = Explorer(open_capture(made.path), View("model", Cell(0, 3), "c"), Depth.TRUE, "dark")
    async with app.run_test(size=(80, 24)) as pilot:
        explored = Explored(app, pilot)
        await explored.press()
        yield explored


@given(
    st.lists(st.tuples(st.text("abc", min_size=1, max_size=4), st.integers(0, 9)), max_size=12),
    st.integers(0, 90),
)
def test_what_is_shown_fits_and_what_is_left_out_does_not_matter_more(
    words: list[tuple[str, int]], width: int
) -> None:
    hints = [Hint(str(place), what, f"action{place}") for place, (what, _) in enumerate(words)]
    used = {f"action{place}": times for place, (_, times) in enumerate(words)}
    shown = chosen(hints, width, ("2", "1"), used)
    assert shown == [hint for hint in hints if hint in shown]
    assert (taken := sum(hint.width for hint in shown)) <= width
    if len(hints) > 2:
        assert hints[2] in shown or hints[2].width > width
    for hint in hints:
        if hint not in shown:  # it has no room, even without all that are no more than it
            rest = [
                other for other in shown if other.keys not in "12" and used[other.action] > used[hint.action]
            ]
            assert taken - sum(other.width for other in rest) + hint.width > width


async def test_what_matters_most_stays_at_80_columns(ui: Explored) -> None:
    for keys in ("", "h", "escape", "v", "right", "escape", "j", "J", "?", "escape", "p", "c", "q"):
        if keys:
            await ui.press(keys)
        if ui.app.screen is ui.text:
            assert all(told in f"{ui.rows[-1]} " for told in STAYS), keys
            assert ui.view.above is not None or " p panels " in ui.rows[-1], keys


async def test_what_was_used_least_comes_first_once_one_comes_back(ui: Explored) -> None:
    before = ui.rows[-1]
    assert before.startswith(" j cell  c cells ")
    await ui.press("j", "j", "j", "s")
    assert ui.rows[-1] == before  # not while one presses keys
    await ui.press("?", "escape")
    assert " j cell " not in ui.rows[-1]
    assert " ] layer " in ui.rows[-1]
    await ui.press("]", *"j" * 9)
    await ui.pilot.resize_terminal(90, 24)
    await ui.press()
    assert " : to cell " in ui.rows[-1]


async def test_a_hint_can_be_clicked(ui: Explored) -> None:
    async def click(hint: str) -> None:
        await ui.pilot.click("#hints", offset=(ui.rows[-1].index(hint) + 1, 0))
        await ui.press()

    await click("j cell")
    assert ui.view.cell == Cell(0, 4)
    await click("h gates")
    assert ui.view.above is Panel.GATES
    await click("Esc closes")
    assert ui.view.above is None
    await click("? keys")
    assert isinstance(ui.app.screen, HelpScreen)
    await ui.press("escape")
    await click("c cells")
    await click("r reverse")
    assert ui.cells.cells.descending
    await click("Esc back")
    assert ui.app.screen is ui.text


async def test_the_names_of_columns_sort_and_a_double_click_opens(made: HandMade, ui: Explored) -> None:
    await ui.press("c")
    await ui.until(lambda: len(ui.cells.cells.columns) == 4, "all columns")

    async def click(name: str, order: Order, *, descending: bool) -> None:
        await ui.pilot.click("#canvas", offset=(ui.rows[1].index(name), 1))
        await ui.press()
        assert (ui.cells.cells.order, ui.cells.cells.descending) == (order, descending)

    await click("dev.", Order.DEVIATION, descending=True)
    view = np.tanh(made.signal(0, "c").astype(np.float64)), np.tanh(made.signal(1, "c").astype(np.float64))
    deviations = np.concatenate(view).std(axis=1)
    first = int(deviations.argmax())
    assert ui.cells.cells.cell == Cell(first // 12, first % 12)
    await click("dev.", Order.DEVIATION, descending=False)
    await click("mean", Order.MEAN, descending=True)
    await click("sat.", Order.SATURATION, descending=True)
    await click("cell", Order.LAYER, descending=False)
    await ui.pilot.click("#canvas", offset=(60, 1))  # no name stands over the strips
    assert ui.cells.cells.order is Order.LAYER

    await ui.pilot.click("#canvas", offset=(4, 2 + 14))
    await ui.press()
    assert ui.cells.cells.cell == Cell(1, 2)
    await ui.pilot.pause(0.7)
    await ui.pilot.click("#canvas", offset=(4, 2 + 14))  # a click later is no double click
    await ui.press()
    assert isinstance(ui.app.screen, CellsScreen)
    await ui.pilot.click("#canvas", offset=(4, 2 + 7), times=2)
    await ui.until(lambda: ui.app.screen is ui.text, "the text")
    assert ui.view.cell == Cell(0, 7)


async def test_the_status_line_has_line_and_column(ui: Explored) -> None:
    await ui.press("down", "down", "right", "right", "right")
    assert "  line 3:4 " in ui.rows[-2]
    await ui.press("G")
    assert f"  line {TEXT.count(10)}:10 " in ui.rows[-2]


async def test_the_histogram_of_the_signal_is_shown_once(ui: Explored) -> None:
    assert "√count" in ui.shown
    await ui.pilot.resize_terminal(200, 50)
    for key, once in (("h", False), ("v", True), ("escape", True)):
        await ui.press(key)
        assert ("√count" in ui.shown) is once, key
