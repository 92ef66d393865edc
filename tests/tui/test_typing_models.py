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
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rnnviz.engine.runs.run import load_run
from rnnviz.engine.text.text import open_text
from rnnviz.engine.training.epoch_goal import change_epochs
from rnnviz.engine.training.train import train
from rnnviz.store.errors import InvalidModels, InvalidRun, NotFound, Unavailable
from rnnviz.store.reader import CapturedModel, open_capture
from rnnviz.tui.playground.model_client import Answer, LiveModel, Opened, Question, Wanted
from rnnviz.tui.playground.model_locations import (
    FoundRun,
    TrainedOn,
    find_ngrams,
    find_run,
    find_trained_on,
    ngram_models,
    ngrams_at,
    run_at,
)
from rnnviz.tui.view.user_state import keep_model_path
from support.lively import Typed, capture_of, over_tokens, wordy
from support.runs import SMALL, go_on, start
from support.texts import words, write_words
from support.token_runs import WORDS

PATIENCE = 60.0
"""Seconds for a process to load torch on a busy machine: a bound, not a measure."""


@pytest.fixture(scope="module", name="made")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Typed:
    return wordy(tmp_path_factory.mktemp("models"))


def wait_for(shown: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not shown():
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.005)


@pytest.fixture(scope="module", name="model")
def _model(made: Typed) -> Iterator[LiveModel]:
    with closing(LiveModel(Wanted("recurrent", made.run.path), lambda: None)) as model:
        yield model


def ask(model: LiveModel, question: Question) -> Answer:
    model.ask(question)
    wait_for(
        lambda: (
            model.failure or (model.answer and model.answer.question is question and model.answer.complete)
        )
    )
    assert model.answer is not None, model.failure
    return model.answer


def expects(answer: Answer, captured: CapturedModel, time: int) -> None:
    """It names the ten likeliest symbols of a capture after the symbol at a time."""
    log_p = captured.next(time, time + 1)[0].astype(np.float32)
    assert len(answer.expected) == min(10, len(log_p))
    names = captured.vocabulary if captured.tokens is None else captured.tokens
    assert len({symbol for symbol, _ in answer.expected}) == len(answer.expected)
    for (symbol, known), likeliest in zip(answer.expected, np.sort(log_p)[::-1], strict=False):
        assert known == pytest.approx(likeliest, rel=2e-3, abs=2e-3)
        assert known == pytest.approx(log_p[names.index(symbol)], rel=2e-3, abs=2e-3)  # type: ignore[arg-type]


def test_it_answers_with_the_values_of_a_capture(model: LiveModel, made: Typed) -> None:
    text = words(2000)
    captured = made.capture.models["wordy"]
    question = Question(text, 1000, 900, 1500, layer=1, unit=3, signal="c", draw=(0.0, 0))
    answer = ask(model, question)
    assert model.opened == Opened(2, 5, captured.layers[0].signals, "byte", 1 << 16, ord(" "))
    np.testing.assert_allclose(
        answer.shade.astype(np.float32),
        captured.layers[1].read("c", 3, 900, 1500).astype(np.float32),
        rtol=2e-3,
        atol=2e-3,
    )
    expects(answer, captured, 999)
    surprisals = answer.surprisal_before, answer.surprisal_after
    assert surprisals == pytest.approx(captured.surprisal(998, 1000).tolist(), rel=1e-3)
    assert answer.nats == pytest.approx(np.nansum(captured.surprisal(0, 2000)), rel=1e-3)
    assert (answer.of, answer.read, answer.counted, answer.before, answer.first) == (
        2000,
        2000,
        1999,
        1000,
        900,
    )
    assert answer.drawn == bytes([captured.vocabulary[int(captured.next(1999, 2000)[0].argmax())]])


