"""Two models of one capture beside each other: which, where they err, and where one knows more than the other.

A model *errs* at a symbol if it gave the one that came after it a probability below a half (the paper's section
4.3). An *advantage* is the surprisal of the other model less one's own, in nats.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnviz.analysis.cancellation import Cancelled
from rnnviz.analysis.events import WINDOW, Event
from rnnviz.analysis.surprisal import ERROR
from rnnviz.store.reader import Capture, CapturedModel


def comparable(capture: Capture) -> list[str]:
    """The models with surprisals: those with layers in the capture's order, then the others by rising n."""
    models = [model for model in capture.models.values() if model.has_surprisal]
    return [model.name for model in sorted(models, key=_order)]


def _order(model: CapturedModel) -> tuple[bool, int]:
    number = re.search(r"\d+$", model.name)
    return not model.layers, int(number[0]) if number and not model.layers else 0


def default_pair(capture: Capture, main: str) -> tuple[str | None, str | None]:
    """The models to compare at first: the main one and the n-gram of largest n, of those that keep whole
    distributions if there are any; None where there is no such model."""
    names = comparable(capture)
    left = main if main in names else None
    others = [name for name in names if name != main]
    whole = [name for name in others if capture.models[name].has_next]
    chosen = whole or others
    return left, chosen[-1] if chosen else None


def stepped(names: list[str], right: str | None, left: str | None, by: int) -> str | None:
    """The model `by` further than `right`, passing over `left`; None where there is none."""
    others = [name for name in names if name != left]
    if right not in others:
        return others[0] if others else None
    place = others.index(right) + by
    return others[place] if 0 <= place < len(others) else None


def spoken(model: str) -> str:
    """A model's name as people say it: `20-gram` of `ngram-20`, which is what is stored and typed."""
    return re.sub(r"^ngram-(\d+)$", r"\1-gram", model)


def erring(model: CapturedModel) -> Event:
    """Where a model errs."""

    def states(start: int, stop: int) -> NDArray[np.uint8]:
        return _each(model.surprisal(start, stop) > ERROR, start)

    return Event(f"an error of {spoken(model.name)}", states, (1, 2), at_start=True)


def parting(left: CapturedModel, right: CapturedModel) -> Event:
    """Where one of two models errs and the other does not."""

    def states(start: int, stop: int) -> NDArray[np.uint8]:
        a, b = left.surprisal(start, stop), right.surprisal(start, stop)
        known = ~(np.isnan(a) | np.isnan(b))
        return _each(known & ((a > ERROR) != (b > ERROR)), start)

    return Event(
        f"only one of {spoken(left.name)} and {spoken(right.name)} errs", states, (1, 2), at_start=True
    )


def _each(holds: NDArray[np.bool_], start: int) -> NDArray[np.uint8]:
    """States of which every symbol where something holds begins a new one: 1 at even, 2 at odd places."""
    odd = (np.arange(start, start + len(holds)) & 1).astype(np.uint8)
    return np.where(holds, 1 + odd, 0).astype(np.uint8)


@dataclass(frozen=True)
class Advantage:
    """A symbol after which one model knew more than another, by so many nats."""

    symbol: int
    nats: float


def next_largest(
    better: CapturedModel,
    worse: CapturedModel,
    length: int,
    last: Advantage | None,
    cancelled: Cancelled | Callable[..., bool] = lambda share=None: False,
) -> Advantage | None:
    """The largest advantage in the text, or the next one after `last` in the order from the largest down (of equal
    ones the first in the text comes first). None: there is no smaller one above 0, or the search was cancelled."""
    best: Advantage | None = None
    for start in range(0, length, WINDOW):
        if cancelled(start / length):
            return None
        stop = min(start + WINDOW, length)
        nats = (worse.surprisal(start, stop) - better.surprisal(start, stop)).astype(np.float32)
        nats[~(nats > 0)] = -1.0
        if last is not None:
            passed = nats > last.nats
            passed |= (nats == np.float32(last.nats)) & (np.arange(start, stop) <= last.symbol)
            nats[passed] = -1.0
        place = int(nats.argmax())
        if nats[place] > 0 and (best is None or nats[place] > best.nats):
            best = Advantage(start + place, float(nats[place]))
    return best
