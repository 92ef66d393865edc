"""`rnnviz train` and `rnnviz eval` as a person uses them: lines, exit codes, Ctrl-C, resuming."""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from rnnviz.engine.runs.run import load_run
from support.command import Command, Done
from support.runs import without_times
from support.terminal import Terminal
from support.texts import words, write_words

SMALL = ["--hidden", "5", "--streams", "4", "--unroll", "10", "--split", "60/20/20", "--epochs", "2"]
SMALL += ["--device", "cpu", "--threads", "1"]

EPOCH = re.compile(
    r"epoch +\d+/(\d+)  train \d\.\d{4}  validation \d\.\d{4}  [\d.]+[KM]? symbols/s  \d+:\d\d"
)


@pytest.fixture(name="text")
def _text(tmp_path: Path) -> Path:
    return write_words(tmp_path / "text.txt", 2500)


def _refused(done: Done, code: int, sentence: str, hint: str) -> None:
    assert done.code == code
    assert re.search(sentence, done.err), done.err
    lines = done.err.splitlines()
    assert len(lines) == 2, "one line and a hint"
    assert hint in lines[1]
    assert done.out == ""


def test_training_prints_a_line_per_epoch_and_the_test_loss(rnnviz: Command, text: Path) -> None:
    done = rnnviz("train", "text.txt", "--out", "runs/small", *SMALL)
    assert done.code == 0
    *epochs, last = done.out.splitlines()
    assert len(epochs) == 2
    assert all(EPOCH.match(line) for line in epochs)
    assert re.fullmatch(
        r"runs/small: LSTM 1×5, test loss \d\.\d{4} ± 0\.\d{4} nats per symbol \(\d\.\d{4} bits\), "
        r"best epoch \d of 2",
        last,
    )
    assert done.err.splitlines()[-1] == "next: rnnviz capture runs/small --out small.zarr"
    measured = rnnviz("eval", "runs/small", "--json")
    record = json.loads(measured.out)
    assert record.keys() == {"loss", "deviation", "bits", "symbols", "unit"}
    assert record["unit"] == "byte"
    assert f"test loss {record['loss']:.4f} ± {record['deviation']:.4f}" in last
    assert record["symbols"] == 520


def test_the_record_has_the_command_but_no_path_of_this_machine(
    rnnviz: Command, text: Path, tmp_path: Path
) -> None:
    rnnviz("train", str(text), "--out", str(tmp_path / "run"), *SMALL, "--model", "gru", "--glob", "*.txt")
    record = (tmp_path / "run" / "run.json").read_text()
    assert str(tmp_path) not in record
    command = json.loads(record)["command"]
    assert command.startswith("rnnviz train text.txt --out run --model gru --layers 1 --hidden 5 --epochs 2")
    assert "--split 60/20/20 --streams 4 --unroll 10" in command


def test_the_recorded_command_makes_the_run_again(rnnviz: Command, text: Path, tmp_path: Path) -> None:
    rnnviz("train", "text.txt", "--out", "run", *SMALL, "--seed", "7", "--layers", "2", "--dropout", "0.2")
    expected = load_run(tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / "first")
    assert rnnviz(*expected.command.split()[1:-1], "*").code == 0
    assert without_times(load_run(tmp_path / "run")) == without_times(expected)


