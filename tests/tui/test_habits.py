"""Keys that less, vim and the shell have taught people."""

from __future__ import annotations

import os
import signal
import termios
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rnnviz.analysis.cells import Cell
from rnnviz.store.reader import open_capture
from rnnviz.tui.launch.app import Explorer
from rnnviz.tui.paint.palette import Depth
from rnnviz.tui.screens.text.bookmarks_dialog import MarksScreen
from rnnviz.tui.view.user_state import Mark, write_marks
from rnnviz.tui.view.view import View
from support.captures import HandMade, make_capture, model_schema
from support.explored import Explored
from support.terminal import Terminal

LINES = 300
TEXT = b"".join(b"line %03d\n" % number for number in range(1, LINES + 1))
LONG = len(b"line 000\n")
UNITS = 60
ROWS = 21
"""Rows of text on a screen of 24: the others are the cell's line, the cursor's and the hints."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    path = tmp_path_factory.mktemp("habits") / "hand.zarr"
    return make_capture(path, TEXT, models=[model_schema(TEXT, hidden=UNITS, signals=["c", "f"])])


@pytest.fixture
async def ui(made: HandMade) -> AsyncIterator[Explored]:
    app = Explorer(open_capture(made.path), View("model", Cell(0, 0), "c"), Depth.TRUE, "dark")
    async with app.run_test(size=(80, 24)) as pilot:
        explored = Explored(app, pilot)
        await explored.press()
        yield explored


def line_of(ui: Explored) -> int:
    """The line of the text that the cursor is in, counted from 1."""
    return ui.view.cursor // LONG + 1


async def test_the_text_is_paged_as_in_less_and_vim(ui: Explored) -> None:
    for down, up, by in (
        ("ctrl+f", "ctrl+b", ROWS - 1),
        ("space", "pageup", ROWS - 1),
        ("ctrl+d", "ctrl+u", ROWS // 2),
    ):
        for pages in (1, 2):
            await ui.press(down)
            assert ui.rows[1].startswith(f"line {1 + pages * by:03d}")
            assert line_of(ui) == 1 + pages * by
        await ui.press(up)
        assert ui.rows[1].startswith(f"line {1 + by:03d}")
        await ui.press(up, up)
        assert (ui.view.top, ui.view.cursor) == (0, 0)
    await ui.press("G", "ctrl+d")
    assert ui.rows[ROWS].startswith(f"line {LINES}")


async def test_a_number_goes_to_a_line_or_a_share(ui: Explored) -> None:
    await ui.press(*"120")
    assert ui.rows[-1].startswith(" 120 ")
    await ui.press("G")
    assert (line_of(ui), ui.view.cursor % LONG) == (120, 0)
    assert "120" not in ui.rows[-1]  # the number is used up
    await ui.press("G")
    assert ui.view.cursor == len(TEXT) - 1
    await ui.press(*"7g")
    assert line_of(ui) == 7
    await ui.press(*"50%")
    assert ui.view.cursor == len(TEXT) // 2
    await ui.press(*"100%")
    assert ui.view.cursor == len(TEXT) - 1
    await ui.press(*"0G")
    assert ui.view.cursor == 0
    await ui.press(*"12", "escape", "G")
    assert ui.view.cursor == len(TEXT) - 1
    await ui.press(*"12", "j", "g", "G")  # a key that has no use for it takes it all the same
    assert ui.view.cursor == len(TEXT) - 1
    await ui.press("g", *"301G")
    assert ui.view.cursor == 0
    assert "fewer than 301 lines" in ui.rows[-1]
    await ui.press(*"9" * 60, "G")
    assert ui.view.cursor == 0


async def test_a_condition_stays_where_escape_takes_a_number_away(ui: Explored) -> None:
    await ui.press("f", *"0:1 > 0", "enter", *"12", "escape")
    assert ui.view.condition is not None
    await ui.press("escape")
    assert ui.view.condition is None


async def test_digits_in_an_answer_are_the_answers(ui: Explored) -> None:
    await ui.press("#", *"l40", "enter", "G")
    assert ui.view.cursor == len(TEXT) - 1
    await ui.press("#", *"l40", "enter")
    assert line_of(ui) == 40


async def test_the_list_is_paged_as_in_less_and_vim(ui: Explored) -> None:
    await ui.press("c")
    for down, up, by in (
        ("ctrl+f", "ctrl+b", 19),
        ("space", "pageup", 19),
        ("ctrl+d", "ctrl+u", 10),
    ):
        await ui.press(down, down)
        assert ui.cells.cells.row == 2 * by
        await ui.press(up)
        assert ui.cells.cells.row == by
        await ui.press(up)
        assert ui.cells.cells.row == 0


async def test_the_marks_are_paged_as_in_less_and_vim(made: HandMade, ui: Explored) -> None:
    beside = write_marks(made.path, [Mark(place, f"0:0.c,cursor={place}", "") for place in range(60)])
    await ui.press("M")
    screen = ui.app.screen
    assert isinstance(screen, MarksScreen)

    async def row(*keys: str) -> int:
        await ui.pilot.press(*keys)
        await ui.pilot.pause()
        highlighted = screen.query_one("OptionList").highlighted  # type: ignore[attr-defined]
        assert isinstance(highlighted, int)
        return highlighted

    assert await row("G") == 59
    assert await row("g") == 0
    half = await row("ctrl+d")
    assert half == screen.query_one("OptionList").size.height // 2
    assert await row("ctrl+u") == 0
    page = await row("ctrl+f")
    assert page > half
    assert await row("ctrl+b") == 0
    assert await row("space") == page
    beside.unlink()


def test_a_letter_means_one_thing_on_every_screen() -> None:
    """Where one key is bound on several screens, its actions are one to the person who presses it."""
    from rnnviz.tui.screens.cells.cells_screen import CellsScreen
    from rnnviz.tui.screens.playground.playground_screen import TypingScreen
    from rnnviz.tui.screens.text.text_screen import TextScreen

    alike = [
        {"cell(1)", "mark(1)", "step(1)"},
        {"cell(-1)", "mark(-1)", "step(-1)"},
        {"cell(10)", "mark(10)"},
        {"cell(-10)", "mark(-10)"},
        {"edge(False)", "edge(-1)"},
        {"edge(True)", "edge(1)"},
        {"cells(False)", "back"},  # c opens the list and closes it
        {"cells(True)", "alike"},
        {"app.quit", "back", "leave"},
        {"stop", "back", "leave"},
        {"hide_dead", "dead"},
        {"right(1)", "ngram(1)"},
        {"right(-1)", "ngram(-1)"},
        {"swap", "other_writer"},  # the two models change places
        {"ask_search", "ask_filter('')"},  # show what matches
        {"type_and_see", "type"},
        {"search(True)", "ask_ngrams"},  # N is for n-grams where nothing is searched
    ]
    groups = [TextScreen.key_groups(), TypingScreen.key_groups()]
    bindings = [b for group in groups for name, found in group for b in found if "typing" not in name]
    bindings += [b for b in [*CellsScreen.BINDINGS, *MarksScreen.BINDINGS] if not isinstance(b, tuple)]
    meanings: dict[str, set[str]] = {}
    for binding in bindings:
        keys = binding.key.split(",") if len(binding.key) > 1 else [binding.key]
        for key in keys:
            if len(key) == 1 or key in ("plus", "minus", "backslash", "number_sign", "question_mark"):
                meanings.setdefault(key, set()).add(binding.action)
    assert len(meanings) > 50
    for key, actions in meanings.items():
        assert len(actions) == 1 or any(actions <= one for one in alike), (key, actions)


linux = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="only Linux tells that a program is suspended"
)


def suspended(terminal: Terminal) -> bool:
    return ") T " in Path(f"/proc/{terminal.pid}/stat").read_text()


@linux
@pytest.mark.parametrize("keys", ["", "c", "?"])
def test_the_terminal_is_the_shells_while_the_program_is_suspended(made: HandMade, keys: str) -> None:
    """Over the text, in the list of cells, under the help."""
    with Terminal(["browse", str(made.path), "--cell", "0:0"]) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("j", "j")
        terminal.wait_for_text("0:2")
        terminal.press(*keys)
        shown = {"": "0:2", "c": "60 cells", "?": "Keys"}[keys]
        terminal.wait_for_text(shown)
        terminal.watch(0.3)
        before, sent = terminal.painted, len(terminal.output)
        terminal.press("\x1a")
        terminal.wait_for(lambda: suspended(terminal), "the program suspended")
        left = bytes(terminal.output[sent:])
        for told in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1003l", b"\x1b[?2004l", b"\x1b[?7h"):
            assert told in left  # the other screen, the cursor, no mouse, no bracketed paste, wrapped lines
        flags, shell = terminal.modes[3], termios.ECHO | termios.ICANON | termios.ISIG
        assert isinstance(flags, int)
        assert flags & shell == shell
        terminal.screen.reset()
        terminal.screen.draw("x" * 80 * 24)
        sent = len(terminal.output)
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.wait_for(lambda: terminal.painted == before, "all that it showed before")
        back = bytes(terminal.output[sent:])
        for told in (b"\x1b[?1049h", b"\x1b[?25l", b"\x1b[?1003h", b"\x1b[?2004h"):
            assert told in back
        terminal.press("escape" if keys else "k")
        terminal.wait_for(lambda: shown not in "\n".join(terminal.screen.display), "another screen")
        terminal.press("q")
        assert terminal.wait_for_exit() == 0
