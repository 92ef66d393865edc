"""Runs of a sweep at once: on a CPU the ways to share out its cores, on a GPU beside one after another."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rnnviz.engine.models.kinds.registry import Kind
from rnnviz.engine.runs.device import DeviceName, resolve
from rnnviz.engine.sweep.job import ENDS, Job
from rnnviz.engine.sweep.local import Capacity, capacity, threads_of_each, train_here
from rnnviz.engine.sweep.plan import Protocol, Sweep, plan
from rnnviz.engine.sweep.schedule import jobs_of, total_symbols
from rnnviz.engine.text.split import Split
from rnnviz.engine.text.text import open_text
from rnnviz.store import limits
from support.sweeps import start_sweep

LENGTH = 3_258_245
"""Of War and Peace, whose 87 symbols are drawn here at random: a step costs the same."""

SECONDS = 5.0
"""That each group of runs is looked at once all of it is at work."""

CPU = torch.device("cpu")
CORES = limits.cores().amount
THREADS = sorted({threads for threads in (1, 2, 4, CORES) if threads <= CORES})


def _sweep(
    path: Path,
    kinds: Sequence[str],
    layers: Sequence[int],
    sizes: Sequence[int] | None,
    dropout: float = 0.0,
) -> tuple[Sweep, str]:
    """A sweep of 50 epochs over a text like War and Peace, and the text's path."""
    text = path / "text"
    text.write_bytes(np.random.default_rng(0).integers(0, 87, LENGTH, dtype=np.uint8).tobytes())
    opened, protocol = open_text(str(text)), Protocol(50, Split(), 0)
    return plan(path / "sweep", opened, None, "*", protocol, kinds, layers, sizes, [dropout]), str(text)


def _jobs(sweep: Sweep, text: str, device: DeviceName, threads: int) -> list[Job]:
    jobs, _ = jobs_of(
        start_sweep(sweep), sweep.entries, text, device=device, threads=threads, command=lambda *_: ""
    )
    return jobs


def watch(group: Sequence[Job], suited: Capacity) -> list[tuple[float, float]]:
    """Train for a while jobs that can all be at work at once: of each its start-up in seconds and, from when the last
    one is at work, its symbols a second."""
    began = time.perf_counter()
    first: dict[str, float] = {}
    marks: dict[str, list[tuple[float, int]]] = {job.name: [] for job in group}
    with closing(train_here(group, suited)) as events:
        for report in events:
            now = time.perf_counter()
            if report is None or not report.done:
                continue
            assert report.phase not in ENDS, report
            first.setdefault(report.name, now)
            if len(first) == len(group):
                marks[report.name].append((now, report.done))
            if all(len(each) > 1 and each[-1][0] > max(first.values()) + SECONDS for each in marks.values()):
                break
    return [
        (first[name] - began, (each[-1][1] - each[0][1]) / (each[-1][0] - each[0][0]))
        for name, each in marks.items()
    ]


@pytest.mark.parametrize(
    ("kind", "layers", "size", "dropout", "runs"),
    [
        ("lstm", 1, 64, 0.0, CORES),
        ("lstm", 3, 512, 0.0, CORES),
        ("gru", 1, 64, 0.0, CORES),
        ("lstm", 2, 128, 0.5, CORES),
        ("lstm", 1, 64, 0.0, 1),
    ],
)
def test_ways_to_share_out_the_cores(
    tmp_path: Path, kind: Kind, layers: int, size: int, dropout: float, runs: int
) -> None:
    """Many runs, or a single one, in processes × threads: symbols a second of all. A star is what a sweep takes."""
    sweep, text = _sweep(tmp_path, [kind], [layers], [size], dropout)
    (entry,) = sweep.entries
    configs = [sweep.config(entry)] * runs
    suited = capacity(configs, sweep.symbols, CPU)
    taken = (suited.at_once, threads_of_each(configs, sweep.symbols, suited)[0])
    print(f"\n{entry.name}, {runs} to train on {CORES} cores, {SECONDS:g} s of each way")
    for threads in THREADS:
        at_once = min(runs, CORES // threads)
        (job,) = _jobs(replace(sweep, path=tmp_path / f"sweep {threads}"), text, "cpu", threads)
        group = [replace(job, path=Path(f"{job.path}-{number}")) for number in range(at_once)]
        rate = sum(rate for _, rate in watch(group, Capacity(at_once)))
        star = "*" if taken == (at_once, threads) else " "
        print(f"  {star} {at_once:3} at once × threads {threads:2}: {rate / 1e3:8.1f} K symbols/s")


def seconds_of_a_sweep(jobs: Sequence[Job], suited: Capacity) -> float:
    """How long all jobs would take, extrapolated from what each does while as many as that are at work.

    Start-up counts, validation does not.
    """
    total = total_symbols(LENGTH, Split(), 50)
    groups = [jobs[first : first + suited.at_once] for first in range(0, len(jobs), suited.at_once)]
    return sum(
        (starting + total / rate) / suited.at_once
        for group in groups
        for starting, rate in watch(group, suited)
    )


@pytest.mark.gpu
def test_runs_at_once_on_a_gpu_beside_one_after_another(tmp_path: Path) -> None:
    """All of the paper's 33 models."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    sweep, text = _sweep(tmp_path, ["lstm", "rnn", "gru"], [1, 2, 3], None)
    suited = capacity([sweep.config(entry) for entry in sweep.entries], sweep.symbols, resolve("cuda"))
    alone = Capacity(1, gpus=suited.gpus[:1])
    print(f"\n50 epochs of {len(sweep.entries)} models, extrapolated from {SECONDS:g} s of each")
    times = []
    for number, way in enumerate((alone, suited)):
        jobs = _jobs(replace(sweep, path=tmp_path / f"sweep {number}"), text, "cuda", 1)
        times.append(seconds_of_a_sweep(jobs, way))
        print(f"  {way.at_once:3} at once: {times[-1] / 60:8.1f} minutes")
    print(f"  {times[0] / times[1]:.2f} times as fast")
