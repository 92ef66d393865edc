"""The keys for cells, gates, pins and conditions: pressed in the explorer, and read from a terminal's screen."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from textual.binding import Binding

from rnnviz.analysis import switching as activity
from rnnviz.analysis.cell_columns import Order
from rnnviz.analysis.cells import Cell, Reading
from rnnviz.store.reader import open_capture
from rnnviz.store.signals import SIGNALS
from rnnviz.tui.launch.app import Explorer
from rnnviz.tui.launch.headless_picture import screen_lines
from rnnviz.tui.paint.palette import Depth
from rnnviz.tui.paint.shading import Shade
from rnnviz.tui.panels.scatter import MARK
from rnnviz.tui.screens.base.message_dialog import MessageScreen
from rnnviz.tui.screens.cells.cells_screen import CellsScreen
from rnnviz.tui.screens.text.text_screen import TextScreen
from rnnviz.tui.view.view import Panel, View
from support.captures import HandMade, hand_made, hand_made_tokens, make_capture, model_schema, write_capture
from support.explored import Explored
from support.terminal import Terminal

TEXT = "\n".join(f"line {number}: " + "x" * (number % 40) for number in range(200)).encode() + b"\n"
LENGTHS = [4000, len(TEXT) - 4000]
UNITS = 20


def values() -> dict[str, NDArray[np.float16]]:
    """Unit 1:7 goes with 0:3, 1:8 against it, 1:9 never moves."""
    random = np.random.default_rng(11)
    lower, upper = (random.normal(size=(UNITS, len(TEXT))).astype(np.float16) for _ in range(2))
    upper[7], upper[8], upper[9] = lower[3], -lower[3], np.float16(0.4)
    return {"models/model/layers/0/c": lower, "models/model/layers/1/c": upper}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    path: Path = tmp_path_factory.mktemp("cells") / "hand.zarr"
    models = [model_schema(TEXT, layers=2, hidden=UNITS)]
    return make_capture(path, TEXT, models=models, lengths=LENGTHS, values=values())


def views(made: HandMade, layer: int, signal: str) -> NDArray[np.float32]:
    return SIGNALS[signal].view(made.signal(layer, signal))


def explorer(made: HandMade, cell: Cell | None = None, signal: str = "c") -> Explorer:
    view = View("model", cell or Cell(0, 3), signal)
    return Explorer(open_capture(made.path), view, Depth.TRUE, "dark")


async def test_the_list_sorts_filters_and_goes_to_a_cell(made: HandMade) -> None:
    app = explorer(made)
    async with app.run_test(size=(80, 24)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("c")
        assert "40 cells" in ui.rows[0]
        assert ui.rows[2 + 3].startswith("▸•0:3 ")
        deviations = np.concatenate([views(made, layer, "c").std(axis=1) for layer in (0, 1)])
        assert f"{deviations[3]:.3f}" in ui.rows[5]

        await ui.press("right", "right")
        best = int(deviations.argmax())
        assert ui.rows[2].startswith(f"▸{'•' if best == 3 else ' '}{best // UNITS}:{best % UNITS} ")
        await ui.press("r")
        assert ui.rows[2].startswith("▸ 1:9 ")  # it never moves
        assert "1 dead" in ui.rows[22]
        await ui.press("z")
        assert "1 dead hidden" in ui.rows[22]
        assert "39 of 40 cells" in ui.rows[0]

        await ui.press("1", ":", "1")
        assert ui.rows[23].startswith(" show 1:1 ")
        assert "11 of 40 cells" in ui.rows[0]
        await ui.press("3", "backspace", "3", "enter")
        assert "1 of 40 cells" in ui.rows[0]
        await ui.press("enter")
        assert ui.view.cell == Cell(1, 13)
        assert ui.app.screen is ui.text

        await ui.press("c", "/", "ctrl+u", *"dev>2", "enter")  # over the filter that was left
        assert "no cell passes" in ui.shown
        await ui.press("escape", "/", *"1: nonsense", "enter")
        assert ui.rows[22].startswith(" show 1: nonsense ")  # to be mended, with what is wrong
        assert ui.rows[23].startswith(" 'nonsense' is no filter. Type ")
        await ui.press("1", ":", "enter")
        assert "19 of 40 cells" in ui.rows[0]
        await ui.press("/", "ctrl+u", "0")
        assert "20 of 40 cells" in ui.rows[0]
        assert ui.rows[23].startswith(" show 0 ")
        await ui.press("escape")  # the filter there was before
        assert "19 of 40 cells" in ui.rows[0]
        assert "show 1:" in ui.rows[22]
        await ui.press("escape", "escape")
        assert ui.view.cell == Cell(1, 13)  # back where one was


async def test_the_list_opens_sorted_and_filtered_as_it_was_left(made: HandMade) -> None:
    app = explorer(made)
    async with app.run_test(size=(80, 24)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("c", *["right"] * 4, "r", "/", *"dev>0.01", "enter")
        listed = [row[:40] for row in ui.rows[1:20]]
        assert "39 of 40 cells" in ui.rows[0]
        await ui.press("down", "enter")
        assert str(ui.view.cell) in listed[2]

        await ui.press("c")
        assert "39 of 40 cells" in ui.rows[0]
        assert [row[2:40] for row in ui.rows[2:20]] == [row[2:] for row in listed[1:]]
        assert ui.rows[3].startswith("▸")  # the mark is on the cell that was chosen
        await ui.press("=", "escape", "enter", "c")  # compares, ends the filter, opens; and again
        assert "40 cells" in ui.rows[0]
        assert ui.rows[1].startswith("  cell↑")


async def test_closing_the_saturation_panel_shows_again_what_was_shown(made: HandMade) -> None:
    app = explorer(made)
    async with app.run_test(size=(80, 24)) as pilot:
        ui = Explored(app, pilot)
        ways = {"v": ("c", None), "escape": ("c", None), "h": ("c", Panel.GATES)}
        for closes, (signal, above) in ways.items():
            await ui.press("v", "s")
            assert ui.view.signal != "c"
            await ui.press("right", closes)
            assert (ui.view.signal, ui.view.above) == (signal, above), closes
            assert "tanh(c)" in ui.rows[0]
        ui.text.look(replace(ui.view, left="model"))
        await ui.press("h", "s", "t", "v")  # h, shaded by the model's surprisal
        assert (ui.view.signal, ui.view.shade) == ("i", Shade.CELL)
        await ui.press("c", "s", "enter", "v")
        assert (ui.view.signal, ui.view.shade) == ("h", Shade.LEFT)
        await ui.press("t", "s", "v", "v")  # a gate, which the panel shows itself
        assert ui.view.signal == "i"


async def test_the_mouse_marks_and_goes_to_a_cell(made: HandMade) -> None:
    app = explorer(made)
    async with app.run_test(size=(80, 24)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("c")
        await pilot.click("#canvas", offset=(30, 2 + 9))
        await ui.until(lambda: ui.rows[11].startswith("▸ 0:9"), "the mark")
        await pilot.click("#canvas", offset=(30, 0))  # no cell
        await pilot.click("#canvas", offset=(2, 2 + 9), times=2)
        await ui.until(lambda: ui.app.screen is ui.text, "the text")
        assert ui.view.cell == Cell(0, 9)


async def test_switching_is_what_it_says(made: HandMade) -> None:
    app = explorer(made, signal="f")
    async with app.run_test(size=(120, 40)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("c")
        await ui.press("left", "r")  # the last column is switching, once it is known
        assert ui.cells.cells.order is Order.SWITCHING
        on = np.concatenate([views(made, layer, "f") for layer in (0, 1)]) > 0.5
        joined = np.arange(1, len(TEXT)) != LENGTHS[0]
        rates = (on[:, 1:] != on[:, :-1])[:, joined].mean(axis=1)
        least = int(rates.argmin())
        assert ui.rows[2][2:].startswith(f"{least // UNITS}:{least % UNITS} ")
        assert f"{rates[least]:.1%}" in ui.rows[2]


async def test_cells_like_this_one_and_its_opposite(made: HandMade) -> None:
    app = explorer(made)
    async with app.run_test(size=(100, 30)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("=")
        assert ui.rows[2].startswith("▸=0:3 ")
        assert "+1.000" in ui.rows[3]
        assert ui.rows[3].startswith("  1:7 ")
        assert "correlation with 0:3" in ui.rows[28]
        await ui.press("r")
        assert ui.rows[2].startswith("▸ 1:8 ")
        assert "-1.000" in ui.rows[2]
        await ui.press("G")
        assert ui.cells.cells.cell == Cell(1, 9)  # unknown is last
        await ui.press("g", "=")
        assert ui.rows[2].startswith("▸=1:8 ")
        await ui.press("s")
        assert "hidden state" in ui.rows[0]
        assert ui.rows[2].startswith("▸=1:8 ")
        await ui.press("enter")
        assert ui.view == View("model", Cell(1, 8), "h")


async def test_escape_stops_a_comparison_and_then_goes_back(
    made: HandMade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "WINDOW", 4)  # 1,500 windows: it would take seconds
    app = explorer(made)
    async with app.run_test(size=(100, 30)) as pilot:
        ui = Explored(app, pilot)
        await pilot.press("=")
        await ui.until(lambda: "similarity" in ui.rows[28] and "Esc stops it" in ui.rows[28], "the progress")
        await pilot.press("escape")
        await ui.until(lambda: "Esc stops it" not in ui.rows[28], "the end of it")
        stopped = ui.cells.cells.columns[Order.SIMILARITY]
        await pilot.pause(0.2)
        assert ui.cells.cells.columns[Order.SIMILARITY] is stopped
        await pilot.press("escape")
        await ui.until(lambda: ui.app.screen is ui.text, "the text")


def test_every_key_means_one_thing() -> None:
    for groups in (TextScreen.key_groups(), [("", keys_in(CellsScreen))]):
        keys = [key for _, bindings in groups for binding in bindings for key in binding.key.split(",")]
        assert sorted(keys) == sorted(set(keys))


def keys_in(screen: type[CellsScreen]) -> list[Binding]:
    return [binding for binding in screen.BINDINGS if isinstance(binding, Binding)]


async def test_pins_stand_under_each_row_of_text(made: HandMade) -> None:
    app = explorer(made)
    async with app.run_test(size=(100, 30)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("*", "j", "*")
        assert ui.view.pins == (Reading(Cell(0, 3), "c"), Reading(Cell(0, 4), "c"))
        assert "0:3.c 0:4.c" in ui.rows[0]
        assert ui.rows[1].startswith("line 0: ↵")
        assert ui.rows[4].startswith("line 1: x↵")
        blocks = "▁▂▃▄▅▆▇█"
        for pin, row in ((3, 5), (4, 6)):
            shown = views(made, 0, "c")[pin, 9:19]
            expected = "".join(blocks[min(int((value + 1) / 2 * 8), 7)] for value in shown.tolist())
            assert ui.rows[row][:10] == expected
        await ui.press("pagedown", "G", "end")
        assert ui.view.cursor == len(TEXT) - 1
        await ui.press("c", "down", "*", "down", "*", "down", "*", "escape")
        assert len(ui.view.pins) == 4  # no more than four
        await ui.press("P")
        assert ui.view.pins == ()


async def test_histograms_stand_over_the_text_and_all_keys_go_on(made: HandMade) -> None:
    app = explorer(made)
    async with app.run_test(size=(80, 24)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("h")
        for name in "chifog":
            assert f"{name} " in ui.rows[1]
        assert "▸c" in ui.rows[1]
        assert ui.rows[6].count("▲") == 6
        assert ui.rows[8].startswith("line 0: ↵")
        await ui.press("s", "s", "s", "j", "right")
        assert "▸f" in ui.rows[1]
        assert (ui.view.cell, ui.view.signal, ui.view.cursor) == (Cell(0, 4), "f", 1)
        share = float((views(made, 0, "f")[4] > 0.9).mean())
        assert f"{share:.0%}" in ui.rows[7]
        await ui.press("escape")
        assert ui.rows[1].startswith("line 0: ↵")


async def test_the_mark_of_the_scatter_moves_and_the_text_recolours(made: HandMade) -> None:
    app = explorer(made)
    async with app.run_test(size=(120, 40)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("v")
        assert ui.view.signal == "i"  # c is no gate
        assert ui.shown.count(MARK) == 3
        right = [float((unit > 0.9).mean()) for unit in views(made, 0, "i")]
        before = ui.view.cell.unit
        await ui.press("right")
        after = ui.view.cell.unit
        assert right[after] > right[before]
        await ui.press("up", "down", "left", "s")
        assert ui.view.signal == "f"
        assert ui.view.cursor == 0  # the arrows were the mark's
        await ui.press("v", "right")
        assert ui.view.cursor == 1
        assert MARK not in ui.shown


async def test_jumps_to_where_a_gate_opens_closes_and_saturates(made: HandMade) -> None:
    gate = views(made, 0, "f")[3]
    starts = {0, LENGTHS[0]}
    on = gate > 0.5
    crossings = [t for t in range(1, len(TEXT)) if on[t] != on[t - 1] and t not in starts]
    ends = np.digitize(gate, [0.1, 0.9])
    saturated = [t for t in range(len(TEXT)) if ends[t] != 1 and (t in starts or ends[t] != ends[t - 1])]
    app = explorer(made, signal="f")
    async with app.run_test(size=(100, 30)) as pilot:
        ui = Explored(app, pilot)

        async def jump(key: str, expected: int) -> None:
            await pilot.press(key)
            await ui.until(lambda: ui.view.cursor == expected, f"{key} to {expected}")

        for expected in (*crossings[:5], *crossings[3::-1]):
            await jump("o" if expected > ui.view.cursor else "O", expected)
        await jump("O", crossings[-1])  # around the end
        await jump("o", crossings[0])
        await jump("g", 0)
        for expected in [t for t in saturated if t > 0][:3]:
            await jump("u", expected)


async def test_conditions_are_found_and_counted(made: HandMade) -> None:
    true = (views(made, 1, "c")[2] > 0.8) & (views(made, 0, "f")[5] < 0.5)
    begins = [t for t in range(len(TEXT)) if true[t] and (t in (0, LENGTHS[0]) or not true[t - 1])]
    app = explorer(made)
    async with app.run_test(size=(100, 30)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("f", *"1:2 > .8 and 0:5.f <", "enter")
        await ui.until(lambda: "a cell, as in 1:37" in ui.shown, "the mistake")
        await pilot.press(*" 0.5", "enter")  # the answer is still there, to be gone on with
        later = [t for t in begins if t > 0]
        await ui.until(lambda: ui.view.cursor == later[0], "the first place")
        await pilot.press("x")
        await ui.until(lambda: ui.view.cursor == later[1], "the second place")
        await pilot.press("X")
        await ui.until(lambda: ui.view.cursor == later[0], "the first place again")
        await pilot.press("F")
        counted = f"true at {true.sum():,} of {len(TEXT):,} symbols"
        await ui.until(lambda: counted in ui.shown, counted)
        assert f"comes true {len(begins):,} times: 1:2.c > .8 and 0:5.f <" in ui.shown


@pytest.mark.parametrize("depth", list(Depth))
@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_every_depth_of_colour_and_theme(made: HandMade, depth: Depth, theme: str) -> None:
    app = Explorer(open_capture(made.path), View("model", Cell(0, 3), "c"), depth, theme)
    async with app.run_test(size=(80, 24)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("*", "h")
        assert "▲" in ui.shown
        await ui.press("v")
        assert MARK in ui.shown
        await ui.press("c")
        lines = screen_lines(app)
        levels = {piece[1] for piece in lines[6] if set(piece[0]) & set("▁▂▃▄▅▆▇█")}
        # Height carries the value where colour cannot.
        assert len(levels) == 1 if depth is Depth.NONE else len(levels) > 1


@pytest.mark.parametrize("size", [(20, 5), (40, 9), (60, 12), (250, 70)])
async def test_every_size_works(made: HandMade, size: tuple[int, int]) -> None:
    app = explorer(made)
    async with app.run_test(size=size) as pilot:
        ui = Explored(app, pilot)
        await ui.press("*", "j", "*", "j", "*", "j", "*", "v", "right", "up", "h")
        assert "l" in ui.shown  # of the text, a row at least
        await ui.press("c")
        assert ui.rows[2].startswith(("▸", " "))
        await ui.press("G", "1", "escape", "escape")
        assert ui.app.screen is ui.text


async def test_symbols_that_are_words(tmp_path: Path) -> None:
    words = ["Zwei ", "Wörter", "\n", "🙂 ", "zwei ", "🙂\n"] * 30
    made = write_capture(hand_made_tokens(tmp_path / "words.zarr", words))
    shown = views(made, 0, "c")
    app = explorer(made, Cell(0, 1))
    async with app.run_test(size=(80, 24)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("*")
        blocks = "▁▂▃▄▅▆▇█"
        line = [blocks[min(int((value + 1) / 2 * 8), 7)] for value in shown[1, :3].tolist()]
        assert ui.rows[2].startswith(line[0] * 5 + line[1] * 7 + line[2])  # ö is two bytes, as many columns
        on = shown[1] > 0
        first = next(t for t in range(1, len(words)) if on[t] != on[t - 1])
        await pilot.press("o")
        await ui.until(lambda: ui.view.cursor == first, "the first change of sign")
        await ui.press("h", "c")
        assert "activity, 0 to 2" in ui.rows[1]  # symbols, not bytes
        await ui.press("escape", "=")
        assert ui.rows[2].startswith("▸*0:1")


async def test_a_capture_that_holds_nothing_yet(tmp_path: Path) -> None:
    made = write_capture(hand_made(tmp_path / "empty.zarr", TEXT, models=[model_schema(TEXT)]), captured=0)
    app = Explorer(open_capture(made.path), View("model", Cell(0, 0), "c"), Depth.TRUE, "dark")
    async with app.run_test(size=(80, 24)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("o", "u", "h", "v", "*", "f", *"0:1 > 0", "enter", "x", "F", "P")
        await ui.press("=")
        await ui.until(lambda: "4 cells" in ui.shown, "the list")
        await pilot.press("right", "escape")
        await ui.until(lambda: ui.app.screen is ui.text, "the text screen")


@pytest.mark.parametrize("seed", [1, 2])
def test_what_changes_on_the_screen_is_what_a_new_drawing_shows(made: HandMade, seed: int) -> None:
    random = np.random.default_rng(seed)
    keys = random.choice([*"jkJKJKrdsgG*=", "left", "right", "pagedown", "pageup", "down", "up"], 40)
    with Terminal(["browse", str(made.path), "--cell", "0:0"], columns=90, rows=24) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("c", *keys.tolist())

        quiet(terminal)
        before = [[terminal.screen.buffer[y][x] for x in range(90)] for y in range(24)]
        assert terminal.row(1).startswith("  cell"), "\n".join(terminal.screen.display)
        terminal.press("\x0c")
        quiet(terminal)
        after = [[terminal.screen.buffer[y][x] for x in range(90)] for y in range(24)]
        wrong = [(x, y) for y in range(24) for x in range(90) if before[y][x] != after[y][x]]
        assert wrong == []


async def test_a_damaged_layer_is_told_of_once(made: HandMade, tmp_path: Path) -> None:
    path = tmp_path / "damaged.zarr"
    shutil.copytree(made.path, path)
    for file in (path / "models/model/layers/1/c").rglob("*"):
        if file.is_file() and file.name != "zarr.json":
            file.write_bytes(file.read_bytes()[:1000])
    app = Explorer(open_capture(path), View("model", Cell(0, 3), "c"), Depth.TRUE, "dark")
    async with app.run_test(size=(100, 50)) as pilot:
        ui = Explored(app, pilot)
        await pilot.press("=")
        await ui.until(lambda: isinstance(app.screen, MessageScreen), "the message")
        assert "Unusable capture" in ui.shown
        while isinstance(app.screen, MessageScreen):
            await pilot.press("escape")
        await ui.until(lambda: "cannot be read" in ui.shown, "which cells they are")
        assert sum("cannot be read" in row for row in ui.rows) == UNITS
        await pilot.press("escape")
        await ui.until(lambda: app.screen is ui.text, "the text")


def quiet(terminal: Terminal) -> None:
    """Read until nothing has come for a while."""
    length = -1
    while len(terminal.output) != length:
        length = len(terminal.output)
        terminal.watch(1.0)


def test_a_terminal_shows_the_new_screens(made: HandMade) -> None:
    with Terminal(["browse", str(made.path), "--cell", "0:3"], columns=80, rows=24) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("c")
        terminal.wait_for_text("40 cells")
        terminal.wait_for(lambda: terminal.row(5).startswith("▸•0:3"), "the mark")
        terminal.press("j", "j", "J")
        terminal.wait_for(lambda: terminal.row(17).startswith("▸ 0:15"), "the mark further down")
        terminal.press("J", "J")
        terminal.wait_for(lambda: terminal.row(21).startswith("▸ 1:15"), "the list scrolled")
        terminal.press("1", ":", "7")
        terminal.wait_for_text("1 of 40 cells")
        terminal.press("enter", "enter")
        terminal.wait_for_text("1:7 tanh(c)")
        terminal.wait_for_text("line 0: ↵")
        terminal.press("h", "*")
        terminal.wait_for_text("▸c cell")
        terminal.wait_for_text("under each row 1:7.c")
        terminal.press("v")
        terminal.wait_for_text(MARK)
        terminal.press("escape")
        terminal.wait_for(lambda: terminal.row(1).startswith("line 0: ↵"), "the text alone")
        terminal.press("P", "=")
        terminal.wait_for_text("correlation with 1:7")
        terminal.resize(120, 40)
        terminal.wait_for(
            lambda: terminal.row(38).rstrip().endswith("correlation with 1:7"), "the list at 120×40"
        )
        terminal.press("escape")
        terminal.wait_for(lambda: terminal.row(1).startswith("line 0: ↵"), "the text again")
        terminal.press("?")
        terminal.wait_for_text("All cells, to sort and filter")
        terminal.press("escape")
        terminal.wait_for(lambda: "to sort and filter" not in "\n".join(terminal.screen.display), "the text")
        terminal.press("q")
        assert terminal.wait_for_exit() == 0
