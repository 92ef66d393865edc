"""Training against the protocol written out in plain PyTorch, and against itself interrupted."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load, load_file, save_file
from torch import nn

from rnnviz.engine.models.recurrent import initialise
from rnnviz.engine.progress import Progress
from rnnviz.engine.runs.run import RunConfig, load_run
from rnnviz.engine.text.split import Split, read_streams
from rnnviz.engine.text.text import Text, open_text
from rnnviz.engine.training import train as training
from rnnviz.engine.training.epoch_goal import change_epochs
from rnnviz.engine.training.train import EpochDone, rate_of_epoch, start_run, train
from rnnviz.store.errors import (
    AlreadyExists,
    InvalidRequest,
    InvalidRun,
    InvalidText,
    StorageFailure,
    TrainingDiverged,
)
from support.runs import SMALL, go_on, start, without_times
from support.texts import write_words

CPU = torch.device("cpu")


@pytest.fixture(name="text")
def _text(tmp_path: Path) -> Text:
    return open_text(str(write_words(tmp_path / "text", 2500)))


def _protocol(text: Text, config: RunConfig, vocabulary: bytes) -> tuple[list[float], list[float], nn.LSTM]:
    """The paper's training with nothing of the engine: train and validation losses, the last weights."""
    split, B, T = config.split, config.split.streams, config.split.unroll
    data = np.searchsorted(np.frombuffer(vocabulary, np.uint8), text.read(0, text.length))
    data = data[: len(data) // (B * T) * (B * T)]
    rows, targets = data.reshape(B, -1), np.roll(data, -1).reshape(B, -1)
    columns = rows.shape[1] // T
    n_train, n_val = columns * split.train // 100, columns * split.val // 100

    K = len(vocabulary)
    lstm, decoder = nn.LSTM(K, config.hidden, config.layers), nn.Linear(config.hidden, K)
    parameters = [*lstm.parameters(), *decoder.parameters()]
    generator = torch.Generator().manual_seed(config.seed)
    for parameter in parameters:
        parameter.data.uniform_(-0.08, 0.08, generator=generator)
    squares = [torch.zeros_like(parameter) for parameter in parameters]

    def batch(column: int) -> tuple[torch.Tensor, torch.Tensor]:
        span = slice(column * T, (column + 1) * T)
        x = nn.functional.one_hot(torch.from_numpy(rows[:, span].T.copy()), K).float()
        return x, torch.from_numpy(targets[:, span].T.copy()).flatten()

    train_losses, val_losses = [], []
    state = None
    rate = 2e-3
    for epoch in range(1, config.epochs + 1):
        losses = []
        for column in range(n_train):
            x, y = batch(column)
            h, state = lstm(x, state)
            state = tuple(part.detach() for part in state)
            loss = nn.functional.cross_entropy(decoder(h).flatten(0, 1), y, reduction="sum") / B
            for parameter in parameters:
                parameter.grad = None
            torch.autograd.backward(loss)
            losses.append(loss.item() / T)
            for parameter, square in zip(parameters, squares, strict=True):
                assert parameter.grad is not None
                gradient = parameter.grad.clamp(-5, 5) / T
                square.mul_(0.95).add_(0.05 * gradient**2)
                parameter.data -= rate * gradient / (square.sqrt() + 1e-8)
        if epoch >= 10:
            rate *= 0.95
        train_losses.append(float(np.mean(losses)))
        with torch.no_grad():
            pieces = [batch(column) for column in range(n_train, n_train + n_val)]
            h, _ = lstm(torch.cat([x for x, _ in pieces]))
            y = torch.cat([y for _, y in pieces])
            val_losses.append(nn.functional.cross_entropy(decoder(h).flatten(0, 1), y).item())
    return train_losses, val_losses, lstm


def test_training_is_the_papers_protocol(tmp_path: Path, text: Text) -> None:
    config = replace(SMALL, layers=2, epochs=12)
    run = start(tmp_path / "run", text, config)
    train_losses, val_losses, lstm = _protocol(text, config, run.byte_vocabulary.symbols)
    run = go_on(run.path, text)
    assert [epoch.train for epoch in run.history] == pytest.approx(train_losses, abs=1e-4)
    assert [epoch.validation for epoch in run.history] == pytest.approx(val_losses, abs=1e-4)
    assert val_losses[-1] == min(val_losses), "so that the last weights are the ones that are kept"
    kept = run.model(CPU).rnn
    for name, parameter in lstm.named_parameters():
        torch.testing.assert_close(kept.get_parameter(name), parameter, rtol=0, atol=2e-4)


def test_updates_are_those_of_pytorch_s_rmsprop_to_the_last_bit(tmp_path: Path, text: Text) -> None:
    config = replace(SMALL, layers=2, decay_after=1)
    run = start(tmp_path / "run", text, config)
    steps, unroll = config.split.columns(text.length)["train"], config.split.unroll
    go_on(run.path, text, until=lambda event: event.done == (2 * steps + 5) * unroll * config.split.streams)

    model = run.build().train()
    initialise(model, config.seed, config.reach)
    rmsprop = torch.optim.RMSprop(model.parameters(), alpha=config.smoothing, eps=config.epsilon)
    read = run.byte_vocabulary.encode(read_streams(text, config.split, "train", 0, steps * unroll + 1))
    tokens = torch.from_numpy(read.astype(np.int64))
    state = model.zero_state(config.split.streams)
    for number in range(2 * steps + 5):
        epoch, step = divmod(number, steps)
        rmsprop.param_groups[0]["lr"] = rate_of_epoch(config, epoch + 1)
        window = tokens[step * unroll : (step + 1) * unroll + 1]
        rmsprop.zero_grad()
        logits, state = model(window[:-1], tuple(part.detach() for part in state))
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), window[1:].flatten(), reduction="sum")
        torch.autograd.backward(loss / window[1:].numel())
        nn.utils.clip_grad_value_(model.parameters(), config.clip / unroll)
        rmsprop.step()

    found = load_file(run.path / "checkpoint.safetensors")
    for name, parameter in model.named_parameters():
        assert torch.equal(found[f"model.{name}"], parameter)
        assert torch.equal(found[f"square_avg.{name}"], rmsprop.state[parameter]["square_avg"])


