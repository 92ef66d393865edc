"""The jobs of a sweep on the workers of a Dask scheduler, which may be many machines.

Each job is a task, whose thread in the Dask worker watches over a trainer process as `local` does. Runs come back
through their directories, where the sweep's directory and the text are on a disk that all workers share, or else
through the scheduler (`parcel`). Where a worker is lost, Dask gives its task to another one, which goes on from the
run's last checkpoint: one is written after every epoch and about once a minute.
"""

from __future__ import annotations

import logging
import math
import queue
import time
import uuid
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rnnviz.engine.sweep.dask_files import GREATEST_PARCEL, TEXT, Shelf, pack, unpack
from rnnviz.engine.sweep.dask_task import STOP, train_on_worker
from rnnviz.engine.sweep.job import ENDS, Job, Report
from rnnviz.engine.sweep.local import TICK_SECONDS
from rnnviz.engine.sweep.training_process import begun
from rnnviz.engine.text.text import Text, printable
from rnnviz.engine.training.train import BYTES_PER_PARAMETER
from rnnviz.store.errors import InvalidRequest, Unavailable

if TYPE_CHECKING:
    from distributed import Future

THREADS: Final = 1
"""CPU threads of a run, where none are asked for: nobody knows how many Dask workers share a machine's cores."""

CONNECT_SECONDS: Final = 10

FETCH_SECONDS: Final = 60.0
"""Between two looks at a run that goes through the scheduler, so that a sweep that is killed has not lost it all."""

STOP_SECONDS: Final = 60.0
"""For the workers to write their last checkpoints and to send them; after that, what they sent before is kept."""


class Cluster:
    """A connection to a scheduler."""

    def __init__(self, address: str) -> None:
        """Raises Unavailable where Dask is not installed or no scheduler answers, InvalidRequest for no address."""
        try:
            from distributed import Client
            from distributed.comm.addressing import parse_address, parse_host_port
            from distributed.comm.registry import get_backend
        except ImportError as error:
            raise Unavailable(
                "Dask distributed is not installed, which --scheduler needs",
                "Install it: pip install distributed",
            ) from error
        # It logs tracebacks of a lost connection, which the reports say in a sentence.
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        # Before there is a client: one that got no address takes 20 s to end, and prints a traceback when it does.
        try:
            get_backend(parse_address(address)[0])
            parse_host_port(address)
        except ValueError as error:
            raise InvalidRequest(
                f"--scheduler {printable(address)} is no address", "Give one as tcp://host:8786."
            ) from error
        try:
            self._client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
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
        self, jobs: Sequence[Job], resources: Mapping[str, float], unshared: Text | None = None
    ) -> Generator[Report | None, None, None]:
        """Train the jobs as tasks that each take `resources` of a worker, the first ones first.

        `unshared` is the text where the workers see neither it nor the sweep's directory: it and the runs then go
        through the scheduler. Yields as `train_here` does. Closing the iterator gives the tasks up: each writes a
        checkpoint and ends. What goes through the scheduler comes back with that checkpoint, or as it was last sent
        where that takes longer than STOP_SECONDS. Raises InvalidRequest where something is too large for the
        scheduler.
        """
        topic = f"rnnviz-sweep-{uuid.uuid4()}"
        shelf = Shelf(topic, self._client)
        fetched = {job.name: time.monotonic() for job in jobs}
        paths = {job.name: job.path for job in jobs}
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
        left: set[str] = set()
        futures: dict[str, Future[str]] = {}
        try:
            if unshared is not None:
                _send(shelf, jobs, unshared)
            left = set(paths)
            for number, job in enumerate(jobs):
                future = self._client.submit(
                    train_on_worker,
                    job.to_json(),
                    topic,
                    unshared is not None,
                    key=f"{topic}-{job.name}",
                    resources=dict(resources),
                    priority=-number,
                    pure=False,
                )
                futures[job.name] = future
                future.add_done_callback(lambda done, name=job.name: reports.put(_end(done, name)))
            while left:
                try:
                    report = reports.get(timeout=TICK_SECONDS)
                except queue.Empty:
                    yield None
                    continue
                if report.name in left:  # events may arrive after the result
                    due = time.monotonic() > fetched[report.name] + FETCH_SECONDS
                    if unshared is not None and (due or report.phase in ENDS):
                        fetched[report.name] = time.monotonic()
                        report = _fetch(shelf, report, paths[report.name])
                    if report.phase in ENDS:
                        left.remove(report.name)
                    yield report
        finally:
            # The scheduler may be gone, and a disk full: each step by itself, so that the others are taken.
            if unshared is not None:
                with suppress(OSError):
                    self._finish(topic, {name: futures[name] for name in left & places.keys()})
            with suppress(OSError):
                self._client.cancel([future for future in futures.values() if not future.done()])
            with suppress(OSError, ValueError):
                self._client.unsubscribe_topic(topic)
            if unshared is not None:
                for name in left:
                    with suppress(OSError, InvalidRequest):
                        unpack(shelf.get(name), paths[name])
                shelf.clear([TEXT, *paths])

    def _finish(self, topic: str, futures: Mapping[str, Future[str]]) -> None:
        """Tell the workers of runs to end them, and wait until they have sent them."""
        for name in futures:
            self._client.log_event(f"{topic}{STOP}{name}", {})
        until = time.monotonic() + STOP_SECONDS
        while time.monotonic() < until and not all(future.done() for future in futures.values()):
            time.sleep(TICK_SECONDS)


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


def _send(shelf: Shelf, jobs: Sequence[Job], text: Text) -> None:
    """Begin what is not begun yet, and put it and the text on the shelf."""
    largest = max(
        (sum(math.prod(shape) for shape in begun(job, text).parameter_shapes().values()) for job in jobs),
        default=0,
    )
    if max(text.length, largest * BYTES_PER_PARAMETER) > GREATEST_PARCEL:
        raise InvalidRequest(
            f"the text or a run is larger than {GREATEST_PARCEL >> 20} MB, which may go through a scheduler",
            "Put the text and --out on a disk that all workers share, and leave --unshared out.",
        )
    shelf.put(TEXT, {TEXT: text.read(0, text.length).tobytes()})
    for job in jobs:
        shelf.put(job.name, pack(job.path))


def _fetch(shelf: Shelf, report: Report, path: Path) -> Report:
    """Bring a run back to where it belongs. The report, which says so where that failed."""
    try:
        unpack(shelf.get(report.name), path)
    except (OSError, InvalidRequest) as error:
        if report.phase == "complete":
            reason = printable(str(error))
            return replace(report, phase="failed", message=f"its run did not come back: {reason}")
    return report


def _end(future: Future[str], name: str) -> Report:
    """The last report of a task that is done, one way or another."""
    if future.status == "finished":
        try:
            return Report.from_json(future.result())
        except (OSError, ValueError, TypeError) as failure:
            return Report(
                name,
                "failed",
                message=f"what its worker said at its end is lost: {printable(str(failure))}",
                hint="Every worker needs rnnviz, of this version.",
            )
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
