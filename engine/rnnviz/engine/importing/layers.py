"""Finding the recurrent layers of a PyTorch state dict: by the names that nn.LSTM, nn.GRU and nn.RNN give."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from torch import Tensor

from rnnviz.engine.importing.choices import Choices
from rnnviz.engine.importing.state_dict import shape, shown, with_table
from rnnviz.engine.models.kinds.registry import KINDS, Kind
from rnnviz.engine.models.layer_kind import LayerKind
from rnnviz.engine.models.layer_weights import Weights
from rnnviz.store.errors import InvalidCheckpoint

_PARAMETER: Final = re.compile(
    r"^(.*?)(weight_ih|weight_hh|weight_hr|bias_ih|bias_hh)_l(\d{1,6})(_reverse)?$"
)


@dataclass(frozen=True)
class Layers:
    """The layers of one recurrent module, every shape checked. `prefix` begins the names of its parameters."""

    prefix: str
    kind: Kind
    weights: tuple[Weights, ...]
    has_biases: bool

    @property
    def hidden(self) -> int:
        return self.weights[0].recurrent.shape[1]

    @property
    def width(self) -> int:
        """How many values the first one reads."""
        return self.weights[0].input.shape[1]

    def has(self, name: str) -> bool:
        """Whether a tensor of this name is a parameter of theirs."""
        match = _PARAMETER.match(name)
        return match is not None and match[1] == self.prefix

    def __str__(self) -> str:
        size = f"{len(self.weights)} × {self.hidden} units reading {self.width} values"
        return f"{shown(self.prefix)}weight_ih_l0 … are {KINDS[self.kind].title}, {size}" + (
            "" if self.has_biases else ", without biases"
        )


def find_layers(tensors: Mapping[str, Tensor], choices: Choices) -> Layers:
    """The recurrent layers, of the module that is chosen where there are several. Raises InvalidCheckpoint."""
    return _Search(tensors, choices).found()


class _Search:
    def __init__(self, tensors: Mapping[str, Tensor], choices: Choices) -> None:
        self._tensors = tensors
        self._choices = choices

    def found(self) -> Layers:
        prefix, layers = self._numbered()
        kind = self._kind(layers[0])
        self._check(prefix, layers, KINDS[kind])
        weights = tuple(_weights(layer) for layer in layers)
        return Layers(prefix, kind, weights, has_biases="bias_ih" in layers[0])

    def _numbered(self) -> tuple[str, list[dict[str, Tensor]]]:
        """The prefix of the recurrent layers, and for each the parameters that it has, by their short names."""
        groups: dict[str, dict[int, dict[str, Tensor]]] = {}
        for name, tensor in self._tensors.items():
            if match := _PARAMETER.match(name):
                prefix, part, number, reverse = match.groups()
                if self._choices.rnn in (None, prefix, prefix.rstrip(".")):
                    if reverse:
                        self._refuse(
                            f"{shown(prefix)[:-1] or 'it'} reads in both directions ({shown(name)})",
                            "Only what reads forwards predicts what comes next. Name another module with --rnn NAME.",
                        )
                    if part == "weight_hr":
                        self._refuse(
                            f"{shown(prefix)[:-1] or 'it'} is an LSTM with projected states "
                            f"({shown(name)}, proj_size)",
                            "rnnviz has no such cells: import an LSTM without proj_size.",
                        )
                    groups.setdefault(prefix, {}).setdefault(int(number), {})[part] = tensor
        if len(groups) != 1:
            names = ", ".join(shown(prefix.rstrip(".")) or "''" for prefix in list(groups)[:8])
            self._refuse(
                f"there are {len(groups)} recurrent modules, and one is expected: {names}"
                if groups
                else f"there is no recurrent module called {shown(self._choices.rnn or '')}",
                "Say which one is the language model's with --rnn NAME.",
            )
        [(prefix, numbered)] = groups.items()
        if sorted(numbered) != list(range(len(numbered))):
            self._refuse(
                f"{shown(prefix)} has the layers {', '.join(map(str, sorted(numbered)[:20]))}: some are missing",
                "Give a checkpoint that has them all.",
            )
        return prefix, [numbered[number] for number in range(len(numbered))]

    def _kind(self, layer: Mapping[str, Tensor]) -> Kind:
        recurrent = layer.get("weight_hh")
        gates = 0
        if recurrent is not None and recurrent.ndim == 2 and recurrent.shape[1]:
            gates, rest = divmod(recurrent.shape[0], recurrent.shape[1])
            gates = 0 if rest else gates
        assumed = {kind.gates: kind for kind in KINDS.values() if kind.assumed}
        kind = KINDS[self._choices.kind] if self._choices.kind else assumed.get(gates)
        fits = kind is not None and kind.gates == gates
        if recurrent is None or kind is None or not (fits or gates in assumed):
            *most, least = sorted(assumed, reverse=True)
            names = ", ".join(assumed[number].name for number in (*most, least))
            self._refuse(
                f"weight_hh_l0 is {shape(recurrent) if recurrent is not None else 'not there'}, and "
                f"{', '.join(map(str, most))} or {least} times as many rows as columns are expected ({names})",
                "Give the state_dict of a module with one nn.LSTM, nn.GRU or nn.RNN.",
            )
        if not fits:
            self._refuse(
                f"weight_hh_l0 is {shape(recurrent)}, and a {kind.name} has {kind.gates} times as many rows as columns",
                f"Leave --kind out: it is {assumed[gates].title}.",
            )
        return kind.name

    def _check(self, prefix: str, layers: list[dict[str, Tensor]], kind: LayerKind) -> None:
        hidden = layers[0]["weight_hh"].shape[1]
        first = layers[0].get("weight_ih")
        width = first.shape[1] if first is not None and first.ndim == 2 else 0
        for number, layer in enumerate(layers):
            has_biases = "bias_ih" in layers[0] or "bias_hh" in layers[0]
            wanted = {
                part: size
                for part, size in kind.parameter_shapes(hidden if number else width, hidden).items()
                if has_biases or not part.startswith("bias")
            }
            for part in {**wanted, **layer}:
                tensor, size = layer.get(part), wanted.get(part)
                if tensor is None or size is None or tuple(tensor.shape) != size or not width:
                    is_there = "not there" if tensor is None else shape(tensor)
                    self._refuse(
                        f"{shown(prefix)}{part}_l{number} is {is_there}, and "
                        f"{' × '.join(map(str, size)) if size else 'none'} is expected",
                        "Give the whole state_dict of one module.",
                    )
                if not tensor.is_floating_point() or tensor.is_quantized:
                    self._refuse(
                        f"{shown(prefix)}{part}_l{number} holds {str(tensor.dtype).removeprefix('torch.')}",
                        "A quantised model cannot be imported: give the weights it was made from.",
                    )

    def _refuse(self, message: str, hint: str) -> NoReturn:
        raise InvalidCheckpoint(message, with_table(hint, self._tensors))


def _weights(layer: Mapping[str, Tensor]) -> Weights:
    zeros = layer["weight_hh"].new_zeros(len(layer["weight_hh"]))
    return Weights(
        layer["weight_ih"], layer["weight_hh"], layer.get("bias_ih", zeros), layer.get("bias_hh", zeros)
    )
