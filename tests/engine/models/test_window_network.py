"""The n-NN: its equation, its state, its training, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from rnnviz.engine.models.recurrent import initialise
from rnnviz.engine.models.window_network import WindowNetwork, build_window, window_shapes
from rnnviz.engine.runs.run import RunConfig, load_run
from rnnviz.engine.text.text import Text, open_text
from rnnviz.engine.training.train import EpochDone
from rnnviz.store.errors import InvalidRequest, InvalidRun
from support.runs import SMALL, go_on, start, without_times
from support.texts import write_words

K, HIDDEN, TIME, BATCH = 7, 5, 12, 3
NNN = replace(SMALL, kind="n-nn", n=3)


@pytest.fixture
def text(tmp_path: Path) -> Text:
    return open_text(str(write_words(tmp_path / "words.txt", 1500)))


def network(n: int) -> WindowNetwork:
    model = build_window(K, HIDDEN, n)
    initialise(model, seed=1, reach=0.8)
    return model.eval()


def symbols() -> torch.Tensor:
    return torch.randint(0, K, (TIME, BATCH), generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("n", [1, 2, 6, TIME + 3])
def test_it_computes_one_tanh_layer_over_n_one_hot_symbols(n: int) -> None:
    model, read = network(n), symbols()
    logits, _ = model(read, model.zero_state(BATCH))
    x = F.one_hot(read, K).float()
    for t in range(TIME):
        sums = sum((x[t - back] @ model.weight[back] for back in range(min(n, t + 1))), model.bias)
        assert isinstance(sums, torch.Tensor)
        torch.testing.assert_close(logits[t], model.decoder(torch.tanh(sums)))


@pytest.mark.parametrize("n", [1, 2, 6, TIME + 3])
def test_a_stream_may_be_read_in_windows(n: int) -> None:
    model, read = network(n), symbols()
    whole, last = model(read, model.zero_state(BATCH))
    state, pieces = model.zero_state(BATCH), []
    for window in torch.split(read, [1, 2, 5, 4]):
        logits, state = model(window, state)
        pieces.append(logits)
    torch.testing.assert_close(torch.cat(pieces), whole)
    torch.testing.assert_close(state, last)
    assert last[0].shape == (n - 1, BATCH)


def test_gradients_reach_every_parameter_and_are_those_of_one_hot_input() -> None:
    model, read = network(3), symbols()
    model(read, model.zero_state(BATCH))[0].square().sum().backward()
    found = model.weight.grad
    model.weight.grad = None
    x = F.pad(F.one_hot(read, K).float(), (0, 0, 0, 0, 2, 0))
    sums = sum((x[2 - back : 2 - back + TIME] @ model.weight[back] for back in range(3)), model.bias)
    model.decoder(torch.tanh(torch.as_tensor(sums))).square().sum().backward()
    torch.testing.assert_close(found, model.weight.grad)


def test_parameters_are_as_announced() -> None:
    found = {name: tuple(value.shape) for name, value in network(3).state_dict().items()}
    assert found == window_shapes(K, HIDDEN, 3)


def test_it_is_trained_and_evaluated_like_any_other(tmp_path: Path, text: Text) -> None:
    start(tmp_path / "run", text, NNN)
    run = go_on(tmp_path / "run", text)
    assert run.complete
    assert run.test is not None
    assert run.history[-1].validation < run.history[0].validation
    assert load_run(run.path).config == NNN
    assert isinstance(run.predictor(torch.device("cpu")), WindowNetwork)
    with pytest.raises(InvalidRequest, match="no cells"):
        run.model(torch.device("cpu"))


def test_resumed_it_ends_with_the_same_weights(tmp_path: Path, text: Text) -> None:
    for name in ("straight", "stopped"):
        start(tmp_path / name, text, NNN)
    straight = go_on(tmp_path / "straight", text)
    go_on(tmp_path / "stopped", text, until=lambda event: isinstance(event, EpochDone))
    resumed = go_on(tmp_path / "stopped", text)
    assert without_times(resumed) == without_times(straight)
    for path in (straight.path, resumed.path):
        assert (path / "model.safetensors").read_bytes() == (straight.path / "model.safetensors").read_bytes()


def test_weights_of_another_window_are_refused(tmp_path: Path, text: Text) -> None:
    for n in (2, 3):
        start(tmp_path / str(n), text, replace(NNN, n=n))
        go_on(tmp_path / str(n), text)
    (tmp_path / "2" / "model.safetensors").replace(tmp_path / "3" / "model.safetensors")
    with pytest.raises(InvalidRun, match="does not hold the weights"):
        load_run(tmp_path / "3").predictor(torch.device("cpu"))


@pytest.mark.parametrize(
    "config",
    [{"kind": "n-nn"}, {"kind": "n-nn", "n": 0}, {"kind": "n-nn", "n": 65}, {"kind": "lstm", "n": 3},
     {"kind": "n-nn", "n": 3, "layers": 2}],
)  # fmt: skip
def test_configs_that_make_no_sense_are_refused(config: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        RunConfig(**config)  # type: ignore[arg-type]
