"""Capturing beside bare inference, and the store beside plain zarr-python, in one process and in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
import zarr
from numpy.typing import NDArray
from torch import nn

from rnnviz.engine.capture import capture
from rnnviz.engine.model import initialise
from rnnviz.engine.run import RunConfig, load_run
from rnnviz.engine.text import open_text
from rnnviz.engine.train import start_run
from rnnviz.store.pipeline import open_to_read, open_to_write, zarrs_available
from rnnviz.store.statistics import LayerAccumulator
from rnnviz.store.summary import size_on_disk
from support.captures import hand_made, model_schema

STREAMS, STEPS, SYMBOLS, HIDDEN = 100, 3300, 87, 64
"""The test part of War and Peace, and the paper's smallest LSTM."""
ROUNDS = 5
UNITS, LENGTH = 384, 4 * 65_536
"""All signals of that model over four columns: 201 MB."""


def seconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median of some rounds."""
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def bare_inference(data: NDArray[np.uint8]) -> None:
    """`nn.LSTM` over the streams, hidden states thrown away, in windows that stay in cache."""
    lstm = nn.LSTM(SYMBOLS, HIDDEN)
    state = None
    with torch.inference_mode():
        for start in range(0, STEPS, 50):
            window = torch.from_numpy(data[start : start + 50].astype(np.int64))
            _, state = lstm(F.one_hot(window, SYMBOLS).float(), state)


def test_capture_beside_bare_inference(tmp_path: Path) -> None:
    data = np.random.default_rng(0).integers(0, SYMBOLS, STREAMS * STEPS, dtype=np.uint8)
    (tmp_path / "text").write_bytes(data.tobytes())
    text = open_text(str(tmp_path / "text"))
    config = RunConfig(hidden=HIDDEN)
    started = start_run(tmp_path / "run", text, config, command="", spec=None, glob="*", force=False)
    model = started.build()
    initialise(model, 0, 0.5)
    started.save_model(model)
    run = load_run(started.path)
    target = tmp_path / "a.zarr"

    def capturing() -> None:
        rmtree(target, ignore_errors=True)
        for _ in capture(run, text, target, streams=STREAMS):
            pass

    rows = data.reshape(STREAMS, STEPS).T
    threads = torch.get_num_threads()
    times = {
        "rnnviz capture": seconds(capturing),
        f"bare nn.LSTM, {threads} threads": seconds(partial(bare_inference, rows)),
    }
    # A capture computes on one thread fewer, because its writer has one.
    torch.set_num_threads(max(1, threads - 1))
    times[f"bare nn.LSTM, {max(1, threads - 1)}"] = seconds(partial(bare_inference, rows))
    torch.set_num_threads(threads)
    print(f"\nLSTM 1×{HIDDEN}, c h i f o g, {data.size:,} symbols in {STREAMS} streams, to a finished store")
    for name, took in times.items():
        print(f"  {name:<24} {data.size / took / 1e3:8.0f} K symbols/s  {took:6.2f} s")
    print(f"  size on disk {size_on_disk(target) / 1e6:.1f} MB")


def test_writing_and_reading_beside_plain_zarr(tmp_path: Path) -> None:
    assert zarrs_available(), "there is nothing to compare"
    random = np.random.default_rng(0)
    walk = np.cumsum(random.normal(size=(UNITS, LENGTH)).astype(np.float32), axis=1) / 20
    values = np.tanh(walk).astype(np.float16)
    models = [model_schema(b"ab", hidden=UNITS, signals=("h",))]
    made = hand_made(tmp_path / "a.zarr", b"ab" * (LENGTH // 2), models=models, values={})
    made.create().__exit__(None, None, None)
    array = made.schema.time_arrays(made.schema.models[0])[0]
    column = made.schema.column
    rust, python = open_to_write(made.path, array), zarr.open_array(made.path / array.path, mode="r+")

    def writing(target: zarr.Array[Any]) -> None:
        for start in range(0, LENGTH, column):
            target[:, start : start + column] = values[:, start : start + column]

    def all_of(source: zarr.Array[Any]) -> None:
        np.asarray(source[:])

    def one_cell(source: zarr.Array[Any]) -> None:
        unit, start = int(random.integers(UNITS)), int(random.integers(LENGTH - 8000))
        np.asarray(source[unit : unit + 1, start : start + 8000])

    reading_rust, reading_python = open_to_read(made.path, array), python
    print(
        f"\n{values.nbytes / 1e6:.0f} MB of float16 [{UNITS} units, {LENGTH:,} symbols], as a capture lies on disk"
    )
    for name, write, read in (
        ("zarr-python", python, reading_python),
        ("rnnviz (zarrs)", rust, reading_rust),
    ):
        written = values.nbytes / 1e6 / seconds(partial(writing, write), 3)
        whole = values.nbytes / 1e6 / seconds(partial(all_of, read), 3)
        cell = seconds(partial(one_cell, read), 200) * 1e3
        print(
            f"  {name:<16} write {written:6.0f} MB/s  read {whole:6.0f} MB/s  one cell × 8,000 {cell:5.2f} ms"
        )
    np.testing.assert_array_equal(reading_rust[:], values)


def test_statistics_rate() -> None:
    random = np.random.default_rng(0)
    print("\nstatistics of a column")
    for length in (65_536, 8192):
        walk = np.cumsum(random.normal(size=(16 * 65_536 // length, length)), axis=1) / 20
        for signal, values in (("f", 1 / (1 + np.exp(-walk))), ("h", np.tanh(walk)), ("c", walk)):
            column = values.astype(np.float16)
            layer = LayerAccumulator((signal,), len(column))
            took = seconds(partial(layer.add, signal, column), 9)
            print(f"  {length:>6,} symbols, {signal}: {column.size / took / 1e6:5.0f} M values/s")