def test_evaluating_parts_and_other_texts(
    rnnviz: Command, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rnnviz("train", str(text), "--out", "run", *SMALL)
    history = load_run(tmp_path / "run").history
    best = min(epoch.validation for epoch in history)
    done = rnnviz("eval", "run", "text.txt", "--split", "val")
    assert re.fullmatch(
        r"val loss \d\.\d{4} ± 0\.\d{4} nats per symbol \(\d\.\d{4} bits\) over 480 symbols\n", done.out
    )
    assert json.loads(rnnviz("eval", "run", "text.txt", "--split", "val", "--json").out)[
        "loss"
    ] == pytest.approx(best, abs=1e-6)
    write_words(tmp_path / "other.txt", 3000, seed=1)
    other = rnnviz("eval", "run", "other.txt")
    assert other.code == 0
    assert other.err.startswith("other.txt is not the text that run was trained on"), "which is no error"
    assert other.out.startswith("loss on the test part of other.txt ")
    own = rnnviz("eval", "run", "text.txt").out
    monkeypatch.chdir(text.parent.parent)
    assert rnnviz("eval", str(tmp_path / "run")).out == own, "the run knows where its text is, from anywhere"
    monkeypatch.chdir(tmp_path)
    text.rename(tmp_path / "moved.txt")
    _refused(rnnviz("eval", "run"), 2, "text.txt.*is not to be found", "TEXT")
    assert rnnviz("eval", "run", "moved.txt").out == own
    assert rnnviz("eval", "run").out == own, "the state of this user tells where it was seen last"
    (tmp_path / "moved.txt").write_bytes(words(3000) + b"\n")
    _refused(rnnviz("eval", "run"), 2, "moved.txt has changed: its SHA-256", "TEXT")
    (tmp_path / "unknown.txt").write_bytes(words(1500) + b"\n\xe9" + words(1500))
    _refused(
        rnnviz("eval", "run", "unknown.txt"), 2, r"byte 0xE9 \(b'\\xe9'\).* offset 1,501, in line \d+ of", ""
    )
    write_words(tmp_path / "short.txt", 39)
    short = rnnviz("eval", "run", "short.txt")
    _refused(short, 2, "39 symbols, fewer than one mini-batch", "--split all")
    way_out = shlex.split(short.err.splitlines()[1].partition(": ")[2])
    assert way_out[0] == "rnnviz"
    assert rnnviz(*way_out[1:]).out.startswith("loss on all of short.txt ")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence", "hint"),
    [
        (["none.txt", "--out", "run"], 2, "no file or directory none.txt", "python:stdlib"),
        (["--out", "run"], 2, "no TEXT", "rnnviz train TEXT"),
        (
            ["text.txt", "--out", "run", "--streams", "100", "--unroll", "100"],
            2,
            "fewer than one mini-batch of 100 streams × 100",
            "--streams",
        ),
        (["text.txt", "--out", "run", "--split", "80/20"], 2, "80/20", "--split"),
        (["text.txt", "--out", "run", "--hidden", "0"], 2, "--hidden 0", "--hidden"),
        (["text.txt", "--out", "text.txt", *SMALL], 2, "text.txt exists and is no run", "--out"),
        (["text.txt", "--out", "text.txt", "--force", *SMALL], 2, "exists and is no run", "--out"),
        (["text.txt", "--out", "text.txt/run", *SMALL], 1, "cannot make", "--out"),
        (["text.txt", "--out", "run", *SMALL, "--hidden", "999999"], 2, "parameters", "--hidden"),
        (["--out", "run", "--resume", "--force"], 2, "exclude each other", "--force"),
        (["--out", "run", "--resume"], 2, "there is no run run", "rnnviz train"),
        (["empty.txt", "--out", "run"], 2, "empty.txt is empty", ""),
        (
            ["folder", "--out", "run", "--glob", "*.c"],
            2,
            r"no file in folder whose name matches \*\.c",
            "--glob",
        ),
    ],
)
def test_mistakes_end_with_a_sentence_and_a_hint(
    rnnviz: Command, text: Path, tmp_path: Path, arguments: list[str], code: int, sentence: str, hint: str
) -> None:
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "folder").mkdir()
    _refused(rnnviz("train", *arguments), code, sentence, hint)
    assert not (tmp_path / "run").exists()
    assert text.read_bytes() == words(2500)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_gpu_ends_with_a_sentence(rnnviz: Command, text: Path) -> None:
    _refused(
        rnnviz("train", "text.txt", "--out", "run", "--device", "cuda"), 1, "no CUDA device", "--device cpu"
    )


