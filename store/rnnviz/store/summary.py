"""What can be said about a capture as a whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import numpy as np

from rnnviz.store.reader import CapturedModel

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