def test_training_loads_no_compiler_and_no_sympy(tmp_path: Path, text: Text) -> None:
    """They take longer to load than a small model takes to train."""
    run = start(tmp_path / "run", text, replace(SMALL, epochs=1))
    code = f"""
import sys, torch
from pathlib import Path
from rnnviz.engine.text.text import open_text
from rnnviz.engine.training.train import train
for _ in train(Path({str(run.path)!r}), open_text({str(tmp_path / "text")!r}), device=torch.device("cpu")): pass
print([name for name in ("torch._dynamo", "torch._inductor", "sympy", "numba") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert load_run(run.path).complete


def test_the_rate_falls_from_the_tenth_epoch_on() -> None:
    config = RunConfig()
    assert [rate_of_epoch(config, epoch) for epoch in (1, 10, 11, 12, 50)] == pytest.approx(
        [2e-3, 2e-3, 1.9e-3, 1.805e-3, 2e-3 * 0.95**40]
    )


def test_gradients_are_clipped_element_by_element(tmp_path: Path, text: Text) -> None:
    """After one step from zero, RMSProp's mean square is a twentieth of the squared, clipped gradient."""
    config = replace(SMALL, clip=0.01)
    go_on(start(tmp_path / "run", text, config).path, text, until=lambda _: True)
    squares = load_file(tmp_path / "run" / "checkpoint.safetensors")
    largest = max(float(value.max()) for name, value in squares.items() if name.startswith("square_avg."))
    assert largest == pytest.approx(0.05 * (0.01 / config.split.unroll) ** 2, rel=1e-4)


