"""Switching rates, strips of activity and correlations, against numpy over everything at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from rnnviz.analysis.cell_similarity import compare
from rnnviz.analysis.cells import Cell
from rnnviz.analysis.switching import BUDGET, above_middle, sample_of, switching
from rnnviz.store.reader import CapturedModel, open_capture
from rnnviz.store.signals import SIGNALS
from rnnviz.tui.panels.activity_strip import heights, resampled
from support.captures import HandMade, make_capture, model_schema

TEXT = b"some text to read\n" * 1500
BREAKS = np.array([0, 9000, 9001, 20000])
LENGTHS = [9000, 1, 10999, 7000]


def twins() -> dict[str, NDArray[np.float16]]:
    """Two layers of five units: unit 1:0 goes with 0:1, unit 1:1 against it, unit 1:2 never moves."""
    random = np.random.default_rng(5)
    lower = random.normal(size=(5, len(TEXT))).astype(np.float16)
    upper = random.normal(size=(5, len(TEXT))).astype(np.float16)
    upper[0], upper[1], upper[2] = lower[1] * np.float16(0.5), -lower[1], np.float16(0.7)
    return {"models/model/layers/0/c": lower, "models/model/layers/1/c": upper}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    path: Path = tmp_path_factory.mktemp("statistics") / "hand.zarr"
    models = [model_schema(TEXT, layers=2, hidden=5, signals=("c", "f"))]
    return make_capture(path, TEXT, models=models, lengths=LENGTHS, values=twins())


@pytest.fixture(scope="module")
def model(made: HandMade) -> CapturedModel:
    return open_capture(made.path).models["model"]


def test_switching_is_counted_within_segments(made: HandMade, model: CapturedModel) -> None:
    for signal, middle in (("c", 0.0), ("f", 0.5)):
        counts, pairs = np.zeros(10), 0
        for start, stop in zip(BREAKS, [*BREAKS[1:], len(TEXT)], strict=True):
            values = np.concatenate([made.signal(layer, signal)[:, start:stop] for layer in (0, 1)])
            on = values.astype(np.float64) > middle
            counts += (on[:, 1:] != on[:, :-1]).sum(axis=1)
            pairs += stop - start - 1
        *_, last = switching(model, signal, sample_of(len(TEXT), 10), BREAKS)
        # Pairs that straddle two windows are not looked at.
        np.testing.assert_allclose(last.rates, counts / pairs, atol=5 / len(TEXT))
        assert last.share == 1


@given(hnp.arrays(np.float16, 40, elements=st.floats(-8, 8, width=16)))
def test_comparing_bit_patterns_is_comparing_numbers(values: NDArray[np.float16]) -> None:
    for name in ("c", "f"):
        signal = SIGNALS[name]
        middle = (signal.low + signal.high) / 2
        assert above_middle(values, signal).tolist() == (signal.view(values) > middle).tolist()


@given(length=st.integers(1, 300), columns=st.integers(1, 120))
def test_a_strip_keeps_the_mean_or_shows_each_value(length: int, columns: int) -> None:
    values = np.random.default_rng(length).normal(size=length).astype(np.float32)
    found = resampled(values, columns)
    assert len(found) == columns
    if columns >= length:
        assert set(found.tolist()) == set(values.tolist())
    if length % columns == 0:
        np.testing.assert_allclose(found, values.reshape(columns, -1).mean(axis=1), atol=1e-5)


def test_heights_span_the_range() -> None:
    gate = np.array([0, 0.1, 0.5, 0.9, 1, np.nan], np.float32)
    assert heights(gate, SIGNALS["f"]).tolist() == [0, 0, 4, 7, 7, 0]
    assert heights(np.array([-1, 0, 1], np.float32), SIGNALS["c"]).tolist() == [0, 4, 7]


@given(length=st.integers(1, 10**9), cells=st.integers(1, 5000))
def test_a_sample_is_within_the_budget_and_spread_over_the_text(length: int, cells: int) -> None:
    sample = sample_of(length, cells)
    starts = [start for start, _ in sample.windows]
    assert starts == sorted(set(starts))
    assert all(0 <= start < stop <= length for start, stop in sample.windows)
    assert len(starts) == 1 or sample.symbols * cells <= BUDGET
    assert starts[0] == 0
    if not sample.is_whole and len(starts) > 1:
        assert sample.windows[-1][1] == length
        assert "in" in str(sample)
    else:
        assert sample.is_whole or len(starts) == 1


def test_correlations_are_numpys(made: HandMade, model: CapturedModel) -> None:
    views = np.concatenate([np.tanh(made.signal(layer, "c").astype(np.float64)) for layer in (0, 1)])
    steps = list(compare(model, Cell(0, 1), "c", sample_of(len(TEXT), 10)))
    assert [step.share for step in steps] == [0.25, 0.5, 0.75, 1.0]
    found = steps[-1].correlations
    moving = [place for place in range(10) if place != 7]
    expected = np.corrcoef(views[moving])[1]
    np.testing.assert_allclose(found[moving], expected, atol=2e-4)
    assert found[1] == pytest.approx(1)
    assert found[5] > 0.95  # the same at half the size
    assert found[6] == pytest.approx(-1, abs=1e-4)
    assert np.isnan(found[7])  # it never moves


def test_correlations_with_a_cell_that_never_moves_are_unknown(model: CapturedModel) -> None:
    *_, last = compare(model, Cell(1, 2), "c", sample_of(len(TEXT), 10))
    assert np.isnan(last.correlations).all()
