"""A sweep on a real Dask cluster of two worker processes, one of which is killed in the middle of a run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from rnnviz.engine.runs.checkpoint import load_checkpoint
from rnnviz.engine.runs.run import load_run
from rnnviz.engine.sweep import dask_cluster as cluster_module
from rnnviz.engine.sweep.dask_cluster import Cluster, parse_resources
from rnnviz.engine.sweep.job import Report
from rnnviz.engine.sweep.schedule import jobs_of
from rnnviz.engine.text.text import open_text
from rnnviz.store.disk import DirectoryLock
from rnnviz.store.errors import InvalidRequest, Unavailable
from support.sweeps import assert_trained_alone, plan_small, start_jobs
from support.texts import write_words

distributed = pytest.importorskip("distributed", reason="Dask distributed is not installed: rnnviz[cluster]")


@pytest.fixture(name="text")
def _text(tmp_path: Path) -> Path:
    return write_words(tmp_path / "text", 2500)


@pytest.fixture(name="scheduler")
def _scheduler() -> Iterator[str]:
    """The address of a scheduler without workers."""
    with distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster:
        yield cluster.scheduler_address


@pytest.fixture(name="workers")
def _workers(tmp_path: Path, scheduler: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two workers as a person starts them, each with a thread and a GPU to give away; none comes back when killed."""
    place = ["--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path / "dask")]
    command = [sys.executable, "-m", "distributed.cli.dask_worker", scheduler, *place]
    command += ["--nthreads", "1", "--resources", "GPU=1", "--host", "127.0.0.1"]
    started = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(2)]
    yield started
    for process in started:
        process.terminate()
    for process in started:
        process.wait(timeout=30)


def _kill_worker_of(name: str, scheduler: str) -> int:
    """End the worker that trains the run of that name, as a power cut would. Its process id."""
    with distributed.Client(scheduler, set_as_default=False) as client:
        processes = client.run(os.getpid)
        (place,) = (
            place
            for place, keys in client.processing().items()
            if any(str(key).endswith(name) for key in keys)
        )
    os.kill(processes[place], signal.SIGKILL)
    return int(processes[place])


@pytest.mark.parametrize("unshared", [False, True])
def test_a_lost_worker_s_run_goes_on_elsewhere(
    tmp_path: Path, text: Path, scheduler: str, workers: list[subprocess.Popen[bytes]], unshared: bool
) -> None:
    """Two runs on two workers. One worker is killed for good: both runs come to what they come to alone."""
    sweep = plan_small(tmp_path / "sweep", text, epochs=60)
    jobs = start_jobs(sweep, text)
    with closing(Cluster(scheduler)) as cluster:
        while cluster.slots({}) < len(workers):
            time.sleep(0.1)
        assert cluster.slots({}) == cluster.slots({"GPU": 1}) == 2
        assert cluster.slots({"GPU": 2}) == 0
        lost = ""
        heard: list[Report] = []
        # Unshared, they could not find the text nor write the runs where the jobs say.
        sent = open_text(str(text)) if unshared else None
        told = [replace(job, text="/nowhere") for job in jobs] if unshared else jobs
        for report in cluster.train(told, {"GPU": 1}, sent):
            if report is None:
                continue
            heard.append(report)
            if not lost and report.phase == "training" and report.epochs >= 2:
                lost = report.name
                killed = _kill_worker_of(lost, scheduler)
    assert [process.pid for process in workers if process.poll() is not None] == [killed]
    (again,) = (report for report in heard if "is lost" in report.message)
    assert again.name == lost
    assert again.epochs >= 1, "from its checkpoint, not from the start"
    assert [report.phase for report in heard].count("complete") == 2
    for job in jobs:
        assert_trained_alone(job.path, text, tmp_path / f"alone {job.name}")
    left, _ = jobs_of(sweep, sweep.entries, str(text), device="cpu", threads=1, command=lambda *_: "")
    assert left == []


def test_giving_up_stops_the_trainers_with_a_checkpoint(
    tmp_path: Path, text: Path, scheduler: str, workers: list[subprocess.Popen[bytes]]
) -> None:
    sweep = plan_small(tmp_path / "sweep", text, kinds=("lstm",), epochs=100_000)
    (job,) = start_jobs(sweep, text)
    unseen = replace(job, path=tmp_path / "elsewhere" / "lstm")
    with closing(Cluster(scheduler)) as cluster:
        with closing(cluster.train([unseen], {})) as events:
            *_, last = (report for report in events if report)
        assert last.phase == "failed"
        assert "does not see" in last.message
        with closing(cluster.train([job], {})) as events:
            while not (report := next(events)) or not report.epochs:
                pass
        stopped = _history_once_free(job.path)
        assert stopped
        assert _history_once_free(job.path) == stopped, "nobody trains it any more"


def test_what_goes_through_the_scheduler_comes_back_as_it_was_stopped(tmp_path: Path) -> None:
    """In the middle of an epoch, too; and one run that cannot be written leaves the others, and nothing, behind."""
    text = write_words(tmp_path / "text", 200_000)
    sweep = plan_small(tmp_path / "sweep", text, epochs=2)
    taken, back = start_jobs(sweep, text)
    with (
        distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=2,
            processes=False,
            protocol="tcp",
            dashboard_address="127.0.0.1:0",
        ) as local,
        closing(Cluster(local.scheduler_address)) as cluster,
    ):
        with closing(cluster.train([taken, back], {}, open_text(str(text)))) as events:
            at_work: set[str] = set()
            while len(at_work) < 2:
                report = next(events)
                if report and report.done:
                    assert not report.epochs
                    at_work.add(report.name)
            other = DirectoryLock(taken.path)
        other.release()
        stopped = load_checkpoint(load_run(back.path))
        assert stopped is not None
        assert stopped.position.batch > 0
        assert load_checkpoint(load_run(taken.path)) is None
        parcels = local.scheduler.extensions["variables"].variables
        deadline = time.monotonic() + 10
        while parcels and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not parcels


def _history_once_free(path: Path) -> int:
    """How many epochs a run has behind it once nobody writes it."""
    for _ in range(300):
        try:
            lock = DirectoryLock(path)
        except InvalidRequest:
            time.sleep(0.1)
        else:
            lock.release()
            return len(load_run(path).history)
    raise AssertionError(f"{path} is still being written")


def test_what_is_no_scheduler_ends_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 1)
    with pytest.raises(Unavailable, match="no Dask scheduler answers at") as caught:
        Cluster("tcp://127.0.0.1:9")
    assert "dask scheduler" in caught.value.hint
    with pytest.raises(InvalidRequest, match="is no address"):
        Cluster("nowhere://x")


def test_resources_as_they_are_written() -> None:
    assert parse_resources("GPU=1, MEMORY=2e9") == {"GPU": 1.0, "MEMORY": 2e9}
    for wrong in ("GPU", "GPU=", "=1", "GPU=0", "GPU=inf", "GPU=nan", "GPU=1,"):
        with pytest.raises(InvalidRequest, match="--resources"):
            parse_resources(wrong)
