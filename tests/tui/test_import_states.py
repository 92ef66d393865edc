"""`rnnviz import --states`, and what the other commands make of captures and runs over characters and words."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.store.reader import open_capture
from rnnviz.tui.commands.info import capture_facts, capture_lines
from support.command import Command
from support.token_runs import imported_run


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    states = np.random.default_rng(0).normal(size=(60, 4))
    with h5py.File(tmp_path / "states.h5", "w") as file:
        file["states1"] = states
        file["word_ids"] = np.arange(60) % 3 + 1
    (tmp_path / "words.dict").write_text("die 1\nKatze 2\n</s> 3\n")
    np.save(tmp_path / "h.npy", np.tanh(states))
    (tmp_path / "text.txt").write_bytes(b"katzen\n" * 8 + b"ende")
    return tmp_path


def test_states_become_a_capture(rnnviz: Command, project: Path) -> None:
    code, out, err = rnnviz("import", "--states", "states.h5", "--dict", "words.dict", "--out", "a.zarr")
    assert (code, out.splitlines()[0].split(",")[0]) == (0, "a.zarr: hidden states 1×4 over 60 words")
    assert "tanh(c)" in err
    assert "rnnviz browse a.zarr" in err
    code, out, _ = rnnviz("info", "a.zarr", "--check")
    assert code == 0
    assert "60 words in 1 segment" in out
    assert "states: states, 1 × 4 units, 3 words" in out
    assert "without a model" in out
    facts = json.loads(rnnviz("info", "a.zarr", "--json")[1])
    assert (facts["unit"], facts["models"][0]["surprisal"]) == ("word", False)
    assert facts["models"][0]["mean_surprisal"] is None


def test_states_over_the_bytes_of_a_text(rnnviz: Command, project: Path) -> None:
    assert rnnviz("import", "--states", "h.npy", "--text", "text.txt", "--out", "a.zarr")[0] == 0
    capture = open_capture(project / "a.zarr")
    assert capture.text(0, 60).tobytes() == b"katzen\n" * 8 + b"ende"
    assert capture.models["h"].layers[0].signals == ("h",)
    code, out, _ = rnnviz("snapshot", "a.zarr", "--color", "none")
    assert code == 0
    assert "katzen" in re.sub(r"\x1b\[[0-9;]*m", "", out)


def test_ctrl_c_says_how_to_begin_again(tmp_path: Path) -> None:
    """The capture that is left says so too."""
    np.save(tmp_path / "h.npy", np.zeros((1_500_000, 64), np.float16))
    (tmp_path / "text.txt").write_bytes(b"x" * 1_500_000)
    command = [sys.executable, "-m", "rnnviz", "import", "--states", "h.npy", "--text", "text.txt"]
    target = tmp_path / "a.zarr"
    running = subprocess.Popen([*command, "--out", "a.zarr"], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    while not target.exists() and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate()
    assert running.returncode == 130
    assert err.splitlines()[-1] == "next: rnnviz import --states h.npy --text text.txt --out a.zarr --force"
    assert "incomplete" in "".join(capture_lines(capture_facts(target, check=True)))


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["--states", "states.h5"], "stands for which word", "--dict"),
        (["--states", "h.npy"], "what was read", "--word-ids FILE"),
        (["--states", "h.npy", "--text", "words.dict"], "60 rows", "belongs to each symbol"),
        (["--states", "h.npy", "--text", "text.txt", "--dict", "words.dict"], "--text goes", "dictionary"),
        (["--states", "h.npy", "--text", "text.txt", "--layers", "a"], "--layers", ".npy"),
        (["--states", "states.h5", "--layers", "h"], "no dataset h", "there"),
        (["--states", "none.h5"], "no file none.h5", "mistyped"),
        (["--states", "h.npy", "--vocab", "words.dict"], "--vocab does not go with --states", "--help"),
        (["model.pt", "--signal", "h"], "--signal goes with --states only", "--help"),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(
    rnnviz: Command, project: Path, arguments: list[str], message: str, hint: str
) -> None:
    code, out, err = rnnviz("import", *arguments, "--out", "a.zarr")
    assert (code, out) == (2, "")
    first, second = err.strip().splitlines()
    assert first.startswith("rnnviz: ")
    assert message in first
    assert hint in second
    assert not (project / "a.zarr").exists()


def test_a_part_of_a_text_that_an_imported_model_over_bytes_reads(rnnviz: Command, tmp_path: Path) -> None:
    imported_run(tmp_path / "run", Vocabulary(b"\nab"))
    (tmp_path / "text.txt").write_bytes(b"ab\n" * 300)
    code, _, err = rnnviz("eval", "run", "text.txt", "--split", "test")
    assert (code, "--split all" in err, "--streams 1" in err) == (2, True, False), err
    (tmp_path / "text.txt").write_bytes(b"ab\n" * 40_000)
    code, out, err = rnnviz("eval", "run", "text.txt", "--split", "test", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["symbols"] == 20_000


def test_a_model_over_words_from_run_to_capture(rnnviz: Command, tmp_path: Path) -> None:
    vocabulary = TokenVocabulary(("<unk>", "<eos>", "die", "Katze"), "word", unknown=0, line_end=1)
    imported_run(tmp_path / "run", vocabulary)
    (tmp_path / "text.txt").write_text("die Katze\ndie Maus\n" * 30)
    code, out, _ = rnnviz("info", "run")
    assert code == 0
    assert "4 words" in out
    assert "imported:   model.pt, PyTorch state_dict" in out
    code, _, err = rnnviz("eval", "run")
    assert (code, "Give a TEXT" in err) == (2, True)
    code, out, err = rnnviz("eval", "run", "text.txt")
    assert (code, err) == (0, "")
    assert "nats per word" in out
    assert "over 179 words" in out
    assert json.loads(rnnviz("eval", "run", "text.txt", "--json")[1])["unit"] == "word"
    for way_out, command in (
        ("--split all", ("eval", "run", "text.txt")),
        ("Leave --split out", ("capture", "run", "text.txt", "--out", "a.zarr")),
    ):
        code, _, err = rnnviz(*command, "--split", "test")
        assert (code, way_out in err, "train" in err) == (2, True, False), err
    code, out, _ = rnnviz("capture", "run", "text.txt", "--out", "a.zarr")
    assert (code, "180 symbols" in out) == (0, True)
    code, out, _ = rnnviz("info", "a.zarr", "--check")
    assert code == 0
    assert "180 words in 1 segment" in out
    assert open_capture(tmp_path / "a.zarr").models["run"].tokens == vocabulary.tokens
