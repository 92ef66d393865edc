"""The explorer in a real terminal: what a person presses, and what stands on the screen after it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnnviz.store.signals import SIGNALS
from rnnviz.tui.paint.palette import THEMES, Depth, palette
from rnnviz.tui.paint.text_frame import LEVELS
from support.captures import HandMade, make_capture, model_schema
from support.terminal import Terminal

LINES = [f"line {number}: " + "x" * (number % 40) for number in range(400)]
TEXT = "\n".join([*LINES, "the needle is here", "end"]).encode() + b"\n"
HOSTILE = b"a\x1b[31mred\x1b]0;owned\x07\x9b2Jb\tc\r\n" + "é“漢\u202e".encode() + b"\xff\n"
# What some terminals would draw in other columns than others: decomposed Hangul, a flag, a skin tone, Thai.
UNSURE = "\u1112\u1161\u11ab 🇩🇪 👍🏽 กำ🙂\n".encode()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    folder = tmp_path_factory.mktemp("explorer")
    return make_capture(folder / "hand.zarr", TEXT, models=[model_schema(TEXT, layers=2, hidden=20)])


def expected_background(made: HandMade, layer: int, unit: int, signal: str, position: int) -> str:
    """From the values that were put into the capture, without the program's own way of drawing."""
    kind = SIGNALS[signal]
    value = float(made.signal(layer, signal)[unit, position])
    share = (np.tanh(np.float32(value)) if signal == "c" else value) - kind.low
    level = round(float(share) / (kind.high - kind.low) * (LEVELS - 1))
    scale = "sequential" if kind.low == 0 else "diverging"
    colour = palette(Depth.TRUE, "dark", scale).paint(level).background
    assert isinstance(colour, tuple)
    return "{:02x}{:02x}{:02x}".format(*colour)


def wrong_columns(
    terminal: Terminal, made: HandMade, layer: int, unit: int, signal: str, top: int, rows: int
) -> list[str]:
    """Where the first `rows` rows of text differ from the capture. For text whose lines fit the width."""
    found = []
    position = top
    for y in range(1, rows + 1):
        line = TEXT[position : TEXT.index(b"\n", position) + 1]
        for x, byte in enumerate(line):
            glyph = "↵" if byte == 10 else chr(byte)
            cell = terminal.screen.buffer[y][x]
            colour = expected_background(made, layer, unit, signal, position + x)
            if cell.data != glyph or (cell.bg != colour and position + x != top):  # the cursor is at top
                found.append(f"{x},{y}: {cell.data!r} on {cell.bg}, not {glyph!r} on {colour}")
        position += len(line)
    return found


def test_the_screen_is_what_the_store_says_for_each_cell_and_signal(made: HandMade) -> None:
    with Terminal(["browse", str(made.path), "--cell", "0:0"], columns=120, rows=40) as terminal:
        terminal.wait_for_text("mean")
        assert wrong_columns(terminal, made, 0, 0, "c", 0, 37) == []

        terminal.press("j", "j", "j")
        terminal.wait_for_text("0:3 tanh(c)")
        assert wrong_columns(terminal, made, 0, 3, "c", 0, 37) == []

        terminal.press("]", "J", "s", "s")
        terminal.wait_for_text("1:13 i")
        assert wrong_columns(terminal, made, 1, 13, "i", 0, 37) == []

        terminal.press("S", "K", "[", "k")
        terminal.wait_for_text("0:2 h")
        assert wrong_columns(terminal, made, 0, 2, "h", 0, 37) == []

        terminal.press(":")
        terminal.wait_for_text("go to cell")
        terminal.press("1:17", "enter")
        terminal.wait_for_text("1:17 h")
        assert wrong_columns(terminal, made, 1, 17, "h", 0, 37) == []

        terminal.press("q")
        assert terminal.wait_for_exit() == 0


