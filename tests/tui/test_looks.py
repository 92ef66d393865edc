"""One accent colour in everything that Textual draws, and a help that is easy to scan."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from rich.color import Color
from rich.terminal_theme import DEFAULT_TERMINAL_THEME

from rnnviz.analysis.cells import Cell
from rnnviz.store.reader import open_capture
from rnnviz.tui.launch.app import Explorer
from rnnviz.tui.launch.headless_picture import screen_lines
from rnnviz.tui.paint.palette import RGB, THEMES, Depth
from rnnviz.tui.screens.base.less_keys import IN_LESS
from rnnviz.tui.screens.cells.cells_screen import CellsScreen
from rnnviz.tui.screens.text.text_screen import TextScreen
from rnnviz.tui.view.user_state import Mark, write_marks
from rnnviz.tui.view.view import View
from support.captures import HandMade, make_capture, model_schema
from support.explored import Explored, by_column

TEXT = b"and so on\n" * 60


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    path = tmp_path_factory.mktemp("looks") / "hand.zarr"
    return make_capture(path, TEXT, models=[model_schema(TEXT, hidden=6)])


@pytest.fixture
async def ui(made: HandMade) -> AsyncIterator[Explored]:
    app = Explorer(open_capture(made.path), View("model", Cell(0, 3), "c"), Depth.TRUE, "dark")
    async with app.run_test(size=(80, 24)) as pilot:
        explored = Explored(app, pilot)
        await explored.press()
        yield explored


def colours(ui: Explored, left: int, right: int, rows: range) -> set[RGB]:
    """All colours of a rectangle of the screen that are seen."""
    shown: set[RGB] = set()
    for y in rows:
        for character, paint in by_column(screen_lines(ui.app)[y])[left:right]:
            seen = [paint.background] + ([paint.foreground] if character.strip() else [])
            shown |= {colour for colour in seen if isinstance(colour, tuple)}
    return shown


def between(colour: RGB, a: RGB, b: RGB) -> bool:
    """Whether a colour is a mixture of two."""
    shares = [(c - x) / (y - x) for c, x, y in zip(colour, a, b, strict=True) if abs(y - x) > 20]
    return max(shares) - min(shares) < 0.06 and min(shares) > -0.03 and max(shares) < 1.03


@pytest.mark.parametrize("base", ["dark", "light"])
@pytest.mark.parametrize("keys", ["M", "?", "ctrl+p"])
async def test_dialogs_have_no_colour_but_the_accent(
    made: HandMade, ui: Explored, base: str, keys: str
) -> None:
    theme = THEMES[base]
    beside = write_marks(made.path, [Mark(place, f"0:0.c,cursor={place}", "") for place in range(60)])
    if base == "light":
        await ui.press("b")
    await ui.press(keys)
    await ui.pilot.pause(0.3)
    inside = (4, 76, range(9, 21)) if keys == "ctrl+p" else (2, 78, range(1, 23))
    shown = colours(ui, *inside)
    beside.unlink()
    for colour in shown:
        inked = [theme.text, theme.faint, theme.accent]
        assert any(between(colour, theme.neutral, one) for one in inked), colour
    accents = [colour for colour in shown if between(colour, theme.neutral, theme.accent)]
    assert len(accents) > 1  # the mark or a heading, and the scrollbar


@pytest.mark.parametrize("depth", [Depth.FOUR_BIT, Depth.NONE])
async def test_with_few_colours_the_accent_is_the_terminals(made: HandMade, depth: Depth) -> None:
    app = Explorer(open_capture(made.path), View("model", Cell(0, 3), "c"), depth, "dark")
    async with app.run_test(size=(80, 24)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("?")
        yellow = tuple(Color.from_ansi(11).get_truecolor(DEFAULT_TERMINAL_THEME))
        shown = colours(ui, 3, 77, range(2, 22))
        assert shown == ({yellow} if depth is Depth.FOUR_BIT else set())


async def test_headings_stand_off_in_the_help(ui: Explored) -> None:
    await ui.press("?", "ctrl+f")
    lines = screen_lines(ui.app)
    heading = next(y for y in range(2, 22) if "│ Gates " in ui.rows[y])
    assert not ui.rows[heading - 1][4:74].strip()
    paints = {paint for character, paint in by_column(lines[heading])[4:40] if character.strip()}
    assert all(paint.bold for paint in paints)
    drawn = {paint.foreground for paint in paints if isinstance(paint.foreground, tuple)}
    theme = THEMES["dark"]
    assert len(drawn) == 1
    assert all(abs(a - b) <= 1 for a, b in zip(*drawn, theme.accent, strict=True))  # Textual rounds


async def test_the_help_says_what_a_key_does_in_less(ui: Explored) -> None:
    await ui.press("?", "G")
    shown = ui.shown
    while "│ Signs " not in ui.shown:
        await ui.press("ctrl+b")
        shown += ui.shown
    rows = [row.split("│")[1].split(maxsplit=1) for row in shown.split("\n") if row.count("│") == 2]
    told = {row[0]: row[1].rstrip(" ▁▂▃▄▅▆▇█") for row in reversed(rows) if len(row) == 2}
    assert told["d"] == "Half a screen down; here: Ctrl-D"
    assert told["b"] == "One screen up; here: Ctrl-B"
    assert "nothing does" not in shown
    assert "A byte or character that terminals cannot show" in told["▯"]
    assert told["▴"] == "Where the cursor is in that strip"
    await ui.press("escape", "c", "?", "G")
    assert "Draw the screen again; here: Ctrl-L" in ui.shown
    assert "│ j  " not in ui.shown  # it is a line down there, too


def test_each_key_that_differs_from_less_is_one_that_is_bound() -> None:
    bindings = [b for _, found in TextScreen.key_groups() for b in found]
    bindings += [b for b in CellsScreen.BINDINGS if not isinstance(b, tuple)]
    bound = {key for b in bindings for key in (b.key.split(",") if len(b.key) > 1 else [b.key])}
    assert set(IN_LESS) <= bound
