"""Putting windows in their places, against PyTorch's narrowing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.engine.capture.placement_kernel import place


@pytest.mark.parametrize(("steps", "batch", "units"), [(1, 1, 1), (7, 3, 5), (20, 2, 64)])
def test_signals_go_to_their_places_and_nowhere_else(steps: int, batch: int, units: int) -> None:
    sums, h = torch.randn(steps, batch, 4 * units), torch.randn(steps + 1, batch, units)[1:]
    signals = [h, sums[..., units : 2 * units], sums[..., 3 * units :]]
    lengths = [steps - stream % steps for stream in range(batch)]
    places = [slice(50 * stream + 2, 50 * stream + 2 + length) for stream, length in enumerate(lengths)]
    block = np.full((50 * batch, 3 * units), 7, np.float16)
    place(signals, places, block)
    expected = np.full_like(block, 7)
    for stream, at in enumerate(places):
        for index, signal in enumerate(signals):
            values = signal[: at.stop - at.start, stream].half().numpy()
            expected[at, index * units : (index + 1) * units] = values
    np.testing.assert_array_equal(block, expected)


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=100))
def test_every_number_becomes_the_nearest_float16(values: list[float]) -> None:
    signal = torch.tensor(values, dtype=torch.float32)[None, None]
    block = np.empty((1, len(values)), np.float16)
    place([signal], [slice(0, 1)], block)
    np.testing.assert_array_equal(block[0], signal[0, 0].half().numpy())
