"""`rnnviz capture --run` and `--add --run`, as they are typed."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rnnviz.engine.text.text import open_text
from rnnviz.store.errors import RnnvizError
from rnnviz.store.reader import open_capture
from rnnviz.tui.typer_app import app
from support.files import contents
from support.runs import SMALL, go_on, start
from support.texts import write_words


@pytest.fixture(scope="module", name="made")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with two runs of a text, a longer text, and a capture by the first run."""
    made = tmp_path_factory.mktemp("made")
    text = open_text(str(write_words(made / "words.txt", 3000)))
    for seed, name in enumerate(("run", "second", "third")):
        start(made / name, text, replace(SMALL, seed=seed, epochs=1))
        go_on(made / name, text)
    write_words(made / "long.txt", 300_000)
    return made


@pytest.fixture(name="here")
def _here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of the test's own with the same, and the working one."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def capture(*arguments: str) -> str:
    """What the command printed, in this process: imports are most of a short command's time."""
    result = CliRunner().invoke(app, ["capture", *arguments])
    if result.exception:
        raise result.exception
    return result.output


def test_at_once_or_later_it_is_the_same(here: Path) -> None:
    said = capture("run", "words.txt", "--run", "second", "--run", "third", "--out", "at-once.zarr")
    assert "second: mean surprisal" in said
    capture("run", "words.txt", "--out", "later.zarr")
    capture("--add", "later.zarr", "--run", "second")
    capture("--add", "later.zarr", "--run", "second", "--run", "third")
    assert list(open_capture("later.zarr").models) == ["run", "second", "third"]
    later, at_once = contents(here / "later.zarr"), contents(here / "at-once.zarr")
    documents = [json.loads(found.pop("zarr.json"))["attributes"]["rnnviz"] for found in (later, at_once)]
    recipes = [document.pop("recipe") for document in documents]
    assert [len(recipe["runs"]) for recipe in recipes] == [0, 2], "how it was made is all that differs"
    assert documents[0] == documents[1]
    assert later == at_once


def test_resuming_a_whole_capture_adds_what_is_missing(here: Path) -> None:
    capture("run", "words.txt", "--out", "x.zarr")
    capture("run", "words.txt", "--run", "second", "--signals", "h", "--out", "x.zarr", "--resume")
    second = open_capture("x.zarr").models["second"]
    assert [layer.signals for layer in second.layers] == [("h",)]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--add", "x.zarr"), "there is nothing to add"),
        (("--add", "x.zarr", "--run", "nowhere"), "there is no run nowhere"),
        (("--add", "nowhere.zarr", "--run", "second"), "there is no capture nowhere.zarr"),
        (("--add", "x.zarr", "--run", "second", "--signals", "z"), "not those of lstm layers"),
        (("--add", "x.zarr", "--run", "second", "--streams", "4"), "--streams does not go with --add"),
        (("--add", "x.zarr", "--signals", "c"), "--signals does not go with --add without --run"),
        (("run", "words.txt", "--run", "run", "--out", "y.zarr"), "would both be the model run"),
        (("run", "words.txt", "--run", "./second", "--run", "second", "--out", "y.zarr"), "would both be"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_work(
    here: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    capture("run", "words.txt", "--out", "x.zarr")
    with pytest.raises(RnnvizError, match=sentence) as refused:
        capture(*arguments)
    assert refused.value.hint
    assert not (here / "y.zarr").exists()
    assert list(open_capture("x.zarr").models) == ["run"]


def test_bytes_that_a_further_run_has_never_seen_are_refused_before_any_work(here: Path) -> None:
    (here / "narrow.txt").write_bytes(b"the prince said\n" * 200)
    narrow = open_text("narrow.txt")
    start(here / "narrow", narrow, SMALL)
    go_on(here / "narrow", narrow)
    command = ("run", "words.txt", "--run", "narrow", "--split", "all", "--out", "y.zarr")
    with pytest.raises(RnnvizError, match="narrow: the model has never seen the byte"):
        capture(*command)
    assert not (here / "y.zarr").exists()
    capture(*command, "--unknown", "replace")
    assert list(open_capture("y.zarr").models) == ["run", "narrow"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_ended_half_way_the_capture_is_as_it_was_and_the_command_goes_on(
    here: Path, number: signal.Signals
) -> None:
    capture("run", "long.txt", "--signals", "h", "--streams", "100", "--out", "x.zarr")
    before = contents(here / "x.zarr")
    words = ["capture", "--add", "x.zarr", "--run", "second", "--signals", "c,h"]
    with subprocess.Popen([sys.executable, "-m", "rnnviz", *words], stderr=subprocess.PIPE) as process:
        while process.poll() is None and not (here / ".x.zarr.adding").exists():
            time.sleep(0.001)
        process.send_signal(number)
        said = process.communicate()[1].decode()
    assert process.returncode == (130 if number == signal.SIGINT else -9)
    assert contents(here / "x.zarr") == before
    again = shlex.join(["rnnviz", *words])
    assert number == signal.SIGKILL or again in said
    capture(*shlex.split(again)[2:])
    found = open_capture("x.zarr")
    list(found.verify())
    assert list(found.models) == ["run", "second"]
    assert not list(here.glob(".*"))
