"""The jobs of a sweep on this machine: several processes at once."""

from __future__ import annotations

import math
import os
import queue
import threading
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch

from rnnviz.engine.models.kinds.registry import KINDS
from rnnviz.engine.runs.run import RunConfig
from rnnviz.engine.sweep.grid import parameter_count
from rnnviz.engine.sweep.job import ENDS, Job, Report
from rnnviz.engine.sweep.trainer import Trainer
from rnnviz.engine.training.parallel_gradients import STREAMS, STREAMS_OF_PYTHON
from rnnviz.engine.training.train import BYTES_PER_PARAMETER
from rnnviz.store import limits
from rnnviz.store.errors import InvalidRequest

TICK_SECONDS: Final = 0.25
"""The longest silence: so often the caller can look at what a person wants."""

PROCESS_BYTES: Final = 310e6
"""Of a process that has loaded PyTorch and trains almost nothing."""

ACTIVATIONS_PER_UNIT: Final = 16
"""Floats that a step of training keeps or takes for a while, per unit of a layer: gates, c, h and their gradients."""

MEMORY_SHARE: Final = 0.8
"""Of the memory that is left that a sweep may plan with."""

PROCESSES_PER_GPU: Final = 8
"""The paper's models leave a GPU idle between launches; each process keeps one CPU core busy with launching."""


@dataclass(frozen=True)
class Capacity:
    """How many runs train at once."""

    at_once: int
    cores: int | None = None
    """That the threads of all runs at work take together, one run by itself excepted; None: as they come."""
    gpus: tuple[str, ...] = ()
    """What CUDA_VISIBLE_DEVICES says of each GPU; empty where the CPU computes."""


def capacity(
    configs: Sequence[RunConfig],
    symbols: int,
    device: torch.device,
    at_once: int | None = None,
    threads: int | None = None,
) -> Capacity:
    """What suits this machine and the limits of this process; `at_once`, and `threads` of each run, may be given.

    On a CPU as many processes as there are cores for their threads; fewer where there are fewer runs, or where memory
    would not do. On a GPU PROCESSES_PER_GPU for each, but not more than CPU cores. Raises InvalidRequest where the
    memory that is left is not enough for one.
    """
    gpus = _gpus() if device.type == "cuda" else ()
    if at_once is not None:
        return Capacity(at_once, None, gpus)
    cores = limits.cores().amount
    each = [threads or 1] * len(configs)
    if gpus:
        wished = min(cores, PROCESSES_PER_GPU * len(gpus))
    else:
        _refuse_too_large(configs, symbols, threads or 1)
        wished = cores // (threads or 1)
    most = min(wished, len(configs), _fitting(configs, symbols, each))
    return Capacity(max(1, most), None if gpus else cores, gpus)