def test_moving_and_searching(made: HandMade) -> None:
    with Terminal(["browse", str(made.path), "--cell", "0:0"], columns=100, rows=30) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("pagedown")
        terminal.wait_for(lambda: "line 26:" in terminal.row(1), "the next page")
        terminal.press("down", "right", "right")
        position = TEXT.index(b"line 27:") + 2
        terminal.wait_for_text(f" {position}/{len(TEXT):,}  line 28:3  n ")
        terminal.press("end")
        terminal.wait_for_text("↵ 0x0a")
        terminal.press("G")
        terminal.wait_for_text(f" {len(TEXT) - 1:,}/{len(TEXT):,}  line 402")
        terminal.press("/")
        terminal.press("needle", "enter")
        at = TEXT.index(b"needle")
        terminal.wait_for_text(f" {at:,}/{len(TEXT):,}")
        terminal.press("g", "n")
        terminal.wait_for_text(f" {at:,}/{len(TEXT):,}")
        terminal.press("/", r"line 3\d\d:", "enter", "N")
        at = TEXT.index(b"line 399:")
        terminal.wait_for_text(f" {at:,}/{len(TEXT):,}")
        terminal.press("/", "(", "enter")
        terminal.wait_for_text("is no regular expression")
        assert terminal.row(27).startswith(" search (")  # the answer, to be mended, above two lines
        terminal.press("escape")
        terminal.wait_for(lambda: "? keys" in terminal.row(29), "the hints again")
        terminal.press("q")
        assert terminal.wait_for_exit() == 0


def test_the_cursor_shows_the_exact_value_and_what_the_model_expected(made: HandMade) -> None:
    with Terminal(["browse", str(made.path), "--cell", "1:4", "--start", "30"], columns=140) as terminal:
        value = float(made.signal(1, "c")[4, 30])
        terminal.wait_for_text(f"tanh(c) {np.tanh(value):+.4f} (c {value:+.3f})")
        terminal.wait_for_text(f"next {float(made.surprisal()[30]):.2f} nats")
        row = made.next()[30].astype(np.float64)
        vocabulary = made.schema.models[0].vocabulary
        came = vocabulary.index(TEXT[31])
        rank = int((row > row[came]).sum()) + 1
        terminal.wait_for_text(f"p {np.exp(row[came]):.3f}  rank {rank}")
        best = vocabulary[int(row.argmax())]
        shown = {" ": "␣", "\n": "↵"}.get(chr(best), chr(best))
        assert any(
            f"{shown} " in line and f"{np.exp(row.max()):.3f}" in line for line in terminal.screen.display
        )


