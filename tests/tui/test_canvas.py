"""The bytes that change one screen into another, checked against a terminal emulator."""

from __future__ import annotations

import random
import re

import numpy as np
import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.tui.paint.grid import Band, Grid, ink
from rnnviz.tui.paint.palette import Paint
from rnnviz.tui.terminal.cursor_sequences import cursor_moves
from rnnviz.tui.terminal.difference import difference
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
            code = ord(draw(st.sampled_from("漢字語" if wide else "abc ▯·é█")))
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
    return cells(screen)


def cells(screen: pyte.Screen) -> list[list[tuple[object, ...]]]:
    """What every column of an emulator's screen shows."""
    return [
        [
            (cell.data, cell.fg, cell.bg, cell.bold, cell.underscore, cell.reverse)
            for cell in (screen.buffer[y][x] for x in range(screen.columns))
        ]
        for y in range(screen.lines)
    ]


def drawn_at_once(grid: Grid, left: int = 3, top: int = 2) -> str:
    """The whole grid, row by row: the plain way, to compare with."""
    rows = []
    for y in range(grid.height):
        pieces = "".join(f"\x1b[0;{paint.sgr}m{text}" for text, paint in grid.row(y))
        rows.append(f"\x1b[{y + top + 1};{left + 1}H{pieces}\x1b[0m")
    return "".join(rows)


@settings(max_examples=300, deadline=None)
@given(grids(), grids(), st.booleans())
def test_a_difference_makes_the_new_screen_of_the_old(old: Grid, new: Grid, tabs: bool) -> None:
    changed = screen_of(drawn_at_once(old), difference(old, new, 3, 2, tabs=tabs))
    assert changed == screen_of(drawn_at_once(new))


