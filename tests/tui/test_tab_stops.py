"""Tabs move the cursor only on terminals that have said where their tab stops are."""

from __future__ import annotations

import os
import pty
import re
import signal
import termios
from pathlib import Path

import pyte
import pytest

from rnnviz.tui.terminal.frame_pacing import QUESTION
from rnnviz.tui.terminal.tab_stops import TabStops, pass_unchanged
from support.captures import HandMade, make_capture, model_schema
from support.terminal import Terminal

COLUMNS = 60


def asked(stops: TabStops, tabstops: set[int], columns: int = COLUMNS) -> pyte.Screen:
    """The question put to a terminal with such tab stops, whose answers reach `stops`."""
    screen = pyte.Screen(columns, 4)
    screen.tabstops = tabstops

    def answer(data: str) -> None:
        row, column = data.removeprefix("\x1b[").removesuffix("R").split(";")
        stops.answered(int(column) - 1, int(row) - 1)

    screen.write_process_input = answer  # type: ignore[method-assign]
    pyte.Stream(screen).feed("some text\x1b[3;4H" + stops.question(columns))
    return screen


def test_stops_every_eight_columns_are_known_when_the_last_answer_came() -> None:
    stops = TabStops()
    screen = asked(stops, set(range(8, COLUMNS, 8)))
    assert stops.asked
    assert stops.known
    assert not stops.waiting
    assert (screen.cursor.x, screen.cursor.y) == (3, 2)
    assert screen.display[0].rstrip() == "some text"


@pytest.mark.parametrize(
    "tabstops",
    [
        set(),
        set(range(4, COLUMNS, 4)),
        set(range(8, COLUMNS, 8)) - {32},
        set(range(8, COLUMNS, 8)) - {56},
        set(range(8, COLUMNS, 8)) | {30},
    ],
    ids=["none", "every four", "one less", "the last less", "one more"],
)
def test_other_stops_are_not_taken_for_these(tabstops: set[int]) -> None:
    stops = TabStops()
    asked(stops, tabstops)
    assert stops.asked
    assert not stops.known
    assert not stops.waiting


def test_answers_to_what_was_asked_before_a_resize_prove_nothing() -> None:
    stops = TabStops()
    stops.question(COLUMNS)
    stops.answered(8, 1)
    stops.forget()
    assert stops.waiting
    assert not stops.asked
    for column in range(16, COLUMNS, 8):
        stops.answered(column, 1)
    assert not stops.waiting
    assert not stops.known


def test_a_terminal_narrower_than_a_tab_is_asked_nothing() -> None:
    stops = TabStops()
    assert stops.question(8) == ""
    assert stops.asked
    assert not stops.waiting
    assert not stops.known


@pytest.mark.parametrize(
    ("modes", "unchanged"),
    [
        (termios.OPOST | termios.ONLCR, True),
        (termios.OPOST | termios.TAB3, False),
        (termios.OPOST | termios.OCRNL, False),
        (termios.TAB3, True),  # no processing at all
    ],
)
def test_a_terminal_line_that_expands_tabs_is_told_from_one_that_does_not(
    modes: int, unchanged: bool
) -> None:
    master, slave = pty.openpty()
    try:
        attributes = termios.tcgetattr(slave)
        attributes[1] = modes
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        assert pass_unchanged(slave) is unchanged
    finally:
        os.close(master)
        os.close(slave)


def test_what_is_no_terminal_passes_no_tabs() -> None:
    reader, writer = os.pipe()
    assert not pass_unchanged(writer)
    os.close(reader)
    os.close(writer)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    text = b"\n".join(b"line %d %s" % (number, b"word " * (number % 14)) for number in range(200))
    path = tmp_path_factory.mktemp("tabs") / "lines.zarr"
    return make_capture(path, text, models=[model_schema(text, layers=1, hidden=24)])


@pytest.mark.parametrize(
    ("tabstops", "used"), [(set(range(8, 100, 8)), True), (set(range(4, 100, 4)), False)], ids=["8", "4"]
)
def test_the_explorer_moves_by_tabs_where_the_stops_stand_as_it_expects(
    made: HandMade, tabstops: set[int], used: bool
) -> None:
    with Terminal(["browse", str(made.path), "--cell", "0:0"], columns=100, rows=30) as terminal:
        terminal.screen.tabstops = tabstops
        terminal.wait_for_text("mean")
        terminal.press("j", "j")
        terminal.wait_for_text("0:2")
        sent = len(terminal.output)
        terminal.press("j", "j")
        terminal.wait_for_text("0:4")
        assert (b"\t" in terminal.output[sent:]) is used
        terminal.press("q")
        assert terminal.wait_for_exit() == 0


@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="only Linux tells that a program is suspended"
)
def test_what_was_known_before_the_program_was_suspended_is_asked_again(made: HandMade) -> None:
    with Terminal(["browse", str(made.path), "--cell", "0:0"], columns=100, rows=30) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("j", "j")
        terminal.wait_for_text("0:2")
        os.kill(terminal.pid, signal.SIGTSTP)
        status = Path(f"/proc/{terminal.pid}/stat")
        terminal.wait_for(lambda: ") T " in status.read_text(), "the program suspended")
        terminal.screen.reset()
        terminal.screen.tabstops = set(range(4, 100, 4))
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.wait_for_text("0:2")
        sent = len(terminal.output)
        terminal.press("j", "j")
        terminal.wait_for_text("0:4")
        assert b"\t" + QUESTION.encode() in terminal.output[sent:]
        assert re.search(rb"\t(?!\x1b\[6n)", terminal.output[sent:]) is None
