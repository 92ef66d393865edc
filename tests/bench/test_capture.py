"""Capturing beside bare inference, and the store beside plain zarr-python, in one process and in turn."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count as numbers
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import zarr
from numpy.typing import NDArray
from torch import nn

from rnnviz.engine.capture.capture import Predictions, capture
from rnnviz.engine.models.recurrent import initialise
from rnnviz.engine.runs.run import Run, RunConfig, load_run
from rnnviz.engine.text.split import Split
from rnnviz.engine.text.text import Text, open_text
from rnnviz.engine.training.train import start_run
from rnnviz.store.accumulator import LayerAccumulator
from rnnviz.store.files import write_values, writing_threads
from rnnviz.store.pipeline import open_to_read, zarrs_available
from rnnviz.store.summary import size_on_disk
from support.captures import count, hand_made, model_schema

STREAMS, SYMBOLS = 100, 87
PARAMETERS = "weight_ih", "weight_hh", "bias_ih", "bias_hh"
ROUNDS = 8
DOCUMENT = 100_000
NUMBERS = numbers()
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


def bare_inference(lstm: nn.LSTM, data: NDArray[np.uint8]) -> None:
    """`nn.LSTM` over the streams [time, stream], its output thrown away, in windows that stay in cache."""
    state = None
    with torch.inference_mode():
        for start in range(0, len(data), 50):
            window = torch.from_numpy(data[start : start + 50].astype(np.int64))
            _, state = lstm(F.one_hot(window, SYMBOLS).float(), state)


def stacked_gates(lstm: nn.LSTM, data: NDArray[np.uint8]) -> list[torch.Tensor]:
    """Step by step, every signal of every layer in lists that are stacked at the end: float32 [time, signal, stream,
    unit] by layer, all of it in memory."""
    H = lstm.hidden_size
    weights = [[getattr(lstm, f"{name}_l{layer}") for name in PARAMETERS] for layer in range(lstm.num_layers)]
    state = [(torch.zeros(data.shape[1], H), torch.zeros(data.shape[1], H)) for _ in weights]
    kept: list[list[torch.Tensor]] = [[] for _ in weights]
    with torch.inference_mode():
        for symbols in torch.from_numpy(data.astype(np.int64)):
            x = F.one_hot(symbols, SYMBOLS).float()
            for layer, (w_ih, w_hh, b_ih, b_hh) in enumerate(weights):
                h, c = state[layer]
                i, f, g, o = (F.linear(x, w_ih, b_ih) + F.linear(h, w_hh, b_hh)).chunk(4, dim=1)
                i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
                c = f * c + i * g
                x = h = o * c.tanh()
                state[layer] = h, c
                kept[layer].append(torch.stack([c, h, i, f, o, g]))
        return [torch.stack(steps) for steps in kept]


def run_and_text(folder: Path, layers: int, hidden: int, symbols: int) -> tuple[Run, Text]:
    """A model of that size with random weights, and random symbols."""
    data = np.random.default_rng(0).integers(0, SYMBOLS, symbols, dtype=np.uint8)
    (folder / "text").write_bytes(data.tobytes())
    text = open_text(str(folder / "text"))
    config = RunConfig(layers=layers, hidden=hidden, split=Split(unroll=10))
    started = start_run(folder / "run", text, config, command="", spec=None, glob="*", force=False)
    model = started.build()
    initialise(model, 0, 0.5 / layers)
    started.save_model(model)
    return load_run(started.path), text


def capturing(run: Run, text: Text, folder: Path, streams: int, predictions: Predictions) -> Path:
    """Capture at a place of its own: to remove an old capture is no part of it."""
    target = folder / f"{next(NUMBERS)}.zarr"
    for _ in capture(run, text, target, streams=streams, predictions=predictions):
        pass
    return target


def compare(title: str, symbols: int, contenders: dict[str, Callable[[], object]], rounds: int) -> None:
    """All in turn, round by round; the ratio is the median of the rounds' ratios to the first one.

    Each round begins with another, and the first one does not count: the system is slower to give memory for the
    first time, and to who comes after one that took much.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    sizes: dict[str, int] = {}
    for number in range(rounds + 1):
        names = list(contenders)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            work = contenders[name]
            began = time.perf_counter()
            made = work()
            if number:
                times[name].append(time.perf_counter() - began)
            if isinstance(made, Path):
                sizes[name] = size_on_disk(made)
                rmtree(made)
    first = next(iter(times.values()))
    print(f"\n{title}")
    for name, found in times.items():
        rate = symbols / statistics.median(found)
        ratio = statistics.median(other / own for own, other in zip(first, found, strict=True))
        size = f"   {sizes[name] / 1e6:.1f} MB on disk" if name in sizes else ""
        print(f"  {name:<36} {rate / 1e3:8.1f} K symbols/s   {ratio:5.2f} times the first's time{size}")


@pytest.mark.parametrize(("layers", "hidden", "steps"), [(1, 64, 3300), (3, 241, 500)])
def test_capture_beside_bare_inference(tmp_path: Path, layers: int, hidden: int, steps: int) -> None:
    run, text = run_and_text(tmp_path, layers, hidden, STREAMS * steps)
    rows = text.read(0, STREAMS * steps).reshape(STREAMS, steps).T
    lstm = nn.LSTM(SYMBOLS, hidden, layers)
    compare(
        f"LSTM {layers}×{hidden}, {STREAMS} streams of {steps} symbols, {torch.get_num_threads()} threads",
        STREAMS * steps,
        {
            "rnnviz capture of c h i f o g": partial(capturing, run, text, tmp_path, STREAMS, "none"),
            "the same with full distributions": partial(capturing, run, text, tmp_path, STREAMS, "all"),
            "bare nn.LSTM inference": partial(bare_inference, lstm, rows),
            "a loop that stacks the gates": partial(stacked_gates, lstm, rows),
        },
        ROUNDS,
    )


