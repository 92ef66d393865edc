"""A run trained in a process of its own, seen from the process that wants it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import IO, Final

from rnnviz.engine.sweep.job import ENDS, Job, Report
from rnnviz.engine.text.text import printable

ATTEMPTS: Final = 2
"""Processes that a run gets, however far each one comes: one that ends without a word, because it crashed or was killed
(by the system short of memory, or by a person), is followed by one more. A failure that a process tells of is the
end. Where a Dask worker is lost, the one that takes over counts anew."""


class Trainer:
    """Trains one job in a fresh interpreter. `stop` and `kill` may be called from any thread, at any time.

    A process of its own, because PyTorch's thread count and its random generator are one for a process; not
    forked, because neither threads nor CUDA live through that.
    """

    def __init__(self, job: Job, environment: Mapping[str, str] | None = None) -> None:
        """`environment` is what the process gets beside this one's."""
        self.job = job
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._unwanted = False

    def reports(self) -> Iterator[Report]:
        """Reports as they come, the last one with a phase of ENDS. A killed process goes on from its checkpoint."""
        last = Report(self.job.name, "waiting")
        try:
            for report in self._attempts():
                last = report
                yield report
        # No process or no temporary file to be had; a line that is no report, as another version's.
        except (OSError, ValueError, TypeError) as error:
            self.kill()
            yield replace(
                last,
                phase="failed",
                rate=None,
                message=f"its process cannot be started or understood: {printable(str(error))}",
                hint="See that this machine has memory and disk left, then give the same command again.",
            )

    def _attempts(self) -> Iterator[Report]:
        last = Report(self.job.name, "waiting")
        for attempt in range(1, ATTEMPTS + 1):
            with tempfile.TemporaryFile() as complaints:
                process = self._start(complaints)
                if process is None:
                    break
                with process:
                    for report in _read(process):
                        last = report
                        yield report
                if last.phase in ENDS:
                    return
                reason = _reason(process.returncode, complaints)
            if self._unwanted:
                break
            if attempt < ATTEMPTS:
                last = replace(
                    last, phase="waiting", rate=None, message=f"{reason}; it goes on from its checkpoint"
                )
                yield last
            else:
                yield replace(
                    last,
                    phase="failed",
                    rate=None,
                    message=f"{reason}, twice",
                    hint="Where memory ran out, train fewer at once: --jobs. Then give the same command again.",
                )
                return
        yield replace(last, phase="stopped", rate=None, message="")

    def stop(self) -> None:
        """Ask for the end: the process writes a checkpoint after its mini-batch, and ends."""
        with self._lock:
            self._unwanted = True
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()

    def kill(self) -> None:
        """End the process at once. What it had written down stays."""
        self.stop()
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def _start(self, complaints: IO[bytes]) -> subprocess.Popen[bytes] | None:
        """A process that has got its job; None where that is not wanted any more."""
        threads = self.job.config.threads
        limits = {} if threads is None else {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        with self._lock:
            if self._unwanted:
                return None
            process = subprocess.Popen(
                [sys.executable, "-m", "rnnviz.engine.sweep.training_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=os.environ | limits | self._environment,
                # The terminal's Ctrl-C is for the one who asked: that one ends the process as it should end.
                process_group=0,
            )
            self._process = process
            assert process.stdin is not None
            with suppress(BrokenPipeError):  # then it is gone already, which its exit status tells
                os.write(process.stdin.fileno(), self.job.to_json().encode() + b"\n")
            return process


def _read(process: subprocess.Popen[bytes]) -> Iterator[Report]:
    assert process.stdout is not None
    for line in process.stdout:
        if line.endswith(b"\n"):  # or it was killed in the middle of it
            yield Report.from_json(line)


def _reason(code: int, complaints: IO[bytes]) -> str:
    """Why a process ended that did not say so itself."""
    if code < 0:
        return f"its process was ended by {signal.Signals(-code).name}"
    complaints.seek(0)
    lines = complaints.read().decode(errors="replace").split("\n")
    said = next((printable(line.strip()) for line in reversed(lines) if line.strip()), "")
    return f"its process ended with exit code {code}" + (f" ({said})" if said else "")
