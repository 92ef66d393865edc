"""Figure 1 (left) of the paper: the test losses it reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rnnviz.engine.models.kinds.registry import Kind
from rnnviz.engine.ngram.evaluation import PAPER
from rnnviz.engine.sweep.grid import PAPER_KINDS, PAPER_LAYERS, PAPER_SIZES
from rnnviz.engine.text.split import Split

PaperFigure = Mapping[tuple[Kind, int, int], float]
"""Test loss in nats per symbol by kind, layers and size. There is no RNN of size 512."""


def _figure(*rows: tuple[float, ...]) -> PaperFigure:
    """The losses, a row for each size: three LSTMs, three RNNs, three GRUs, of 1, 2 and 3 layers."""
    figure: dict[tuple[Kind, int, int], float] = {}
    for size, row in zip(PAPER_SIZES, rows, strict=True):
        kinds = [kind for kind in PAPER_KINDS if kind != "rnn" or size != PAPER_SIZES[-1]]
        columns = [(kind, layers, size) for kind in kinds for layers in PAPER_LAYERS]
        figure |= dict(zip(columns, row, strict=True))
    return figure


WAR_AND_PEACE: Final = _figure(
    (1.449, 1.442, 1.540, 1.446, 1.401, 1.396, 1.398, 1.373, 1.472),
    (1.277, 1.227, 1.279, 1.417, 1.286, 1.277, 1.230, 1.226, 1.253),
    (1.189, 1.137, 1.141, 1.342, 1.256, 1.239, 1.198, 1.164, 1.138),
    (1.161, 1.092, 1.082, 1.170, 1.201, 1.077),
)

LINUX_KERNEL: Final = _figure(
    (1.355, 1.331, 1.366, 1.407, 1.371, 1.383, 1.335, 1.298, 1.357),
    (1.149, 1.128, 1.177, 1.241, 1.120, 1.220, 1.154, 1.125, 1.150),
    (1.026, 0.972, 0.998, 1.171, 1.116, 1.116, 1.039, 0.991, 1.026),
    (0.952, 0.840, 0.846, 0.943, 0.861, 0.829),
)

FIGURES: Final[Mapping[str, PaperFigure]] = {"War and Peace": WAR_AND_PEACE, "the Linux kernel": LINUX_KERNEL}
"""By the name of the text."""

SHORT_NAMES: Final[Mapping[str, str]] = {"wp": "War and Peace", "lk": "the Linux kernel"}


def recognise(text_length: int, split: Split) -> str | None:
    """The name of the paper's text that this one is, by its length and how it is split; None for any other."""
    return next((row.text for row in PAPER if text_length in row.lengths and split == row.split), None)
