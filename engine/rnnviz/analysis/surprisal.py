"""How surprising each symbol of a text was to a model, and when that is an error."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

ERROR = math.log(2)
"""Surprisal from which on a symbol is an error: its probability is below a half."""


def of_symbols(surprisal: NDArray[np.float32], first_of_segment: NDArray[np.int64]) -> NDArray[np.float32]:
    """How surprising each symbol was itself: float32 of the same length.

    surprisal: that of what came after each of the symbols from the one *before* the first on. Symbols that start a
    segment, given by index, were read from zero state and expected by nobody: NaN.
    """
    shifted = surprisal.astype(np.float32)
    shifted[first_of_segment] = np.nan
    return shifted
