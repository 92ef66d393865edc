"""Runs of a sweep in processes of their own: killed ones, broken ones, and one that has to wait."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rnnviz.engine.runs.device import DeviceName, resolve
from rnnviz.engine.runs.run import load_run
from rnnviz.engine.sweep.job import ENDS, Report
from rnnviz.engine.sweep.local import Capacity, capacity, train_here
from rnnviz.engine.text.text import open_text
from rnnviz.engine.training.train import start_run
from rnnviz.store.disk import DirectoryLock
from support.runs import go_on, start
from support.sweeps import assert_trained_alone, plan_small, start_jobs
from support.texts import write_words


@pytest.fixture(name="text")
def _text(tmp_path: Path) -> Path:
    return write_words(tmp_path / "text", 2500)


def test_a_killed_process_is_started_once_more_and_the_others_go_on(tmp_path: Path, text: Path) -> None:
    """One run is killed once, one each time it is at work, one has a damaged checkpoint; none hinders another."""
    sweep = plan_small(tmp_path / "sweep", text, kinds=("lstm", "rnn", "gru"), epochs=60)
    jobs = {job.name.split("-")[0]: job for job in start_jobs(sweep, text)}
    once, always, damaged = jobs["lstm"], jobs["rnn"], jobs["gru"]
    opened = open_text(str(text))
    for job in (once, damaged):
        start_run(job.path, opened, job.config, command="", spec=None, glob="*", force=False)
    (damaged.path / "checkpoint.safetensors").write_bytes(b"no checkpoint")
    other = DirectoryLock(once.path)  # as the trainer of a sweep that was killed holds it until it ends

    heard: dict[str, list[Report]] = {job.name: [] for job in jobs.values()}
    killed: dict[str, set[int]] = {once.name: set(), always.name: set()}
    for report in train_here(jobs.values(), Capacity(at_once=3)):
        if report is None:
            continue
        heard[report.name].append(report)
        if report.name == damaged.name:
            other.release()
        victims = killed.get(report.name)
        if victims is None or not report.pid or report.epochs < 2 or report.pid in victims:
            continue
        if report.name == always.name or not victims:
            victims.add(report.pid)
            os.kill(report.pid, signal.SIGKILL)

    ends = {name: reports[-1] for name, reports in heard.items()}
    assert all(report.phase not in ENDS for reports in heard.values() for report in reports[:-1])
    assert ends[once.name].phase == "complete"
    assert [len(killed[job.name]) for job in (once, always)] == [1, 2]
    (restart,) = (report for report in heard[once.name] if report.phase == "waiting")
    assert "SIGKILL" in restart.message
    assert restart.epochs >= 2
    again = heard[once.name][heard[once.name].index(restart) + 1]
    assert again.epochs >= restart.epochs, "from its checkpoint, not from the start"
    assert_trained_alone(once.path, text, tmp_path / "alone")

    assert ends[always.name].phase == "failed"
    assert ends[always.name].message == "its process was ended by SIGKILL, twice"
    assert "--jobs" in ends[always.name].hint
    assert not load_run(always.path).complete

    assert ends[damaged.name].phase == "failed"
    assert "is damaged" in ends[damaged.name].message
    assert len(heard[damaged.name]) == 1, "what cannot go well is not tried twice"


def test_another_text_at_the_same_place_is_not_trained_on(tmp_path: Path, text: Path) -> None:
    (job,) = start_jobs(plan_small(tmp_path / "sweep", text, kinds=("lstm",)), text)
    write_words(text, 2500, seed=1)
    *_, last = (report for report in train_here([job], Capacity(1)) if report)
    assert last.phase == "failed"
    assert "SHA-256" in last.message
    assert not job.path.exists()


@pytest.mark.parametrize("program", [None, "#!/bin/sh\necho good morning\n", "#!/bin/sh\necho '[1]'\n"])
def test_a_process_that_cannot_be_started_or_understood_is_a_failure(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch, program: str | None
) -> None:
    """And no end of waiting: every job comes to an end."""
    jobs = start_jobs(plan_small(tmp_path / "sweep", text), text)
    python = tmp_path / "python"
    if program:
        python.write_text(program)
        python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    ends = []
    with closing(train_here(jobs, Capacity(at_once=1))) as reports:
        for report, _ in zip(reports, range(40), strict=False):
            if report and report.phase in ENDS:
                ends.append(report)
    assert [end.name for end in ends] == [job.name for job in jobs]
    for end in ends:
        assert end.phase == "failed"
        assert end.message.startswith("its process cannot be started or understood: ")
        assert ("No such file" in end.message) == (program is None)
        assert end.hint


def test_runs_at_work_take_no_more_cores_than_there_are(tmp_path: Path, text: Path) -> None:
    """On two cores: one of three threads, which must be alone; two of one thread; one of two, which waits for both."""
    sweep = plan_small(tmp_path / "sweep", text, kinds=("lstm", "rnn"), sizes=(4, 6), epochs=60)
    jobs = [
        replace(job, config=replace(job.config, threads=threads))
        for job, threads in zip(start_jobs(sweep, text), (3, 1, 1, 2), strict=True)
    ]
    alone, *pair, last = (job.name for job in jobs)
    at_work: set[str] = set()
    seen = []
    for report in train_here(jobs, Capacity(at_once=3, cores=2)):
        if report and report.phase in ENDS:
            assert report.phase == "complete"
            at_work.discard(report.name)
        elif report:
            at_work.add(report.name)
            seen.append(frozenset(at_work))
    assert set(pair) in seen
    assert set(seen) <= {
        frozenset({alone}),
        frozenset(pair[:1]),
        frozenset(pair[1:]),
        frozenset(pair),
        frozenset({last}),
    }


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_runs_at_once_on_a_device(tmp_path: Path, text: Path, device: DeviceName) -> None:
    """As many as suit the device; on a GPU to the losses of the CPU."""
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    kinds = ("lstm",) if device == "cpu" else ("lstm", "rnn", "gru")
    sweep = plan_small(tmp_path / "sweep", text, kinds=kinds)
    jobs = [replace(job, config=replace(job.config, device=device)) for job in start_jobs(sweep, text)]
    suited = capacity([job.config for job in jobs], sweep.symbols, resolve(device))
    assert bool(suited.gpus) == (device == "cuda")
    ends = [report for report in train_here(jobs, suited) if report and report.phase in ENDS]
    assert {report.phase for report in ends} == {"complete"}
    for job in jobs:
        alone = go_on(start(tmp_path / job.name, open_text(str(text)), job.config).path, open_text(str(text)))
        expected = [epoch.validation for epoch in alone.history]
        assert [epoch.validation for epoch in load_run(job.path).history] == pytest.approx(expected, abs=1e-3)