def test_a_finished_run_is_replaced_only_with_force(rnnviz: Command, text: Path, tmp_path: Path) -> None:
    rnnviz("train", "text.txt", "--out", "run", *SMALL)
    before = (tmp_path / "run" / "run.json").read_bytes()
    _refused(rnnviz("train", "text.txt", "--out", "run", *SMALL), 2, "already holds a run", "--force")
    assert (tmp_path / "run" / "run.json").read_bytes() == before
    resumed = rnnviz("train", "--resume", "--out", "run")
    assert resumed.code == 0
    assert resumed.err.splitlines()[0] == (
        "run is complete with its 2 epochs; give --epochs above 2 to train on"
    )
    assert (tmp_path / "run" / "run.json").read_bytes() == before
    assert rnnviz("train", "text.txt", "--out", "run", *SMALL, "--force", "--seed", "1").code == 0
    assert load_run(tmp_path / "run").config.seed == 1


def test_the_next_command_works_when_it_is_pasted(rnnviz: Command, text: Path, tmp_path: Path) -> None:
    """From where the run was trained, whatever its name, and though a capture of that name is there."""
    (tmp_path / "my run.zarr").mkdir()
    for given in ("text.txt", str(text)):
        done = rnnviz("train", given, "--out", "runs/my run", *SMALL, "--force")
        words = shlex.split(done.err.splitlines()[-1])
        assert words[:2] == ["next:", "rnnviz"]
        captured = rnnviz(*words[2:], "--force")
        assert captured.code == 0, captured.err
        assert (tmp_path / "my run-2.zarr" / "zarr.json").is_file()
        (tmp_path / "my run-2.zarr").rename(tmp_path / f"{len(given)}")
    done = rnnviz("train", "text.txt", "--model", "n-nn", "--n", "2", "--out", "window", *SMALL)
    assert done.out.splitlines()[-1].startswith("window: 2-NN of 5, test loss ")
    assert done.err.splitlines()[-1] == "next: rnnviz eval window"


def test_a_run_says_how_many_updates_an_epoch_has(rnnviz: Command, tmp_path: Path) -> None:
    """And what was chosen for the size of the text, which what is given overrules."""
    write_words(tmp_path / "text.txt", 60_000)
    common = ["train", "text.txt", "--hidden", "2", "--epochs", "1", "--threads", "1", "--device", "cpu"]
    chosen = rnnviz(*common, "--out", "chosen")
    first, last = chosen.err.splitlines()
    assert first.startswith(
        "training on 48,000 symbols: 240 updates an epoch, each of 4 streams × 50 steps ("
    )
    assert "not the paper's 100 × 100" in first
    assert last.startswith("next: ")
    assert "--streams 4 --unroll 50" in load_run(tmp_path / "chosen").command
    given = rnnviz(*common, "--out", "given", "--streams", "20", "--unroll", "100")
    first, second, last = given.err.splitlines()
    assert first == "training on 48,000 symbols: 24 updates an epoch, each of 20 streams × 100 steps"
    assert second.startswith("24 updates an epoch are few: --streams 4 --unroll 50 make 240 an epoch (")
    assert last.startswith("next: ")
    one = rnnviz(*common, "--out", "one", "--unroll", "25")
    assert "480 updates an epoch, each of 4 streams × 25 steps" in one.err
    write_words(tmp_path / "text.txt", 2500)
    least = rnnviz(*common, "--out", "least")
    assert "9 updates an epoch are few: a longer text or more --epochs help" in least.err


