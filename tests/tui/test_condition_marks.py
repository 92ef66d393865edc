"""The condition in force is marked in the text, in every depth of colour, and counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rnnviz.analysis.cells import Cell
from rnnviz.analysis.events import Tally
from rnnviz.store.reader import open_capture
from rnnviz.store.signals import SIGNALS
from rnnviz.tui.launch.app import Explorer
from rnnviz.tui.launch.headless_picture import screen_lines
from rnnviz.tui.paint.lines import Inks, width_of
from rnnviz.tui.paint.palette import THEMES, Depth, Palette
from rnnviz.tui.paint.text_frame import CURSOR, HOLDS, LEVELS, MATCH
from rnnviz.tui.panels.condition import MARK, condition_line
from rnnviz.tui.view.view import View
from support.captures import HandMade, hand_made, make_capture, model_schema, write_capture
from support.explored import Explored, by_column
from support.terminal import Terminal

TEXT = "\n".join(f"line {number}: " + "x" * (number % 40) for number in range(200)).encode() + b"\n"
UNITS = 6


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    path = tmp_path_factory.mktemp("marks") / "hand.zarr"
    return make_capture(
        path, TEXT, models=[model_schema(TEXT, hidden=UNITS)], lengths=[3000, len(TEXT) - 3000]
    )


def true(made: HandMade) -> NDArray[np.bool_]:
    """Where `0:2 > 0.5 and 0:1.f < 0.8` holds."""
    cell, gate = SIGNALS["c"].view(made.signal(0, "c")[2]), made.signal(0, "f")[1]
    found: NDArray[np.bool_] = (cell > 0.5) & (gate.astype(np.float32) < 0.8)
    return found


CONDITION = "0:2.c > 0.5 and 0:1.f < 0.8"
ASKED = ("f", *CONDITION, "enter")


def explorer(made: HandMade, depth: Depth = Depth.TRUE) -> Explorer:
    return Explorer(open_capture(made.path), View("model", Cell(0, 3), "c"), depth, "dark")


@pytest.mark.parametrize("depth", [Depth.TRUE, Depth.EIGHT_BIT, Depth.FOUR_BIT])
@pytest.mark.parametrize("scale", ["diverging", "sequential"])
def test_the_mark_leaves_the_shading_and_is_seen_on_every_level_match_and_cursor(
    depth: Depth, scale: str
) -> None:
    shades = Palette(depth, THEMES["dark"], scale)  # type: ignore[arg-type]
    for level in range(LEVELS + 1):
        plain, marked = shades.paint(level), shades.paint(level | HOLDS)
        assert (marked.foreground, marked.background) == (plain.foreground, plain.background)
        assert marked.underline
        assert not plain.underline
        for other in (MATCH, CURSOR):
            assert shades.paint(level | other | HOLDS) != shades.paint(level | other)


def test_without_colour_underlines_are_values_and_no_marks() -> None:
    shades = Palette(Depth.NONE, THEMES["dark"], "diverging")
    assert not shades.underlines
    for level in range(LEVELS + 1):
        assert shades.paint(level | HOLDS) == shades.paint(level)


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, 200])
@pytest.mark.parametrize("text", ["0:2 > 0.5", " or ".join(["0:2 > 0.5"] * 30), "1:1\t>\u30000.5"])
def test_the_line_fits_and_cuts_the_condition_before_the_counts(text: str, width: int) -> None:
    inks = Inks.of(Palette(Depth.TRUE, THEMES["dark"], "diverging"))
    tally = Tally(10_000_000, 10_000_000, 4_123_456, 9)
    line = condition_line(text, (123, 4567), tally, width, inks, underlines=True)
    shown = "".join(text for text, _ in line)
    assert width_of(line) <= width
    assert shown.isprintable()
    if width >= 100:
        assert "123 of 4,567 here, 4,123,456 of 10,000,000 in all" in shown


async def test_symbols_that_meet_it_are_underlined_and_counted(made: HandMade) -> None:
    holds = true(made)
    app = explorer(made)
    async with app.run_test(size=(100, 30)) as pilot:
        ui = Explored(app, pilot)
        await ui.press(*ASKED)
        await ui.press("g")
        start, stop = ui.text.on_screen
        assert start == 0
        position, seen = 0, 0
        for line in map(by_column, screen_lines(app)[1:-3]):
            for x in range(TEXT.index(b"\n", position) + 1 - position):
                assert line[x][1].underline == holds[position + x], f"{line[x]} at {position + x}"
            position = TEXT.index(b"\n", position) + 1
            seen += 1
        assert position == stop
        assert seen == 26
        told = f"underlined where {CONDITION}  {holds[:stop].sum():,} of {stop:,} here, "
        told += f"{holds.sum():,} of {len(TEXT):,} in all ({holds.mean():.1%})"
        assert told in ui.rows[-3]
        await ui.press("j", "s", "pagedown")  # another cell and place: marks belong to the condition
        start, stop = ui.text.on_screen
        assert f"{holds[start:stop].sum():,} of {stop - start:,} here" in ui.rows[-3]


@pytest.mark.parametrize("how", ["escape", "empty"])
async def test_it_is_taken_away_by_escape_or_an_empty_answer(made: HandMade, how: str) -> None:
    app = explorer(made)
    async with app.run_test(size=(100, 30)) as pilot:
        ui = Explored(app, pilot)
        await ui.press()
        before = ui.rows[:-1]
        await ui.press("h", *ASKED, "g")
        assert "underlined where" in ui.shown
        if how == "escape":
            await ui.press("escape")  # first what stands above the text
            assert "underlined where" in ui.shown
            await ui.press("escape")
        else:
            await ui.press("h", "f", *["backspace"] * len(CONDITION), "enter")
        assert ui.view.condition is None
        assert ui.rows[:-1] == before
        assert not any(paint.underline for line in screen_lines(app) for _, paint in line)
        await ui.press("x")
        assert "no condition yet: press f" in ui.shown


async def test_a_new_condition_is_counted_anew(made: HandMade) -> None:
    app = explorer(made)
    async with app.run_test(size=(100, 30)) as pilot:
        ui = Explored(app, pilot)
        await ui.press(*ASKED, "g")
        await ui.press("f", *["backspace"] * len(CONDITION), *"0:0 >= -1", "enter")
        assert f"{len(TEXT):,} of {len(TEXT):,} in all (100.0%)" in ui.shown
        await ui.press("F")
        assert f"true at {len(TEXT):,} of {len(TEXT):,} symbols (100.00%), comes true 2 times" in ui.shown


async def test_without_colour_marks_stand_under_the_text(made: HandMade) -> None:
    holds = true(made)
    app = explorer(made, Depth.NONE)
    async with app.run_test(size=(100, 30)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("*", *ASKED, "g")
        rows, position, width = ui.rows, 0, ui.text.places.text.width
        for y in range(1, 25, 3):
            length = TEXT.index(b"\n", position) + 1 - position
            marks = "".join(MARK if one else " " for one in holds[position : position + length])
            assert rows[y].startswith(TEXT[position : position + length - 1].decode())
            assert rows[y + 1][:width].rstrip() == marks.rstrip()
            assert set(rows[y + 2][:length]) <= set("▁▂▃▄▅▆▇█")  # the pin stands below
            position += length
        assert f"{MARK} where {CONDITION}" in ui.shown


async def test_a_search_and_a_condition_are_told_apart(made: HandMade) -> None:
    holds = true(made)
    app = explorer(made)
    async with app.run_test(size=(100, 30)) as pilot:
        ui = Explored(app, pilot)
        await ui.press(*ASKED, "/", *"line", "enter")
        await ui.press("G")
        start = ui.text.on_screen[0]
        line = by_column(screen_lines(app)[1])
        assert TEXT[start : start + 4] == b"line"
        for x in range(10):
            paint = line[x][1]
            assert paint.underline == (x < 4 or bool(holds[start + x]))
            assert paint.reverse == (x < 4 and bool(holds[start + x]))
        await ui.press("escape", "escape")
        assert not any(paint.underline for _, paint in by_column(screen_lines(app)[1]))
        await ui.press("g", "right", "n")  # what was searched for is still known
        await ui.until(lambda: ui.view.cursor == TEXT.index(b"line 1"), "the next match")
        await ui.press()
        assert all(paint.underline for _, paint in by_column(screen_lines(app)[1])[:4])


@pytest.mark.parametrize("size", [(20, 5), (40, 9), (60, 12), (250, 70)])
@pytest.mark.parametrize("depth", [Depth.TRUE, Depth.NONE])
async def test_every_size_works(made: HandMade, size: tuple[int, int], depth: Depth) -> None:
    app = explorer(made, depth)
    async with app.run_test(size=size) as pilot:
        ui = Explored(app, pilot)
        await ui.press(*ASKED, "*", "j", "*", "h", "g")
        assert "line" in ui.shown
        await ui.press("v", "G", "escape", "escape")
        assert ui.view.condition is None


async def test_a_capture_that_grows_is_counted_again_when_it_is_whole(tmp_path: Path) -> None:
    text = b"and so on\n" * 9000
    begun = hand_made(tmp_path / "grows.zarr", text, models=[model_schema(text, hidden=4, signals=("c",))])
    column = begun.schema.column
    write_capture(begun, captured=column)
    app = explorer(begun)
    async with app.run_test(size=(100, 30)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("f", *"0:1 > 0", "enter")
        assert f"of {column:,} in all" in ui.shown
        with begun.resume() as writer:
            writer.append(begun.cut(column, len(text)))
            writer.finish()
        await ui.until(lambda: f"of {len(text):,} in all" in ui.shown, "the count of the whole text")


def test_a_terminal_underlines_what_meets_it(made: HandMade) -> None:
    holds = true(made)
    with Terminal(["browse", str(made.path), "--cell", "0:3"], columns=100, rows=30) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("f")
        terminal.wait_for_text("condition")
        terminal.press(CONDITION, "enter")
        terminal.wait_for_text("in all")
        terminal.press("g", "j", "j")
        terminal.wait_for_text("0:5 tanh(c)")
        position = 0
        for y in range(1, 27):
            for x in range(TEXT.index(b"\n", position) + 1 - position):
                cell = terminal.screen.buffer[y][x]
                assert cell.underscore == holds[position + x], f"{x},{y} {cell}"
            position = TEXT.index(b"\n", position) + 1
        terminal.press("escape")
        terminal.wait_for(lambda: "underlined" not in terminal.row(27), "the text without marks")
        assert not any(terminal.screen.buffer[y][x].underscore for y in range(29) for x in range(100))
        terminal.press("q")
        assert terminal.wait_for_exit() == 0
