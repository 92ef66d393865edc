"""Putting windows in their places, against PyTorch's narrowing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.engine.placing import place, row_length


@pytest.mark.parametrize(("steps", "batch", "units"), [(1, 1, 1), (7, 3, 5), (20, 2, 64), (35, 4, 19)])
def test_signals_go_to_their_places_and_nowhere_else(steps: int, batch: int, units: int) -> None:
    sums, h = torch.randn(steps, batch, 4 * units), torch.randn(steps + 1, batch, units)[1:]
    signals = [h, sums[..., units : 2 * units], sums[..., 3 * units :]]
    lengths = [steps - stream % steps for stream in range(batch)]
    places = [slice(50 * stream + 2, 50 * stream + 2 + length) for stream, length in enumerate(lengths)]
    block = np.full((3 * units, row_length(50 * batch)), 7, np.float16)
    place(signals, places, block)
    expected = np.full_like(block, 7)
    for stream, at in enumerate(places):
        for index, signal in enumerate(signals):
            values = signal[: at.stop - at.start, stream].half().numpy()
            expected[index * units : (index + 1) * units, at] = values.T
    np.testing.assert_array_equal(block, expected)


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=100))
def test_every_number_becomes_the_nearest_float16(values: list[float]) -> None:
    signal = torch.tensor(values, dtype=torch.float32)[None, None]
    block = np.empty((len(values), 1), np.float16)
    place([signal], [slice(0, 1)], block)
    np.testing.assert_array_equal(block[:, 0], signal[0, 0].half().numpy())


@given(st.integers(1, 1 << 20))
def test_rows_hold_a_block_and_are_no_power_of_two_apart(symbols: int) -> None:
    assert symbols <= row_length(symbols) < symbols + 64
    assert row_length(symbols) % 64 == 32