def test_a_model_that_learns_its_text_by_heart_says_so(rnnviz: Command, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("".join(random.Random(0).choices("0123456789", k=1200)))
    done = rnnviz("train", "text.txt", "--out", "run", *SMALL, "--hidden", "48", "--epochs", "12")
    best = load_run(tmp_path / "run").best
    assert best is not None
    assert f"the weights of epoch {best.epoch} are kept: after it the validation loss rose from " in done.err
    assert "by heart" in done.err
    shorter = rnnviz("train", "text.txt", "--out", "shorter", *SMALL, "--epochs", str(best.epoch))
    assert "by heart" not in shorter.err


def test_a_complete_run_goes_on_to_more_epochs(rnnviz: Command, text: Path, tmp_path: Path) -> None:
    """To the same bytes as one that was to have them from the start, though it is stopped on the way."""
    rnnviz("train", "text.txt", "--out", "run", *SMALL, "--dropout", "0.2", "--layers", "2")
    assert rnnviz("train", "--resume", "--epochs", "3", "--out", "run").code == 0
    done = rnnviz("train", "--resume", "--epochs", "5", "--out", "run")
    assert done.code == 0
    assert "3 of 5 epochs are done" in done.err
    assert [line.split()[1] for line in done.out.splitlines()[:-1]] == ["4/5", "5/5"]
    rnnviz(
        "train", "text.txt", "--out", "whole", *SMALL, "--dropout", "0.2", "--layers", "2", "--epochs", "5"
    )
    for name in ("model.safetensors", "checkpoint.safetensors"):
        ours, theirs = (load((tmp_path / run / name).read_bytes()) for run in ("run", "whole"))
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(value, theirs[key]) for key, value in ours.items()), name
    run, whole = load_run(tmp_path / "run"), load_run(tmp_path / "whole")
    assert without_times(run) == replace(without_times(whole), command=run.command)
    assert run.command == whole.command.replace("--out whole", "--out run")
    before = (tmp_path / "run" / "run.json").read_bytes()
    _refused(
        rnnviz("train", "--resume", "--epochs", "4", "--out", "run"), 2, "less than the 5 epochs", "5 or"
    )
    (tmp_path / "run" / "checkpoint.safetensors").unlink()
    _refused(
        rnnviz("train", "--resume", "--epochs", "9", "--out", "run"),
        1,
        "cannot go on beyond its 5",
        "--force",
    )
    assert (tmp_path / "run" / "run.json").read_bytes() == before, "it is as complete as it was"


def _interrupted(tmp_path: Path, number: signal.Signals) -> subprocess.CompletedProcess[str]:
    """Start a training in a process of its own, and send it a signal once its first epoch is done."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-u",
            "-m",
            "rnnviz",
            "train",
            "text.txt",
            "--out",
            "run",
            *SMALL,
            "--epochs",
            "30",
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_resuming_gives_the_same_bits(
    rnnviz: Command, text: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    done = _interrupted(tmp_path, number)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-2:] == [
        "rnnviz: stopped, and all is saved",
        "next: rnnviz train --resume --out run",
    ]
    stopped = load_run(tmp_path / "run")
    assert 0 < len(stopped.history) < 30
    assert not stopped.complete
    _refused(
        rnnviz("train", "--resume", "--out", "run", "--hidden", "6"),
        2,
        "--hidden cannot change",
        "Leave --hidden",
    )
    write_words(tmp_path / "other.txt", 2500, seed=1)
    _refused(
        rnnviz("train", "other.txt", "--resume", "--out", "run"), 2, "other.txt is not the text", "text.txt"
    )
    assert rnnviz("train", "--resume", "--out", "run", "--hidden", "5").code == 0
    rnnviz("train", "text.txt", "--out", "whole", *SMALL, "--epochs", "30")
    whole, run = load_run(tmp_path / "whole"), load_run(tmp_path / "run")
    assert run.history[-1].epoch == 30
    assert without_times(run).history == without_times(whole).history
    assert run.test == whole.test
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("run", "whole")]
    assert weights[0] == weights[1]


def test_on_a_terminal_the_bar_stays_below_the_epochs(text: Path, tmp_path: Path) -> None:
    arguments = ["train", "text.txt", "--out", "run", *SMALL, "--epochs", "20"]
    with Terminal(arguments, cwd=tmp_path, environment={"OMP_NUM_THREADS": "1"}) as terminal:
        code = terminal.wait_for_exit()
        shown = [line.rstrip() for line in terminal.screen.display if line.strip()]
    assert code == 0
    assert shown[-1] == "next: rnnviz capture run --out run.zarr"
    epochs = [line.split("  ")[0] for line in shown if line.startswith("epoch")]
    assert epochs[-2:] == ["epoch 19/20", "epoch 20/20"]
    assert not any("training" in line for line in shown), "the bar is gone"
    drawn = terminal.output.decode()
    assert re.search(r"training .* symbols", drawn)
    assert re.search(r"epoch \d+/20 · train \d\.\d+ · validation \d\.\d+", drawn)
