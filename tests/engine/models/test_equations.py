"""The equations against PyTorch's own layers, one step at a time and a window at a time, in float64."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rnnviz.engine.models import equations
from rnnviz.engine.models.recurrent import gru_layer, layer_weights

TIME, BATCH, INPUTS, HIDDEN, LAYERS = 7, 3, 5, 4, 3


@pytest.fixture(name="x")
def _x() -> Tensor:
    return torch.randn(TIME, BATCH, INPUTS, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def _randomised(module: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(2)
    for parameter in module.double().parameters():
        parameter.data.uniform_(-1, 1, generator=generator)
    return module


def _start() -> Tensor:
    return torch.randn(LAYERS, BATCH, HIDDEN, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


@torch.no_grad()
def test_lstm_steps_are_those_of_torch(x: Tensor) -> None:
    module = _randomised(nn.LSTM(INPUTS, HIDDEN, LAYERS))
    h_start, c_start = _start(), -_start()
    expected, (h_last, c_last) = module(x, (h_start, c_start))
    for layer in range(LAYERS):
        weights = layer_weights(module, layer)
        h, c = h_start[layer], c_start[layer]
        outputs = []
        for x_t in x:
            sums = equations.input_sums(x_t[None], weights)
            i, f, g, o = equations.lstm_gates_(sums, h[None], weights)
            c = equations.lstm_cells(i, f, g, c)[0]
            h = equations.lstm_output(o[0], c)
            outputs.append(h)
        torch.testing.assert_close(h, h_last[layer])
        torch.testing.assert_close(c, c_last[layer])
        x = torch.stack(outputs)
    torch.testing.assert_close(x, expected)


@torch.no_grad()
def test_lstm_window_equals_its_steps(x: Tensor) -> None:
    module = _randomised(nn.LSTM(INPUTS, HIDDEN))
    weights = layer_weights(module, 0)
    h, (_, c_last) = module(x)
    h_before = torch.cat((torch.zeros(1, BATCH, HIDDEN), h[:-1]))
    i, f, g, o = equations.lstm_gates_(equations.input_sums(x, weights), h_before, weights)
    c = equations.lstm_cells(i, f, g, torch.zeros(BATCH, HIDDEN, dtype=torch.float64))
    torch.testing.assert_close(c[-1], c_last[0])
    torch.testing.assert_close(equations.lstm_output(o, c), h)


@torch.no_grad()
def test_rnn_steps_are_those_of_torch(x: Tensor) -> None:
    module = _randomised(nn.RNN(INPUTS, HIDDEN))
    weights = layer_weights(module, 0)
    h = _start()[0]
    expected, _ = module(x, h[None])
    for x_t, expected_t in zip(x, expected, strict=True):
        h = equations.rnn_output(equations.input_sums(x_t, weights), h, weights)
        torch.testing.assert_close(h, expected_t)


@torch.no_grad()
def test_torch_gru_steps_are_those_of_torch(x: Tensor) -> None:
    module = _randomised(nn.GRU(INPUTS, HIDDEN))
    weights = layer_weights(module, 0)
    h = _start()[0]
    expected, _ = module(x, h[None])
    for x_t, expected_t in zip(x, expected, strict=True):
        _, z, n = equations.torch_gru_gates(x_t, h, weights)
        h = equations.torch_gru_output(z, n, h)
        torch.testing.assert_close(h, expected_t)


@torch.no_grad()
def test_the_papers_gru_is_another_function(x: Tensor) -> None:
    module = _randomised(nn.GRU(INPUTS, HIDDEN))
    weights = layer_weights(module, 0)
    h = _start()[0]
    theirs, _ = module(x, h[None])
    assert not torch.allclose(gru_layer(equations.input_sums(x, weights), h, weights), theirs)


def test_a_look_up_is_the_product_with_one_hot_input() -> None:
    weights = layer_weights(_randomised(nn.LSTM(INPUTS, HIDDEN)), 0)
    symbols = torch.tensor([[0, 4], [2, 2]])
    one_hot = nn.functional.one_hot(symbols, INPUTS).double()
    torch.testing.assert_close(
        equations.symbol_sums(symbols, weights), equations.input_sums(one_hot, weights)
    )
