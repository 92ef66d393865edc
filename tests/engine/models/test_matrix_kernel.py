"""Products with panels of weights against NumPy's."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnnviz.engine.models.matrix_kernel import WIDTH, add_products, panels

ON_ANOTHER_PROCESSOR = """
import numpy as np
from rnnviz.engine.models.matrix_kernel import WIDTH, add_products, panels
assert WIDTH == 16
random = np.random.default_rng(0)
for rows, depth, columns in ((1, 5, 16), (2, 7, 15), (3, 9, 50), (11, 60, 240)):
    values, weights = random.normal(size=(rows, depth)), random.normal(size=(depth, columns))
    sums = np.zeros((rows, columns), np.float32)
    add_products(sums, values.astype(np.float32), panels(weights.astype(np.float32)))
    np.testing.assert_allclose(sums, values @ weights, rtol=0, atol=1e-4)
"""


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 20), st.integers(1, 40), st.integers(1, 4 * WIDTH))
@example(rows=6, depth=8, columns=WIDTH)
@example(rows=7, depth=8, columns=WIDTH + 1)
@example(rows=11, depth=1, columns=WIDTH - 1)
@example(rows=5, depth=3, columns=2 * WIDTH)
def test_sums_of_products_and_nothing_beside_them(rows: int, depth: int, columns: int) -> None:
    random = np.random.default_rng(rows * depth * columns)
    before, values, weights = (
        random.normal(size=shape).astype(np.float32)
        for shape in ((rows, columns), (rows, depth), (depth, columns))
    )
    around = np.full((rows + 2, columns), 7, np.float32)
    around[1:-1] = before
    add_products(around[1:-1], values, panels(weights))
    expected = before + values.astype(np.float64) @ weights
    np.testing.assert_allclose(around[1:-1], expected, rtol=0, atol=2e-5)
    assert (around[[0, -1]] == 7).all()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="not an x86-64 processor")
def test_a_processor_of_short_vectors() -> None:
    environment = os.environ | {"NUMBA_CPU_NAME": "x86-64-v2", "NUMBA_CPU_FEATURES": ""}
    subprocess.run([sys.executable, "-c", ON_ANOTHER_PROCESSOR], env=environment, check=True)
