"""The paper's grid: kinds × layers × sizes, all models of a size with about as many parameters (section 4.1).

A **size** is the hidden size of the LSTM of one layer. Every other model of that size gets the hidden size whose
number of parameters comes closest to that LSTM's. It is computed, because it depends on the vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rnnviz.engine.models.kinds.registry import KINDS, Kind
from rnnviz.engine.models.recurrent import parameter_shapes
from rnnviz.engine.runs.run import GREATEST_LAYERS
from rnnviz.store.errors import InvalidRequest

PAPER_KINDS: Final[tuple[Kind, ...]] = ("lstm", "rnn", "gru")
PAPER_LAYERS: Final = (1, 2, 3)
PAPER_SIZES: Final = (64, 128, 256, 512)
GREATEST_SIZE: Final = 1 << 14
"""The bound on sizes: an LSTM of 1.1 G parameters."""


@dataclass(frozen=True)
class GridModel:
    """One model of a grid: a point of Figure 1 (left)."""

    kind: Kind
    layers: int
    size: int
    hidden: int
    parameters: int


def parameter_count(kind: Kind, symbols: int, hidden: int, layers: int) -> int:
    """How many parameters a model has: two biases a layer, and the softmax's."""
    return sum(math.prod(shape) for shape in parameter_shapes(kind, symbols, hidden, layers).values())


def matched_hidden(kind: Kind, symbols: int, layers: int, size: int) -> int:
    """The hidden size whose parameter count comes closest to that of the one-layer LSTM of `size` units.

    The count grows with the hidden size, so that halving finds it. Of two equally close ones, the smaller.
    """
    aim = parameter_count("lstm", symbols, size, 1)
    low, high = 1, 2
    while parameter_count(kind, symbols, high, layers) < aim:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if parameter_count(kind, symbols, middle, layers) < aim:
            low = middle
        else:
            high = middle
    return min((low, high), key=lambda hidden: abs(parameter_count(kind, symbols, hidden, layers) - aim))


def grid(
    symbols: int,
    kinds: Sequence[str] = PAPER_KINDS,
    layers: Sequence[int] = PAPER_LAYERS,
    sizes: Sequence[int] | None = None,
) -> list[GridModel]:
    """The models of a grid over a vocabulary of K = `symbols`, kind by kind.

    Without `sizes` it is the paper's: four sizes, but no RNN of the largest. Sizes that are named hold for every
    kind. Raises as `check_axes` does.
    """
    check_axes(kinds, layers, sizes)
    known = [each for kind in dict.fromkeys(kinds) for each in KINDS if each == kind]
    return [
        GridModel(kind, depth, size, hidden, parameter_count(kind, symbols, hidden, depth))
        for kind in known
        for depth in dict.fromkeys(layers)
        for size in dict.fromkeys(PAPER_SIZES if sizes is None else sizes)
        if sizes is not None or not (kind == "rnn" and size == PAPER_SIZES[-1])
        for hidden in (matched_hidden(kind, symbols, depth, size),)
    ]


def check_axes(kinds: Sequence[str], layers: Sequence[int], sizes: Sequence[int] | None) -> None:
    """Raise InvalidRequest where an axis of a grid is empty or out of range."""
    for name, values, greatest in (("--layers", layers, GREATEST_LAYERS), ("--sizes", sizes, GREATEST_SIZE)):
        if values is not None and not (values and all(1 <= value <= greatest for value in values)):
            raise InvalidRequest(
                f"{name} {','.join(map(str, values))} is out of range",
                f"Give {name} numbers from 1 to {greatest:,}.",
            )
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise InvalidRequest(
            f"there is no kind of model {unknown[0]!r}" if unknown else "--models names no kind of model",
            f"Give --models some of {','.join(KINDS)}.",
        )
