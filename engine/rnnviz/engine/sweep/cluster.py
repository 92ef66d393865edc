"""The jobs of a sweep on the workers of a Dask scheduler, which may be many machines.

Each job is a task, whose thread in the Dask worker watches over a trainer process as `local` does. Runs come back
through their directories: the sweep's directory and the text must be on a disk that all workers share, and a worker
that does not see them says so. Where a worker is lost, Dask gives its task to another one, which goes on from the
run's last checkpoint: one is written after every epoch and about once a minute.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import uuid
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from rnnviz.engine.sweep.job import ENDS, Job, Report
from rnnviz.engine.sweep.local import TICK_SECONDS, usable_cores
from rnnviz.engine.sweep.plan import SWEEP_FILE
from rnnviz.engine.sweep.trainer import Trainer
from rnnviz.engine.text import printable
from rnnviz.store.errors import InvalidRequest, Unavailable

if TYPE_CHECKING:
    from distributed import Future

CONNECT_SECONDS: Final = 10
REPORT_SECONDS: Final = 1.0
"""Between two reports of a run at work: the scheduler passes them on, and keeps the latest ones in memory."""

WANTED_SECONDS: Final = 0.5
"""Between two looks of a task at whether anybody still wants it."""

AT_WORK: Final = ("executing", "long-running")
"""What Dask calls a task whose result is wanted; one that was given up while it runs is "cancelled"."""


class Cluster:
    """A connection to a scheduler."""

    def __init__(self, address: str) -> None:
        """Raises Unavailable where Dask is not installed or no scheduler answers, InvalidRequest for no address."""
        try:
            from distributed import Client
        except ImportError as error:
            raise Unavailable(
                "Dask distributed is not installed, which --scheduler needs", "pip install 'rnnviz[cluster]'"
            ) from error
        # It logs tracebacks of a lost connection, which the reports say in a sentence.
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        try:
            self._client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except ValueError as error:
            raise InvalidRequest(
                f"--scheduler {printable(address)} is no address", "Give one as tcp://host:8786."
            ) from error
        except OSError as error:
            raise Unavailable(
                f"no Dask scheduler answers at {printable(address)}",
                "Start one (`dask scheduler`) and workers (`dask worker`), and give the address it prints.",
            ) from error

    def close(self) -> None:
        self._client.close()

    def slots(self, resources: Mapping[str, float]) -> int:
        """How many jobs the workers that are there now can train at once."""
        workers: Mapping[str, dict[str, Any]] = self._client.scheduler_info(n_workers=-1)["workers"]
        return sum(
            int(
                min(
                    [worker["nthreads"]]
                    + [worker["resources"].get(name, 0) / count for name, count in resources.items()]
                )
            )
            for worker in workers.values()
        )

    def train(
        self, jobs: Sequence[Job], resources: Mapping[str, float]
    ) -> Generator[Report | None, None, None]:
        """Train the jobs as tasks that each take `resources` of a worker, the first ones first.

        Yields as `train_here` does. Closing the iterator gives the tasks up: each writes a checkpoint and ends.
        """
        topic = f"rnnviz-sweep-{uuid.uuid4()}"
        reports: queue.Queue[Report] = queue.Queue()
        places: dict[str, str] = {}

        def pass_on(event: tuple[float, dict[str, str]]) -> None:
            report, place = Report.from_json(event[1]["report"]), event[1]["worker"]
            before = places.setdefault(report.name, place)
            if before != place:
                places[report.name] = place
                report = replace(report, message=f"{before} is lost; {place} goes on from the checkpoint")
            reports.put(report)

        self._client.subscribe_topic(topic, pass_on)
        left = {job.name for job in jobs}
        futures = []
        try:
            for number, job in enumerate(jobs):
                future = self._client.submit(
                    _train_on_worker,
                    job.to_json(),
                    topic,
                    key=f"{topic}-{job.name}",
                    resources=dict(resources),
                    priority=-number,
                    pure=False,
                )
                futures.append(future)
                future.add_done_callback(lambda done, name=job.name: reports.put(_end(done, name)))
            while left:
                try:
                    report = reports.get(timeout=TICK_SECONDS)
                except queue.Empty:
                    yield None
                    continue
                if report.name in left:  # events may arrive after the result
                    if report.phase in ENDS:
                        left.remove(report.name)
                    yield report
        finally:
            with suppress(OSError):  # the scheduler may be gone
                self._client.cancel([future for future in futures if not future.done()])
                self._client.unsubscribe_topic(topic)


def parse_resources(written: str) -> dict[str, float]:
    """`GPU=1,MEMORY=2e9` as Dask takes it. Raises InvalidRequest for anything else."""
    resources: dict[str, float] = {}
    for item in written.split(","):
        name, _, count = item.partition("=")
        try:
            resources[name.strip()] = float(count)
        except ValueError:
            resources[name.strip()] = 0.0
        if not name.strip() or not 0 < resources[name.strip()] < float("inf"):
            raise InvalidRequest(
                f"--resources {printable(written)} is not NAME=NUMBER", "Give it as --resources GPU=1."
            )
    return resources


def _train_on_worker(written: str, topic: str) -> str:
    """What a Dask worker does with a job; the last report. Both as JSON, which any worker's version can read."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    job = Job.from_json(written)
    if not (job.path.parent / SWEEP_FILE).is_file():
        return Report(
            job.name,
            "failed",
            message=f"the worker {worker.address} does not see {job.path.parent}",
            hint="Give a directory on a disk that all workers share with --out.",
        ).to_json()
    if job.config.threads is None:
        threads = max(1, usable_cores() // worker.state.nthreads)
        job = replace(job, config=replace(job.config, threads=threads))
    trainer = Trainer(job)
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(WANTED_SECONDS):
            task = worker.state.tasks.get(key)
            if task is None or task.state not in AT_WORK:
                trainer.stop()
                return

    threading.Thread(target=watch, daemon=True).start()
    said = 0.0
    last = Report(job.name, "waiting")
    try:
        for report in trainer.reports():
            news = report.phase != last.phase or report.epochs != last.epochs
            last = report
            if report.phase not in ENDS and (news or time.monotonic() - said > REPORT_SECONDS):
                said = time.monotonic()
                worker.log_event(topic, {"report": report.to_json(), "worker": worker.address})
    finally:
        ended.set()
    return last.to_json()


def _end(future: Future[str], name: str) -> Report:
    """The last report of a task that is done, one way or another."""
    if future.status == "finished":
        return Report.from_json(future.result())
    if future.status == "error":
        error = future.exception()
        return Report(
            name,
            "failed",
            message=printable(f"{type(error).__name__}: {error}".split("\n")[0]),
            hint="Every worker needs rnnviz, of this version.",
        )
    return Report(
        name,
        "failed",
        message=f"the scheduler is gone, or gave it up ({future.status})",
        hint="Give the same command again.",
    )