def test_a_snapshot_from_the_explorer_is_the_one_of_the_command_line(made: HandMade, tmp_path: Path) -> None:
    with Terminal(
        ["browse", str(made.path), "--cell", "0:5"], columns=100, rows=30, cwd=tmp_path
    ) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("w")
        terminal.wait_for_text("hand-0_5-c-0.ans")
        terminal.press("enter")
        terminal.wait_for_text("written: hand-0_5-c-0.ans")
        terminal.press("w")
        terminal.wait_for_text("write (")
        terminal.press("enter")
        terminal.wait_for_text("is there already")
        terminal.press("end", "2")  # no longer all of it selected
        terminal.wait_for_text("hand-0_5-c-0.ans2")
        assert "is there already" not in "\n".join(terminal.screen.display)
        terminal.press("enter")
        terminal.wait_for_text("Give a name that ends in .ans, .html,")
        terminal.press("/nowhere/x.ans", "enter")  # in the place of what is selected
        terminal.wait_for_text("there is no folder /nowhere")
        assert terminal.row(28).startswith(" write (.ans .html .svg .txt) /nowhere/x.ans ")
        terminal.press("escape")
        terminal.wait_for(lambda: "no folder" not in "\n".join(terminal.screen.display), "the hints")
    written = (tmp_path / "hand-0_5-c-0.ans").read_text()
    assert "0:5" in written
    assert "38;2" in written


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (250, 70), (40, 10), (20, 5)])
def test_every_size_works(made: HandMade, columns: int, rows: int) -> None:
    with Terminal(["browse", str(made.path), "--cell", "0:0"], columns=columns, rows=rows) as terminal:
        terminal.wait_for_text("0:0")
        terminal.press("j")
        terminal.wait_for_text("0:1")
        terminal.wait_for(lambda: terminal.row(1).startswith("line 0:"), "the text")
        terminal.resize(100, 30)
        terminal.wait_for_text("mean")
        terminal.press("q")
        assert terminal.wait_for_exit() == 0


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (20, 5)])
def test_a_command_is_found_by_name_in_the_smallest_terminal(made: HandMade, columns: int, rows: int) -> None:
    with Terminal(["browse", str(made.path), "--cell", "0:0"], columns=columns, rows=rows) as terminal:
        terminal.wait_for_text("0:0")
        terminal.press("\x10")
        terminal.wait_for_text("Search for commands")
        terminal.press("zqzq")
        terminal.wait_for_text("zqzq")
        terminal.wait_for_text("No matches found")
        terminal.press("\x15", "next cell")
        terminal.wait_for_text("Next cell")
        terminal.press("enter")
        terminal.wait_for_text("0:1")
        terminal.press("q")
        assert terminal.wait_for_exit() == 0


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"COLORTERM": ""}, "256"),
        ({"COLORTERM": "", "TERM": "xterm"}, "16"),
        ({"NO_COLOR": "1"}, "none"),
    ],
)
def test_lower_colour_depths(made: HandMade, environment: dict[str, str], expected: str) -> None:
    with Terminal(["browse", str(made.path), "--cell", "0:0"], environment=environment) as terminal:
        terminal.wait_for_text("mean")
        output = bytes(terminal.output)
        values = made.signal(0, "c")[0, : len(LINES[0])]
        strong = [x for x, value in enumerate(values) if abs(np.tanh(float(value))) > 0.95 and x > 0]
        cells = [terminal.screen.buffer[1][x] for x in strong]
        assert cells
        assert b"48;2;" not in output
        if expected == "256":
            assert b"48;5;" in output
            assert all(cell.bg not in ("default", "black") for cell in cells)
        elif expected == "16":
            assert b"48;5;" not in output
            assert all(cell.bg in ("brightred", "brightblue", "bfightmagenta") for cell in cells)
        else:
            assert b"48;5;" not in output
            assert all(cell.bg == "default" and cell.fg == "default" for cell in cells)
            assert all(cell.reverse or (cell.underscore and cell.bold) for cell in cells)


def test_nothing_in_the_text_reaches_the_terminal_as_a_command(tmp_path: Path) -> None:
    made = make_capture(tmp_path / "evil.zarr", HOSTILE + UNSURE)
    with Terminal(["browse", str(made.path), "--cell", "0:0"], columns=100) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("right", "right", "/")
        terminal.press("red", "enter")
        terminal.wait_for_text("r 0x72")
        output = bytes(terminal.output)
        assert b"\x1b[31m" not in output
        assert b"]0;owned\x07" not in output
        assert "\u202e".encode() not in output
        assert "\u009b".encode() not in output
        assert terminal.row(1).startswith("a▯[31mred▯]0;owned▯�2Jb⇥   c↵·")
        assert terminal.row(2).startswith("é·“··漢·▯··�↵")
        assert terminal.row(3).startswith("ㅎ·ㅏ·ㄴ· ▯···▯··· 👍··▯··· ก··▯··🙂··↵")


def test_the_help_lists_every_key(made: HandMade) -> None:
    with Terminal(["browse", str(made.path), "--cell", "0:0"], columns=100, rows=120) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("?")
        terminal.wait_for_text("Esc closes")
        for what in (
            "Next cell",
            "Go to a cell by name",
            "Search for a regular expression",
            "Write what is on the screen",
            "Quit",
        ):
            assert what in "\n".join(terminal.screen.display)
        terminal.press("escape")
        terminal.wait_for_text("mean")


def test_keys_pressed_before_textual_has_started_are_not_lost_and_not_shown(made: HandMade) -> None:
    with Terminal(["browse", str(made.path), "--cell", "0:0"], columns=100, rows=30) as terminal:
        terminal.wait_for(lambda: b"[?1049h" in terminal.output, "the first screen")
        terminal.press("j", "j", "pagedown")
        terminal.wait_for(lambda: "0:2" in terminal.row(0), "the second cell")
        terminal.press("q")
        assert terminal.wait_for_exit() == 0
        output = bytes(terminal.output)
    assert b"jj" not in output
    assert b"^[[6~" not in output


