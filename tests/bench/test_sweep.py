"""Runs of a sweep at once, beside one after another."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rnnviz.engine import limits
from rnnviz.engine.device import DeviceName, resolve
from rnnviz.engine.split import Split
from rnnviz.engine.sweep.job import ENDS, Job
from rnnviz.engine.sweep.local import Capacity, capacity, train_here
from rnnviz.engine.sweep.plan import Protocol, Sweep, plan
from rnnviz.engine.sweep.schedule import jobs_of, total_symbols
from rnnviz.engine.text import open_text
from support.sweeps import start_sweep

LENGTH = 3_258_245
"""Of War and Peace, whose 87 symbols are drawn here at random: a step costs the same."""

SECONDS = 6.0
"""That each group of runs is looked at once all of it is at work."""


def _sweep(
    path: Path, kinds: Sequence[str], layers: Sequence[int], sizes: Sequence[int] | None
) -> tuple[Sweep, str]:
    """A sweep of 50 epochs over a text like War and Peace, and the text's path."""
    text = path / "text"
    text.write_bytes(np.random.default_rng(0).integers(0, 87, LENGTH, dtype=np.uint8).tobytes())
    protocol = Protocol(50, Split(), 0)
    return plan(path / "sweep", open_text(str(text)), None, "*", protocol, kinds, layers, sizes, [0.0]), str(
        text
    )


def _jobs(sweep: Sweep, text: str, device: DeviceName, threads: int) -> list[Job]:
    jobs, _ = jobs_of(
        start_sweep(sweep), sweep.entries, text, device=device, threads=threads, command=lambda *_: ""
    )
    return jobs


def seconds_of_a_sweep(jobs: Sequence[Job], suited: Capacity) -> float:
    """How long all jobs would take, extrapolated from what each does while as many as that are at work.

    Start-up counts, validation does not.
    """
    total = total_symbols(LENGTH, Split(), 50)
    needed = 0.0
    for first in range(0, len(jobs), suited.at_once):
        group = jobs[first : first + suited.at_once]
        began = time.perf_counter()
        marks: dict[str, list[tuple[float, int]]] = {job.name: [] for job in group}
        with closing(train_here(group, suited)) as events:
            for report in events:
                now = time.perf_counter()
                if report and report.done:
                    assert report.phase not in ENDS, report
                    marks[report.name].append((now, report.done))
                if all(marks.values()) and now > max(mark[0][0] for mark in marks.values()) + SECONDS:
                    break
        everybody = max(mark[0][0] for mark in marks.values())
        for reports in marks.values():
            (start, done), *_, (end, more) = [mark for mark in reports if mark[0] >= everybody]
            needed += (reports[0][0] - began + total * (end - start) / (more - done)) / suited.at_once
    return needed


@pytest.mark.parametrize(
    ("device", "kinds", "layers", "sizes"),
    [
        ("cpu", ["lstm"], [1, 2], [64]),
        ("cpu", ["lstm"], [2, 3], [512]),
        ("cpu", ["gru"], [1, 2], [64]),
        pytest.param("cuda", ["lstm", "rnn", "gru"], [1, 2, 3], None, marks=pytest.mark.gpu),
    ],
)
def test_runs_at_once_beside_one_after_another(
    tmp_path: Path, device: DeviceName, kinds: list[str], layers: list[int], sizes: list[int] | None
) -> None:
    """On the CPU with all cores for each of the one after another. On a GPU all of the paper's 33 models."""
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    sweep, text = _sweep(tmp_path, kinds, layers, sizes)
    configs = [sweep.config(entry) for entry in sweep.entries]
    suited = capacity(configs, sweep.symbols, resolve(device))
    alone = Capacity(1, limits.cores().amount, suited.gpus[:1])
    names = ", ".join(entry.name.removesuffix("-d0") for entry in sweep.entries[:3])
    more = f" and {len(configs) - 3} more" if len(configs) > 3 else ""
    print(f"\n50 epochs of {names}{more} on {device}, extrapolated from {SECONDS:g} s of each")
    times = []
    for number, way in enumerate((alone, suited)):
        jobs = _jobs(replace(sweep, path=tmp_path / f"sweep {number}"), text, device, way.threads)
        times.append(seconds_of_a_sweep(jobs, way))
        print(f"  {way.at_once:3} at once, {way.threads} threads each: {times[-1] / 60:8.1f} minutes")
    print(f"  {times[0] / times[1]:.2f} times as fast")
