"""In which order the jobs of a sweep are trained, and how long that will take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rnnviz.engine.runs.device import DeviceName
from rnnviz.engine.runs.run import RunConfig
from rnnviz.engine.sweep.job import ENDS, Job, Phase, Report
from rnnviz.engine.sweep.plan import Entry, Sweep, lost_weights
from rnnviz.engine.text.split import Split
from rnnviz.engine.text.text import STANDARD_LIBRARY


def jobs_of(
    sweep: Sweep,
    entries: Iterable[Entry],
    text: str,
    *,
    device: DeviceName,
    threads: int | Mapping[str, int],
    command: Callable[[str, RunConfig], str],
) -> tuple[list[Job], list[Report]]:
    """The jobs that are left of some entries, longest first, and where every entry is; one whose weights are
    gone has failed.

    `text` is what `open_text` takes on this machine; `command` makes the command line of a run from its directory's
    name and its config. `threads` are those of every run, or of each by its name; a run that was begun keeps its own,
    so that it ends in the same bits. Longest first, because a long job begun last leaves the other processors idle.
    """
    spec = text if text == STANDARD_LIBRARY else str(Path(text).resolve())
    waiting: dict[str, tuple[float, Job]] = {}
    reports: dict[str, Report] = {}
    total = total_symbols(sweep.text.length, sweep.protocol.split, sweep.protocol.epochs)
    for entry in entries:
        run = sweep.run(entry)
        history = run.history if run else ()
        last = history[-1] if history else None
        done = total * len(history) // sweep.protocol.epochs
        lost = lost_weights(run) if run else ""
        phase: Phase = "failed" if lost else "complete" if run and run.complete else "waiting"
        reports[entry.name] = Report(
            entry.name,
            phase,
            done,
            total,
            len(history),
            last.train if last else None,
            last.validation if last else None,
            message=lost,
        )
        if run and run.complete:
            continue
        kept = run.config.threads if run else None
        wished = threads if isinstance(threads, int) else threads[entry.name]
        config = replace(sweep.config(entry), device=device, threads=kept or wished)
        job = Job(
            path=(sweep.path / entry.name).resolve(),
            text=spec,
            sha256=sweep.text.sha256,
            spec=sweep.text.spec,
            glob=sweep.text.glob,
            config=config,
            command=command(entry.name, config),
        )
        waiting[entry.name] = ((total - done) * entry.model.parameters, job)
    ordered = sorted(waiting.values(), key=lambda pair: pair[0], reverse=True)
    return [job for _, job in ordered], list(reports.values())


def total_symbols(text_length: int, split: Split, epochs: int) -> int:
    """How many symbols are read in all epochs of a run, as its progress counts them."""
    return split.columns(text_length)["train"] * split.streams * split.unroll * epochs


class Forecast:
    """How long a sweep will take still, from the rates of the runs that are or were at work.

    A run that has no rate yet is taken to need time in proportion to its parameters, as those that have one.
    """

    def __init__(
        self,
        parameters: Mapping[str, int],
        reports: Sequence[Report],
        places: int,
        taken: Mapping[str, int] | None = None,
    ) -> None:
        """`parameters` of every job by name. Each takes one of the `places` while it is at work, or so many as `taken`
        says."""
        self._parameters = parameters
        self._reports = {report.name: report for report in reports}
        self._rates: dict[str, float] = {}
        self._places = places
        self._taken = taken or dict.fromkeys(parameters, 1)

    def note(self, report: Report) -> None:
        self._reports[report.name] = report
        if report.rate:
            self._rates[report.name] = report.rate

    def seconds_left(self) -> float | None:
        """None as long as no rate is known."""
        if not self._rates:
            return None
        taken, parameters = self._taken, self._parameters
        per_parameter = sum(taken[name] / rate / parameters[name] for name, rate in self._rates.items())
        per_parameter /= len(self._rates)
        left = {
            name: (report.total - report.done)
            * (
                1 / self._rates[name]
                if name in self._rates
                else per_parameter * parameters[name] / taken[name]
            )
            for name, report in self._reports.items()
            if report.phase not in ENDS
        }
        together = sum(seconds * taken[name] for name, seconds in left.items())
        return max(together / self._places, *left.values()) if left else 0.0

    def rate(self) -> float:
        """Symbols a second of all runs at work."""
        return sum(
            report.rate for report in self._reports.values() if report.rate and report.phase == "training"
        )