def test_capture_of_one_long_document(tmp_path: Path) -> None:
    run, text = run_and_text(tmp_path, 3, 241, DOCUMENT)
    lstm = nn.LSTM(SYMBOLS, 241, 3)
    compare(
        f"LSTM 3×241, one document of {DOCUMENT:,} symbols, {torch.get_num_threads()} threads",
        DOCUMENT,
        {
            "rnnviz capture of c h i f o g": partial(capturing, run, text, tmp_path, 1, "surprisal"),
            "bare nn.LSTM inference": partial(bare_inference, lstm, text.read(0, DOCUMENT)[:, None]),
        },
        3,
    )


def test_writing_and_reading_beside_plain_zarr(tmp_path: Path) -> None:
    assert zarrs_available(), "there is nothing to compare"
    random = np.random.default_rng(0)
    walk = np.cumsum(random.normal(size=(UNITS, LENGTH)).astype(np.float32), axis=1) / 20
    values = np.tanh(walk).astype(np.float16)
    models = [model_schema(b"ab", hidden=UNITS, signals=("h",))]
    made = hand_made(tmp_path / "a.zarr", b"ab" * (LENGTH // 2), models=models, values={})
    made.create().__exit__(None, None, None)
    array = made.schema.time_arrays(made.schema.models[0])[0]
    columns = {
        start: np.ascontiguousarray(values[:, start : start + made.schema.column])
        for start in range(0, LENGTH, made.schema.column)
    }
    plain = zarr.create_array(tmp_path / "plain.zarr", shape=values.shape, dtype=values.dtype)
    same = zarr.open_array(made.path / array.path, mode="r+")
    threads = ThreadPoolExecutor(writing_threads())

    def by_zarr(target: zarr.Array[Any], start: int, column: NDArray[np.float16]) -> None:
        target[:, start : start + column.shape[1]] = column

    def by_rnnviz(start: int, column: NDArray[np.float16]) -> None:
        for job in write_values(threads, made.path, array, (0, start), column):
            job.result()

    contenders: dict[str, tuple[Callable[[int, NDArray[np.float16]], None], zarr.Array[Any]]] = {
        "zarr-python, its defaults": (partial(by_zarr, plain), plain),
        "zarr-python, a capture's layout": (partial(by_zarr, same), same),
        "rnnviz": (by_rnnviz, open_to_read(made.path, array)),
    }

    def writing(write: Callable[[int, NDArray[np.float16]], None]) -> None:
        for start, column in columns.items():
            write(start, column)

    def all_of(source: zarr.Array[Any]) -> None:
        np.asarray(source[:])

    def one_cell(source: zarr.Array[Any]) -> None:
        unit, start = int(random.integers(UNITS)), int(random.integers(LENGTH - 8000))
        np.asarray(source[unit : unit + 1, start : start + 8000])

    print(f"\n{values.nbytes / 1e6:.0f} MB of float16 [{UNITS} units, {LENGTH:,} symbols]")
    for name, (write, read) in contenders.items():
        written = values.nbytes / 1e6 / seconds(partial(writing, write), 3)
        whole = values.nbytes / 1e6 / seconds(partial(all_of, read), 3)
        cell = seconds(partial(one_cell, read), 200) * 1e3
        print(
            f"  {name:<32} write {written:6.0f} MB/s  read {whole:6.0f} MB/s  one cell × 8,000 {cell:5.2f} ms"
        )
    threads.shutdown()
    np.testing.assert_array_equal(contenders["rnnviz"][1][:], values)


def test_memory_of_a_capture(tmp_path: Path) -> None:
    print("\nmost memory of a process that captures all signals")
    for layers, hidden, symbols, streams in (
        (1, 64, 200_000, STREAMS),
        (1, 64, 2_000_000, STREAMS),
        (3, 241, 200_000, STREAMS),
        (3, 241, 200_000, 1),
    ):
        folder = tmp_path / f"{layers}x{hidden}-{symbols}-{streams}"
        folder.mkdir()
        run_and_text(folder, layers, hidden, symbols)
        words = ["capture", "run", "text", "--split", "all", "--streams", str(streams), "--out", "a.zarr"]
        process = subprocess.Popen(
            [sys.executable, "-m", "rnnviz", *words],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        most = 0
        # Not ru_maxrss, which counts what its parent had when it was born.
        while process.poll() is None:
            status = Path(f"/proc/{process.pid}/status").read_text()
            most = max([most, *(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line)])
            time.sleep(0.05)
        assert process.returncode == 0
        rmtree(folder / "a.zarr")
        print(f"  LSTM {layers}×{hidden}, {symbols:>9,} symbols in {streams:>3}  {most / 1024:6.0f} MB")


def test_statistics_rate() -> None:
    random = np.random.default_rng(0)
    print("\nstatistics of a column")
    for length in (65_536, 8192):
        walk = np.cumsum(random.normal(size=(16 * 65_536 // length, length)), axis=1) / 20
        for signal, values in (("f", 1 / (1 + np.exp(-walk))), ("h", np.tanh(walk)), ("c", walk)):
            column = values.astype(np.float16)
            layer = LayerAccumulator((signal,), len(column))
            took = seconds(partial(count, layer, signal, column), 9)
            print(f"  {length:>6,} symbols, {signal}: {column.size / took / 1e6:5.0f} M values/s")
