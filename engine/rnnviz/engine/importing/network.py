"""What every import comes down to: recurrent layers between an embedding and linear maps, made into one
`RecurrentModel` over one-hot symbols, which computes the same function.

An embedding E [K, d] is a linear map of one-hot symbols, so it folds into the first layer's input weights:
W (E^T x) = (W E^T) x. A chain of linear maps after the last layer folds into the decoder. Both are done in
float64 and rounded to float32 once, at the end.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final, NamedTuple

import torch
from torch import Tensor

from rnnviz.engine.models.kinds.registry import Kind
from rnnviz.engine.models.layer_weights import Weights
from rnnviz.engine.models.recurrent import parameter_shapes
from rnnviz.engine.progress import Progress
from rnnviz.store.errors import InvalidCheckpoint

MOST_PARAMETERS: Final = 1 << 29
"""Of a model that is imported: 2 GB of float32."""

SYMBOLS_AT_ONCE: Final = 1 << 10
"""Of an embedding that is folded: the float64 product stays small, and there is progress to show."""


class Linear(NamedTuple):
    """y = W x + b; float64."""

    weight: Tensor  # [outputs, inputs]
    bias: Tensor | None  # [outputs]


@dataclass(frozen=True)
class Network:
    """A model as its program has it, every shape checked; float64 or narrower.

    `layers` have their rows in the order that the kind's module says; `embedding` is [K, d], None for one-hot symbols;
    `head` are the linear maps from the top layer's h to K logits, in the order they are applied.
    """

    kind: Kind
    layers: tuple[Weights, ...]
    embedding: Tensor | None
    head: tuple[Linear, ...]

    @property
    def hidden(self) -> int:
        return self.layers[0].recurrent.shape[1]

    @property
    def symbols(self) -> int:
        """K."""
        return self.head[-1].weight.shape[0]

    def parameters(self, order: Sequence[int] | None = None) -> Generator[Progress, None, dict[str, Tensor]]:
        """The float32 parameters of the `RecurrentModel` that computes the same, yielding how many symbols are done.

        Symbol k of it is the network's symbol order[k], where an order is given. Raises InvalidCheckpoint for a
        model of more than MOST_PARAMETERS, and for weights that are no numbers.
        """
        self._refuse_too_large()
        places = torch.arange(self.symbols) if order is None else torch.tensor(order)
        found = {"rnn.weight_ih_l0": (yield from self._first_weights(places))}
        for number, layer in enumerate(self.layers):
            if number:
                found[f"rnn.weight_ih_l{number}"] = _single(layer.input)
            found[f"rnn.weight_hh_l{number}"] = _single(layer.recurrent)
            found[f"rnn.bias_ih_l{number}"] = _single(layer.input_bias)
            found[f"rnn.bias_hh_l{number}"] = _single(layer.recurrent_bias)
        decoder = self._decoder()
        assert decoder.bias is not None
        found["decoder.weight"] = _single(decoder.weight[places])
        found["decoder.bias"] = _single(decoder.bias[places])
        for name, values in found.items():
            if not bool(torch.isfinite(values).all()):
                raise InvalidCheckpoint(
                    f"the weights that make {name} are not all numbers that float32 can hold",
                    "Import a checkpoint from before training diverged.",
                )
        return found

    def _first_weights(self, places: Tensor) -> Generator[Progress, None, Tensor]:
        """The first layer's input weights for one-hot symbols, [G·H, K], whose columns are these symbols."""
        weights = self.layers[0].input.double()
        columns = torch.empty(len(weights), len(places))
        for start in range(0, len(places), SYMBOLS_AT_ONCE):
            block = places[start : start + SYMBOLS_AT_ONCE]
            if self.embedding is None:
                columns[:, start : start + len(block)] = weights[:, block]
            else:
                # [G·H, d] [d, symbols]
                columns[:, start : start + len(block)] = weights @ self.embedding[block].double().T
            yield Progress(start + len(block), len(places))
        return columns

    def _decoder(self) -> Linear:
        """The head as one map, with a bias."""
        first, *rest = self.head
        weight = first.weight.double()
        bias = weight.new_zeros(len(weight)) if first.bias is None else first.bias.double()
        for linear in rest:
            weight = linear.weight.double() @ weight
            bias = linear.weight.double() @ bias
            if linear.bias is not None:
                bias = bias + linear.bias.double()
        return Linear(weight, bias)

    def _refuse_too_large(self) -> None:
        hidden, symbols, layers = self.hidden, self.symbols, len(self.layers)
        parameters = sum(map(prod, parameter_shapes(self.kind, symbols, hidden, layers).values()))
        if parameters > MOST_PARAMETERS:
            raise InvalidCheckpoint(
                f"{layers} layers of {hidden:,} units over {symbols:,} one-hot symbols have {parameters:,} parameters; "
                f"at most {MOST_PARAMETERS:,} are imported",
                "Only a smaller model, or one with a smaller vocabulary, can be imported.",
            )


def _single(values: Tensor) -> Tensor:
    """A float32 copy with memory of its own."""
    return values.to(torch.float32, copy=True).contiguous()
