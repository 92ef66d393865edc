"""What commands say is broken between words on a terminal, and nowhere else; a command line in it is never broken."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rnnviz.tui.command_line.message import wrapped
from support.command import ended, in_a_process
from support.terminal import Terminal

WORDS = st.lists(st.text("abc日本-/.,:", min_size=1, max_size=12), min_size=1, max_size=30)


def _columns(line: str) -> int:
    return sum(2 if letter in "日本" else 1 for letter in line)


@given(WORDS, st.integers(16, 60), st.sampled_from(["", "  "]))
def test_a_line_is_broken_between_words_and_fits(words: list[str], width: int, indent: str) -> None:
    lines = wrapped(" ".join(words), width, indent)
    assert [word for line in lines for word in line.split()] == words, "nothing is lost or cut"
    assert all(line.startswith(indent) for line in lines[1:])
    for line, following in zip(lines, [*lines[1:], None], strict=True):
        words_here = line.split()
        assert _columns(line) <= width or len(words_here) == 1
        if following is not None:  # no word that would have fitted is put off
            assert _columns(f"{line} {following.split()[0]}") > width


@given(st.lists(st.text("abc '\"$. A", min_size=1, max_size=20), max_size=6), st.integers(10, 60))
def test_a_command_line_stays_whole(words: list[str], width: int) -> None:
    """Whatever its words hold. One that ends with a full stop looks like the end of a sentence."""
    assume(not any(word.endswith(".") and word != "." for word in words))
    command = shlex.join(["rnnviz", "capture", *words])
    lines = wrapped(f"  Look for a mistyped name, or begin one: {command}", width, "  ")
    assert lines[-1].removeprefix("  ") == command or lines == [
        f"  Look for a mistyped name, or begin one: {command}"
    ]


def test_what_follows_a_command_line_is_prose_again() -> None:
    lines = wrapped("Give both: rnnviz capture RUN --out X.zarr. To go on, give --resume.", 24, "  ")
    assert lines == ["Give both:", "  rnnviz capture RUN --out X.zarr", "  To go on, give", "  --resume."]


def test_without_a_terminal_a_line_is_one(tmp_path: Path) -> None:
    done = ended(in_a_process("capture", "--resume", "--out", "nope.zarr", folder=tmp_path))
    assert done.code == 2
    assert done.err.splitlines() == [
        "rnnviz: there is no capture nope.zarr to go on with",
        "  Look for a mistyped name, or begin one: rnnviz capture RUN --out nope.zarr",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pty")
def test_on_a_terminal_lines_end_between_words(tmp_path: Path) -> None:
    with Terminal(["capture", "--resume", "--out", "nope.zarr"], cwd=tmp_path, columns=44) as terminal:
        assert terminal.wait_for_exit() == 2
        assert [line.rstrip() for line in terminal.screen.display if line.strip()] == [
            "rnnviz: there is no capture nope.zarr to go",
            "on with",
            "  Look for a mistyped name, or begin one:",
            "  rnnviz capture RUN --out nope.zarr",
        ]
