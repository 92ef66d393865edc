"""Steps through one layer, with every signal kept: what a reader asks of them, and the memory that fast ones share.

Each kind has steps of its own, see `kinds`; `step_reader` says what they cost. One-hot input is a look-up. All of a
step's products are one call, in place. The hyperbolic tangent is taken as tanh(x) = 1 − 2σ(−2x), whose error is 1e-7 at
most, with the −2 in the weights where it can be: PyTorch's tanh takes 3 ns a value, its sigmoid 0.5.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any, Final, Self

import torch
from torch import Tensor

from rnnviz.engine.models.layer_weights import State, Weights

SHAPES: Final = 4
"""Windows of different shapes whose memory is kept cut to size. A text ends with a window or two of its own."""


class LayerSteps(ABC):
    """Reads windows with one layer, step by step and with every signal."""

    quick_alone: bool = False
    """Whether a symbol of a stream that is read alone costs hardly more than one among many."""

    @abstractmethod
    def twin(self) -> Self:
        """The same weights with memory of its own."""

    @abstractmethod
    def read(self, x: Tensor, before: State) -> dict[str, Tensor]:
        """Every signal [time, batch, H] of x: int64 [time, batch] in the first layer, else [time, batch, I].

        `before` is the state, each part [batch, H]. The next call may overwrite the signals.
        """


class StepsInPlace(LayerSteps):
    """Steps in memory that is used again and again. A kind says what its steps are.

    The memory of a window is `sums` [time, batch, G·H], and of each part of the state all steps behind the one before
    them, [1 + time, batch, H].
    """

    state: tuple[str, ...] = ("h",)
    """The signals that make up the state."""

    def __init__(self, weights: Weights, first: bool) -> None:
        """`first` says whether it is the first layer, whose input is symbols."""
        rows, self.hidden = weights.recurrent.shape
        self.gates = rows // self.hidden
        self._first = first
        self._forget()

    def twin(self) -> Self:
        other = copy(self)
        other._forget()
        return other

    def _forget(self) -> None:
        self._memory = torch.empty(0)
        self._cut: dict[tuple[int, int], tuple[dict[str, Tensor], Any]] = {}

    def take(self, weights: Tensor, bias: Tensor) -> None:
        """Remember the input weights [G·H, I] and their bias [G·H], which are the input's part of `sums`."""
        self._input = weights.T.contiguous()
        self._bias = bias
        if self._first:
            self._input += bias

    def read(self, x: Tensor, before: State) -> dict[str, Tensor]:
        steps, batch = x.shape[:2]
        memory, views = self._views(steps, batch)
        sums = memory["sums"].view(steps * batch, -1)
        if self._first:
            torch.index_select(self._input, 0, x.reshape(-1), out=sums)
        else:
            torch.addmm(self._bias, x.reshape(steps * batch, -1), self._input, out=sums)
        for name, part in zip(self.state, before, strict=True):
            memory[name][0] = part
        self.step(views)
        return self.signals(memory)

    def _views(self, steps: int, batch: int) -> tuple[dict[str, Tensor], Any]:
        """The memory for a window, and what `step` wants of it."""
        key = steps, batch
        if key not in self._cut:
            H, states = self.hidden, len(self.state)
            need = batch * H * (steps * self.gates + (steps + 1) * states)
            if need > len(self._memory) or len(self._cut) >= SHAPES:
                self._cut.clear()
            if need > len(self._memory):
                self._memory = torch.empty(need, device=self._input.device)
            sums = self._memory[: steps * batch * self.gates * H].view(steps, batch, self.gates * H)
            memory = {"sums": sums}
            begin = sums.numel()
            for name in self.state:
                part = self._memory[begin : begin + (steps + 1) * batch * H]
                memory[name] = part.view(steps + 1, batch, H)
                begin += part.numel()
            self._cut[key] = memory, self.views(memory)
        return self._cut[key]

    def rows(self, sums: Tensor, *gates: int) -> Iterator[Tensor]:
        """The columns of some gates of `sums` [time, batch, G·H]."""
        return (sums[..., gate * self.hidden : (gate + 1) * self.hidden] for gate in gates)

    def views(self, memory: dict[str, Tensor]) -> Any:
        """What `step` gets: of each step what it touches."""
        return list(zip(*(part.unbind() for part in self.touched(memory)), strict=True))

    @abstractmethod
    def touched(self, memory: dict[str, Tensor]) -> Sequence[Tensor]:
        """Tensors whose first axis is time: a step gets its place of each."""

    @abstractmethod
    def step(self, views: Sequence[tuple[Tensor, ...]]) -> None:
        """Go through the steps."""

    @abstractmethod
    def signals(self, memory: dict[str, Tensor]) -> dict[str, Tensor]:
        """The signals of the window, once all steps are done."""
