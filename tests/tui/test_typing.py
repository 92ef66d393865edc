"""Typing in the explorer: what a person presses, and what stands on the screen after it, in a real terminal."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rnnviz.engine.runs.run import Run
from rnnviz.store.reader import Capture, open_capture
from rnnviz.store.signals import SIGNALS
from rnnviz.tui.paint.shading import DIFFERENCE, SURPRISAL
from support.lively import Typed, capture_of, lively_run, wordy
from support.shades import wait_for_shades
from support.terminal import Terminal
from support.texts import words


@pytest.fixture(scope="module", name="made")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Typed:
    return wordy(tmp_path_factory.mktemp("typing"))


@pytest.fixture(scope="module", name="run")
def _run(made: Typed) -> Run:
    return made.run


@pytest.fixture(scope="module", name="path")
def _path(made: Typed) -> Path:
    return made.path


def of_text(run: Run, text: bytes, folder: Path) -> Capture:
    """A capture of just what is typed."""
    folder.mkdir(exist_ok=True)
    (folder / "typed.txt").write_bytes(text)
    return open_capture(capture_of(run, folder / "typed.txt", folder / "typed.zarr"))


def shaded(terminal: Terminal, capture: Capture, layer: int, unit: int, signal: str, length: int) -> None:
    values = capture.models["wordy"].layers[layer].read(signal, unit, 0, length)
    wait_for_shades(terminal, 1, values, SIGNALS[signal])


def children_of(pid: int) -> list[int]:
    """The processes in which models read."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rsplit(")", 1)[1].split()[1])
            command = (stat.parent / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid and b"rnnviz.tui.playground.model_process" in command:
            found.append(int(stat.parent.name))
    return found


def test_what_is_typed_is_shaded_and_predicted_as_a_capture_of_it_would_be(
    path: Path, run: Run, tmp_path: Path
) -> None:
    capture = of_text(run, b"the war, ", tmp_path)
    with Terminal(["browse", str(path), "--cell", "1:3"], columns=100, rows=30) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("i", *"the wax", "\x7f", *"r, ")
        terminal.wait_for_text("nats a symbol")
        terminal.wait_for_text("after ␣")
        shaded(terminal, capture, 1, 3, "c", 9)
        model = capture.models["wordy"]
        likeliest = np.sort(np.exp(model.next(8, 9)[0].astype(np.float64)))[::-1][:10]
        for place, share in enumerate(likeliest):
            assert f"{share:.3f}"[:4] in terminal.row(17 + place)
        assert f"came ␣ {float(model.surprisal(7, 8)[0]):.2f} nats" in terminal.row(27)
        assert f"{float(np.nanmean(model.surprisal(0, 9))):.2f} nats a symbol" in terminal.row(16)

        # Another cell and signal, without leaving the text and from the commands.
        terminal.press("\x0e")
        terminal.wait_for_text("1:4 tanh(c)")
        shaded(terminal, capture, 1, 4, "c", 9)
        terminal.press("escape")
        terminal.wait_for_text("1.0  commands")
        terminal.press("[", "k", "s", "s")
        terminal.wait_for_text("0:3 i")
        shaded(terminal, capture, 0, 3, "i", 9)
        terminal.press(*":1:2", "enter")
        terminal.wait_for_text("1:2 i")
        shaded(terminal, capture, 1, 2, "i", 9)

        # Back in the text view it is the same cell; coming again, the page is as it was.
        terminal.press("q")
        terminal.wait_for_text("mean")
        terminal.wait_for_text("1:2 i")
        terminal.press("i")
        terminal.wait_for_text("nats a symbol")
        shaded(terminal, capture, 1, 2, "i", 9)
        terminal.press("escape", "q", "q")
        assert terminal.wait_for_exit() == 0


def test_pasted_lines_unknown_bytes_and_moving_in_them(path: Path) -> None:
    with Terminal(["browse", str(path)], columns=100, rows=30) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("i")
        terminal.wait_for_text("typing")
        terminal.paste("a prince\r\nsaid {é}")
        terminal.wait_for_text("4 unknown, read as ␣")
        assert terminal.row(1).startswith("a prince↵")
        assert terminal.row(2).startswith("said {é·}")
        assert [x for x in range(9) if terminal.screen.buffer[2][x].underscore] == [5, 6, 7, 8]
        terminal.press("left", "left", "\x7f")
        terminal.wait_for_text("3 unknown")
        assert terminal.row(2).startswith("said é·}")
        terminal.press("up", "home", *"not ")
        terminal.wait_for(lambda: terminal.row(1).startswith("not a prince↵"), "what was put in front")
        terminal.press("end", "\x17", "down", "\x15", "\x15")
        terminal.wait_for(lambda: terminal.row(1).startswith("not a é·}"), "what is left")
        terminal.paste("\x1b[31mred")
        terminal.wait_for_text("not a ^[31mredé·}")  # as Textual hands on what is pasted
        assert b"\x1b[31m" not in bytes(terminal.output)


def test_a_killed_process_is_a_message_and_comes_back(path: Path) -> None:
    with Terminal(["browse", str(path)], columns=100, rows=30) as terminal:
        terminal.wait_for_text("mean")
        assert children_of(terminal.pid) == []
        terminal.press("i", *"the war")
        terminal.wait_for_text("nats a symbol")
        (child,) = children_of(terminal.pid)
        os.kill(child, signal.SIGKILL)
        terminal.wait_for_text("was killed by signal 9")
        terminal.press(*", no")  # one can type on
        terminal.wait_for(lambda: terminal.row(1).startswith("the war, no"), "what was typed")
        terminal.press("escape")
        terminal.wait_for_text("1.0  commands")
        terminal.press("!")
        terminal.wait_for_text("nats a symbol")
        (again,) = children_of(terminal.pid)
        assert again != child
        os.kill(again, signal.SIGSTOP)
        terminal.press("i", *" said")
        terminal.wait_for_text("has not answered for")
        terminal.press("escape")
        terminal.wait_for_text("1.0  commands")
        terminal.press("!")
        terminal.wait_for_text("nats a symbol")
        terminal.press("q", "q")
        assert terminal.wait_for_exit() == 0
        assert children_of(terminal.pid) == []


def test_a_run_that_has_moved_is_asked_for(path: Path, run: Run, tmp_path: Path) -> None:
    far = tmp_path / "far" / "away"
    shutil.copytree(path, far / "x.zarr")
    shutil.copytree(run.path, tmp_path / "changed")
    weights = tmp_path / "changed" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x3d")
    lively_run(tmp_path / "other", path.parent / "words.txt", layers=1, hidden=7)
    with Terminal(["browse", str(far / "x.zarr")], columns=110, rows=30, cwd=far) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("i")
        terminal.wait_for_text("path of the run wordy")
        terminal.press("../nowhere", "enter")
        terminal.wait_for_text("there is no directory")
        assert "path of the run wordy ../nowhere" in "\n".join(terminal.screen.display)  # to be mended
        terminal.press("escape")
        terminal.wait_for(lambda: "path of" not in terminal.row(29), "the hints")
        terminal.wait_for_text("Esc and then R take its path")
        terminal.press(*"war")  # without a model one can type, too
        terminal.wait_for(lambda: terminal.row(1).startswith("war"), "what was typed")
        for place, says in (
            ("../../other", "is another model: it has 1×7 cells"),
            ("../../changed", "not the capture's weights"),
        ):
            terminal.press("escape")
            terminal.wait_for_text("1.0  commands")
            terminal.press("R")
            terminal.wait_for_text("path of the run wordy")
            terminal.press(place, "enter", "i")
            terminal.wait_for_text(says)
        terminal.wait_for_text("came r")


def test_the_model_of_a_named_run_goes_on_writing_and_back(path: Path, run: Run, tmp_path: Path) -> None:
    shutil.copytree(path, tmp_path / "a" / "b" / "x.zarr")
    shutil.copytree(run.path, tmp_path / "c")
    arguments = ["browse", str(tmp_path / "a/b/x.zarr"), "--cell", "0:1", "--run", str(tmp_path / "c")]
    with Terminal(arguments, columns=80, rows=24, cwd=tmp_path / "a") as terminal:
        terminal.wait_for_text("mean")
        terminal.press("i", *"the war", "escape")
        terminal.wait_for_text("1.0  commands")
        terminal.wait_for_text("nats a symbol")
        terminal.press(*"<<<<<<<<<<")
        terminal.wait_for_text("temperature 0.0")
        for count in range(1, 5):
            terminal.press(".")
            terminal.wait_for_text(f" {7 + count}/{7 + count} ")
        written = greedy(run, b"the war", 4, tmp_path)
        shaded(terminal, of_text(run, written, tmp_path / "shade"), 0, 1, "c", len(written))
        terminal.press("\x7f", "\x7f")
        terminal.wait_for_text(" 9/9 ")
        terminal.press(".", ".")
        terminal.wait_for_text(" 11/11 ")
        shaded(terminal, of_text(run, written, tmp_path / "shade2"), 0, 1, "c", len(written))

        terminal.press(*">>>>>>>>>>")
        terminal.wait_for_text("temperature 1.0")
        terminal.press(" ")
        wait_until(terminal, lambda: position(terminal) > 30)
        terminal.press(" ")
        terminal.wait_for_text("1.0  commands")
        reached = position(terminal)
        terminal.press("i", "\x07")
        wait_until(terminal, lambda: position(terminal) > reached + 5)
        terminal.press(*"no")  # typing stops it
        terminal.wait_for_text("typing")
        terminal.wait_for_text("after o")


def position(terminal: Terminal) -> int:
    match = re.match(r" ([\d,]+)/", terminal.row(22))
    return int(match[1].replace(",", "")) if match else 0


def wait_until(terminal: Terminal, shown: Callable[[], object]) -> None:
    """While the screen changes all the time: `Terminal.wait_for` waits for quiet."""
    for _ in range(600):
        terminal.watch(0.05)
        if shown():
            return
    raise AssertionError("\n".join(terminal.screen.display))


def greedy(run: Run, text: bytes, count: int, folder: Path) -> bytes:
    for place in range(count):
        model = of_text(run, text, folder / str(place)).models["wordy"]
        text += bytes([model.vocabulary[int(model.next(len(text) - 1, len(text))[0].argmax())]])
    return text


def test_ngram_models_stand_beside_the_recurrent_one(tmp_path: Path) -> None:
    from rnnviz.engine.ngram.captured_ngrams import add_ngrams
    from rnnviz.engine.text.text import open_text
    from support.ngrams import added

    made = wordy(tmp_path)
    models = added(made.path, tmp_path / "ngrams", open_text(str(tmp_path / "words.txt")), 1, 3)
    with Terminal(["browse", str(made.path)], columns=100, rows=30) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("i", *"the w")
        terminal.wait_for(lambda: terminal.row(16).count("nats a symbol") == 2, "two models")
        assert "3-gram" in terminal.row(16)
        next = np.sort(np.exp(models.load(3).distribution(b"the w").astype(np.float64)))[::-1]
        assert f"{next[0]:.3f}"[:4] in terminal.row(17)[50:]
        terminal.press("escape")
        terminal.wait_for_text("1.0  commands")

        # Shaded by the surprisal of either, and by who knew better.
        typed = of_text(made.run, b"the w", tmp_path / "typed").path
        for _ in add_ngrams(typed, models):
            pass
        known = open_capture(typed).models
        left, right = (
            np.append(np.float32(np.nan), known[name].surprisal(0, 4)) for name in ("wordy", "ngram-3")
        )
        for title, values, kind in (
            ("surprisal of wordy", left, SURPRISAL),
            ("surprisal of 3-gram", right, SURPRISAL),
            ("wordy better + / 3-gram better −", right - left, DIFFERENCE),
        ):
            terminal.press("t")
            terminal.wait_for_text(title)
            wait_for_shades(terminal, 1, values, kind)
        terminal.press("t")
        terminal.wait_for_text("what you type")
        terminal.press("-")
        terminal.wait_for_text("1-gram")
        terminal.wait_for(lambda: terminal.row(16).count("nats a symbol") == 2, "two models")
        terminal.press("-")
        terminal.wait_for_text("1-gram: that is the smallest n")
        shutil.rmtree(models.path)
        terminal.press("+")
        terminal.wait_for_text("there is no")
        assert "nats a symbol" in terminal.row(16)[:50]  # the other one goes on reading


def test_ten_thousand_characters_pasted_and_the_help(path: Path) -> None:
    with Terminal(["browse", str(path)], columns=200, rows=50) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("i")
        terminal.paste(words(10_000).decode())
        terminal.press("!")
        terminal.wait_for_text(" 10,001/10,001")
        terminal.wait_for_text("came ! ?")
        terminal.wait_for_text("nats a symbol")
        assert "none in this capture" in terminal.row(37)
        terminal.press("escape")
        terminal.wait_for_text("1.0  commands")
        terminal.press("?")
        for what in ("Take away the word before the cursor", "From typing to commands", "Other dice"):
            terminal.wait_for_text(what)
