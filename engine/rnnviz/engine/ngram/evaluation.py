"""How well n-gram models predict a part of a text, and what the paper measured (its Table 2)."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from rnnviz.engine.ngram.directory import NgramModels
from rnnviz.engine.ngram.scorers.scorer import ScorerName
from rnnviz.engine.ngram.training import part_of
from rnnviz.engine.progress import Progress
from rnnviz.engine.text.split import PartName, Split
from rnnviz.engine.text.text import Text

PIECE: Final = 1 << 14
"""Symbols that are scored between two reports."""

PAPER_N: Final = (1, 2, 3, 4, 5, 6, 7, 8, 9, 20)


@dataclass(frozen=True)
class PaperLosses:
    """A row of Table 2: test losses in nats per symbol, by n, of a text that was split so."""

    text: str
    lengths: tuple[int, ...]
    """Of the text in bytes, which is what it is recognised by; the second is that of the file in use today."""
    split: Split
    losses: Mapping[int, float]


PAPER: Final = (
    PaperLosses(
        "War and Peace",
        (3_258_246, 3_258_245),
        Split(80, 10, 10),
        dict(
            zip(PAPER_N, (2.399, 1.928, 1.521, 1.314, 1.232, 1.203, 1.194, 1.194, 1.194, 1.195), strict=True)
        ),
    ),
    PaperLosses(
        "the Linux kernel",
        (6_206_996,),
        Split(90, 5, 5),
        dict(
            zip(PAPER_N, (2.702, 1.954, 1.440, 1.213, 1.097, 1.027, 0.982, 0.953, 0.933, 0.889), strict=True)
        ),
    ),
)


@dataclass(frozen=True)
class NgramLoss:
    n: int
    loss: float
    """Nats per symbol."""


def evaluate_ngrams(
    models: NgramModels, text: Text, part: PartName, scorer: ScorerName | None = None
) -> Generator[Progress, None, list[NgramLoss]]:
    """The mean surprisal of a part of a text under each model.

    The rows of the part are joined and read from nothing, left to right; every symbol counts, the first ones too.
    Every byte of the text must be in the vocabulary. Raises as `NgramModels.load` does.
    """
    data = part_of(text, models.split, part)
    total = len(data) * len(models.orders)
    losses: list[NgramLoss] = []
    for index, n in enumerate(models.orders):
        done = index * len(data)
        yield Progress(done, total, f"loading n = {n}")
        reader = models.load(n, scorer).reader()
        whole = 0.0
        for start in range(0, len(data), PIECE):
            surprisal = reader.surprisal(data[start : start + PIECE])
            whole += float(surprisal.sum(dtype=np.float64))
            yield Progress(done + start + len(surprisal), total, f"n = {n}")
        losses.append(NgramLoss(n, whole / len(data)))
    return losses


def paper_losses(text_length: int, split: Split, part: PartName) -> PaperLosses | None:
    """What the paper measured on the test part of a text of this length, if it is one of the paper's."""
    if part != "test":
        return None
    return next((row for row in PAPER if text_length in row.lengths and split == row.split), None)
