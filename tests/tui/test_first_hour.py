"""The first hour of the README: its lines are typed one after another, and its Python is run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rnnviz.tui.cli import main
from support.command import Command
from support.documents import command_lines, python_blocks, read, section
from support.terminal import Terminal
from support.texts import write_words

FIRST_HOUR = command_lines(section("README.md", "From your own text to a cell"))
QUICK = ["--epochs", "1", "--hidden", "40", "--threads", "1"]
"""Put behind a training: of an option given twice the last counts. Cell 1:37 is still there."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person's directory with one text in it, notes.txt, in which the first hour's lines have been typed."""
    folder = tmp_path_factory.mktemp("first-hour")
    write_words(folder / "notes.txt", 12_000)
    return folder


@pytest.fixture(scope="module", autouse=True)
def _first_hour(folder: Path) -> None:
    """Run them, one after another, each as a person would, but for the two that open the explorer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for words in FIRST_HOUR:
            is_elsewhere = words[0] == "train" and words[1] != "notes.txt"
            if words[0] == "browse" or is_elsewhere:
                continue
            patch.setattr(sys, "argv", ["rnnviz", *words, *(QUICK if words[0] == "train" else [])])
            with pytest.raises(SystemExit) as end:
                main()
            assert end.value.code == 0, words


def test_the_first_hour_leaves_a_run_a_capture_and_a_picture(folder: Path, rnnviz: Command) -> None:
    assert (folder / "runs/notes/run.json").is_file()
    assert (folder / "cell.svg").read_text(encoding="utf-8").startswith("<svg")
    assert "complete" in rnnviz("info", str(folder / "notes.zarr")).out


@pytest.mark.parametrize(
    "words", [words for words in FIRST_HOUR if words[0] == "browse"], ids=lambda words: " ".join(words)
)
def test_the_first_hour_s_views_open_in_a_terminal(folder: Path, words: list[str]) -> None:
    with Terminal(words, cwd=folder) as terminal:
        terminal.wait_for_text("notes.txt")
        if "--cell" in words:
            terminal.wait_for_text(words[words.index("--cell") + 1])
        terminal.press("q")
        assert terminal.wait_for_exit() == 0


@pytest.mark.parametrize("number", range(len(python_blocks(read("README.md")))))
def test_python_in_the_readme_runs_without_a_warning(folder: Path, number: int) -> None:
    pytest.importorskip("xarray", reason="xarray is not installed")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", python_blocks(read("README.md"))[number]],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
