"""`rnnviz sweep` as a person uses it: killed, interrupted, gone on with, refused, looked at."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rnnviz.engine.runs.run import load_run
from rnnviz.engine.text.text import open_text
from rnnviz.engine.training.train import start_run
from rnnviz.store.disk import DirectoryLock
from rnnviz.store.errors import InvalidRequest
from support.command import Command
from support.files import contents
from support.sweeps import assert_trained_alone, plan_small, start_sweep
from support.terminal import Terminal
from support.texts import write_words

PROTOCOL = ["--streams", "4", "--unroll", "10", "--split", "60/20/20", "--device", "cpu", "--threads", "1"]
SMALL = ["--layers", "1", "--sizes", "4", "--epochs", "60", *PROTOCOL]
NAMES = ("lstm-1x4-d0", "rnn-1x10-d0")


@pytest.fixture(name="text")
def _text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_words(tmp_path / "text.txt", 1200)


def _start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "rnnviz", "sweep", "text.txt", "--out", "sweep", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _wait_for_epochs(process: subprocess.Popen[str], epochs: int, *names: str) -> None:
    """Wait until each run has that many epochs behind it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        paths = [Path("sweep", name) for name in names]
        if all((path / "run.json").is_file() and len(load_run(path).history) >= epochs for path in paths):
            return
        time.sleep(0.05)
    raise AssertionError(f"no training: {process.communicate()}")


def _wait_until_free(path: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            DirectoryLock(path).release()
        except InvalidRequest:
            assert time.monotonic() < deadline, f"somebody still trains {path}"
            time.sleep(0.05)
        else:
            return


def test_killed_and_interrupted_it_comes_to_what_training_alone_comes_to(
    text: Path, tmp_path: Path, rnnviz: Command
) -> None:
    lstm, rnn = NAMES
    first = _start("--models", "rnn", *SMALL)
    _wait_for_epochs(first, 2, rnn)
    first.kill()
    first.communicate()
    _wait_until_free(Path("sweep", rnn))
    killed = load_run(Path("sweep", rnn))
    assert not killed.complete, "the trainer did not outlive the sweep"

    both = ["--models", "lstm,rnn", *SMALL]
    second = _start(*both)
    _wait_for_epochs(second, 2, lstm)
    _wait_for_epochs(second, len(killed.history) + 1, rnn)
    second.send_signal(signal.SIGINT)
    out, err = second.communicate(timeout=60)
    assert second.returncode == 130, err
    assert "Traceback" not in err
    assert "rnnviz: stopped, and all is saved\n" in err
    assert err.endswith(f"next: rnnviz sweep text.txt --out sweep {shlex.join(both)}\n")
    assert "sweep: 0 of 2 models trained\n" in out
    assert "not trained to the end yet: 2 of 2 models" in out
    runs = [load_run(Path("sweep", name)) for name in NAMES]
    assert not any(run.complete for run in runs)
    assert runs[1].history[: len(killed.history)] == killed.history, "not begun anew"
    for run in runs:
        DirectoryLock(run.path).release()

    arguments = ["sweep", "text.txt", "--out", "sweep", *both]
    with Terminal(arguments, cwd=tmp_path, environment={"OMP_NUM_THREADS": "1"}) as terminal:
        assert terminal.wait_for_exit() == 0
        screen = "\n".join(line.rstrip() for line in terminal.screen.display)
        drawn = re.sub(r"\x1b\[[0-9;]*m", "", terminal.output.decode())
    assert re.search(r"model +parameters +epoch +train +validation +symbols/s +left", drawn)
    assert re.search(r"rnn-1x10-d0 .* \d+/60 +\d\.\d{4} +\d\.\d{4} .* \d+:\d\d", drawn)
    assert re.search(r"\d+% · [01] of 2 runs · [12] at work · .* symbols/s · \d+:\d\d left", drawn)
    assert "parameters" not in screen, "the live table is gone"
    losses = []
    for name in NAMES:
        run = assert_trained_alone(Path("sweep", name), text, tmp_path / f"alone {name}")
        assert run.test is not None
        assert f"{name}: test loss {run.test.loss:.4f} ± {run.test.deviation:.4f}" in screen
        losses.append(f"    4  {run.test.loss:.4f} ±{run.test.deviation:.4f}")
        assert run.command.startswith(f"rnnviz train text.txt --out {name} --model {run.config.kind} ")
    assert f"LSTM   1 layer\n{losses[0]}\n\nRNN    1 layer\n{losses[1]}" in screen

    lock = DirectoryLock(Path("sweep"))
    refused = rnnviz(*arguments)
    assert refused.code == 2
    assert "another process is writing sweep" in refused.err
    lock.release()
    before_again = contents(Path("sweep"))
    again = rnnviz(*arguments)
    best = min(
        map(load_run, map(Path("sweep").joinpath, NAMES)), key=lambda run: run.test.loss if run.test else 9
    )
    ending = f"next: rnnviz capture sweep/{best.name} --out {best.name}.zarr\n"
    assert (again.code, again.err) == (0, ending)
    assert "sweep: 2 of 2 models trained, lowest test loss" in again.out
    assert losses[0] in again.out
    assert rnnviz("sweep", "--table", "--out", "sweep") == again
    assert contents(Path("sweep")) == before_again
    weights = Path("sweep", lstm, "model.safetensors")
    gone = f"its weights are gone; remove {weights.parent} to train it again"
    weights.rename("kept.safetensors")
    Path("sweep", "figure1.csv.new").mkdir()
    without = rnnviz("sweep", "--table", "--out", "sweep")
    assert without.code == 0
    assert f"not trained to the end yet: 1 of 2 models\n{lstm}: {gone}\n" in without.out
    assert losses[0] not in without.out
    assert without.err.startswith("rnnviz: the table is not written to sweep: is a directory\n")
    Path("sweep", "figure1.csv.new").rmdir()
    lacking = rnnviz(*arguments)
    assert lacking.code == 1
    assert lacking.err.endswith(f"1 of 2 runs did not come to their end:\n  {lstm}: {gone}\n")
    assert [model["run"] for model in json.loads(before_again["figure1.json"])["models"]] == list(NAMES)


def test_a_run_that_fails_is_named_and_the_exit_code_tells(text: Path, tmp_path: Path) -> None:
    sweep = start_sweep(plan_small(tmp_path / "sweep", text, kinds=("rnn",), sizes=(2, 4), epochs=1))
    damaged, sound = (sweep.path / entry.name for entry in sweep.entries)
    config = sweep.config(sweep.entries[0])
    start_run(damaged, open_text("text.txt"), config, command="", spec=None, glob="*", force=False)
    (damaged / "checkpoint.safetensors").write_bytes(b"no checkpoint")
    process = _start("--models", "rnn", "--layers", "1", "--sizes", "2,4", "--epochs", "1", *PROTOCOL)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert load_run(sound).complete
    assert "not trained to the end yet: 1 of 2 models" in out
    assert f"{damaged.name}: failed: " in err
    assert f"1 of 2 runs did not come to their end:\n  {damaged.name}: " in err
    assert "checkpoint.safetensors is damaged" in err
    assert "Traceback" not in err


def test_runs_on_a_scheduler_s_workers_take_one_thread_each(text: Path, rnnviz: Command) -> None:
    """Several workers may share a machine's cores. It is written down, so that a run keeps its number."""
    distributed = pytest.importorskip(
        "distributed", reason="Dask distributed is not installed: rnnviz[cluster]"
    )
    protocol = [*PROTOCOL[: PROTOCOL.index("--threads")], "--models", "rnn", "--layers", "1", "--sizes", "4"]
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address="127.0.0.1:0"
    ) as local:
        place = ["--out", "sweep", "--scheduler", local.scheduler_address, "--unshared"]
        done = rnnviz("sweep", "text.txt", *place, *protocol, "--epochs", "1")
    assert done.code == 0
    run = load_run(Path("sweep", NAMES[1]))
    assert run.complete
    assert run.config.threads == 1
    assert "RNN    1 layer\n    4  " in done.out


