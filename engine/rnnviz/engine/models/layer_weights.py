"""One recurrent layer's parameters and state, and the part of its equations that every kind of layer shares.

Shapes are [time, batch, …] for a window of steps and [batch, …] for a single step. x is a layer's input, h₋₁ the h
before a step. The `sums` of a layer are the share of its gates' arguments that does not depend on the state, so they
can be had for a whole window at once. The equations of each kind are in its own module, see `kinds`.

There are two bias vectors per layer, as in PyTorch and char-rnn; the paper leaves them out for brevity.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

State = tuple[Tensor, ...]
"""The parts of a state, h first (and c after it for an LSTM): each [layers, batch, hidden], or [batch, hidden] where
one layer is meant."""

PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
"""What PyTorch calls the parameters of a layer, in the order of `Weights`."""


class Weights(NamedTuple):
    """One layer's parameters: G gates, H units, I inputs. Their rows are stacked gate by gate, in the kind's order."""

    input: Tensor  # [G·H, I]
    recurrent: Tensor  # [G·H, H]
    input_bias: Tensor  # [G·H]
    recurrent_bias: Tensor  # [G·H]


def layer_weights(module: nn.Module, layer: int) -> Weights:
    """The parameters of one layer of a module that names them as PyTorch does."""
    return Weights(*(module.get_parameter(f"{name}_l{layer}") for name in PARAMETERS))


def both_biases(weights: Weights) -> Tensor:
    """The sum of the two bias vectors, [G·H], for kinds whose gates add them before anything else."""
    return weights.input_bias + weights.recurrent_bias


def input_sums(x: Tensor, weights: Weights, bias: Tensor) -> Tensor:
    """W x + bias: [..., I] -> [..., G·H]."""
    return F.linear(x, weights.input, bias)


def symbol_sums(symbols: Tensor, weights: Weights, bias: Tensor) -> Tensor:
    """`input_sums` of one-hot input, as a look-up of columns of W: int64 [...] -> [..., G·H]."""
    return F.embedding(symbols, weights.input.T + bias)


def shifted(h: Tensor, h_before: Tensor) -> Tensor:
    """h₋₁ of every step: h [time, batch, H] moved on by one step, with h_before [batch, H] in front."""
    return torch.cat((h_before[None], h[:-1]))
