"""What a Dask worker does with a job of a sweep: it watches over a trainer, and tells the sweep how that gets on."""

from __future__ import annotations

import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rnnviz.engine.runs.run import CHECKPOINT_FILE
from rnnviz.engine.sweep.dask_files import TEXT, Shelf, pack, unpack
from rnnviz.engine.sweep.job import ENDS, Job, Report
from rnnviz.engine.sweep.plan import SWEEP_FILE
from rnnviz.engine.sweep.trainer import Trainer

if TYPE_CHECKING:
    from distributed import Worker

REPORT_SECONDS: Final = 1.0
"""Between two reports of a run at work: the scheduler passes them on, and keeps the latest ones in memory."""

WANTED_SECONDS: Final = 0.5
"""Between two looks of a task at whether anybody still wants it."""

SENDING_SHARE: Final = 20
"""A new checkpoint is sent once training has gone on for so many times what sending took."""

STOP: Final = "-stop-"
"""Stands between a sweep's topic and a run's name in the topic that tells the run's worker to end it."""

AT_WORK: Final = ("executing", "long-running")
"""What Dask calls a task whose result is wanted; one that was given up while it runs is "cancelled"."""


def train_on_worker(written: str, topic: str, unshared: bool) -> str:
    """What a Dask worker does with a job; the last report. Both as JSON, which any worker's version can read."""
    from distributed import get_client, get_worker

    worker = get_worker()
    job = Job.from_json(written)
    if not unshared:
        return _train(job, worker, topic, None)
    shelf = Shelf(topic, get_client())
    # A place of its own for each attempt: an earlier one that was given up may still be ending here.
    with tempfile.TemporaryDirectory(dir=worker.local_directory) as place:
        text = Path(place, TEXT)
        text.write_bytes(shelf.get(TEXT)[TEXT])
        job = replace(job, path=Path(place, job.name), text=str(text))
        unpack(shelf.get(job.name), job.path)
        return _train(job, worker, topic, shelf)


def _train(job: Job, worker: Worker, topic: str, shelf: Shelf | None) -> str:
    """Train a job on a disk that this worker sees; its run goes to the shelf, if there is one, as it gets on."""
    from distributed import get_client

    key = worker.get_current_task()
    if shelf is None and not (job.path.parent / SWEEP_FILE).is_file():
        return Report(
            job.name,
            "failed",
            message=f"the worker {worker.address} does not see {job.path.parent}",
            hint="Give a directory on a disk that all workers share with --out, or add --unshared.",
        ).to_json()
    trainer = Trainer(job)
    stopping = f"{topic}{STOP}{job.name}"
    ended = threading.Event()

    def wanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state in AT_WORK

    def watch() -> None:
        while not ended.wait(WANTED_SECONDS):
            if not wanted():
                trainer.stop()
                return

    def stop(_: tuple[float, dict[str, str]]) -> None:
        trainer.stop()

    threading.Thread(target=watch, daemon=True).start()
    if shelf is not None:
        get_client().subscribe_topic(stopping, stop)
    said = due = 0.0
    sent = _saved(job.path)
    last = Report(job.name, "waiting")
    try:
        for report in trainer.reports():
            news = report.phase != last.phase or report.epochs != last.epochs
            last = report
            if report.phase not in ENDS and (news or time.monotonic() - said > REPORT_SECONDS):
                said = time.monotonic()
                worker.log_event(topic, {"report": report.to_json(), "worker": worker.address})
            saved = _saved(job.path)
            send = report.phase in ENDS or (saved != sent and time.monotonic() > due)
            if shelf is not None and send and wanted():  # the sweep clears its shelf when it ends
                began, sent = time.monotonic(), saved
                shelf.put(job.name, pack(job.path))
                due = time.monotonic() + SENDING_SHARE * (time.monotonic() - began)
    finally:
        ended.set()
        if shelf is not None:
            get_client().unsubscribe_topic(stopping)
    return last.to_json()


def _saved(run: Path) -> int | None:
    """When a run's checkpoint was written, as the disk counts it; None where there is none."""
    try:
        return (run / CHECKPOINT_FILE).stat().st_mtime_ns
    except OSError:
        return None
