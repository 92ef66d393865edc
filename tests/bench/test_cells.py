"""The list of cells and conditions on a model of 3×1024 units, beside reading everything at once with plain numpy.

Prints a table. Asserts nothing about time; the two ways must agree.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray

from rnnviz.analysis.cell_columns import Order, statistics_columns
from rnnviz.analysis.cell_similarity import compare
from rnnviz.analysis.cells import Cell
from rnnviz.analysis.conditions import parse_condition
from rnnviz.analysis.events import coming_true, tally
from rnnviz.analysis.switching import sample_of, switching
from rnnviz.store.reader import Capture, open_capture
from rnnviz.tui.capture_cache.block_cache import Source
from rnnviz.tui.paint.palette import Depth, palette
from rnnviz.tui.scenes.cells_scene import CellPage, Progress
from rnnviz.tui.view.cell_list import CellList
from rnnviz.tui.view.view import View
from support.captures import make_capture, model_schema

SYMBOLS, LAYERS, UNITS = 32_768, 3, 1024
CONDITION = "1:37 > 0.8 and 0:12 < -0.5"
Made = TypeVar("Made")


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    """Cells that hold a value for sixteen symbols, as good to compress as real ones."""
    text = (b"the quick brown fox jumps over the lazy dog\n" * 1000)[:SYMBOLS]
    random = np.random.default_rng(0)
    values = {
        f"models/model/layers/{layer}/c": np.repeat(
            random.normal(size=(UNITS, SYMBOLS // 16)).astype(np.float16), 16, axis=1
        )
        for layer in range(LAYERS)
    }
    schema = model_schema(text, layers=LAYERS, hidden=UNITS, signals=("c",), next=False)
    made = make_capture(tmp_path_factory.mktemp("bench") / "wide.zarr", text, models=[schema], values=values)
    return open_capture(made.path)


def measured(work: Callable[[], Made]) -> tuple[Made, float, float]:
    """What it gives, seconds, and the most MB it holds at a time (in a second run: to watch takes time)."""
    start = time.perf_counter()
    made = work()
    seconds = time.perf_counter() - start
    tracemalloc.start()
    work()
    held = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return made, seconds, held


def at_once(capture: Capture) -> NDArray[np.float32]:
    """The views of all cells over the whole text: float32 [cell, time]."""
    layers = capture.models["model"].layers
    return np.tanh(
        np.concatenate([layer.read_units("c", slice(None), 0, SYMBOLS) for layer in layers]).astype(
            np.float32
        )
    )


def test_lists_and_conditions(capture: Capture) -> None:
    model = capture.models["model"]
    sample = sample_of(SYMBOLS, LAYERS * UNITS)
    assert sample.is_whole
    breaks = capture.segments[:, 0]
    rows: list[tuple[str, float, float]] = []

    def row(what: str, work: Callable[[], Made]) -> Made:
        made, seconds, megabytes = measured(work)
        rows.append((what, seconds, megabytes))
        return made

    drawn = drawing(capture)
    switched = row(
        "switching, window by window", lambda: list(switching(model, "c", sample, breaks))[-1].rates
    )
    alike = row(
        "cells like one, window by window",
        lambda: list(compare(model, Cell(0, 1), "c", sample))[-1].correlations,
    )
    event = coming_true(model, parse_condition(CONDITION, model))
    counted = row(f"count {CONDITION}", lambda: list(tally(event, breaks, SYMBOLS))[-1].symbols)

    views = row("everything read at once, as float32", lambda: at_once(capture))
    on = row("its switching", lambda: ((views[:, 1:] > 0) != (views[:, :-1] > 0)).mean(axis=1))
    near = row("its correlations", lambda: correlations(views, 1))
    np.testing.assert_allclose(switched, on, atol=2e-4)  # pairs across windows are not looked at
    np.testing.assert_allclose(alike, near, atol=2e-4)
    assert counted == np.count_nonzero((views[UNITS + 37] > 0.8) & (views[12] < -0.5))

    print(f"\n{LAYERS}×{UNITS} units, {SYMBOLS:,} symbols: seconds, and the most memory held")
    for what, seconds, megabytes in rows:
        print(f"  {what:45s} {seconds:7.2f} s {megabytes:7.0f} MB")
    print(f"  {'a page of 46 cells drawn at 200×50':45s} {drawn:7.1f} ms")


def correlations(views: NDArray[np.float32], unit: int) -> NDArray[np.float64]:
    centred = views - views.mean(axis=1, keepdims=True)
    scale = np.sqrt(np.einsum("ut,ut->u", centred, centred))
    found: NDArray[np.float64] = (centred @ centred[unit] / (scale * scale[unit])).astype(np.float64)
    return found


def drawing(capture: Capture) -> float:
    """Milliseconds to draw a page that was not drawn before, the median of 20 with all of it in memory."""
    model = capture.models["model"]
    units = tuple(layer.units for layer in model.layers)
    view = View("model", Cell(0, 0), "c")
    cells, colours = CellList(units, view.cell), palette(Depth.TRUE, "dark", "diverging")
    cells.learn(statistics_columns([layer.statistics() for layer in model.layers], "c", units))
    cells.sort_by(Order.DEVIATION)
    source = Source(capture)
    page = CellPage(capture, source, view, (0, 4000))
    needed = page.needed(cells, view, 49)
    source.want(needed)
    while not source.has(needed):
        source.wait(0.1)
    progress = Progress({}, sample_of(SYMBOLS, LAYERS * UNITS), None)
    times = []
    for _ in range(20):
        page = CellPage(capture, source, view, (0, 4000))
        start = time.perf_counter()
        page.draw(cells, view, progress, 200, 49, colours)
        times.append((time.perf_counter() - start) * 1000)
    source.close()
    return statistics.median(times)
