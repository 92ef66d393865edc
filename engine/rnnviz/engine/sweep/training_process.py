"""A process that trains one run: `python -m rnnviz.engine.sweep.training_process`.

It reads a job, one line of JSON, from its standard input and writes a report, one line of JSON, to its standard
output several times a second; the last one's phase is in ENDS. Its input stays open as long as somebody wants
the run: where it closes, be it on purpose or because that process was killed, the worker writes a checkpoint and
ends. So no trainer outlives the one who asked for it, on any system and however that one ends.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Generator
from contextlib import closing
from typing import Final

from rnnviz.engine.runs.device import resolve
from rnnviz.engine.runs.run import RUN_FILE, Run, load_run
from rnnviz.engine.sweep.job import Job, Report
from rnnviz.engine.sweep.plan import LEFT_BY_A_KILL
from rnnviz.engine.text.text import Text, open_text
from rnnviz.engine.training.train import EpochDone, start_run, train
from rnnviz.store.disk import DirectoryLock
from rnnviz.store.errors import InvalidRequest, InvalidText, RnnvizError

REPORT_SECONDS: Final = 0.25
LOCK_SECONDS: Final = 120.0
"""How long to wait for the one who trained this run before and is just ending: a batch and a checkpoint later on
the same machine, and about 90 s later on a network's disk whose server waits for a machine that is gone."""


def work(job: Job, unwanted: threading.Event) -> Generator[Report, None, None]:
    """Train a job's run from where it is to its end, or until nobody wants it.

    Raises what `start_run` and `train` raise.
    """
    device = resolve(job.config.device, job.config.threads)
    text = open_text(job.text, glob=job.glob, seed=job.config.seed)
    if text.sha256() != job.sha256:
        raise InvalidText(
            f"{text.name} is here not the text of the sweep (its SHA-256 differs)",
            "Let every machine see the same text under the same path.",
        )
    if not _wait_for_others(job, unwanted):
        yield Report(job.name, "stopped")
        return
    run = begun(job, text)
    last = run.history[-1] if run.history else None
    began, first, said = time.monotonic(), -1, 0.0
    report = Report(job.name, "training")
    with closing(train(run.path, text, device=device)) as events:
        for event in events:
            now = time.monotonic()
            if first < 0:
                first, began = event.done, now
            if isinstance(event, EpochDone):
                last = event.epoch
            report = Report(
                job.name,
                "training",
                event.done,
                event.total,
                last.epoch if last else 0,
                last.train if last else None,
                last.validation if last else None,
                (event.done - first) / (now - began) if event.done > first else None,
                os.getpid(),
            )
            if unwanted.is_set():
                break
            if now - said > REPORT_SECONDS or isinstance(event, EpochDone):
                said = now
                yield report
    yield ended(job, report)


def ended(job: Job, last: Report) -> Report:
    """The last report on a job whose process has done what it could."""
    run = load_run(job.path)
    if not run.complete or not run.history:
        return Report(job.name, "stopped", last.done, last.total, last.epochs, last.train, last.validation)
    epoch = run.history[-1]
    return Report(
        job.name, "complete", last.total, last.total, epoch.epoch, epoch.train, epoch.validation, last.rate
    )


def main() -> None:
    job = Job.from_json(sys.stdin.buffer.readline())
    unwanted = threading.Event()
    threading.Thread(target=_watch_input, args=(unwanted,), daemon=True).start()
    try:
        with closing(work(job, unwanted)) as reports:
            for report in reports:
                _say(report)
    except RnnvizError as error:
        _say(Report(job.name, "failed", message=error.message, hint=error.hint))
    except BrokenPipeError:
        # Nobody listens any more. `work` was closed with the last report, and has written its checkpoint.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(report: Report) -> None:
    sys.stdout.write(report.to_json() + "\n")
    sys.stdout.flush()


def _watch_input(unwanted: threading.Event) -> None:
    # Not through sys.stdin, whose lock this thread would still hold when the interpreter ends.
    while os.read(0, 1):
        pass
    unwanted.set()


def _wait_for_others(job: Job, unwanted: threading.Event) -> bool:
    """Wait while another process trains the run. False once nobody wants it any more.

    Raises InvalidRequest where the other does not end.
    """
    until = time.monotonic() + LOCK_SECONDS
    while job.path.is_dir():
        try:
            DirectoryLock(job.path).release()
        except InvalidRequest:
            if time.monotonic() > until:
                raise
            if unwanted.wait(REPORT_SECONDS):
                return False
        else:
            break
    return True


def begun(job: Job, text: Text) -> Run:
    """The job's run, started if it was not. Raises as `start_run` does."""
    if (job.path / RUN_FILE).is_file():
        return load_run(job.path)
    (job.path / LEFT_BY_A_KILL).unlink(missing_ok=True)
    return start_run(
        job.path, text, job.config, command=job.command, spec=job.spec, glob=job.glob, force=False
    )


if __name__ == "__main__":
    main()
