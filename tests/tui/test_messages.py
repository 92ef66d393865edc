"""What commands say is broken between words on a terminal, and nowhere else; a command line in it is never broken."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rnnviz.tui.command_line.message import wrapped
from support.captures import several_columns, write_capture
from support.command import Command, ended, in_a_process
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


def test_an_incomplete_capture_says_how_far_it_is_and_how_it_is_finished(
    rnnviz: Command, tmp_path: Path
) -> None:
    made = several_columns(tmp_path / "x.zarr")
    captured, symbols = made.schema.column, made.schema.symbols
    write_capture(made, captured, force=True)
    way_out = "Finish it first: rnnviz capture --resume --out x.zarr"
    for arguments in (["--start", str(captured)], ["--view", f"0:0.c,cursor={captured}"]):
        refused = rnnviz("snapshot", "x.zarr", *arguments)
        assert "is not captured yet" in refused.err
        assert f"{captured:,} of the text's {symbols:,} symbols are captured so far. {way_out}" in refused.err
    beyond = rnnviz("snapshot", "x.zarr", "--start", str(symbols)).err
    assert "lies outside the text" in beyond
    assert f"{symbols:,} symbols" in beyond


def test_a_run_in_place_of_a_capture_is_told_as_one(rnnviz: Command, tmp_path: Path) -> None:
    """With the command that captures it, under a name that is free."""
    (tmp_path / "a run").mkdir()
    (tmp_path / "a run/run.json").touch()
    (tmp_path / "a run.zarr").touch()
    for command in ("snapshot", "browse"):
        refused = rnnviz(command, "a run")
        assert refused.err.splitlines()[0] == "rnnviz: a run is a run, not a capture"
        assert refused.err.endswith("Capture it: rnnviz capture 'a run' --out 'a run-2.zarr'\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trian"], "no such command 'trian'; did you mean train?"),
        (["train", "x", "--out", "r", "--epoch", "3"], "no such option: --epoch; did you mean --epochs?"),
    ],
)
def test_mistyped_words_are_answered_in_one_form(rnnviz: Command, words: list[str], said: str) -> None:
    assert rnnviz(*words).err.splitlines()[0] == f"rnnviz: {said}"
