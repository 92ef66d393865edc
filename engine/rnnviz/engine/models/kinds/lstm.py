"""The LSTM of the paper (Karpathy, Johnson & Li 2015, section 3.1), which is `torch.nn.LSTM`.

    i, f, o = σ(W [x; h₋₁] + b)      g = tanh(W [x; h₋₁] + b)
    c = f∘c₋₁ + i∘g                  h = o∘tanh(c)

The rows of the weights are i, f, g, o.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rnnviz.engine.models.layer_kind import LayerKind
from rnnviz.engine.models.layer_steps import StepsInPlace
from rnnviz.engine.models.layer_weights import State, Weights, shifted
from rnnviz.store.signals import SIGNALS

STATE: Final = ("h", "c")


def step(sums: Tensor, before: State, weights: Weights) -> dict[str, Tensor]:
    h_before, c_before = before  # each [batch, H]
    i, f, g, o = (sums + F.linear(h_before, weights.recurrent)).chunk(4, dim=-1)  # each [batch, H]
    i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
    c = f * c_before + i * g
    h = o * torch.tanh(c)
    return {"c": c, "h": h, "i": i, "f": f, "o": o, "g": g}


def window(read: Tensor, x: Tensor, before: State, weights: Weights) -> dict[str, Tensor]:
    """See `LayerKind.read_window`. h comes from the fused kernel; with it the gates of the whole window are one matrix
    product, and c is an elementwise recurrence. Windows of 25–50 steps are the fastest: longer ones leave the cache."""
    h_before, c_before = before
    sums = LSTM.sums(read, weights)
    state = (h_before[None], c_before[None])
    h, _, _ = torch.lstm(x, state, list(weights), True, 1, 0.0, False, False, False)
    i, f, g, o = _gates_(sums, shifted(h, h_before), weights)
    return {"c": _cells(i, f, g, c_before), "h": h, "i": i, "f": f, "o": o, "g": g}


def _gates_(sums: Tensor, h_before: Tensor, weights: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The gates i, f, g, o of a window, each [time, batch, H], from sums [time, batch, 4·H].

    `sums` is overwritten and the gates are views of it, which keeps a window in cache.
    """
    sums.flatten(0, 1).addmm_(h_before.flatten(0, 1), weights.recurrent.T)
    i, f, g, o = sums.chunk(4, dim=-1)
    return i.sigmoid_(), f.sigmoid_(), g.tanh_(), o.sigmoid_()


def _cells(i: Tensor, f: Tensor, g: Tensor, c_before: Tensor) -> Tensor:
    """c of a window, [time, batch, H], from the gates and the c before its first step, [batch, H]."""
    c = i * g
    for time in range(len(c)):
        c_before = c[time].addcmul_(f[time], c_before)
    return c


class LstmSteps(StepsInPlace):
    """Columns of `sums`: i, f, o, and σ(−2x) of g's argument x, until it is g itself at the end."""

    state = STATE

    def __init__(self, weights: Weights, first: bool) -> None:
        super().__init__(weights, first)
        H = self.hidden
        order = torch.cat([torch.arange(2 * H), torch.arange(3 * H, 4 * H), torch.arange(2 * H, 3 * H)])
        scale = weights.input.new_ones(4 * H, 1)
        scale[3 * H :] = -2
        bias = weights.input_bias + weights.recurrent_bias
        self.take(weights.input[order] * scale, bias[order] * scale[:, 0])
        self._recurrent = (weights.recurrent[order] * scale).T.contiguous()

    def touched(self, memory: dict[str, Tensor]) -> Sequence[Tensor]:
        sums, h, c = memory["sums"], memory["h"], memory["c"]
        return sums, *self.rows(sums, 0, 1, 2, 3), c[:-1], c[1:], h[:-1], h[1:]

    def step(self, views: Sequence[tuple[Tensor, ...]]) -> None:
        recurrent = self._recurrent
        for sums, i, f, o, g, c_before, c, h_before, h in views:
            sums.addmm_(h_before, recurrent).sigmoid_()
            torch.mul(f, c_before, out=c).add_(i).addcmul_(i, g, value=-2)
            torch.mul(c, -2, out=h).sigmoid_().mul_(o)
            torch.sub(o, h, alpha=2, out=h)

    def signals(self, memory: dict[str, Tensor]) -> dict[str, Tensor]:
        i, f, o, g = self.rows(memory["sums"], 0, 1, 2, 3)
        g.mul_(-2).add_(1)
        return {"c": memory["c"][1:], "h": memory["h"][1:], "i": i, "f": f, "o": o, "g": g}


class CompiledLstmSteps(LstmSteps):
    """The same as machine code, see `lstm_kernel`; g is itself after its step."""

    quick_alone = True

    def __init__(self, weights: Weights, first: bool) -> None:
        from rnnviz.engine.models import lstm_kernel, matrix_kernel  # which load Numba

        super().__init__(weights, first)
        self._window = lstm_kernel.window
        self._panels = matrix_kernel.panels(self._recurrent.detach().numpy())

    def views(self, memory: dict[str, Tensor]) -> Any:
        return tuple(memory[name].numpy() for name in ("sums", "c", "h"))

    def step(self, views: Any) -> None:
        sums, c, h = views
        self._window(sums, self._panels, c, h)

    def signals(self, memory: dict[str, Tensor]) -> dict[str, Tensor]:
        i, f, o, g = self.rows(memory["sums"], 0, 1, 2, 3)
        return {"c": memory["c"][1:], "h": memory["h"][1:], "i": i, "f": f, "o": o, "g": g}


LSTM: Final = LayerKind(
    name="lstm",
    title="an nn.LSTM",
    gates=4,
    state=STATE,
    signals=tuple(SIGNALS[name] for name in ("c", "h", "i", "f", "o", "g")),
    step=step,
    assumed=True,
    module=nn.LSTM,
    window=window,
    steps=LstmSteps,
    compiled_steps=CompiledLstmSteps,
)