def test_progress_counts_symbols_and_ends_at_the_total(tmp_path: Path, text: Text) -> None:
    events = list(train(start(tmp_path / "run", text).path, text, device=CPU))
    done = [event.done for event in events]
    assert done == sorted(done)
    columns = SMALL.split.columns(text.length)["train"]
    assert {event.total for event in events} == {3 * columns * 40}
    assert done[-1] == events[-1].total
    finished = [event for event in events if isinstance(event, EpochDone)]
    run = load_run(tmp_path / "run")
    assert [event.epoch for event in finished] == list(run.history)
    assert [event.epoch.epoch for event in finished] == [1, 2, 3]
    assert all(epoch.symbols_per_second > 0 for epoch in run.history)


def test_the_best_validated_weights_are_kept(tmp_path: Path, text: Text) -> None:
    """With a rate that grows twentyfold from the third epoch on, later epochs are worse."""
    config = replace(SMALL, rate_decay=20.0, decay_after=2, epochs=6)
    run = go_on(start(tmp_path / "run", text, config).path, text)
    assert run.best is not None
    assert run.best.validation == min(epoch.validation for epoch in run.history)
    assert run.best.epoch < 6, "or this shows nothing"
    again = go_on(start(tmp_path / "again", text, replace(config, epochs=run.best.epoch)).path, text)
    _assert_same_weights(tmp_path / "run", tmp_path / "again")
    assert run.test == again.test


def test_a_finished_run_is_two_files_and_its_test_loss(tmp_path: Path, text: Text) -> None:
    run = go_on(start(tmp_path / "run", text).path, text)
    assert run.complete
    assert run.test is not None
    assert 0 < run.test.loss < math.log(len(run.vocabulary)) + 0.1
    assert sorted(path.name for path in run.path.iterdir()) == ["model.safetensors", "run.json"]
    assert list(train(run.path, text, device=CPU)) == [], "nothing is left to do"


def _assert_same_weights(ours: Path, theirs: Path) -> None:
    expected = load_file(theirs / "model.safetensors")
    found = load_file(ours / "model.safetensors")
    assert found.keys() == expected.keys()
    for name, value in found.items():
        assert torch.equal(value, expected[name]), name


