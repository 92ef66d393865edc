"""The bytes that change one screen into another, checked against a terminal emulator."""

from __future__ import annotations

import random

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.tui.canvas import Band, Grid, ink
from rnnviz.tui.difference import difference
from rnnviz.tui.palette import Paint
from support.captures import HandMade, make_capture, model_schema
from support.terminal import Terminal

PAINTS = [
    Paint(),
    Paint((250, 250, 250), (20, 22, 27)),
    Paint((16, 18, 22), (238, 50, 52), bold=True),
    Paint(9),
    Paint(231, 196, underline=True),
    Paint(reverse=True),
]
WIDTH, HEIGHT = 12, 5
KEYS = (
    "j",
    "k",
    "J",
    "s",
    "]",
    "down",
    "pagedown",
    "pageup",
    "right",
    "end",
    "G",
    "g",
    "p",
    "n",
    "N",
    "b",
    "B",
    "t",
    "e",
    "h",
    "*",
)
STEPS = (*KEYS, "help", "search", "cell", "resize")


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """A grid of narrow and wide characters in random paints."""
    grid = Grid.blank(WIDTH, HEIGHT, PAINTS[draw(st.integers(0, 1))])
    for y in range(HEIGHT):
        x = 0
        while x < WIDTH:
            wide = x + 1 < WIDTH and draw(st.integers(0, 5)) == 0
            code = ord(draw(st.sampled_from("漢字語" if wide else "abc ␛·é█")))
            number = ink(draw(st.sampled_from(PAINTS)))
            grid.codes[y, x] = code
            grid.inks[y, x] = number
            if wide:
                grid.codes[y, x + 1] = 0
                grid.inks[y, x + 1] = number
            x += 2 if wide else 1
    return grid


def screen_of(*outputs: str) -> list[list[tuple[object, ...]]]:
    """What an emulator shows after these outputs, three columns and two rows from its corner."""
    screen = pyte.Screen(WIDTH + 5, HEIGHT + 4)
    stream = pyte.Stream(screen)
    for output in outputs:
        stream.feed(output)
    return [
        [
            (cell.data, cell.fg, cell.bg, cell.bold, cell.underscore, cell.reverse)
            for cell in (screen.buffer[y][x] for x in range(screen.columns))
        ]
        for y in range(screen.lines)
    ]


def drawn_at_once(grid: Grid) -> str:
    """The whole grid, row by row: the plain way, to compare with."""
    rows = []
    for y in range(grid.height):
        pieces = "".join(f"\x1b[0;{paint.sgr}m{text}" for text, paint in grid.row(y))
        rows.append(f"\x1b[{y + 3};4H{pieces}\x1b[0m")
    return "".join(rows)


@settings(max_examples=300, deadline=None)
@given(grids(), grids())
def test_a_difference_makes_the_new_screen_of_the_old(old: Grid, new: Grid) -> None:
    changed = screen_of(drawn_at_once(old), difference(old, new, 3, 2))
    assert changed == screen_of(drawn_at_once(new))


@given(grids())
def test_equal_grids_send_nothing(grid: Grid) -> None:
    assert difference(grid, Grid(grid.codes.copy(), grid.inks.copy())) == ""


def test_one_changed_column_costs_one_move_and_one_colour() -> None:
    old = Grid.blank(WIDTH, HEIGHT, Paint())
    new = Grid(old.codes.copy(), old.inks.copy())
    new.inks[2, 5] = ink(PAINTS[2])
    assert difference(old, new) == f"\x1b7\x1b[0;{PAINTS[2].sgr}m\x1b[3;6H \x1b[0m\x1b8"


@settings(max_examples=100, deadline=None)
@given(grids(), grids(), st.integers(-3, 3), st.integers(1, 2))
def test_a_text_that_scrolls_is_scrolled_by_the_terminal(old: Grid, new: Grid, rows: int, top: int) -> None:
    """Whatever stands on the screen, and beside the band: what a scroll leaves wrong is mended."""
    height = HEIGHT - top
    codes, inks = new.codes.copy(), new.inks.copy()
    for y in range(top, HEIGHT):
        if top <= y + rows < HEIGHT:
            codes[y], inks[y] = old.codes[y + rows], old.inks[y + rows]
    before = Grid(old.codes, old.inks, Band(top, tuple(range(10, 10 + height))))
    after = Grid(codes, inks, Band(top, tuple(range(10 + rows, 10 + rows + height))))
    scrolled = difference(before, after, 3, 2)
    assert screen_of(drawn_at_once(before), scrolled) == screen_of(drawn_at_once(after))


