"""The equations of the recurrent layers (Karpathy, Johnson & Li 2015, section 3.1), written once.

Every function takes any leading dimensions: [batch, …] for one step, [time, batch, …] for a whole window
whose h is known already. x is the layer's input, h₋₁ and c₋₁ the state before the step. `sums` is the part of
a gate's argument that does not depend on the state, which is why it can be had for all steps at once.

Rows of the weights are stacked as PyTorch stacks them: i, f, g, o for the LSTM; r, z, n for both GRUs, where
n is what the paper calls h̃. There are two bias vectors per layer, as in PyTorch and char-rnn; the paper
leaves them out for brevity.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Weights(NamedTuple):
    """One layer's parameters; G gates, H units, I inputs."""

    input: Tensor  # [G·H, I]
    recurrent: Tensor  # [G·H, H]
    input_bias: Tensor  # [G·H]
    recurrent_bias: Tensor  # [G·H]


def input_sums(x: Tensor, weights: Weights) -> Tensor:
    """W x + both biases: [..., I] -> [..., G·H]."""
    return F.linear(x, weights.input, weights.input_bias + weights.recurrent_bias)


def symbol_sums(symbols: Tensor, weights: Weights) -> Tensor:
    """`input_sums` of one-hot input, as a look-up of columns of W: int64 [...] -> [..., G·H]."""
    return F.embedding(symbols, weights.input.T + (weights.input_bias + weights.recurrent_bias))


# RNN: h = tanh(W [x; h₋₁])


def rnn_output(sums: Tensor, h_before: Tensor, weights: Weights) -> Tensor:
    return torch.tanh(sums + F.linear(h_before, weights.recurrent))


# LSTM: i, f, o = sigm, g = tanh of W [x; h₋₁];  c = f∘c₋₁ + i∘g;  h = o∘tanh(c)


def lstm_gates(sums: Tensor, h_before: Tensor, weights: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The gates i, f, g, o, each [..., H]."""
    i, f, g, o = (sums + F.linear(h_before, weights.recurrent)).chunk(4, dim=-1)
    return torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)


def lstm_cell(i: Tensor, f: Tensor, g: Tensor, c_before: Tensor) -> Tensor:
    return f * c_before + i * g


def lstm_output(o: Tensor, c: Tensor) -> Tensor:
    return o * torch.tanh(c)


# The paper's GRU: r, z = sigm(W_r [x; h₋₁]);  n = tanh(W_x x + W_g (r∘h₋₁));  h = (1 − z)∘h₋₁ + z∘n


def gru_gates(
    sums: Tensor, h_before: Tensor, gate_rows: Tensor, candidate_rows: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """r, z and n, each [..., H]. The rows are those of `split_gru_rows`."""
    hidden = h_before.shape[-1]
    gate_sums, candidate_sums = torch.split(sums, [2 * hidden, hidden], dim=-1)
    r, z = torch.sigmoid(gate_sums + F.linear(h_before, gate_rows)).chunk(2, dim=-1)
    return r, z, torch.tanh(candidate_sums + F.linear(r * h_before, candidate_rows))


def split_gru_rows(recurrent: Tensor) -> tuple[Tensor, Tensor]:
    """The recurrent weights of r and z, [2·H, H], and of n, [H, H]."""
    hidden = recurrent.shape[-1]
    gate_rows, candidate_rows = torch.split(recurrent, [2 * hidden, hidden])
    return gate_rows, candidate_rows


def gru_output(z: Tensor, n: Tensor, h_before: Tensor) -> Tensor:
    return (1 - z) * h_before + z * n


# PyTorch's GRU is another function: r multiplies after the matrix product, and z keeps instead of renewing.
# r, z = sigm(W [x; h₋₁]);  n = tanh(W_x x + b_x + r∘(W_h h₋₁ + b_h));  h = (1 − z)∘n + z∘h₋₁


def torch_gru_gates(x: Tensor, h_before: Tensor, weights: Weights) -> tuple[Tensor, Tensor, Tensor]:
    """r, z and n of `torch.nn.GRU`, each [..., H]."""
    x_r, x_z, x_n = F.linear(x, weights.input, weights.input_bias).chunk(3, dim=-1)
    h_r, h_z, h_n = F.linear(h_before, weights.recurrent, weights.recurrent_bias).chunk(3, dim=-1)
    r = torch.sigmoid(x_r + h_r)
    return r, torch.sigmoid(x_z + h_z), torch.tanh(x_n + r * h_n)


def torch_gru_output(z: Tensor, n: Tensor, h_before: Tensor) -> Tensor:
    return (1 - z) * n + z * h_before