def threads_of_each(configs: Sequence[RunConfig], symbols: int, suited: Capacity) -> list[int]:
    """CPU threads for each run of a sweep that has so much capacity.

    One for most: processes never wait for each other, where the threads of one run meet after every mini-batch, and
    lose the most where the machine has other work. As many as keep all cores busy where fewer runs than cores train at
    once. And where cores are shared out as runs come and go, for a run that would take longer by itself than all runs
    take on all cores, so many that it does not: of the paper's 33 models the larger ones, from 12 cores on. Reckoned
    with two threads as 1.75 times as fast as one, the 33 take 0.9 of the time on 16 cores, and 0.6 on 24 and more.
    Never more than share the streams: so the bits are the same whatever the number. It depends on the whole grid and
    not on what is left of it.
    """
    cores = limits.cores().amount
    work = [_parameters(config, symbols) for config in configs]
    each = [cores // suited.at_once] * len(configs)
    if suited.cores is not None:
        each = [
            max(threads, math.ceil(own * cores / sum(work))) for threads, own in zip(each, work, strict=True)
        ]
    each = [max(1, min(threads, _shares(config))) for threads, config in zip(each, configs, strict=True)]
    while max(each) > 1 and _fitting(configs, symbols, each) < suited.at_once:
        each = [min(threads, max(each) - 1) for threads in each]
    return each


def _fitting(configs: Sequence[RunConfig], symbols: int, threads: Sequence[int]) -> int:
    """How many processes of so many threads fit into the memory that is left, whichever runs they train."""
    there = limits.free_memory().amount * MEMORY_SHARE
    pairs = zip(configs, threads, strict=True)
    return int(there // max(memory_of(config, symbols, count) for config, count in pairs))


def _refuse_too_large(configs: Sequence[RunConfig], symbols: int, threads: int) -> None:
    """Raise InvalidRequest where the memory that is left does not hold the largest run by itself."""
    largest = max(configs, key=lambda config: memory_of(config, symbols, threads))
    needed, there = memory_of(largest, symbols, threads), limits.free_memory()
    if needed > there.amount:
        raise InvalidRequest(
            f"training the {largest.kind} of {largest.layers}×{largest.hidden} takes about {needed / 1e9:,.2f} GB, "
            f"and {there.amount / 1e9:,.2f} are left ({there.source})",
            "Free some, leave it out with --sizes or --layers, or try it all the same: --jobs 1.",
        )


def memory_of(config: RunConfig, symbols: int, threads: int) -> float:
    """About how many bytes a process takes that trains this; the text's train part, a byte a symbol, not counted.

    With 87 symbols it is, in MB (measured on a CPU: in brackets), of an LSTM 1×64 325 (289), 1×512 426 (416), 3×300 504
    (416), in two threads 651 (514), with dropout 923 (726); of a GRU 3×300 628 (486), of an RNN 470 (355).
    """
    parameters = _parameters(config, symbols)
    shares = _shares(config)
    # Each thread goes through one share at a time; each share has gradients of its own.
    streams = config.split.streams * min(threads, shares) / shares
    floats = (
        streams * config.split.unroll * (config.layers * config.hidden * ACTIVATIONS_PER_UNIT + 4 * symbols)
    )
    return PROCESS_BYTES + parameters * (BYTES_PER_PARAMETER + 4 * (shares - 1)) + 4 * floats


def _parameters(config: RunConfig, symbols: int) -> int:
    assert config.kind != "n-nn"
    return parameter_count(config.kind, symbols, config.hidden, config.layers)


def _shares(config: RunConfig) -> int:
    """How many threads have something to do, as in `Shares`.

    On two cores with other work, an LSTM of 1×64 trained 1.2 times as fast in two threads as in one (median of six
    pairs, 0.9 to 2.0). With dropout, where PyTorch shares out each product, it was 0.7 times (three, 0.2 to 1.5).
    """
    if config.dropout:
        return 1
    in_python = KINDS[config.kind].module is None
    return max(1, config.split.streams // (STREAMS_OF_PYTHON if in_python else STREAMS))


Member = tuple[Trainer, threading.Thread, int]
"""What trains a job, the thread that watches over it, and its slot."""


def train_here(jobs: Iterable[Job], capacity: Capacity) -> Generator[Report | None, None, None]:
    """Train the jobs in their order, as many at a time as `capacity` says, each in a process of its own.

    Yields reports as they come, and None after a silence of TICK_SECONDS. Every job's last report has a phase of
    ENDS; one that fails leaves the others alone. Closing the iterator stops all processes, each with a checkpoint.
    """
    waiting = deque(jobs)
    slots = deque(range(capacity.at_once))
    reports: queue.Queue[Report] = queue.Queue()
    crew: dict[str, Member] = {}
    try:
        while waiting or crew:
            while waiting and slots and _have_cores(waiting[0], crew.values(), capacity):
                slot = slots.popleft()
                job = waiting.popleft()
                visible = (
                    {"CUDA_VISIBLE_DEVICES": capacity.gpus[slot % len(capacity.gpus)]}
                    if capacity.gpus
                    else {}
                )
                trainer = Trainer(job, visible)
                thread = threading.Thread(target=_pass_on, args=(trainer, reports), daemon=True)
                thread.start()
                crew[job.name] = (trainer, thread, slot)
            try:
                report = reports.get(timeout=TICK_SECONDS)
            except queue.Empty:
                yield None
                continue
            if report.phase in ENDS:
                _, thread, slot = crew.pop(report.name)
                thread.join()
                slots.append(slot)
            yield report
    finally:
        _end([trainer for trainer, _, _ in crew.values()], [thread for _, thread, _ in crew.values()])


def _have_cores(job: Job, crew: Iterable[Member], capacity: Capacity) -> bool:
    """Whether a job's threads may be added to those at work."""
    at_work = [trainer.job.config.threads or 1 for trainer, _, _ in crew]
    threads = job.config.threads or 1
    return not at_work or capacity.cores is None or sum(at_work) + threads <= capacity.cores


def _pass_on(trainer: Trainer, reports: queue.Queue[Report]) -> None:
    last = Report(trainer.job.name, "waiting")
    try:
        for report in trainer.reports():
            last = report
            reports.put(report)
    finally:
        # Whatever went wrong in this thread: the sweep waits for an end of every job.
        if last.phase not in ENDS:
            reports.put(replace(last, phase="failed", message="nobody watches its process any more"))


def _end(trainers: Sequence[Trainer], threads: Sequence[threading.Thread]) -> None:
    """Stop all, and wait until each has written its checkpoint; where that is interrupted too, kill them."""
    try:
        for trainer in trainers:
            trainer.stop()
        for thread in threads:
            thread.join()
    except BaseException:
        for trainer in trainers:
            trainer.kill()
        raise


def _gpus() -> tuple[str, ...]:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible:
        return tuple(name.strip() for name in visible.split(",") if name.strip())
    return tuple(str(index) for index in range(torch.cuda.device_count()))
