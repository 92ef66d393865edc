"""A search that would take for ever stops no key: Esc ends it, and so does leaving."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.captures import HandMade, make_capture
from support.terminal import Terminal

TEXT = b"every word of this line is tried in every way there is\n" * 100
ENDLESS = r"(\w+\s*)+@@"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    return make_capture(tmp_path_factory.mktemp("endless") / "hand.zarr", TEXT)


def test_escape_ends_it_and_all_keys_work(made: HandMade, tmp_path: Path) -> None:
    with Terminal(["browse", str(made.path), "--cell", "0:0"]) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("/", ENDLESS, "enter")
        terminal.wait_for_text("searching: 0%  Esc stops it")
        terminal.press("j")
        terminal.wait_for(lambda: terminal.row(0).startswith(" 0:1 "), "the next cell")
        terminal.press("escape")
        terminal.wait_for(lambda: "? keys" in terminal.row(23), "the hints again")
        terminal.press("/", "tr.*?y", "enter")  # another one that repeats
        terminal.wait_for_text(" 27/5,500")


def test_leaving_ends_it(made: HandMade) -> None:
    with Terminal(["browse", str(made.path), "--cell", "0:0"]) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("/", ENDLESS, "enter")
        terminal.wait_for_text("Esc stops it")
        terminal.press("q")
        assert terminal.wait_for_exit() == 0


def test_which_of_all_matches_it_is_and_of_what(made: HandMade) -> None:
    with Terminal(["browse", str(made.path), "--cell", "0:0"]) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("/", "line", "enter")
        terminal.wait_for_text("match 1 of 100 of line")
        terminal.press("n", "n")
        terminal.wait_for_text("match 3 of 100 of line")
        terminal.press("g", "N")
        terminal.wait_for_text("match 100 of 100 of line, on from the end of the text")
        terminal.press("/", "x+y", "enter")
        terminal.wait_for_text("no match: x+y")
