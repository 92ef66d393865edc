"""What the equations of all kinds share."""

from __future__ import annotations

import torch
from torch import nn

from rnnviz.engine.models.layer_weights import both_biases, input_sums, layer_weights, symbol_sums

INPUTS, HIDDEN = 5, 4


def test_a_look_up_is_the_product_with_one_hot_input() -> None:
    torch.manual_seed(0)
    weights = layer_weights(nn.LSTM(INPUTS, HIDDEN).double(), 0)
    symbols = torch.tensor([[0, 4], [2, 2]])
    one_hot = nn.functional.one_hot(symbols, INPUTS).double()
    bias = both_biases(weights)
    torch.testing.assert_close(symbol_sums(symbols, weights, bias), input_sums(one_hot, weights, bias))