def test_keys_pressed_before_a_question_are_done_also_when_all_come_at_once(made: HandMade) -> None:
    with Terminal(["browse", str(made.path), "--cell", "0:5"], columns=100, rows=30) as terminal:
        terminal.send("jj*h:1:7")  # before Textual has started
        terminal.wait_for(lambda: terminal.row(29).startswith(" go to cell (0:7) 1:7"), "the question")
        assert "0:7.c" in terminal.row(0)
        assert "▸c cell" in terminal.row(1)
        terminal.press("enter")
        terminal.wait_for_text("1:7 tanh(c)")
        terminal.send("kkP:1:9\r")
        terminal.wait_for_text("1:9 tanh(c)")
        assert "0:7.c" not in terminal.row(0)


def test_colours_of_the_theme_are_used(made: HandMade) -> None:
    with Terminal(["browse", str(made.path), "--theme", "light"]) as terminal:
        terminal.wait_for_text("mean")
        # The first screen's ground comes of erasing in its colour, of which the emulator knows nothing.
        ground = "{:02x}{:02x}{:02x}".format(*THEMES["light"].neutral)
        terminal.wait_for(lambda: terminal.background(60, 2) == ground, "the theme's ground")


def test_without_a_terminal_it_says_what_to_use(made: HandMade) -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "rnnviz", "browse", str(made.path)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
    assert "rnnviz snapshot" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_mouse_moves_the_cursor_and_scrolls(made: HandMade) -> None:
    with Terminal(["browse", str(made.path), "--cell", "0:0"], columns=100, rows=30) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("right")
        terminal.wait_for_text(f" 1/{len(TEXT):,}")
        terminal.send("\x1b[<0;4;3M\x1b[<0;4;3m")  # column 4 of row 3 of the terminal, the second of the text
        at = TEXT.index(b"line 1:") + 3
        terminal.wait_for_text(f" {at}/{len(TEXT):,}")
        terminal.send("\x1b[<65;4;3M")
        terminal.wait_for(lambda: terminal.row(1).startswith("line 3:"), "three rows further")
        terminal.send("\x1b[<64;4;3M")
        terminal.wait_for(lambda: terminal.row(1).startswith("line 0:"), "the first row again")


def test_a_command_is_found_by_name(made: HandMade) -> None:
    with Terminal(["browse", str(made.path), "--cell", "0:0"], columns=100, rows=30) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("\x10")
        terminal.wait_for_text("Search for commands")
        terminal.press("start of the text")
        terminal.wait_for_text("To the start of the text")
        terminal.press("\x1b")


def test_colours_change_while_it_runs(made: HandMade) -> None:
    with Terminal(["browse", str(made.path), "--map", "brown-teal"]) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("b")
        light = "{:02x}{:02x}{:02x}".format(*THEMES["light:brown-teal"].neutral)
        terminal.wait_for(lambda: terminal.background(60, 2) == light, "light colours")


def test_a_damaged_block_is_told_and_the_rest_stays(tmp_path: Path) -> None:
    text = b"some words\n" * 40
    made = make_capture(tmp_path / "damaged.zarr", text, models=[model_schema(text)])
    for array in ("models/model/layers/0/c", "models/model/next"):
        for file in (made.path / array).rglob("*"):
            if file.is_file() and file.name != "zarr.json":
                file.write_bytes(file.read_bytes()[:50])
    with Terminal(["browse", str(made.path), "--cell", "0:0"], columns=100, rows=30) as terminal:
        terminal.wait_for_text("Unusable capture")
        for _ in range(2):  # the cell's message and that of the predictions
            terminal.press("escape")
            terminal.watch(0.5)  # a key that comes sooner would make it Alt and that key
        terminal.wait_for_text("cannot be read")
        terminal.wait_for(lambda: terminal.row(1).startswith("some words"), "the text")
        terminal.press("s")
        terminal.wait_for_text("0:0 h")
        terminal.press("q")


def test_a_terminal_that_is_gone_ends_it(made: HandMade) -> None:
    with Terminal(["browse", str(made.path), "--cell", "0:0"]) as terminal:
        terminal.wait_for_text("0:0")
        assert terminal.hang_up() != 0