def shaded(numbers: np.random.Generator, width: int, height: int, kept: Grid | None = None) -> Grid:
    """A grid of shaded text, some of whose characters are wide. Some of its columns, in runs, are those of `kept`."""
    grid = Grid.blank(width, height, PAINTS[1])
    grid.codes[:] = numbers.integers(ord("a"), ord("z") + 1, (height, width))
    common = numbers.choice(len(PAINTS), 2)
    grid.inks[:] = [[ink(PAINTS[paint]) for paint in row] for row in numbers.choice(common, (height, width))]
    rare = numbers.random((height, width)) < 0.2
    grid.inks[rare] = [ink(PAINTS[paint]) for paint in numbers.integers(0, len(PAINTS), rare.sum())]
    for y, x in zip(*np.nonzero(numbers.random((height, width // 2)) < 0.02), strict=True):
        grid.codes[y, 2 * x : 2 * x + 2] = ord("漢"), 0
        grid.inks[y, 2 * x + 1] = grid.inks[y, 2 * x]
    if kept is not None:
        same = np.repeat(numbers.random((height, width // 5 + 1)) < 0.5, 5, axis=1)[:, :width]
        torn = (grid.codes == 0) | (kept.codes == 0)
        torn[:, :-1] |= torn[:, 1:]
        same &= ~torn
        grid.codes[same], grid.inks[same] = kept.codes[same], kept.inks[same]
    return grid


@pytest.mark.parametrize("tabs", [False, True])
@pytest.mark.parametrize(("left", "width", "height"), [(0, 100, 12), (5, 83, 7), (0, 64, 30), (0, 7, 60)])
def test_large_screens_are_changed_column_by_column_with_every_kind_of_move(
    left: int, width: int, height: int, tabs: bool
) -> None:
    """Sparse and dense changes, from one edge to the other."""
    numbers = np.random.default_rng(width)
    screen = pyte.Screen(left + width, 2 + height)
    stream = pyte.Stream(screen)
    fresh = pyte.Screen(left + width, 2 + height)
    old = shaded(numbers, width, height)
    stream.feed(drawn_at_once(old, left, 2))
    sent = ""
    for _ in range(12):
        new = shaded(numbers, width, height, old)
        changes = difference(old, new, left, 2, tabs=tabs)
        stream.feed(changes)
        pyte.Stream(fresh).feed(drawn_at_once(new, left, 2))
        assert cells(screen) == cells(fresh)
        sent, old = sent + changes, new
    assert ("\t" in sent) is (tabs and width > 8)


def test_moves_are_never_longer_than_the_plain_one() -> None:
    """Every way from every column to every other of a row, on terminals whose last columns have a stop or none."""
    for columns in (40, 41, 47):
        there, back = (side.ravel() for side in np.indices((columns, columns)))
        row = np.zeros_like(there)
        plain = cursor_moves(columns, 1, tabs=False).relative(row, there, row, back)[2]
        moves = cursor_moves(columns, 1, tabs=True)
        down, aside, length = moves.relative(row, there, row, back)
        assert (length <= plain).all()
        screen = pyte.Screen(columns, 1)
        stream = pyte.Stream(screen)
        for start, goal, piece in zip(there.tolist(), back.tolist(), aside.tolist(), strict=True):
            way = moves.codes[moves.offsets[piece] :][: moves.lengths[piece]]
            stream.feed(f"\x1b[1;{start + 1}H" + "".join(map(chr, way.tolist())))
            assert screen.cursor.x == goal
        assert not moves.lengths[down].any()


@given(grids())
def test_equal_grids_send_nothing(grid: Grid) -> None:
    assert difference(grid, Grid(grid.codes.copy(), grid.inks.copy())) == ""


def test_one_changed_column_costs_one_move_and_one_colour() -> None:
    old = Grid.blank(WIDTH, HEIGHT, Paint())
    new = Grid(old.codes.copy(), old.inks.copy())
    new.inks[2, 5] = ink(PAINTS[2])
    assert difference(old, new) == f"\x1b7\x1b[0;{PAINTS[2].sgr}m\x1b[3;6H \x1b[0m\x1b8"


@settings(max_examples=100, deadline=None)
@given(grids(), grids(), st.integers(-3, 3), st.integers(1, 2), st.booleans())
def test_a_text_that_scrolls_is_scrolled_by_the_terminal(
    old: Grid, new: Grid, rows: int, top: int, tabs: bool
) -> None:
    """Whatever stands on the screen, and beside the band: what a scroll leaves wrong is mended."""
    height = HEIGHT - top
    codes, inks = new.codes.copy(), new.inks.copy()
    for y in range(top, HEIGHT):
        if top <= y + rows < HEIGHT:
            codes[y], inks[y] = old.codes[y + rows], old.inks[y + rows]
    before = Grid(old.codes, old.inks, Band(top, tuple(range(10, 10 + height))))
    after = Grid(codes, inks, Band(top, tuple(range(10 + rows, 10 + rows + height))))
    scrolled = difference(before, after, 3, 2, tabs=tabs)
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
    terminal.wait_for(lambda: "? keys" in terminal.screen.display[-1], "the hints again")


@pytest.mark.parametrize("seed", range(4))
def test_after_any_session_the_screen_is_what_a_fresh_drawing_makes(made: HandMade, seed: int) -> None:
    """Steps, scrolls, resizes, prompts, dialogs over the text and other colours, in any order, on a terminal that takes
    everything at once or little by little, and answers or does not; then everything is drawn anew."""
    choose = random.Random(seed)
    environment = choose.choice([{}, {}, {"COLORTERM": ""}, {"NO_COLOR": "1"}])
    slow, answers = seed % 2 == 1, seed != 2
    with Terminal(
        ["browse", str(made.path), "--cell", "0:0"],
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
        terminal.wait_for(lambda: "q quit" in terminal.row(34), "no notice")
        terminal.press("j")
        terminal.wait_for(lambda: terminal.row(33).strip(), "the line below the text")
        moved_by_tabs = re.search(rb"\t(?!\x1b\[6n)", terminal.output) is not None
        assert moved_by_tabs is answers
        before = cells(terminal.screen)
        terminal.screen.reset()
        terminal.press("\x0c")
        terminal.wait_for(lambda: terminal.row(33).strip(), "the whole screen")
        after = cells(terminal.screen)
        assert [(y, x) for y in range(35) for x in range(110) if before[y][x] != after[y][x]] == []
