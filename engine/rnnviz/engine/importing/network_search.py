"""Finding a model in a PyTorch state dict: which tensors, beside the recurrent layers, are the input and the output.

Shapes say most of it. Every way in which the tensors can make up a model is tried; the one that leaves no tensor
over and goes best with their names is taken, and where two are as good, or a tensor is left over, the question goes
back to whoever imports. What a module computes without weights of its own (a tanh between two linear maps, a
factor) cannot be seen in a state dict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Final, NoReturn

import torch
from torch import Tensor

from rnnviz.engine.importing.choices import ONE_HOT, Choices
from rnnviz.engine.importing.layers import Layers, find_layers
from rnnviz.engine.importing.network import Linear, Network
from rnnviz.engine.importing.state_dict import shape, shown, with_table
from rnnviz.store.errors import InvalidCheckpoint

MOST_OTHERS: Final = 40
"""Tensors beside the recurrent layers that are tried in all ways that fit."""

_INPUT_NAMES: Final = ("emb", "encoder", "wte", "lookup", "input")
_OUTPUT_NAMES: Final = (
    "decoder",
    "out",
    "head",
    "fc",
    "linear",
    "logit",
    "proj",
    "softmax",
    "dense",
    "classif",
)


@dataclass(frozen=True)
class Found:
    network: Network
    decisions: tuple[str, ...]
    """What was taken for what, a line each."""


@dataclass(frozen=True)
class Reading:
    """One way to take the tensors: names of the embedding, and of the weights and biases of the head."""

    embedding: str | None
    head: tuple[tuple[str, str | None], ...]
    left_over: tuple[str, ...]
    likeness: int
    """How well it goes with the names."""

    @property
    def is_tied(self) -> bool:
        return self.head[-1][0] == self.embedding

    def __str__(self) -> str:
        return f"{self.embedding or 'one-hot'} in, {', '.join(name for name, _ in self.head)} out"


def find_network(tensors: Mapping[str, Tensor], choices: Choices, *, names_kept: bool) -> Found:
    """The model in a state dict. `names_kept` says whether equal tensors have kept all their names in it.

    Raises InvalidCheckpoint, with what was found, what is expected, and which option settles it.
    """
    return _Finder(tensors, choices, names_kept).found()


class _Finder:
    def __init__(self, tensors: Mapping[str, Tensor], choices: Choices, names_kept: bool) -> None:
        self.tensors = tensors
        self.choices = choices
        self.names_kept = names_kept
        self.decisions: list[str] = []

    def found(self) -> Found:
        layers = find_layers(self.tensors, self.choices)
        self.decisions.append(f"layers: {layers}")
        reading = self._reading(self._others(layers), layers.width, layers.hidden)
        self._tell(reading)
        head = tuple(
            Linear(self.tensors[weight], self.tensors[bias] if bias else None)
            for weight, bias in reading.head
        )
        embedding = self.tensors[reading.embedding] if reading.embedding else None
        return Found(Network(layers.kind, layers.weights, embedding, head), tuple(self.decisions))

    def _others(self, layers: Layers) -> dict[str, Tensor]:
        """The numbers that are not the layers': counters and what is to be ignored are left out."""
        others: dict[str, Tensor] = {}
        ignored: list[str] = []
        for name, tensor in self.tensors.items():
            if layers.has(name):
                continue
            if any(fnmatchcase(name, pattern) for pattern in self.choices.ignore):
                ignored.append(name)
            elif tensor.is_quantized:
                self._refuse(
                    f"{shown(name)} is quantised", "Give the weights the quantised model was made from."
                )
            elif tensor.is_floating_point() and tensor.numel():
                others[name] = tensor
        if len(others) > MOST_OTHERS:
            self._refuse(
                f"it has {len(others):,} tensors beside the recurrent layers, and an embedding, a projection and a "
                "decoder are expected",
                "If they play no part in predicting, leave them out with --ignore PATTERN.",
            )
        if ignored:
            self.decisions.append(f"ignored: {', '.join(map(shown, ignored))}")
        return others

    def _reading(self, others: dict[str, Tensor], width: int, hidden: int) -> Reading:
        readings = sorted(
            self._readings(others, width, hidden),
            key=lambda reading: (-len(reading.left_over), reading.likeness),
            reverse=True,
        )
        if not readings and self.choices.tied is False:
            self._refuse_tied(others, width, hidden)
        if not readings:
            self._refuse(
                f"no tensors fit as input and output: an embedding [K, {width}] or K = {width} one-hot symbols, and a "
                f"decoder [K, {hidden}] or the embedding tied to it, are expected",
                "Name them with --embedding, --decoder or --projection if they are there.",
            )
        best = readings[0]
        if best.left_over:
            self._refuse(
                f"it has tensors that the model found ({best}) does not use: "
                f"{', '.join(shown(name) for name in best.left_over[:8])}",
                "If they play no part in predicting, leave them out with --ignore PATTERN; if they are a linear map "
                "before the decoder, say so with --projection NAME.",
            )
        equals = [r for r in readings if not r.left_over and r.likeness == best.likeness]
        if len(equals) > 1:
            self._refuse(
                f"shapes and names allow {' or '.join(map(shown, map(str, equals[:3])))}",
                "Say which with --embedding NAME (or none), --decoder NAME, --tied or --no-tied.",
            )
        return best

    def _refuse_tied(self, others: dict[str, Tensor], width: int, hidden: int) -> None:
        """Raise InvalidCheckpoint if nothing but --no-tied is in the way."""
        finder = _Finder(self.tensors, replace(self.choices, tied=None), self.names_kept)
        found = [reading for reading in finder._readings(others, width, hidden) if not reading.left_over]
        if found and found[0].embedding is not None:
            names = _twins(others)[found[0].embedding]
            self._refuse(
                f"{' and '.join(map(shown, names))} hold the same numbers: the output is tied to the input"
                if len(names) > 1
                else f"nothing but {shown(names[0])} fits as the output, and it is the input",
                "Leave --no-tied out: with equal numbers, the model computes the same either way.",
            )

    def _readings(self, others: dict[str, Tensor], width: int, hidden: int) -> Iterator[Reading]:
        choices = self.choices
        twins = _twins(others)
        for chosen in (choices.embedding, choices.decoder, choices.projection):
            if chosen is not None and chosen != ONE_HOT and chosen not in others:
                self._refuse(f"there is no {shown(chosen)}", "Give the name of a tensor as it is listed.")
        matrices = {
            name: (int(tensor.shape[0]), int(tensor.shape[1]))
            for name, tensor in others.items()
            if tensor.ndim == 2 and name == twins[name][0]
        }
        embeddings = [name for name, (_, columns) in matrices.items() if columns == width]
        for embedding in (None, *embeddings):
            named = (ONE_HOT,) if embedding is None else twins[embedding]
            if choices.embedding is not None and choices.embedding not in named:
                continue
            for maps in self._heads(matrices, twins, embedding, width, hidden):
                tied = maps[-1] == embedding
                if choices.tied in (None, tied) and choices.decoder in (None, *twins[maps[-1]]):
                    yield self._complete(others, twins, embedding, maps)

    def _heads(
        self,
        matrices: dict[str, tuple[int, int]],
        twins: dict[str, tuple[str, ...]],
        embedding: str | None,
        width: int,
        hidden: int,
    ) -> Iterator[tuple[str, ...]]:
        """The weights that can lead from h to the logits, in the order they are applied."""
        symbols = width if embedding is None else matrices[embedding][0]
        if self.choices.projection is None:
            yield from ((name,) for name, size in matrices.items() if size == (symbols, hidden))
            if embedding is None or width == hidden:
                return  # nothing has to lie between h and a tied embedding
        for name, (rows, columns) in matrices.items():
            if columns != hidden or name == embedding or self.choices.projection not in (None, *twins[name]):
                continue
            if embedding is not None and rows == width:
                yield name, embedding
            if self.choices.projection is not None:
                ends = (last for last, size in matrices.items() if size == (symbols, rows))
                yield from ((name, last) for last in ends if last not in (name, embedding))

    def _complete(
        self,
        others: dict[str, Tensor],
        twins: dict[str, tuple[str, ...]],
        embedding: str | None,
        maps: tuple[str, ...],
    ) -> Reading:
        """The reading with its biases, what it leaves over, and how well it goes with the names."""
        used: set[str] = set()
        for weight in (*maps, *([embedding] if embedding else [])):
            used |= set(twins[weight])
        head: list[tuple[str, str | None]] = []
        for weight in maps:
            rows = (others[weight].shape[0],)
            siblings = [n for twin in twins[weight] if (n := _sibling(twin)) in others]
            loose = [
                name for name, tensor in others.items() if tuple(tensor.shape) == rows and name not in used
            ]
            candidates = [name for name in siblings if tuple(others[name].shape) == rows] or (
                loose if weight == embedding and len(loose) == 1 else []
            )
            bias = candidates[0] if candidates else None
            used |= {bias} if bias else set()
            head.append((weight, bias))
        left_over = tuple(name for name in others if name not in used)
        output = [_likeness(name) for name in twins[maps[-1]]]
        if maps[-1] == embedding:
            # Tied weights have two names, of which a .safetensors file keeps one.
            likeness = 3 if len(output) > 1 else int(max(output) > 0 and not self.names_kept)
        else:
            likeness = min(output)
            if embedding is not None:
                likeness -= max(_likeness(name) for name in twins[embedding])
                likeness -= 2 * (_sibling(embedding) in others)
        return Reading(embedding, tuple(head), left_over, likeness)

    def _tell(self, reading: Reading) -> None:
        def named(weight: str, bias: str | None) -> str:
            size = shape(self.tensors[weight])
            return f"{shown(weight)} ({size}){f' and {shown(bias)}' if bias else ', no bias'}"

        if reading.embedding is None:
            self.decisions.append("input: one-hot symbols, as no embedding is in front of the layers")
        else:
            size = shape(self.tensors[reading.embedding])
            self.decisions.append(f"input: {shown(reading.embedding)} ({size}) is the embedding")
        for weight, bias in reading.head[:-1]:
            self.decisions.append(f"projection: {named(weight, bias)}, taken as linear")
        weight, bias = reading.head[-1]
        self.decisions.append(
            f"output: {named(weight, bias)}{', tied to the input' if reading.is_tied else ''}"
        )

    def _refuse(self, message: str, hint: str) -> NoReturn:
        raise InvalidCheckpoint(message, with_table(hint, self.tensors))


def _twins(tensors: Mapping[str, Tensor]) -> dict[str, tuple[str, ...]]:
    """For each name those of equal matrices, its own among them: tied weights are saved under both names. The first
    is most like an input's, as a tied matrix is the embedding before it is anything else."""
    groups: list[list[str]] = []
    for name, tensor in tensors.items():
        for group in groups:
            held = tensors[group[0]]
            if tensor.ndim == 2 and held.shape == tensor.shape and torch.equal(held, tensor):
                group.append(name)
                break
        else:
            groups.append([name])
    return {name: tuple(sorted(group, key=_likeness)) for group in groups for name in group}


def _sibling(weight: str) -> str:
    """The name of the bias that goes with a weight: `decoder.weight` -> `decoder.bias`."""
    return weight.removesuffix("weight") + "bias"


def _likeness(name: str) -> int:
    """Above 0 for a name like an output's, below 0 for one like an input's."""
    lower = name.lower()
    return any(word in lower for word in _OUTPUT_NAMES) - any(word in lower for word in _INPUT_NAMES)
