"""Models against the paper's recurrences and PyTorch's layers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from rnnviz.engine.models.kinds.registry import KINDS, Kind
from rnnviz.engine.models.recurrent import RecurrentModel, build, initialise, parameter_shapes
from rnnviz.engine.models.stepped_layers import SteppedLayers
from support import recurrences
from support.captures import SIGNALS_OF_KIND

K, HIDDEN, TIME, BATCH = 11, 6, 40, 3


def _model(kind: Kind, layers: int, dropout: float = 0.0, reach: float = 0.8) -> RecurrentModel:
    model = build(kind, K, HIDDEN, layers, dropout)
    initialise(model, seed=5, reach=reach)
    return model.eval()


def _symbols(time: int = TIME) -> torch.Tensor:
    return torch.randint(0, K, (time, BATCH), generator=torch.Generator().manual_seed(7))


def _reference(
    model: RecurrentModel, symbols: torch.Tensor
) -> tuple[list[dict[str, np.ndarray]], np.ndarray]:
    parameters = {name: value.detach().double().numpy() for name, value in model.named_parameters()}
    return recurrences.run(model.kind, parameters, model.layers, symbols.numpy())


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_float64_models_compute_the_papers_equations(kind: Kind, layers: int) -> None:
    model = _model(kind, layers).double()
    symbols = _symbols()
    expected, expected_logits = _reference(model, symbols)
    signals, logits, _ = model.signals(symbols, model.zero_state(BATCH))
    assert len(signals) == layers
    for layer, expected_layer in zip(signals, expected, strict=True):
        assert layer.keys() == expected_layer.keys() == set(SIGNALS_OF_KIND[kind])
        for name, values in layer.items():
            np.testing.assert_allclose(values.numpy(), expected_layer[name], rtol=0, atol=1e-12)
    np.testing.assert_allclose(logits.numpy(), expected_logits, rtol=0, atol=1e-12)
    with torch.no_grad():
        forward, _ = model(symbols, model.zero_state(BATCH))
    np.testing.assert_allclose(forward.numpy(), expected_logits, rtol=0, atol=1e-12)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_windows_of_signals_are_the_run_in_float32(kind: Kind, layers: int, device: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    model = _model(kind, layers)
    symbols = _symbols(200)
    expected, expected_logits = _reference(model, symbols)
    model.to(device)
    state = model.zero_state(BATCH)
    start = 0
    for size in (1, 50, 49, 100):
        window = symbols[start : start + size].to(device)
        signals, logits, state = model.signals(window, state)
        for layer, expected_layer in zip(signals, expected, strict=True):
            for name, values in layer.items():
                part = expected_layer[name][start : start + size]
                np.testing.assert_allclose(values.cpu().numpy(), part, rtol=0, atol=2e-5)
        np.testing.assert_allclose(
            logits.cpu().numpy(), expected_logits[start : start + size], rtol=0, atol=2e-5
        )
        start += size
    assert start == 200


@pytest.mark.parametrize("layers", [1, 3])
def test_lstm_signals_are_those_of_torch(layers: int) -> None:
    """h of the top layer at every step, and h and c of every layer at the end, with |c| up to 20."""
    model = _model("lstm", layers, reach=2.0)
    assert isinstance(model.rnn, nn.LSTM)
    symbols = _symbols(500)
    with torch.no_grad():
        h, (h_last, c_last) = model.rnn(nn.functional.one_hot(symbols, K).float())
    signals, _, state = model.signals(symbols, model.zero_state(BATCH))
    torch.testing.assert_close(signals[-1]["h"], h, rtol=0, atol=1e-6)
    torch.testing.assert_close(state[0], h_last, rtol=0, atol=1e-6)
    torch.testing.assert_close(state[1], c_last, rtol=1e-6, atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_state_after_signals_is_the_state_after_forward(kind: Kind) -> None:
    model = _model(kind, 2)
    before = tuple(torch.rand_like(part) for part in model.zero_state(BATCH))
    _, _, after = model.signals(_symbols(), before)
    with torch.no_grad():
        _, expected = model(_symbols(), before)
    assert len(after) == len(expected) == len(before)
    for part, expected_part in zip(after, expected, strict=True):
        assert part.shape == (2, BATCH, HIDDEN)
        torch.testing.assert_close(part, expected_part, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_back_through_the_window(kind: Kind) -> None:
    """The derivative by each parameter, against a finite difference in float64."""
    model = _model(kind, 2).double()
    symbols = _symbols(9)

    def loss() -> torch.Tensor:
        logits, _ = model(symbols[:-1], model.zero_state(BATCH))
        return nn.functional.cross_entropy(logits.flatten(0, 1), symbols[1:].flatten())

    torch.autograd.backward(loss())
    generator = torch.Generator().manual_seed(0)
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        direction = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        step = 1e-6
        with torch.no_grad():
            parameter.add_(step * direction)
            above = loss()
            parameter.sub_(2 * step * direction)
            below = loss()
            parameter.add_(step * direction)
            expected = (above - below) / (2 * step)
        torch.testing.assert_close((parameter.grad * direction).sum(), expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_spares_the_recurrence(kind: Kind) -> None:
    """One layer's state is untouched by dropout; the second layer's input and the softmax's are not."""
    model = _model(kind, 2, dropout=0.5)
    still, moved = model.zero_state(BATCH), model.zero_state(BATCH)
    with torch.no_grad():
        logits, still = model(_symbols(), still)
        model.train()
        torch.manual_seed(0)
        dropped, moved = model(_symbols(), moved)
    torch.testing.assert_close(moved[0][0], still[0][0])
    assert not torch.allclose(moved[0][1], still[0][1])
    assert not torch.allclose(dropped, logits)


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_before_the_softmax_only_with_one_layer(kind: Kind) -> None:
    model = _model(kind, 1, dropout=0.9)
    with torch.no_grad():
        logits, still = model(_symbols(), model.zero_state(BATCH))
        model.train()
        dropped, moved = model(_symbols(), model.zero_state(BATCH))
    for part, expected in zip(moved, still, strict=True):
        torch.testing.assert_close(part, expected)
    assert not torch.allclose(dropped, logits)
    bias = model.decoder.bias.expand_as(dropped)
    emptied = torch.isclose(dropped, bias).all(dim=-1).double().mean()
    assert emptied == pytest.approx(0.9**HIDDEN, abs=0.15), "all of a step's units dropped leave the bias"


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_starts_uniform(kind: Kind) -> None:
    before = torch.get_rng_state()
    model = build(kind, 87, 64, 2)
    initialise(model, seed=3, reach=0.08)
    torch.testing.assert_close(torch.get_rng_state(), before, msg="the global generator is left alone")
    for name, parameter in model.named_parameters():
        assert float(parameter.detach().abs().max()) <= 0.08, name
        assert float(parameter.detach().std()) == pytest.approx(0.08 / math.sqrt(3), rel=0.25), name
        assert float(parameter.detach().abs().max()) > 0.07, name
    again = build(kind, 87, 64, 2)
    initialise(again, seed=3, reach=0.08)
    other = build(kind, 87, 64, 2)
    initialise(other, seed=4, reach=0.08)
    for ours, theirs, others in zip(model.parameters(), again.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs)
        assert not torch.equal(ours, others)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_parameters_carry_torchs_names(kind: Kind, layers: int) -> None:
    model = RecurrentModel(kind, K, HIDDEN, layers)
    shapes = {name: tuple(value.shape) for name, value in model.named_parameters()}
    assert shapes == parameter_shapes(kind, K, HIDDEN, layers)
    assert list(shapes) == list(parameter_shapes(kind, K, HIDDEN, layers)), (
        "the order too: seeds depend on it"
    )
    theirs = {"lstm": nn.LSTM, "gru": nn.GRU, "gru-torch": nn.GRU, "rnn": nn.RNN}[kind](K, HIDDEN, layers)
    assert {
        f"rnn.{name}": tuple(value.shape) for name, value in theirs.named_parameters()
    }.items() <= shapes.items()
    assert isinstance(model.rnn, SteppedLayers) == (kind == "gru")


def test_parameters_of_the_smallest_lstm() -> None:
    shapes = parameter_shapes("lstm", 87, 64, 1).values()
    assert sum(map(math.prod, shapes)) == 4 * 64 * (87 + 64 + 2) + 87 * 65 == 44_823
