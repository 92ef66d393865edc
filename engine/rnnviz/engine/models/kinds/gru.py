"""The GRU of the paper (Karpathy, Johnson & Li 2015, section 3.1), which PyTorch has no layers of.

    r, z = σ(W [x; h₋₁] + b)         n = tanh(W_x x + W_g (r∘h₋₁) + b)
    h = (1 − z)∘h₋₁ + z∘n

n is what the paper calls h̃. The rows of the weights are r, z, n.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from rnnviz.engine.models.layer_kind import LayerKind
from rnnviz.engine.models.layer_steps import StepsInPlace
from rnnviz.engine.models.layer_weights import State, Weights, shifted
from rnnviz.store.signals import SIGNALS


class Rows(NamedTuple):
    """The recurrent weights apart, because the candidate sees r∘h₋₁ and not h₋₁."""

    gates: Tensor  # [2·H, H]: r, z
    candidate: Tensor  # [H, H]: n

    @classmethod
    def of(cls, weights: Weights) -> Rows:
        hidden = weights.recurrent.shape[1]
        return cls(*torch.split(weights.recurrent, [2 * hidden, hidden]))


def gates(sums: Tensor, h_before: Tensor, rows: Rows) -> tuple[Tensor, Tensor, Tensor]:
    """r, z and n, each [..., H], from sums [..., 3·H]."""
    hidden = h_before.shape[-1]
    gate_sums, candidate_sums = torch.split(sums, [2 * hidden, hidden], dim=-1)
    r, z = torch.sigmoid(gate_sums + F.linear(h_before, rows.gates)).chunk(2, dim=-1)
    return r, z, torch.tanh(candidate_sums + F.linear(r * h_before, rows.candidate))


def step(sums: Tensor, before: State, weights: Weights) -> dict[str, Tensor]:
    (h_before,) = before  # [batch, H]
    r, z, n = gates(sums, h_before, Rows.of(weights))
    return {"h": torch.lerp(h_before, n, z), "r": r, "z": z, "n": n}


def outputs(sums: Tensor, before: State, weights: Weights) -> tuple[Tensor, State]:
    """See `LayerKind.read_outputs`: the weights are taken apart once, and nothing is kept but h."""
    rows = Rows.of(weights)
    (h,) = before
    steps = []
    for step_sums in sums.unbind():
        _, z, n = gates(step_sums, h, rows)
        h = torch.lerp(h, n, z)
        steps.append(h)
    return torch.stack(steps), (h,)


def window(read: Tensor, x: Tensor, before: State, weights: Weights) -> dict[str, Tensor]:
    """See `LayerKind.read_window`. Once h is known, the gates of the whole window are two matrix products."""
    sums = GRU.sums(read, weights)
    h, _ = outputs(sums, before, weights)
    r, z, n = gates(sums, shifted(h, before[0]), Rows.of(weights))
    return {"h": h, "r": r, "z": z, "n": n}


class GruSteps(StepsInPlace):
    """Columns of `sums`: r, z, and n."""

    def __init__(self, weights: Weights, first: bool) -> None:
        super().__init__(weights, first)
        H = self.hidden
        self.take(weights.input, weights.input_bias + weights.recurrent_bias)
        self._recurrent = weights.recurrent[: 2 * H].T.contiguous()
        self._candidate = weights.recurrent[2 * H :].T.contiguous()

    def touched(self, memory: dict[str, Tensor]) -> Sequence[Tensor]:
        sums, h = memory["sums"], memory["h"]
        return sums[..., : 2 * self.hidden], *self.rows(sums, 0, 1, 2), h[:-1], h[1:]

    def step(self, views: Sequence[tuple[Tensor, ...]]) -> None:
        for gates, r, z, n, h_before, h in views:
            gates.addmm_(h_before, self._recurrent).sigmoid_()
            torch.mul(r, h_before, out=h)
            n.addmm_(h, self._candidate).mul_(-2).sigmoid_().mul_(-2).add_(1)
            torch.lerp(h_before, n, z, out=h)

    def signals(self, memory: dict[str, Tensor]) -> dict[str, Tensor]:
        r, z, n = self.rows(memory["sums"], 0, 1, 2)
        return {"h": memory["h"][1:], "r": r, "z": z, "n": n}


GRU: Final = LayerKind(
    name="gru",
    title="the paper's GRU",
    gates=3,
    state=("h",),
    signals=tuple(SIGNALS[name] for name in ("h", "r", "z", "n")),
    step=step,
    outputs=outputs,
    window=window,
    steps=GruSteps,
)
