"""The signals of recurrent layers: what each one is called, means, and ranges over.

A signal is a named per-unit quantity of a layer. Names and equations are those of Karpathy, Johnson & Li
(2015), section 3.1. `c` is stored as it stands in the recurrence, before the tanh; people look at tanh(c),
as in the paper's figure 2, so `c` is the one signal whose *view* differs from what is stored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Signal:
    """One kind of per-unit quantity. `low` and `high` bound its view (see `view`)."""

    name: str
    title: str
    low: float
    high: float
    squashed: bool = False
    """True where the view is tanh of the stored value."""

    @property
    def is_gate(self) -> bool:
        """Gates are sigmoids and range over 0…1; everything else ranges over −1…1."""
        return self.low == 0.0

    @property
    def view_name(self) -> str:
        """What the viewed quantity is called: `tanh(c)` for c, the plain name otherwise."""
        return f"tanh({self.name})" if self.squashed else self.name

    def view(self, values: NDArray[np.float16] | NDArray[np.float32]) -> NDArray[np.float32]:
        """The values as they are shown and counted in histograms: float32 of the same shape, in low…high."""
        wide = values.astype(np.float32)
        return np.tanh(wide) if self.squashed else wide


SIGNALS: dict[str, Signal] = {
    signal.name: signal
    for signal in (
        Signal("c", "cell state", -1.0, 1.0, squashed=True),
        Signal("h", "hidden state", -1.0, 1.0),
        Signal("i", "input gate", 0.0, 1.0),
        Signal("f", "forget gate", 0.0, 1.0),
        Signal("o", "output gate", 0.0, 1.0),
        Signal("g", "candidate", -1.0, 1.0),
        Signal("r", "reset gate", 0.0, 1.0),
        Signal("z", "update gate", 0.0, 1.0),
        Signal("n", "candidate", -1.0, 1.0),
    )
}

SATURATION = 0.1
"""A value within this share of its range of either end is saturated: a gate below 0.1 or above 0.9, the
thresholds of the paper's figure 3."""
