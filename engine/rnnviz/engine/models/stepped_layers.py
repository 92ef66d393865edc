"""Layers whose steps are Python, for kinds that PyTorch has no layers of."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rnnviz.engine.models.layer_kind import LayerKind
from rnnviz.engine.models.layer_weights import State, layer_weights


class SteppedLayers(nn.Module):
    """Layers of a kind that reads symbols by look-up. The parameters are named and shaped as in PyTorch's layers."""

    def __init__(self, kind: LayerKind, inputs: int, hidden: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.kind = kind
        self.layers = layers
        self.dropout = dropout
        for layer in range(layers):
            for name, shape in kind.parameter_shapes(hidden if layer else inputs, hidden).items():
                self.register_parameter(f"{name}_l{layer}", nn.Parameter(torch.empty(shape)))

    def forward(self, symbols: Tensor, state: State) -> tuple[Tensor, State]:
        """symbols int64 [time, batch] -> the top layer's h [time, batch, hidden], the state after."""
        after = []
        x = symbols
        for layer in range(self.layers):
            weights = layer_weights(self, layer)
            read = F.dropout(x, self.dropout, self.training) if layer else x
            before = tuple(part[layer] for part in state)
            x, last = self.kind.read_outputs(self.kind.sums(read, weights), before, weights)
            after.append(last)
        return x, tuple(torch.stack(parts) for parts in zip(*after, strict=True))
