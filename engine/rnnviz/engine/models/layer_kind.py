"""What the rest of the engine knows about a kind of recurrent layer.

A kind is its equations, and as many faster ways to compute them as it has. Only the equations are required: a kind
without a faster way is trained, read and captured by going through them step by step. Tests hold every faster way to
the equations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rnnviz.engine.models.layer_steps import LayerSteps
from rnnviz.engine.models.layer_weights import (
    PARAMETERS,
    State,
    Weights,
    both_biases,
    input_sums,
    symbol_sums,
)
from rnnviz.store.signals import Signal


@dataclass(frozen=True)
class LayerKind:
    """One kind of recurrent layer. Its `signals` are those of a capture, with the one to look at first in front."""

    name: str
    title: str
    """What an import calls layers of this kind, as "an nn.LSTM"."""
    gates: int
    """Rows of weights per unit."""
    state: tuple[str, ...]
    """The signals that make up the state, h first."""
    signals: tuple[Signal, ...]
    step: Callable[[Tensor, State, Weights], dict[str, Tensor]]
    """The equations of one step: sums [batch, G·H], the state before, and the weights give every signal [batch, H]."""
    bias: Callable[[Weights], Tensor] = both_biases
    """The bias [G·H] that belongs to the sums."""
    assumed: bool = False
    """Whether weights with this many rows per unit are taken to be of this kind where nobody says which they are. At
    most one kind of each number of rows may be."""

    module: Callable[..., nn.Module] | None = None
    """PyTorch's own layers of this kind, made by (inputs, hidden, layers, dropout=…). They read vectors, on a GPU
    with one launch for a window, and compute without Python. None where PyTorch has none."""
    outputs: Callable[[Tensor, State, Weights], tuple[Tensor, State]] | None = None
    """A faster way to h alone, which training goes through where there is no `module`: see `read_outputs`."""
    window: Callable[[Tensor, Tensor, State, Weights], dict[str, Tensor]] | None = None
    """A faster way to every signal of a window: see `read_window`."""
    steps: Callable[[Weights, bool], LayerSteps] | None = None
    """Steps that are written for a CPU and use their memory again. The second argument says whether it is the first
    layer, whose input is symbols."""
    compiled_steps: Callable[[Weights, bool], LayerSteps] | None = None
    """The same as machine code, for a CPU alone."""

    @property
    def signal_names(self) -> tuple[str, ...]:
        return tuple(signal.name for signal in self.signals)

    def parameter_shapes(self, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """The shapes of one layer's parameters, by their names in PyTorch and in the order of `Weights`."""
        rows = self.gates * hidden
        return dict(zip(PARAMETERS, ((rows, inputs), (rows, hidden), (rows,), (rows,)), strict=True))

    def sums(self, read: Tensor, weights: Weights) -> Tensor:
        """The sums [..., G·H] of what a layer reads: symbols int64 [...], or vectors [..., I]."""
        by_symbol = not read.is_floating_point()
        return (symbol_sums if by_symbol else input_sums)(read, weights, self.bias(weights))

    def stepped(self, sums: Tensor, before: State, weights: Weights) -> dict[str, Tensor]:
        """Every signal of a window, each [time, batch, H], by the equations: sums [time, batch, G·H], each part of the
        state before [batch, H]."""
        steps = []
        for step_sums in sums.unbind():
            signals = self.step(step_sums, before, weights)
            before = tuple(signals[name] for name in self.state)
            steps.append(signals)
        return {name: torch.stack([signals[name] for signals in steps]) for name in steps[0]}

    def read_outputs(self, sums: Tensor, before: State, weights: Weights) -> tuple[Tensor, State]:
        """h of every step [time, batch, H] and the state after. The arguments are those of `stepped`."""
        if self.outputs:
            return self.outputs(sums, before, weights)
        signals = self.stepped(sums, before, weights)
        return signals["h"], self.last(signals)

    def read_window(self, read: Tensor, x: Tensor, before: State, weights: Weights) -> dict[str, Tensor]:
        """Every signal of a window, each [time, batch, H].

        `read` is symbols int64 [time, batch] in the first layer, and x in those above; `x` [time, batch, I] is the
        same as vectors; each part of the state before is [batch, H].
        """
        if self.window:
            return self.window(read, x, before, weights)
        return self.stepped(self.sums(read, weights), before, weights)

    def last(self, signals: dict[str, Tensor]) -> State:
        """The state after a window, each part [batch, H], of which `signals` has every step."""
        return tuple(signals[name][-1] for name in self.state)

    def layer_steps(self, weights: Weights, first: bool, *, compiled: bool) -> LayerSteps:
        """The fastest steps of a layer that there are, compiled ones only where `compiled` allows them."""
        if compiled and self.compiled_steps:
            return self.compiled_steps(weights, first)
        if self.steps:
            return self.steps(weights, first)
        return EquationSteps(self, weights)


class EquationSteps(LayerSteps):
    """The steps of a kind that has none of its own: its equations, whose signals take new memory at every window."""

    def __init__(self, kind: LayerKind, weights: Weights) -> None:
        self._kind = kind
        self._weights = weights

    def twin(self) -> EquationSteps:
        return self  # there is no memory to share

    def read(self, x: Tensor, before: State) -> dict[str, Tensor]:
        return self._kind.stepped(self._kind.sums(x, self._weights), before, self._weights)