def test_what_is_no_address_ends_without_a_traceback(text: Path) -> None:
    pytest.importorskip("distributed", reason="Dask distributed is not installed: rnnviz[cluster]")
    process = _start(*SMALL, "--scheduler", "nonsense")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err == "rnnviz: --scheduler nonsense is no address\n  Give one as tcp://host:8786.\n"
    assert not Path("sweep").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence", "hint"),
    [
        (["--out", "sweep"], 2, "no TEXT", "rnnviz sweep TEXT"),
        (["none.txt", "--out", "sweep"], 2, "no file or directory none.txt", "python:stdlib"),
        (["text.txt", "--out", "sweep"], 2, "fewer than one mini-batch", "--streams"),
        (["text.txt", "--out", "sweep", "--models", "lstm,cnn"], 2, "'cnn'", "lstm"),
        (["text.txt", "--out", "sweep", "--sizes", "0"], 2, "--sizes 0", "--sizes"),
        (["text.txt", "--out", "sweep", "--epochs", "0"], 2, "--epochs 0", "--epochs"),
        (["text.txt", "--out", "sweep", *PROTOCOL, "--layers", "1,two"], 2, "--layers 1,two", "commas"),
        (["text.txt", "--out", "sweep", *PROTOCOL, "--sizes", "0"], 2, "--sizes 0", "--sizes"),
        (["text.txt", "--out", "sweep", *PROTOCOL, "--dropout", "1"], 2, "--dropout 1", "share below 1"),
        (["text.txt", "--out", "sweep", *PROTOCOL, "--epochs", "0"], 2, "--epochs 0", "--epochs"),
        (["text.txt", "--out", "sweep", *PROTOCOL, "--seed", "-1"], 2, "--seed -1", "--seed"),
        (["text.txt", "--out", "text.txt", *PROTOCOL], 2, "text.txt exists and is no sweep", "--out"),
        (["text.txt", "--out", "text.txt/sweep", *PROTOCOL], 1, "cannot make", "--out"),
        (["text.txt", "--out", "sweep", *PROTOCOL, "--resources", "GPU=1"], 2, "--scheduler", "address"),
        (["text.txt", "--out", "sweep", *PROTOCOL, "--unshared"], 2, "--unshared is for", "address"),
        (["text.txt", "--out", "sweep", *PROTOCOL, "--scheduler", "nowhere://x"], 2, "no address", "tcp://"),
        (
            ["text.txt", "--out", "sweep", *PROTOCOL, "--scheduler", "tcp://127.0.0.1:9", "--jobs", "2"],
            2,
            "--jobs",
            "--nthreads",
        ),
        (["--table", "--out", "sweep"], 2, "there is no sweep", "rnnviz sweep TEXT"),
        (["--table", "--out", "."], 1, "is no sweep", "--out"),
    ],
)
def test_mistakes_end_with_a_sentence_and_a_hint(
    text: Path, rnnviz: Command, arguments: list[str], code: int, sentence: str, hint: str
) -> None:
    before = contents(Path())
    done = rnnviz("sweep", *arguments)
    assert (done.code, done.out) == (code, "")
    first, second = done.err.splitlines()
    assert sentence in first
    assert hint in second
    assert contents(Path()) == before


def test_the_help_has_examples() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rnnviz", "sweep", "--help"], capture_output=True, text=True, check=True
    )
    assert "rnnviz sweep" in done.stdout.split("Examples")[1]
    assert "no RNN" in done.stdout
