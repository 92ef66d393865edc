"""Models in processes of their own: they answer, they are found, and their end is a message."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from rnnviz.engine.run import Run
from rnnviz.store.errors import InvalidModels, InvalidRun, NotFound, Unavailable
from rnnviz.store.reader import Capture, open_capture
from rnnviz.tui.keeping import keep_model_path
from rnnviz.tui.live.client import Answer, LiveModel, Question, Wanted
from rnnviz.tui.live.whereabouts import FoundRun, find_ngrams, find_run, ngram_models, ngrams_at, run_at
from support.lively import capture_of, lively_run
from support.texts import words, write_words

PATIENCE = 60.0
"""Seconds for a process to load torch on a busy machine: a bound, not a measure."""


@pytest.fixture(scope="module", name="home")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module", name="run")
def _run(home: Path) -> Run:
    return lively_run(home / "runs" / "wordy", write_words(home / "words.txt", 2000))


@pytest.fixture(scope="module", name="capture")
def _capture(home: Path, run: Run) -> Capture:
    return open_capture(capture_of(run, home / "words.txt", home / "x.zarr"))


def wait_for(shown: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not shown():
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.005)


@pytest.fixture(scope="module", name="model")
def _model(run: Run) -> Iterator[LiveModel]:
    model = LiveModel(Wanted("recurrent", run.path), lambda: None)
    yield model
    model.close()


def ask(model: LiveModel, question: Question) -> Answer:
    model.ask(question)
    wait_for(
        lambda: (
            model.failure or (model.answer and model.answer.question is question and model.answer.complete)
        )
    )
    assert model.answer is not None, model.failure
    return model.answer


def test_it_answers_with_the_values_of_a_capture(model: LiveModel, capture: Capture, run: Run) -> None:
    text = words(2000)
    captured = capture.models["wordy"]
    question = Question(text, 1000, 900, 1500, layer=1, unit=3, signal="c", draw=(0.0, 0))
    answer = ask(model, question)
    assert model.opened is not None
    assert (model.opened.layers, model.opened.hidden, model.opened.signals) == (
        2,
        5,
        captured.layers[0].signals,
    )
    assert model.opened.vocabulary == captured.vocabulary
    np.testing.assert_allclose(
        answer.shade.astype(np.float32),
        captured.layers[1].read("c", 3, 900, 1500).astype(np.float32),
        rtol=2e-3,
        atol=2e-3,
    )
    assert answer.next is not None
    np.testing.assert_allclose(answer.next, captured.next(999, 1000)[0], rtol=2e-3, atol=2e-3)
    assert (answer.before, answer.after) == pytest.approx(captured.surprisal(998, 1000).tolist(), rel=1e-3)
    assert answer.nats == pytest.approx(np.nansum(captured.surprisal(0, 2000)), rel=1e-3)
    assert (answer.read, answer.counted) == (2000, 1999)
    assert answer.drawn == captured.vocabulary[int(captured.next(1999, 2000)[0].argmax())]


def test_of_many_questions_the_last_is_answered(model: LiveModel) -> None:
    text = words(3000, seed=3)
    for length in range(1, 300):
        model.ask(Question(text[:length], length))
    answer = ask(model, Question(text, 3000))
    assert answer.read == 3000
    assert model.waiting == 0
    empty = ask(model, Question(b"", 0))
    assert (empty.read, empty.next, empty.drawn) == (0, None, None)
    unseen = ask(model, Question(b"a\x00\xff", 3))
    assert unseen.next is not None
    assert unseen.counted == 0
    assert np.isnan([unseen.before, unseen.after]).all()


def test_a_process_that_is_killed_is_a_message(run: Run) -> None:
    told = threading.Event()
    model = LiveModel(Wanted("recurrent", run.path), told.set)
    ask(model, Question(b"a", 1))
    told.clear()
    model.process.kill()
    assert told.wait(PATIENCE)
    wait_for(lambda: model.failure)
    assert isinstance(model.failure, Unavailable)
    assert "killed by signal 9" in model.failure.message
    model.ask(Question(b"ab", 2))  # costs nothing and is not answered
    model.close()
    assert model.waiting == 0


def test_what_cannot_be_opened_is_said_as_the_command_line_says_it(tmp_path: Path) -> None:
    model = LiveModel(Wanted("recurrent", tmp_path / "none"), lambda: None)
    wait_for(lambda: model.failure)
    assert isinstance(model.failure, NotFound)
    assert "there is no run" in model.failure.message
    assert model.failure.hint
    model.close()


def test_closing_while_it_loads_leaves_nothing(run: Run) -> None:
    model = LiveModel(Wanted("recurrent", run.path), lambda: None)
    model.close()
    assert model.process.poll() is not None
    assert model.failure is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_process_ends_with_the_program_that_started_it(run: Run, number: signal.Signals) -> None:
    code = (
        "import sys, time; from pathlib import Path; from rnnviz.tui.live.client import *\n"
        f"m = LiveModel(Wanted('recurrent', Path({str(run.path)!r})), lambda: None)\n"
        "print(m.process.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.send_signal(number)
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: not is_alive(child))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    try:
        return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_run_is_found_near_the_capture_or_where_one_works(
    capture: Capture, run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert find_run(capture, "wordy", tmp_path) == FoundRun(run.path, same=True)
    elsewhere = tmp_path / "far" / "away"
    shutil.copytree(capture.path, elsewhere / "x.zarr")
    moved = open_capture(elsewhere / "x.zarr")
    assert find_run(moved, "wordy", elsewhere) is None
    assert find_run(moved, "wordy", home) == FoundRun(run.path, same=True)
    shutil.copytree(run.path, elsewhere / "renamed")
    assert find_run(moved, "wordy", elsewhere) == FoundRun(elsewhere / "renamed", same=True)
    weights = elsewhere / "renamed" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00")
    assert find_run(moved, "wordy", elsewhere) is None
    keep_model_path(moved.path, "wordy", run.path)
    assert find_run(moved, "wordy", elsewhere) == FoundRun(run.path, same=True)  # as it was said to be
    keep_model_path(moved.path, "wordy", elsewhere / "renamed")
    assert find_run(moved, "wordy", elsewhere) is None  # other weights by now
    assert run_at(elsewhere / "renamed", moved, "wordy") == FoundRun(elsewhere / "renamed", same=False)
    with pytest.raises(NotFound):
        run_at(elsewhere / "nothing", moved, "wordy")
    with pytest.raises(InvalidRun):
        run_at(elsewhere, moved, "wordy")


def test_ngram_models_are_found_by_the_text_they_are_of(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("kenlm", reason="KenLM is not installed (it does not compile on Python 3.13)")
    from rnnviz.engine.ngram.capturing import add_ngrams
    from rnnviz.engine.text import open_text
    from support.ngrams import trained

    text = write_words(tmp_path / "words.txt", 2000)
    run = lively_run(tmp_path / "run", text)
    models = trained(tmp_path / "ngrams" / "few", open_text(str(text)), 1, 3)
    path = capture_of(run, text, tmp_path / "x.zarr")
    for _ in add_ngrams(path, models):
        pass
    capture = open_capture(path)
    assert ngram_models(capture) == {1: "ngram-1", 3: "ngram-3"}
    found = find_ngrams(capture, "ngram-3", home)
    assert found is not None
    assert (found.path, found.orders, found.same) == (models.path, (1, 3), True)
    assert ngrams_at(models.path, capture, None).same is False
    for wrong, error in ((tmp_path, InvalidModels), (tmp_path / "none", NotFound)):
        with pytest.raises(error):
            ngrams_at(wrong, capture, "ngram-3")

    model = LiveModel(Wanted("ngram", models.path, 3), lambda: None)
    data = text.read_bytes()
    answer = ask(model, Question(data, 500, 0, 100, signal="c", draw=(0.0, 0)))
    stored = capture.models["ngram-3"]
    assert answer.next is not None
    np.testing.assert_allclose(answer.next, stored.next(499, 500)[0], rtol=2e-3, atol=2e-3)
    assert answer.after == pytest.approx(float(stored.surprisal(499, 500)[0]), rel=1e-3)
    assert len(answer.shade) == 0
    model.close()


def test_the_explorer_loads_no_torch_even_while_one_types(capture: Capture, home: Path) -> None:
    code = f"""
import asyncio, json, sys
from pathlib import Path
from rnnviz.tui.opening import open_view
from rnnviz.tui.explorer import Explorer
from rnnviz.tui.palette import Depth
capture, view = open_view(Path({str(capture.path)!r}), None, None, 0)
async def run():
    app = Explorer(capture, view, Depth.TRUE, "dark")
    async with app.run_test(size=(100, 30)) as pilot:
        assert "rnnviz.tui.live.client" not in sys.modules  # nothing of typing is there before it is wanted
        await pilot.press("i", "w", "a", "r")
        reader = app.screen.session.readers["recurrent"]
        while not (reader.model and reader.model.answer and reader.model.answer.read == 3):
            assert reader.model is None or reader.model.failure is None
            await pilot.pause(0.05)
asyncio.run(run())
print(json.dumps(sorted(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=home)
    modules = json.loads(done.stdout.splitlines()[-1])
    loaded = {name.split(".")[0] for name in modules}
    assert "textual" in loaded
    assert not loaded & {"torch", "kenlm", "safetensors"}
    assert not [name for name in modules if name.startswith("rnnviz.engine")]
