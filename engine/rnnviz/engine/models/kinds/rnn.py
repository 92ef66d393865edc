"""The RNN of the paper (Karpathy, Johnson & Li 2015, section 3.1), which is `torch.nn.RNN` with tanh.

h = tanh(W [x; h₋₁] + b)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rnnviz.engine.models.layer_kind import LayerKind
from rnnviz.engine.models.layer_steps import StepsInPlace
from rnnviz.engine.models.layer_weights import State, Weights
from rnnviz.store.signals import SIGNALS


def step(sums: Tensor, before: State, weights: Weights) -> dict[str, Tensor]:
    (h_before,) = before  # [batch, H]
    return {"h": torch.tanh(sums + F.linear(h_before, weights.recurrent))}


def window(read: Tensor, x: Tensor, before: State, weights: Weights) -> dict[str, Tensor]:
    """See `LayerKind.read_window`. h comes from the fused kernel."""
    h, _ = torch.rnn_tanh(x, before[0][None], list(weights), True, 1, 0.0, False, False, False)
    return {"h": h}


class RnnSteps(StepsInPlace):
    """`sums` has −2 times the argument of the tanh, then its sigmoid."""

    def __init__(self, weights: Weights, first: bool) -> None:
        super().__init__(weights, first)
        self.take(-2 * weights.input, -2 * (weights.input_bias + weights.recurrent_bias))
        self._recurrent = -2 * weights.recurrent.T

    def touched(self, memory: dict[str, Tensor]) -> Sequence[Tensor]:
        return memory["sums"], memory["h"][:-1], memory["h"][1:]

    def step(self, views: Sequence[tuple[Tensor, ...]]) -> None:
        for sums, h_before, h in views:
            torch.mul(sums.addmm_(h_before, self._recurrent).sigmoid_(), -2, out=h).add_(1)

    def signals(self, memory: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"h": memory["h"][1:]}


RNN: Final = LayerKind(
    name="rnn",
    title="an nn.RNN (taken to have tanh: weights do not tell)",
    gates=1,
    state=("h",),
    signals=(SIGNALS["h"],),
    step=step,
    assumed=True,
    module=nn.RNN,
    window=window,
    steps=RnnSteps,
)