def test_scrolling_by_a_row_sends_little_more_than_the_row() -> None:
    paints = [Paint((0, 0, 0), (n, n, n)) for n in range(33)]
    rows = [[(chr(65 + (x * y) % 26), paints[(x * 7 + y * y) % 33]) for x in range(80)] for y in range(41)]
    grids = [Grid.blank(80, 40, Paint(), Band(0, tuple(range(first, first + 40)))) for first in (0, 1)]
    for first, grid in enumerate(grids):
        for y in range(40):
            grid.put_line(rows[y + first], 0, y, 80)
    assert len(difference(grids[0], grids[1])) < 2000 < len(difference(grids[1], Grid.blank(80, 40, Paint())))
    assert "\x1b[1;40r" in difference(grids[0], grids[1])
    assert "\x1bM" in difference(grids[1], grids[0])


def test_a_line_is_cut_at_its_width_and_at_the_edge() -> None:
    grid = Grid.blank(6, 2, Paint())
    grid.put_line([("abc", PAINTS[1]), ("", Paint()), ("defgh", PAINTS[2])], 1, 0, 4)
    grid.put_line([("xyz", Paint())], 5, 1, 10)
    grid.put_line([("never", Paint())], 0, 7, 10)
    assert ["".join(text for text, _ in grid.row(y)) for y in range(2)] == [" abcd ", "     x"]
    assert grid.inks[0, 4] == ink(PAINTS[2])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    indents = ["", "\t", "\t\t"]
    lines = [f"{indents[n % 3]}line {n} “é” 漢字 {'x' * (n * 7 % 120)}" for n in range(300)]
    text = "\n".join(lines).encode()
    path = tmp_path_factory.mktemp("canvas") / "wide.zarr"
    return make_capture(path, text, models=[model_schema(text, layers=2, hidden=24)])


def answer(terminal: Terminal, key: str, label: str, text: str) -> None:
    """Open a prompt, answer it, and wait until it is gone."""
    terminal.press(key)
    terminal.wait_for(lambda: terminal.screen.display[-1].startswith(label), f"the prompt {label!r}")
    terminal.press(text, "enter")
    terminal.wait_for(lambda: terminal.screen.display[-1].startswith(" j next"), "the hints again")


def contents(terminal: Terminal) -> list[list[tuple[object, ...]]]:
    screen = terminal.screen
    return [
        [
            (cell.data, cell.fg, cell.bg, cell.bold, cell.underscore, cell.reverse)
            for cell in (screen.buffer[y][x] for x in range(screen.columns))
        ]
        for y in range(screen.lines)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_after_any_session_the_screen_is_what_a_fresh_drawing_makes(made: HandMade, seed: int) -> None:
    """Steps, scrolls, resizes, prompts, dialogs over the text and other colours, in any order, on a terminal that takes
    everything at once or little by little, and answers or does not; then everything is drawn anew."""
    choose = random.Random(seed)
    environment = choose.choice([{}, {}, {"COLORTERM": ""}, {"NO_COLOR": "1"}])
    slow, answers = seed % 2 == 1, seed != 2
    with Terminal(
        ["browse", str(made.path)],
        columns=100,
        rows=30,
        environment=environment,
        slow=slow,
        answers=answers,
    ) as terminal:
        terminal.wait_for_text("mean")
        for _ in range(30):
            step = choose.choice(STEPS)
            if step == "help":
                terminal.press("?")
                terminal.wait_for_text("─ Keys ─")
                terminal.press("j", "escape")
                terminal.wait_for(lambda: "─ Keys ─" not in "".join(terminal.screen.display), "the text")
            elif step == "search":
                answer(terminal, "/", " search ", "line 1")
            elif step == "cell":
                answer(terminal, ":", " go to cell (", f"1:{choose.randrange(24)}")
            elif step == "resize":
                terminal.resize(choose.randrange(40, 130), choose.randrange(8, 40))
            else:
                terminal.press(step)
        terminal.resize(110, 35)
        terminal.wait_for(lambda: "nothing to look" not in "".join(terminal.screen.display), "no notice")
        terminal.press("j")
        terminal.wait_for(lambda: terminal.row(33).strip(), "the line below the text")
        before = contents(terminal)
        terminal.screen.reset()
        terminal.press("\x0c")
        terminal.wait_for(lambda: terminal.row(33).strip(), "the whole screen")
        after = contents(terminal)
        assert [(y, x) for y in range(35) for x in range(110) if before[y][x] != after[y][x]] == []
