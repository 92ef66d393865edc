"""The recurrent model: one-hot symbols, layers of cells, a softmax over the next symbol."""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rnnviz.engine.models.kinds.registry import KINDS, Kind
from rnnviz.engine.models.layer_kind import LayerKind
from rnnviz.engine.models.layer_weights import State, layer_weights
from rnnviz.engine.models.stepped_layers import SteppedLayers

MOST_ONE_HOT: Final = 4096
"""Symbols of the largest vocabulary whose one-hot vectors are made (67 MB). Models of more can be read, by
look-up, but not trained."""


class RecurrentModel(nn.Module):
    """A recurrent model over K symbols. Parameters carry PyTorch's names and are float32.

    Dropout is applied to the inputs of the layers above the first and before the softmax, never on the
    recurrence (paper, section 4.1). The parameters are left as PyTorch's constructors make them: see
    `initialise` and `RecurrentModel.load_state_dict`.
    """

    def __init__(self, kind: Kind, symbols: int, hidden: int, layers: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.kind = kind
        self.symbols = symbols
        self.hidden = hidden
        self.layers = layers
        self.dropout = dropout
        between = dropout if layers > 1 else 0.0
        module = self.layer_kind.module
        self.rnn: nn.Module
        if module:
            self.rnn = module(symbols, hidden, layers, dropout=between)
        else:
            self.rnn = SteppedLayers(self.layer_kind, symbols, hidden, layers, between)
        self.decoder = nn.Linear(hidden, symbols)
        self._eye: Tensor | None = None

    @property
    def layer_kind(self) -> LayerKind:
        """What its layers are."""
        return KINDS[self.kind]

    def zero_state(self, batch: int) -> State:
        """The state before anything was read: zeros, each [layers, batch, hidden]."""
        shape = (self.layers, batch, self.hidden)
        return tuple(self.decoder.weight.new_zeros(shape) for _ in self.layer_kind.state)

    def forward(self, symbols: Tensor, state: State) -> tuple[Tensor, State]:
        """symbols int64 [time, batch] -> logits [time, batch, K], the state after."""
        after: State
        if self.layer_kind.module is None:
            h, after = self.rnn(symbols, state)
        elif len(state) > 1:
            h, after = self.rnn(self._one_hot(symbols), state)
        else:
            h, last = self.rnn(self._one_hot(symbols), state[0])
            after = (last,)
        logits: Tensor = self.decoder(F.dropout(h, self.dropout, self.training))
        return logits, after

    @torch.inference_mode()
    def signals(self, symbols: Tensor, state: State) -> tuple[list[dict[str, Tensor]], Tensor, State]:
        """Every signal of every layer, with dropout off.

        symbols int64 [time, batch] -> (per layer a dict of signals, each [time, batch, hidden]; logits
        [time, batch, K]; the state after). Kinds that PyTorch has layers of take h from its fused kernel.
        """
        layers: list[dict[str, Tensor]] = []
        after: list[State] = []
        read, x = symbols, self._one_hot(symbols)
        for layer in range(self.layers):
            before = tuple(part[layer] for part in state)
            signals = self.layer_kind.read_window(read, x, before, layer_weights(self.rnn, layer))
            layers.append(signals)
            after.append(self.layer_kind.last(signals))
            read = x = signals["h"]
        logits: Tensor = self.decoder(x)
        return layers, logits, tuple(torch.stack(parts) for parts in zip(*after, strict=True))

    def _one_hot(self, symbols: Tensor) -> Tensor:
        """int64 [time, batch] -> [time, batch, K]. A look-up: `F.one_hot` takes three times as long."""
        weight = self.decoder.weight
        if self._eye is None or self._eye.device != weight.device or self._eye.dtype != weight.dtype:
            if self.symbols > MOST_ONE_HOT:
                raise ValueError(
                    f"one-hot vectors of {self.symbols} symbols are too large; read it with Steps"
                )
            with torch.inference_mode(False):  # training may go on with what an evaluation has made
                self._eye = torch.eye(self.symbols, dtype=weight.dtype, device=weight.device)
        return F.embedding(symbols, self._eye)


def build(kind: Kind, symbols: int, hidden: int, layers: int, dropout: float = 0.0) -> RecurrentModel:
    """A model whose parameters hold no values yet. Draws nothing from PyTorch's random generator."""
    with torch.device("meta"):
        model = RecurrentModel(kind, symbols, hidden, layers, dropout)
    take_memory(model)
    return model


def take_memory(model: nn.Module) -> None:
    """Give memory on the CPU, and no values, to the parameters of a module that was made without.

    `to_empty` does it by operations that load SymPy: 0.3 s of every command that has a model.
    """
    parameters = model.named_parameters()
    model.load_state_dict({name: torch.empty(value.shape) for name, value in parameters}, assign=True)


def initialise(model: nn.Module, seed: int, reach: float) -> None:
    """Draw every parameter, biases too, from U(−reach, reach), in the order of their names in the model."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(-reach, reach, generator=generator)


def parameter_shapes(kind: Kind, symbols: int, hidden: int, layers: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every parameter, without building a model."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(layers):
        own = KINDS[kind].parameter_shapes(hidden if layer else symbols, hidden)
        shapes |= {f"rnn.{name}_l{layer}": shape for name, shape in own.items()}
    return shapes | {"decoder.weight": (symbols, hidden), "decoder.bias": (symbols,)}
