"""Where something changes along the text: a gate opens or closes, a unit becomes saturated, a condition comes true.

Each is a *state* per symbol (open or closed; low, between or high; false or true) and an event where a state begins.
The text is gone through in windows, so memory is bounded whatever its length, and the search goes on around its end.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rnnviz.analysis.cells import Cell
from rnnviz.store.reader import CapturedModel
from rnnviz.store.signals import SATURATION, SIGNALS, Signal

if TYPE_CHECKING:
    from rnnviz.analysis.conditions import Condition

WINDOW = 65536
"""Symbols that are read at once, the longest a shard of a capture is."""

States = Callable[[int, int], NDArray[np.uint8]]
"""(start, stop) → the state at each of these symbols, uint8 [stop - start]."""


@dataclass(frozen=True)
class Event:
    """The symbols at which one of the states `begun` begins, where another was before."""

    what: str
    """As a sentence goes on: `1:37 f crosses 0.5`."""
    states: States
    begun: tuple[int, ...]
    at_start: bool
    """Whether a state that a segment starts with begins there. Nothing comes before: cells start from zero."""


@dataclass(frozen=True)
class Found:
    """A symbol, and whether the end of the text lay between it and where the search began."""

    position: int
    wrapped: bool


def crossing(model: CapturedModel, cell: Cell, signal: str) -> Event:
    """Where a gate opens or closes (crosses 0.5), or another signal changes sign."""
    middle, read = _middle(SIGNALS[signal]), _reader(model, cell, signal)

    def states(start: int, stop: int) -> NDArray[np.uint8]:
        return (read(start, stop) > middle).astype(np.uint8)

    return Event(f"{cell} {signal} crosses {middle:g}", states, (0, 1), at_start=False)


def saturating(model: CapturedModel, cell: Cell, signal: str) -> Event:
    """Where a signal becomes saturated: comes within `SATURATION` of its range of either end of it."""
    low, high = saturation_marks(SIGNALS[signal])
    read = _reader(model, cell, signal)

    def states(start: int, stop: int) -> NDArray[np.uint8]:
        values = read(start, stop)
        return (1 + (values > high) - (values < low).astype(np.int8)).astype(np.uint8)

    what = f"{cell} {signal} becomes saturated (below {low:g} or above {high:g})"
    return Event(what, states, (0, 2), at_start=True)


def coming_true(model: CapturedModel, condition: Condition) -> Event:
    """Where a condition becomes true."""

    def states(start: int, stop: int) -> NDArray[np.uint8]:
        return condition.holds(model, start, stop).astype(np.uint8)

    return Event(condition.text, states, (1,), at_start=True)


def saturation_marks(signal: Signal) -> tuple[float, float]:
    """Below the first and above the second a signal's view is saturated: 0.1 and 0.9 of a gate."""
    margin = SATURATION * (signal.high - signal.low)
    return round(signal.low + margin, 6), round(signal.high - margin, 6)


def _middle(signal: Signal) -> float:
    return (signal.low + signal.high) / 2


def _reader(model: CapturedModel, cell: Cell, signal: str) -> Callable[[int, int], NDArray[np.float32]]:
    layer = model.layers[cell.layer]

    def read(start: int, stop: int) -> NDArray[np.float32]:
        return SIGNALS[signal].view(layer.read(signal, cell.unit, start, stop))

    return read


def occurrences(event: Event, breaks: NDArray[np.int64], start: int, stop: int) -> NDArray[np.int64]:
    """Every symbol of start…stop at which an event occurs, ascending. `breaks` are where segments start."""
    found: NDArray[np.int64] = np.flatnonzero(_scan(event, breaks, start, stop)[1]) + start
    return found


def _scan(
    event: Event, breaks: NDArray[np.int64], start: int, stop: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which symbols of start…stop have one of the event's states, and at which it begins: bool [stop - start]."""
    before = max(0, start - 1)
    states = event.states(before, stop)
    changed = np.empty(len(states), dtype=np.bool_)
    changed[:1] = event.at_start
    np.not_equal(states[1:], states[:-1], out=changed[1:])
    first, last = np.searchsorted(breaks, [before, stop])
    changed[breaks[first:last] - before] = event.at_start
    lasting = np.isin(states, event.begun)
    return lasting[start - before :], (lasting & changed)[start - before :]


def next_occurrence(
    event: Event,
    breaks: NDArray[np.int64],
    length: int,
    position: int,
    *,
    backwards: bool = False,
    cancelled: Callable[[float], bool] = lambda share: False,
) -> Found | None:
    """The first occurrence after `position`, or the last one before it, going on around the end of the text.

    None: there is no other, or the search was cancelled: `cancelled` is asked before every window, with the share of
    the text that was gone through. Raises what reading the capture raises.
    """
    done = 0
    for start, stop, wrapped in _windows(position, length, backwards=backwards):
        if cancelled(done / length):
            return None
        done += stop - start
        found = occurrences(event, breaks, start, stop)
        if len(found):
            return Found(int(found[-1 if backwards else 0]), wrapped)
    return None


def _windows(position: int, length: int, *, backwards: bool) -> Iterator[tuple[int, int, bool]]:
    """Stretches of the text in the order of a search from `position`, and whether each lies beyond its end.

    Windows begin at the multiples of WINDOW, where the captured columns begin.
    """
    stretches = (
        [(0, position), (position + 1, length)] if backwards else [(position + 1, length), (0, position)]
    )
    for wrapped, (first, last) in enumerate(stretches):
        cuts = [first, *range((first // WINDOW + 1) * WINDOW, last, WINDOW), last]
        windows = list(itertools.pairwise(cuts)) if first < last else []
        for start, stop in reversed(windows) if backwards else windows:
            yield start, stop, bool(wrapped)


@dataclass(frozen=True)
class Tally:
    """How often an event occurred and for how many symbols its states lasted, over the first `done` symbols."""

    done: int
    length: int
    symbols: int
    occurrences: int


def tally(
    event: Event, breaks: NDArray[np.int64], length: int, before: Tally | None = None
) -> Iterator[Tally]:
    """Count through the whole text, a tally a window; the last one has done == length. `before`: one of the same text
    when it was shorter, to go on from."""
    done, symbols, count = (before.done, before.symbols, before.occurrences) if before else (0, 0, 0)
    yield Tally(done, length, symbols, count)
    for start in range(done, length, WINDOW):
        stop = min(start + WINDOW, length)
        lasting, begins = _scan(event, breaks, start, stop)
        symbols += int(np.count_nonzero(lasting))
        count += int(np.count_nonzero(begins))
        yield Tally(stop, length, symbols, count)
