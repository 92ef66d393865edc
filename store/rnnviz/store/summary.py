"""What can be said about a capture as a whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from rnnviz.store.reader import Capture, CapturedModel
from rnnviz.store.training_split import PART_WORDS, only_part, part_pieces, training_split

_WINDOW: Final = 1 << 20


def size_on_disk(path: Path) -> int:
    """Bytes of all files below `path`."""
    return sum(
        os.stat(os.path.join(folder, name), follow_symlinks=False).st_size  # noqa: PTH116, PTH118
        for folder, _, names in os.walk(path)
        for name in names
    )


def mean_surprisal(model: CapturedModel) -> float | None:
    """The mean of the surprisal of everything captured, in nats; None where there is none to take it of.

    Symbols that nothing followed or whose successor the model does not know count for nothing. Reads the whole
    array, a window at a time.
    """
    if not model.has_surprisal:
        return None
    total, count = 0.0, 0
    for start in range(0, model.captured, _WINDOW):
        values = model.surprisal(start, min(start + _WINDOW, model.captured))
        known = values[~np.isnan(values)]
        total += float(known.sum(dtype=np.float64))
        count += known.size
    return total / count if count else None


@dataclass(frozen=True)
class PartSummary:
    """What a model said of the captured symbols of one part of its training text."""

    symbols: int
    mean: float | None
    """The mean of the surprisal after each of them, in nats; None where there is none."""


def surprisal_by_part(capture: Capture, name: str) -> dict[int, PartSummary]:
    """By the number of a part (see `training_split`), how many symbols of it are captured and the mean surprisal of the
    model `name` there. Empty where it is not known what the model was trained on, or that was another text."""
    split, model = training_split(capture, name), capture.models[name]
    if split is None or not capture.captured:
        return {}
    alone = only_part(capture, split)
    if alone is not None:
        return {alone: PartSummary(capture.captured, mean_surprisal(model))}
    sizes, counts, totals = (np.zeros(len(PART_WORDS)) for _ in range(3))
    for start, stop, parts in part_pieces(capture, split):
        sizes += np.bincount(parts, minlength=len(PART_WORDS))
        if model.has_surprisal:
            values = model.surprisal(start, stop).astype(np.float64)
            known = ~np.isnan(values)
            counts += np.bincount(parts[known], minlength=len(PART_WORDS))
            totals += np.bincount(parts[known], weights=values[known], minlength=len(PART_WORDS))
    return {
        part: PartSummary(int(size), float(totals[part] / counts[part]) if counts[part] else None)
        for part, size in enumerate(sizes)
        if size
    }
