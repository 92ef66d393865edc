"""PyTorch's GRU, `torch.nn.GRU`, which is another function than the paper's.

r multiplies after the matrix product, and z keeps instead of renewing:

    r, z = σ(W [x; h₋₁] + b)         n = tanh(W_x x + b_x + r∘(W_h h₋₁ + b_h))
    h = (1 − z)∘n + z∘h₋₁

The rows of the weights are r, z, n.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rnnviz.engine.models.layer_kind import LayerKind
from rnnviz.engine.models.layer_steps import StepsInPlace
from rnnviz.engine.models.layer_weights import State, Weights, input_sums, shifted
from rnnviz.store.signals import SIGNALS


def bias(weights: Weights) -> Tensor:
    """The recurrent bias is not in the sums: r multiplies it, too."""
    return weights.input_bias


def gates(sums: Tensor, h_before: Tensor, weights: Weights) -> tuple[Tensor, Tensor, Tensor]:
    """r, z and n, each [..., H], from sums [..., 3·H]."""
    x_r, x_z, x_n = sums.chunk(3, dim=-1)
    h_r, h_z, h_n = F.linear(h_before, weights.recurrent, weights.recurrent_bias).chunk(3, dim=-1)
    r = torch.sigmoid(x_r + h_r)
    return r, torch.sigmoid(x_z + h_z), torch.tanh(x_n + r * h_n)


def step(sums: Tensor, before: State, weights: Weights) -> dict[str, Tensor]:
    (h_before,) = before  # [batch, H]
    r, z, n = gates(sums, h_before, weights)
    return {"h": torch.lerp(n, h_before, z), "r": r, "z": z, "n": n}


def window(read: Tensor, x: Tensor, before: State, weights: Weights) -> dict[str, Tensor]:
    """See `LayerKind.read_window`. h comes from the fused kernel; with it the gates are one matrix product."""
    h, _ = torch.gru(x, before[0][None], list(weights), True, 1, 0.0, False, False, False)
    r, z, n = gates(input_sums(x, weights, bias(weights)), shifted(h, before[0]), weights)
    return {"h": h, "r": r, "z": z, "n": n}


class TorchGruSteps(StepsInPlace):
    """Columns of `sums`: r, z, and n."""

    def __init__(self, weights: Weights, first: bool) -> None:
        super().__init__(weights, first)
        self.take(weights.input, weights.input_bias)
        self._recurrent = weights.recurrent.T.contiguous()
        self._recurrent_bias = weights.recurrent_bias

    def touched(self, memory: dict[str, Tensor]) -> Sequence[Tensor]:
        sums, h = memory["sums"], memory["h"]
        return sums[..., : 2 * self.hidden], *self.rows(sums, 0, 1, 2), h[:-1], h[1:]

    def step(self, views: Sequence[tuple[Tensor, ...]]) -> None:
        H = self.hidden
        for gates, r, z, n, h_before, h in views:
            product = torch.addmm(self._recurrent_bias, h_before, self._recurrent)
            gates.add_(product[:, : 2 * H]).sigmoid_()
            n.addcmul_(r, product[:, 2 * H :]).mul_(-2).sigmoid_().mul_(-2).add_(1)
            torch.lerp(n, h_before, z, out=h)

    def signals(self, memory: dict[str, Tensor]) -> dict[str, Tensor]:
        r, z, n = self.rows(memory["sums"], 0, 1, 2)
        return {"h": memory["h"][1:], "r": r, "z": z, "n": n}


TORCH_GRU: Final = LayerKind(
    name="gru-torch",
    title="an nn.GRU",
    gates=3,
    state=("h",),
    signals=tuple(SIGNALS[name] for name in ("h", "r", "z", "n")),
    step=step,
    bias=bias,
    assumed=True,
    module=nn.GRU,
    window=window,
    steps=TorchGruSteps,
)
