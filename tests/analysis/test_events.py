"""Where gates open and close and conditions come true: against a loop over single symbols."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rnnviz.analysis import events
from rnnviz.analysis.cells import Cell
from rnnviz.analysis.conditions import parse_condition
from rnnviz.analysis.events import (
    Event,
    Found,
    coming_true,
    crossing,
    next_occurrence,
    occurrences,
    saturating,
    tally,
)
from rnnviz.store.reader import CapturedModel, open_capture
from support.captures import HandMade, make_capture

TEXT = b"some text\n" * 40
LENGTHS = [150, 1, 99, 150]
BREAKS = np.array([0, 150, 151, 250])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    path: Path = tmp_path_factory.mktemp("crossings") / "hand.zarr"
    return make_capture(path, TEXT, lengths=LENGTHS)


@pytest.fixture(scope="module")
def model(made: HandMade) -> CapturedModel:
    return open_capture(made.path).models["model"]


def by_hand(states: NDArray[np.int64], begun: set[int], at_start: bool) -> list[int]:
    found = []
    for at, state in enumerate(states.tolist()):
        first = at in BREAKS.tolist()
        begins = at_start if first else state != states[at - 1]
        if state in begun and begins:
            found.append(at)
    return found


def test_events_are_found_where_a_loop_finds_them(made: HandMade, model: CapturedModel) -> None:
    gate = made.signal(0, "f")[2].astype(np.float64)
    state = np.tanh(made.signal(0, "c")[1].astype(np.float32))
    cases: list[tuple[Event, list[int]]] = [
        (crossing(model, Cell(0, 2), "f"), by_hand((gate > 0.5).astype(int), {0, 1}, False)),
        (crossing(model, Cell(0, 1), "c"), by_hand((state > 0).astype(int), {0, 1}, False)),
        (
            saturating(model, Cell(0, 2), "f"),
            by_hand(np.digitize(gate, [0.1, 0.9]), {0, 2}, True),
        ),
        (
            coming_true(model, parse_condition("0:1 > 0.5", model)),
            by_hand((state > 0.5).astype(int), {1}, True),
        ),
    ]
    for event, expected in cases:
        assert len(expected) > 3, event.what
        assert occurrences(event, BREAKS, 0, len(TEXT)).tolist() == expected, event.what
        pieces = [occurrences(event, BREAKS, start, start + 50) for start in range(0, 400, 50)]
        assert np.concatenate(pieces).tolist() == expected, event.what


@pytest.mark.parametrize("window", [7, 64, 65536])
def test_stepping_on_and_back_visits_every_place(
    model: CapturedModel, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "WINDOW", window)
    event = crossing(model, Cell(0, 2), "f")
    every = occurrences(event, BREAKS, 0, len(TEXT)).tolist()
    position, forwards = len(TEXT) - 1, []
    for number in range(len(every)):
        found = next_occurrence(event, BREAKS, len(TEXT), position)
        assert found is not None
        assert found.wrapped == (number == 0)
        forwards.append(position := found.position)
    assert forwards == every
    position, back = 0, []
    for number in range(len(every)):
        found = next_occurrence(event, BREAKS, len(TEXT), position, backwards=True)
        assert found is not None
        assert found.wrapped == (number == 0)
        back.append(position := found.position)
    assert back == every[::-1]


def constant(state: int) -> Callable[[int, int], NDArray[np.uint8]]:
    return lambda start, stop: np.full(stop - start, state, np.uint8)


def test_what_never_happens_is_not_found() -> None:
    never = Event("never", constant(0), (1,), at_start=True)
    assert next_occurrence(never, BREAKS, 400, 10) is None
    always = Event("always", constant(1), (1,), at_start=True)
    assert next_occurrence(always, BREAKS, 400, 260) == Found(0, wrapped=True)
    once = Event("once", lambda a, b: (np.arange(a, b) == 30).astype(np.uint8), (1,), at_start=True)
    assert next_occurrence(once, BREAKS, 400, 30) is None  # there is no other
    assert next_occurrence(once, BREAKS, 400, 29) == Found(30, wrapped=False)
    assert next_occurrence(once, BREAKS, 400, 29, cancelled=lambda share: True) is None


@pytest.mark.parametrize("window", [13, 65536])
def test_counting(model: CapturedModel, window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "WINDOW", window)
    condition = parse_condition("0:1 > 0.5", model)
    event = coming_true(model, condition)
    counts = list(tally(event, BREAKS, len(TEXT)))
    assert [count.done for count in counts] == [0, *range(window, len(TEXT), window), len(TEXT)]
    assert counts[-1].symbols == int(condition.holds(model, 0, len(TEXT)).sum())
    assert counts[-1].occurrences == len(occurrences(event, BREAKS, 0, len(TEXT)))
    *_, shorter = tally(event, BREAKS, len(TEXT) // 2)
    assert list(tally(event, BREAKS, len(TEXT), shorter))[-1] == counts[-1]
