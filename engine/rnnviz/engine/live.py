"""Reading a text while it is being written: what every model has in common, and how one goes on writing.

A reading keeps what it made of every symbol. When the text becomes another, the two are compared, and the model goes
on from the last symbol they share: a key typed at the end of a text is one step, a symbol taken away is none.

Probabilities follow a capture's conventions: time t is after reading text[t], and the surprisal at t is that of the
symbol that came after it. Nothing is expected of the first symbol of all.

Nothing here needs torch, so that a process which reads with an n-gram model does without.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.vocabulary import Vocabulary

Bytes = NDArray[np.uint8]


class LiveReading(Protocol):
    """What any model makes of a text that changes."""

    vocabulary: Vocabulary
    longest: int
    """Symbols of a text that are read at most."""
    length: int
    """Symbols of the text that have been read."""
    signals: tuple[str, ...]
    """Those of its cells, of which an n-gram model has none."""

    def follow(self, text: Bytes) -> Iterator[int]:
        """Make uint8 [time] the text, cut to `longest`, and read what is new of it, yielding `length` as it grows."""
        ...

    def next(self, length: int) -> NDArray[np.float32]:
        """Natural log p of every symbol of the vocabulary after the first `length` symbols, one at least: [K]."""
        ...

    def surprisal(self, start: int, stop: int) -> NDArray[np.float32]:
        """−log p in nats of what came after each of the symbols start…stop, all of them read: [stop - start].

        NaN for the last that was read, and where the vocabulary does not have what came.
        """
        ...

    def values(self, layer: int, signal: str, unit: int, start: int, stop: int) -> NDArray[np.float16]:
        """A cell's signal at the symbols start…stop, all of them read: float16 [stop - start], c before its tanh.

        Raises InvalidRequest for a cell or a signal that the model does not have.
        """
        ...


def common_length(a: Bytes, b: Bytes) -> int:
    """How many bytes two texts begin with in common."""
    shorter = min(len(a), len(b))
    differing = np.flatnonzero(a[:shorter] != b[:shorter])
    return int(differing[0]) if len(differing) else shorter


def tempered(log_p: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """The distribution p^(1/T) / Σ p^(1/T) of log probabilities [K] that need not be normalised; T > 0: float64 [K].

    1 leaves a distribution as it is, less sharpens it, more flattens it.
    """
    scaled = log_p.astype(np.float64) / temperature
    weights = np.exp(scaled - scaled.max())
    share: NDArray[np.float64] = weights / weights.sum()
    return share


def drawn(log_p: NDArray[np.float32], temperature: float, seed: int, position: int) -> int:
    """The index of a symbol drawn from the distribution at a temperature; at 0 the likeliest, the first of equals.

    Chance depends on the seed and the position in the text alone, so that a model that goes back and on again
    writes the same once more.
    """
    if temperature <= 0:
        return int(np.argmax(log_p))
    ladder = np.cumsum(tempered(log_p, temperature))
    chance = Random(f"{seed} {position}").random() * ladder[-1]
    # Rounding may put chance at the very top of the ladder, where the last symbol with any probability is.
    return min(int(np.searchsorted(ladder, chance, side="right")), int(np.argmax(ladder)))
