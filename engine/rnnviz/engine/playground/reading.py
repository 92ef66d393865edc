"""Reading a text while it is being written: what every model has in common, and how one goes on writing.

A reading keeps what it made of every symbol. When the text becomes another, it is cut into symbols (see
`live_symbols`), these are compared with those before, and the model goes on from the last symbol they share: a key
typed at the end of a text is one step, a symbol taken away is none.

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

from rnnviz.engine.symbols.typed_symbols import Bytes, TypedSymbols


class LiveReading(Protocol):
    """What any model makes of a text that changes."""

    typed: TypedSymbols
    """The text."""
    longest: int
    """Symbols of a text that are read at most."""
    length: int
    """Symbols of the text that have been read."""
    signals: tuple[str, ...]
    """Those of its cells, of which an n-gram model has none."""

    def follow(self, text: Bytes, *, unfinished: bool = False) -> Iterator[int]:
        """Make uint8 [byte] the text and read what is new of its first `longest` symbols, yielding `length` as it
        grows. `unfinished` says whether a word at the end of the text may still grow: it is then not read."""
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


def of_what_came(own: NDArray[np.float32], start: int, stop: int, length: int) -> NDArray[np.float32]:
    """What `LiveReading.surprisal` returns, from the surprisal of each of the first `length` symbols itself."""
    found = np.full(stop - start, np.nan, np.float32)
    known = own[start + 1 : min(stop + 1, length)]
    found[: len(known)] = known
    return found


def likeliest(log_p: NDArray[np.float32], count: int) -> list[int]:
    """The `count` symbols of the highest log p [K], the likeliest first and of equals the first: without ordering all
    of a large vocabulary. None where weights so large make no numbers."""
    if np.isnan(log_p).any():
        return []
    if count < len(log_p):
        least = np.partition(log_p, -count)[-count]
        symbols = np.flatnonzero(log_p >= least)
    else:
        symbols = np.arange(len(log_p))
    found: list[int] = symbols[np.argsort(-log_p[symbols], kind="stable")][:count].tolist()
    return found


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