def test_of_many_questions_the_last_is_answered(model: LiveModel) -> None:
    text = words(3000, seed=3)
    for length in range(1, 300):
        model.ask(Question(text[:length], length))
    answer = ask(model, Question(text, 3000))
    assert answer.read == 3000
    assert model.waiting == 0
    empty = ask(model, Question(b"", 0, draw=(1.0, 1)))
    assert (empty.of, empty.read, empty.expected, empty.drawn) == (0, 0, (), b"")
    unseen = ask(model, Question(b"a\x00\xff", 3, 0, 3))
    assert len(unseen.expected) == 10
    assert (unseen.counted, unseen.strange, unseen.refused, unseen.unknown.tolist()) == (
        0,
        2,
        None,
        [0, 1, 1],
    )
    assert np.isnan([unseen.surprisal_before, unseen.surprisal_after]).all()


def test_words_are_read_as_a_capture_of_them_was(tmp_path: Path) -> None:
    made = over_tokens(tmp_path, WORDS, "der Hund schläft .\n  der 🙂 schläft\n" * 20)
    captured = made.capture.models["tokens"]
    data = made.capture.text(0, made.capture.text_bytes).tobytes()
    stretch = data.index(b"Hund", 60), data.index("🙂".encode(), 200)
    with closing(LiveModel(Wanted("recurrent", made.run.path), lambda: None)) as model:
        cursor = data.index(b"Hund", 100)
        question = Question(data, cursor, *stretch, layer=1, unit=2, signal="c", draw=(0.0, 0))
        answer = ask(model, question)
        assert model.opened is not None
        assert (model.opened.symbols, model.opened.read_as) == ("word", "<unk>")
        np.testing.assert_array_equal(answer.edges[1:], made.capture.ends(0, made.capture.symbols))
        assert (answer.of, answer.read) == (made.capture.symbols, made.capture.symbols)
        first, values = answer.by_byte(answer.shade)
        assert first == stretch[0]
        assert len(values) == stretch[1] - stretch[0]  # white space before it belongs to the word before
        symbols = made.capture.symbol_at(stretch[0]), made.capture.symbol_at(stretch[1])
        stored = captured.layers[1].read("c", 2, *symbols).astype(np.float32)
        np.testing.assert_allclose(answer.shade.astype(np.float32), stored, rtol=2e-3, atol=2e-3)
        assert answer.before == made.capture.symbol_at(cursor)
        expects(answer, captured, answer.before - 1)
        surprisals = answer.surprisal_before, answer.surprisal_after
        known = captured.surprisal(answer.before - 2, answer.before)
        assert surprisals == pytest.approx(known.tolist(), rel=1e-3)
        assert answer.came is not None
        assert answer.expected[answer.came][0] == "Hund"
        assert captured.tokens is not None
        drawn = captured.tokens[int(captured.next(answer.of - 1, answer.of)[0].argmax())]
        assert answer.drawn.decode() == {"<eos>": "\n"}.get(drawn, drawn)  # the text ends with a newline


def test_a_process_that_is_killed_is_a_message(made: Typed) -> None:
    told = threading.Event()
    model = LiveModel(Wanted("recurrent", made.run.path), told.set)
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
    with closing(LiveModel(Wanted("recurrent", tmp_path / "none"), lambda: None)) as model:
        wait_for(lambda: model.failure)
        assert isinstance(model.failure, NotFound)
        assert "there is no run" in model.failure.message
        assert model.failure.hint