CONFIGS = {
    "lstm": SMALL,
    "lstm with dropout": replace(SMALL, layers=2, dropout=0.3),
    "gru with dropout": replace(SMALL, kind="gru", layers=2, dropout=0.3),
    "rnn": replace(SMALL, kind="rnn"),
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_resuming_gives_the_same_bits(tmp_path: Path, text: Text, config: RunConfig) -> None:
    expected = go_on(start(tmp_path / "whole", text, config).path, text)
    path = start(tmp_path / "parts", text, config).path
    batches = config.split.columns(text.length)["train"]
    stops = (1, batches - 1, batches, batches + 3, 2 * batches)
    for stop in stops:
        run = go_on(path, text, until=lambda event, stop=stop: event.done >= 40 * stop)  # type: ignore[misc]
        assert not run.complete
        torch.manual_seed(12345)  # what else the process does with the generator must not matter
    run = go_on(path, text)
    assert without_times(run) == without_times(expected)
    _assert_same_weights(path, expected.path)


def test_resuming_while_validating(tmp_path: Path, text: Text) -> None:
    expected = go_on(start(tmp_path / "whole", text).path, text)
    path = start(tmp_path / "parts", text).path
    run = go_on(path, text, until=lambda event: "validating" in event.detail)
    assert run.history == ()
    run = go_on(path, text, until=lambda event: "test loss" in event.detail)
    assert len(run.history) == 3
    assert not run.complete
    run = go_on(path, text)
    assert without_times(run) == without_times(expected)
    _assert_same_weights(path, expected.path)


def test_a_killed_run_goes_on_from_its_last_checkpoint(
    tmp_path: Path, text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is on disk at any moment, resuming it comes to the same end."""
    expected = go_on(start(tmp_path / "whole", text).path, text)
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    path = start(tmp_path / "killed", text).path
    events = train(path, text, device=CPU)
    for number, _ in enumerate(events):
        if number % 25 == 0:
            snapshot = tmp_path / f"snapshot{number}"
            shutil.copytree(path, snapshot)
            run = go_on(snapshot, text)
            assert without_times(run) == without_times(expected)
            _assert_same_weights(snapshot, expected.path)
    assert number > 20


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_going_on_beyond_the_first_goal_gives_the_same_bits(
    tmp_path: Path, text: Text, config: RunConfig
) -> None:
    """From a complete run, and from one that is stopped in the midst of what was added; the schedule goes on."""
    config = replace(config, decay_after=1)
    expected = go_on(start(tmp_path / "whole", text, replace(config, epochs=6)).path, text)
    path = start(tmp_path / "parts", text, replace(config, epochs=1)).path
    for epochs in (3, 6):
        for _ in train(path, text, device=CPU, keep_checkpoint=True):
            pass
        torch.manual_seed(12345)
        run = change_epochs(load_run(path), text, epochs, command="rnnviz train")
        assert load_run(path) == run
        assert not run.complete
    batches = config.split.columns(text.length)["train"]
    assert not go_on(path, text, until=lambda event: event.done >= 40 * (4 * batches + 2)).complete
    assert without_times(go_on(path, text)) == without_times(expected)
    assert (path / "model.safetensors").read_bytes() == (expected.path / "model.safetensors").read_bytes()


def test_a_goal_may_be_lowered_to_what_is_done(tmp_path: Path, text: Text) -> None:
    """In the midst of the third epoch, to two: the run is complete, and can still go on from that midst."""
    config = replace(SMALL, epochs=8)
    path = start(tmp_path / "run", text, config).path
    batches = config.split.columns(text.length)["train"]
    stopped = go_on(path, text, until=lambda event: event.done >= 40 * (2 * batches + 3))
    with pytest.raises(InvalidRequest, match="less than the 2 epochs"):
        change_epochs(stopped, text, 1, command="")
    change_epochs(stopped, text, 2, command="rnnviz train")
    events = list(train(path, text, device=CPU, keep_checkpoint=True))
    assert all(event.done <= event.total for event in events)
    assert load_run(path).complete
    two = go_on(start(tmp_path / "two", text, replace(config, epochs=2)).path, text)
    assert without_times(load_run(path)) == without_times(two)
    change_epochs(load_run(path), text, 4, command="rnnviz train")
    four = go_on(start(tmp_path / "four", text, replace(config, epochs=4)).path, text)
    assert without_times(go_on(path, text)) == without_times(four)
    _assert_same_weights(path, four.path)


def test_a_goal_is_changed_only_where_training_can_go_on(tmp_path: Path, text: Text) -> None:
    run = go_on(start(tmp_path / "run", text).path, text)
    before = (run.path / "run.json").read_bytes()
    other = open_text(str(write_words(tmp_path / "other", 2500, seed=1)))
    with pytest.raises(InvalidText, match="SHA-256"):
        change_epochs(run, other, 9, command="")
    with pytest.raises(InvalidRun, match=r"no checkpoint\.safetensors") as caught:
        change_epochs(run, text, 9, command="")
    assert "--force" in caught.value.hint
    (run.path / "checkpoint.safetensors").write_bytes(b"no checkpoint")
    with pytest.raises(InvalidRun, match="damaged"):
        change_epochs(run, text, 9, command="")
    assert (run.path / "run.json").read_bytes() == before


def test_another_text_is_refused(tmp_path: Path, text: Text) -> None:
    path = start(tmp_path / "run", text).path
    other = open_text(str(write_words(tmp_path / "other", 2500, seed=1)))
    with pytest.raises(InvalidText, match="SHA-256"):
        go_on(path, other)


def test_a_run_is_trained_by_one_process_at_a_time(tmp_path: Path, text: Text) -> None:
    run = start(tmp_path / "run", text)
    first = train(run.path, text, device=torch.device("cpu"))
    next(first)
    with pytest.raises(InvalidRequest, match="another process"):
        next(train(run.path, text, device=torch.device("cpu")))
    with pytest.raises(InvalidRequest, match="another process"):
        start_run(run.path, text, SMALL, command="", spec=None, glob="*", force=True)
    first.close()
    assert go_on(run.path, text).complete


def test_a_diverging_run_stops_with_a_sentence(tmp_path: Path, text: Text) -> None:
    path = start(tmp_path / "run", text, replace(SMALL, kind="rnn", rate=1e38, clip=1e38, epochs=30)).path
    with pytest.raises(TrainingDiverged, match="no longer a number") as caught:
        go_on(path, text)
    assert "--seed" in caught.value.hint
    assert not load_run(path).complete
    for file in path.glob("*.safetensors"):
        assert all(value.isfinite().all() for value in load_file(file).values()), "nothing spoilt is kept"


def test_what_is_in_the_way_is_kept(tmp_path: Path, text: Text) -> None:
    run = start(tmp_path / "run", text)
    with pytest.raises(AlreadyExists, match="already holds a run") as caught:
        start(run.path, text)
    assert "--force" in caught.value.hint
    other = tmp_path / "other"
    other.mkdir()
    start(other, text)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("")
    for path in (tmp_path / "mine", tmp_path / "text"):
        with pytest.raises(AlreadyExists, match="is no run"):
            training.start_run(path, text, SMALL, command="", spec=None, glob="*", force=True)


def test_force_starts_afresh(tmp_path: Path, text: Text) -> None:
    run = start(tmp_path / "run", text)
    go_on(run.path, text, until=lambda event: event.done > event.total // 2)
    assert load_run(run.path).history
    fresh = training.start_run(run.path, text, SMALL, command="", spec=None, glob="*", force=True)
    assert fresh.history == ()
    assert [path.name for path in run.path.iterdir()] == ["run.json"]


def test_a_refused_start_leaves_nothing_behind(tmp_path: Path, text: Text) -> None:
    for config, error in (
        (replace(SMALL, split=Split()), InvalidText),
        (replace(SMALL, split=Split(98, 1, 1, 4, 10)), InvalidText),
        (replace(SMALL, hidden=1 << 20), InvalidRequest),
    ):
        with pytest.raises(error) as caught:
            start(tmp_path / "run", text, config)
        assert "--" in getattr(caught.value, "hint", "")
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["text/below/a/file", "x" * 300])
def test_a_place_that_cannot_be_made(tmp_path: Path, text: Text, name: str) -> None:
    with pytest.raises(StorageFailure, match="cannot make") as caught:
        start(tmp_path / name, text)
    assert "--out" in caught.value.hint


def test_damaged_checkpoints_are_refused(tmp_path: Path, text: Text) -> None:
    path = start(tmp_path / "run", text).path
    go_on(path, text, until=lambda event: isinstance(event, EpochDone))
    file = path / "checkpoint.safetensors"
    good = file.read_bytes()
    tensors = load(good)  # a copy: load_file would map the file, which changes below

    def refused(match: str) -> None:
        with pytest.raises(InvalidRun, match=match):
            go_on(path, text)

    file.write_bytes(good[:-10])
    refused("damaged")
    file.write_bytes(b"")
    refused("damaged")
    save_file(tensors, file)
    refused("not valid JSON")
    save_file(tensors, file, {"training": '{"position": {}, "history": []}'})
    refused("no epoch")
    save_file(tensors | {"state.0": tensors["state.0"][:, :1].contiguous()}, file)
    refused("state.0")
    save_file(tensors | {"rng.cpu": tensors["rng.cpu"][:7].clone()}, file)
    refused("rng.cpu")
    save_file({name: value for name, value in tensors.items() if name != "model.decoder.bias"}, file)
    refused("model.decoder.bias")
    file.unlink()
    refused("no checkpoint")
    file.write_bytes(good)
    assert go_on(path, text).complete


@pytest.mark.gpu
def test_training_on_a_gpu(tmp_path: Path, text: Text) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    for kind in ("lstm", "gru", "rnn"):
        config = replace(SMALL, kind=kind, layers=2)
        expected = go_on(start(tmp_path / f"{kind} cpu", text, config).path, text)
        path = start(tmp_path / f"{kind} cuda", text, config).path
        events: Iterator[Progress] = train(path, text, device=torch.device("cuda"))
        for _ in events:
            pass
        run = load_run(path)
        assert [epoch.validation for epoch in run.history] == pytest.approx(
            [epoch.validation for epoch in expected.history], abs=1e-3
        )
