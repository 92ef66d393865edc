"""Statistics against the same in plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from rnnviz.store.accumulator import LayerAccumulator
from rnnviz.store.signals import SIGNALS
from rnnviz.store.statistics import UnitStatistics
from support.captures import count


def plain(signal: str, values: NDArray[np.float16]) -> UnitStatistics:
    """The statistics of one unit as one would write them down. `values` is [time]."""
    kind = SIGNALS[signal]
    view = kind.view(values)
    histogram, _ = np.histogram(view, bins=64, range=(kind.low, kind.high))
    margin = 0.1 * (kind.high - kind.low)
    exact = view.astype(np.float64)
    return UnitStatistics(
        histogram=histogram,
        mean=exact.mean(),
        deviation=exact.std(),
        minimum=view.min(),
        maximum=view.max(),
        low=(view < np.float32(kind.low + margin)).mean(),
        high=(view > np.float32(kind.high - margin)).mean(),
    )


def agree(found: UnitStatistics, expected: UnitStatistics) -> None:
    np.testing.assert_array_equal(found.histogram, expected.histogram)
    assert found.minimum == expected.minimum
    assert found.maximum == expected.maximum
    assert found.low == pytest.approx(expected.low, abs=1e-12)
    assert found.high == pytest.approx(expected.high, abs=1e-12)
    assert found.mean == pytest.approx(expected.mean, rel=1e-5, abs=1e-6)
    assert found.deviation == pytest.approx(expected.deviation, rel=1e-5, abs=1e-6)


def believable(signal: str, units: int, length: int, seed: int = 0) -> NDArray[np.float16]:
    walk = np.cumsum(np.random.default_rng(seed).normal(size=(units, length)), axis=1) / 20
    if signal == "c":
        return walk.astype(np.float16)
    return (np.tanh(walk) if SIGNALS[signal].low else 1 / (1 + np.exp(-walk))).astype(np.float16)


@pytest.mark.parametrize("signal", list(SIGNALS))
def test_every_signal_equals_plain_numpy(signal: str) -> None:
    values = believable(signal, 5, 3001)
    layer = LayerAccumulator((signal,), 5)
    count(layer, signal, values)
    for unit in range(5):
        agree(layer.statistics().of(signal, unit), plain(signal, values[unit]))


def test_columns_of_any_length_add_up() -> None:
    values = {signal: believable(signal, 3, 70_000, seed=1) for signal in ("c", "f")}
    layer = LayerAccumulator(("c", "f"), 3)
    for start, stop in ((0, 65_536), (65_536, 65_537), (65_537, 70_000)):
        for signal in values:
            count(layer, signal, values[signal][:, start:stop])
    for signal in values:
        for unit in range(3):
            agree(layer.statistics().of(signal, unit), plain(signal, values[signal][unit]))


@st.composite
def columns(draw: st.DrawFn) -> tuple[str, NDArray[np.float16], int]:
    signal = draw(st.sampled_from(sorted(SIGNALS)))
    low, high = (-60_000, 60_000) if signal == "c" else (SIGNALS[signal].low, SIGNALS[signal].high)
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 40)))
    elements = st.floats(low, high, width=16)
    values = draw(hnp.arrays(np.float16, shape, elements=elements))
    return signal, values, draw(st.integers(0, shape[1]))


@given(columns())
@settings(max_examples=150, deadline=None)
def test_edges_of_bins_and_ends_of_ranges(drawn: tuple[str, NDArray[np.float16], int]) -> None:
    signal, values, cut = drawn
    layer = LayerAccumulator((signal,), len(values))
    for part in (values[:, :cut], values[:, cut:]):
        if part.size:
            count(layer, signal, part)
    for unit in range(len(values)):
        agree(layer.statistics().of(signal, unit), plain(signal, values[unit]))


def test_every_float16_within_the_range_lies_in_the_bin_numpy_says() -> None:
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    for name, signal in SIGNALS.items():
        finite = every[np.isfinite(every)]
        values = finite if signal.squashed else finite[(finite >= signal.low) & (finite <= signal.high)]
        layer = LayerAccumulator((name,), 1)
        count(layer, name, values[None])
        expected, _ = np.histogram(signal.view(values), bins=64, range=(signal.low, signal.high))
        np.testing.assert_array_equal(layer.histogram[0, 0], expected)


def test_a_unit_that_hardly_moves_keeps_its_deviation() -> None:
    values = np.full((1, 65_536), 0.9995, np.float16)
    values[0, ::2] = np.nextafter(values[0, 0], np.float16(0))
    layer = LayerAccumulator(("i",), 1)
    count(layer, "i", values)
    count(layer, "i", values)
    assert layer.statistics().of("i", 0).deviation == pytest.approx(values.astype(np.float64).std(), rel=1e-3)


def test_an_overflown_cell_counts_as_saturated() -> None:
    layer = LayerAccumulator(("c",), 1)
    count(layer, "c", np.array([[np.inf, -np.inf]], np.float16))
    found = layer.statistics().of("c", 0)
    assert (found.minimum, found.maximum, found.low, found.high) == (-1, 1, 0.5, 0.5)


def test_nothing_captured_is_nan_not_zero() -> None:
    found = LayerAccumulator(("h",), 2).statistics().of("h", 1)
    assert found.histogram.sum() == 0
    assert np.isnan([found.mean, found.deviation, found.minimum, found.maximum, found.low, found.high]).all()


def test_a_signal_that_is_not_there() -> None:
    statistics = LayerAccumulator(("h",), 2).statistics()
    with pytest.raises(KeyError):
        statistics.of("c", 0)
    with pytest.raises(IndexError):
        statistics.of("h", 2)
