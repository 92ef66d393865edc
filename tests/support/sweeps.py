"""Small sweeps for tests: two kinds of tiny models on a text of a few thousand bytes."""

from __future__ import annotations

from pathlib import Path

import torch

from rnnviz.engine.runs.run import Run, RunConfig, load_run
from rnnviz.engine.sweep.job import Job
from rnnviz.engine.sweep.plan import Protocol, Sweep, held_sweep, plan
from rnnviz.engine.sweep.schedule import jobs_of
from rnnviz.engine.text.split import Split
from rnnviz.engine.text.text import open_text
from support.runs import go_on, start, without_times

SPLIT = Split(60, 20, 20, streams=4, unroll=10)


def plan_small(
    path: Path,
    text: Path,
    *,
    kinds: tuple[str, ...] = ("lstm", "rnn"),
    sizes: tuple[int, ...] = (4,),
    dropouts: tuple[float, ...] = (0.0,),
    epochs: int = 3,
    split: Split = SPLIT,
    seed: int = 0,
) -> Sweep:
    protocol = Protocol(epochs, split, seed)
    return plan(path, open_text(str(text)), None, "*", protocol, kinds, (1,), sizes, dropouts)


def start_sweep(sweep: Sweep) -> Sweep:
    """Make the sweep's directory, and let go of it."""
    with held_sweep(sweep) as whole:
        return whole


def start_jobs(sweep: Sweep, text: Path) -> list[Job]:
    """The jobs of a whole sweep, its directory made."""
    start_sweep(sweep)
    jobs, _ = jobs_of(sweep, sweep.entries, str(text), device="cpu", threads=1, command=_command)
    return jobs


def _command(name: str, config: RunConfig) -> str:
    return f"rnnviz train --out {name} --model {config.kind}"


def assert_trained_alone(run: Path, text: Path, alone: Path) -> Run:
    """The run is what uninterrupted training in one process comes to, to the last bit."""
    found = load_run(run)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    expected = go_on(start(alone, open_text(str(text)), found.config).path, open_text(str(text)))
    torch.set_num_threads(threads)
    assert found.complete
    assert without_times(found).history == without_times(expected).history
    assert found.test == expected.test
    assert (run / "model.safetensors").read_bytes() == (alone / "model.safetensors").read_bytes()
    assert sorted(file.name for file in run.iterdir()) == ["model.safetensors", "run.json"]
    return found
