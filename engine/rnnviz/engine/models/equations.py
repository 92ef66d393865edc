"""The equations of the recurrent layers (Karpathy, Johnson & Li 2015, section 3.1), written once.

Shapes are [time, batch, …] for a window of steps; a single step is a window of one, or [batch, …]. x is a
layer's input, h₋₁ and c₋₁ the state before each step. `sums` is the share of a gate's argument that does not
depend on the state, so it can be had for a whole window at once. Where h is known for a window already (from
a fused kernel), the same lines give every other signal of the window without stepping through it; only c is a
recurrence of its own.

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


def lstm_gates_(sums: Tensor, h_before: Tensor, weights: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The gates i, f, g, o of a window, each [time, batch, H], from sums [time, batch, 4·H].

    `sums` is overwritten and the gates are views of it, which keeps a window in cache.
    """
    sums.flatten(0, 1).addmm_(h_before.flatten(0, 1), weights.recurrent.T)
    i, f, g, o = sums.chunk(4, dim=-1)
    return i.sigmoid_(), f.sigmoid_(), g.tanh_(), o.sigmoid_()


def lstm_cells(i: Tensor, f: Tensor, g: Tensor, c_before: Tensor) -> Tensor:
    """c of a window, [time, batch, H], from the gates and the c before its first step, [batch, H]."""
    c = i * g
    for step in range(len(c)):
        c_before = c[step].addcmul_(f[step], c_before)
    return c


def lstm_output(o: Tensor, c: Tensor) -> Tensor:
    return o * torch.tanh(c)


# The paper's GRU: r, z = sigm(W_r [x; h₋₁]);  n = tanh(W_x x + W_g (r∘h₋₁));  h = (1 − z)∘h₋₁ + z∘n


class GruRows(NamedTuple):
    """The recurrent weights of the paper's GRU, apart: its candidate sees r∘h₋₁, not h₋₁."""

    gates: Tensor  # [2·H, H]: r, z
    candidate: Tensor  # [H, H]: n

    @classmethod
    def of(cls, weights: Weights) -> GruRows:
        hidden = weights.recurrent.shape[1]
        return cls(*torch.split(weights.recurrent, [2 * hidden, hidden]))


def gru_gates(sums: Tensor, h_before: Tensor, rows: GruRows) -> tuple[Tensor, Tensor, Tensor]:
    """r, z and n, each [..., H], from sums [..., 3·H]."""
    hidden = h_before.shape[-1]
    gate_sums, candidate_sums = torch.split(sums, [2 * hidden, hidden], dim=-1)
    r, z = torch.sigmoid(gate_sums + F.linear(h_before, rows.gates)).chunk(2, dim=-1)
    return r, z, torch.tanh(candidate_sums + F.linear(r * h_before, rows.candidate))


def gru_output(z: Tensor, n: Tensor, h_before: Tensor) -> Tensor:
    return torch.lerp(h_before, n, z)


# PyTorch's GRU is another function: r multiplies after the matrix product, and z keeps instead of renewing.
# r, z = sigm(W [x; h₋₁]);  n = tanh(W_x x + b_x + r∘(W_h h₋₁ + b_h));  h = (1 − z)∘n + z∘h₋₁


def torch_gru_gates(x: Tensor, h_before: Tensor, weights: Weights) -> tuple[Tensor, Tensor, Tensor]:
    """r, z and n of `torch.nn.GRU`, each [..., H]."""
    x_r, x_z, x_n = F.linear(x, weights.input, weights.input_bias).chunk(3, dim=-1)
    h_r, h_z, h_n = F.linear(h_before, weights.recurrent, weights.recurrent_bias).chunk(3, dim=-1)
    r = torch.sigmoid(x_r + h_r)
    return r, torch.sigmoid(x_z + h_z), torch.tanh(x_n + r * h_n)


def torch_gru_output(z: Tensor, n: Tensor, h_before: Tensor) -> Tensor:
    return torch.lerp(n, h_before, z)