def test_closing_while_it_loads_leaves_nothing(made: Typed) -> None:
    model = LiveModel(Wanted("recurrent", made.run.path), lambda: None)
    model.close()
    assert model.process.poll() is not None
    assert model.failure is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_process_ends_with_the_program_that_started_it(made: Typed, number: signal.Signals) -> None:
    code = (
        "import sys, time; from pathlib import Path; from rnnviz.tui.playground.model_client import *\n"
        f"m = LiveModel(Wanted('recurrent', Path({str(made.run.path)!r})), lambda: None)\n"
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
    made: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture, run, home = made.capture, made.run, made.folder
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


def test_ngram_models_are_found_by_the_text_they_are_of(tmp_path: Path) -> None:
    from rnnviz.engine.text.text import open_text
    from support.ngrams import added

    made = wordy(tmp_path)
    text = tmp_path / "words.txt"
    models = added(made.path, tmp_path / "ngrams" / "few", open_text(str(text)), 1, 3)
    capture = made.capture
    assert ngram_models(capture) == {1: "ngram-1", 3: "ngram-3"}
    found = find_ngrams(capture, "ngram-3", tmp_path)
    assert found is not None
    assert (found.path, found.orders, found.same) == (models.path, (1, 3), True)
    assert ngrams_at(models.path, capture, None).same is False
    for wrong, error in ((tmp_path, InvalidModels), (tmp_path / "none", NotFound)):
        with pytest.raises(error):
            ngrams_at(wrong, capture, "ngram-3")

    with closing(LiveModel(Wanted("ngram", models.path, 3), lambda: None)) as model:
        answer = ask(model, Question(text.read_bytes(), 500, 0, 100, signal="c", draw=(0.0, 0)))
    stored = capture.models["ngram-3"]
    expects(answer, stored, 499)
    assert answer.surprisal_after == pytest.approx(float(stored.surprisal(499, 500)[0]), rel=1e-3)
    assert len(answer.shade) == 0


def test_the_explorer_loads_no_torch_even_while_one_types(made: Typed) -> None:
    code = f"""
import asyncio, json, sys
from pathlib import Path
from rnnviz.tui.launch.open_view import open_view
from rnnviz.tui.launch.app import Explorer
from rnnviz.tui.paint.palette import Depth
capture, view = open_view(Path({str(made.path)!r}), "0:0", None, 0)
async def run():
    app = Explorer(capture, view, Depth.TRUE, "dark")
    async with app.run_test(size=(100, 30)) as pilot:
        assert "rnnviz.tui.playground.model_client" not in sys.modules  # nothing of typing is there before it is wanted
        await pilot.press("i", "w", "a", "r")
        reader = app.screen.session.readers["recurrent"]
        while not (reader.model and reader.model.answer and reader.model.answer.read == 3):
            assert reader.model is None or reader.model.failure is None
            await pilot.pause(0.05)
asyncio.run(run())
print(json.dumps(sorted(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=made.folder
    )
    modules = json.loads(done.stdout.splitlines()[-1])
    loaded = {name.split(".")[0] for name in modules}
    assert "textual" in loaded
    assert not loaded & {"torch", "kenlm", "safetensors"}
    assert not [name for name in modules if name.startswith("rnnviz.engine")]


def test_a_run_that_was_trained_on_since_the_capture_is_told_from_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    file = write_words(tmp_path / "words.txt", 2000)
    text, path = open_text(str(file)), tmp_path / "runs" / "small"
    start(path, text)
    for _ in train(path, text, device=torch.device("cpu"), keep_checkpoint=True):
        pass
    capture = open_capture(capture_of(load_run(path), file, tmp_path / "x.zarr"))
    other = tmp_path / "runs" / "another"  # of the same text, longer trained, but from other weights on
    start(other, text, replace(SMALL, seed=7, epochs=5))
    go_on(other, text)
    assert find_trained_on(capture, "small", tmp_path) is None, "it is as it was captured"

    change_epochs(load_run(path), text, 6, command="rnnviz train --resume --epochs 6")
    go_on(path, text)
    assert find_run(capture, "small", tmp_path) is None
    trained_on = find_trained_on(capture, "small", tmp_path)
    assert trained_on == TrainedOn(path, epochs=6, captured_epochs=3)
    told = trained_on.told(capture.path)
    assert f"The run at {path} has been trained on since the capture (6 epochs now, 3 then)" in told
    assert f"rnnviz capture {path} --out {capture.path} --force" in told

    for damage in (b"[" * 100_000, b"{}", b'{"history": [1, 2, 3, 4], "text": {"sha256": 5}}', b"\xff"):
        (path / "run.json").write_bytes(damage)
        assert find_trained_on(capture, "small", tmp_path) is None
