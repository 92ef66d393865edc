"""Shows on stderr how a sweep is getting on: a live table on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rnnviz.tui.command_line.progress_bar import PLAIN_SECONDS, REDRAWS_PER_SECOND, compact, duration

FRAME_LINES = 4
"""Of the table that are no models: its head, a rule, the sum, and the cursor's line."""


class Report(Protocol):
    """What `rnnviz.engine.sweep.job.Report` is."""

    @property
    def name(self) -> str: ...
    @property
    def phase(self) -> str: ...
    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def epochs(self) -> int: ...
    @property
    def train(self) -> float | None: ...
    @property
    def validation(self) -> float | None: ...
    @property
    def rate(self) -> float | None: ...
    @property
    def message(self) -> str: ...


class Forecast(Protocol):
    """What `rnnviz.engine.sweep.schedule.Forecast` is."""

    def seconds_left(self) -> float | None: ...
    def rate(self) -> float: ...


class SweepState:
    """The last report of every run."""

    def __init__(
        self, reports: Sequence[Report], parameters: Mapping[str, int], epochs: int, forecast: Forecast
    ) -> None:
        """`parameters` by the run's name."""
        self.reports = {report.name: report for report in reports}
        self.parameters = parameters
        self.epochs = epochs
        self.forecast = forecast

    def note(self, report: Report) -> None:
        self.reports[report.name] = report

    def summary(self) -> str:
        """One line about the whole: `9 of 33 runs · 2 at work · 12.3K symbols/s · 1:02:03 left`."""
        phases = [report.phase for report in self.reports.values()]
        words = [f"{phases.count('complete')} of {len(phases)} runs"]
        if failed := phases.count("failed"):
            words.append(f"{failed} failed")
        words.append(f"{phases.count('training')} at work")
        if rate := self.forecast.rate():
            words.append(f"{compact(rate)} symbols/s")
        left = self.forecast.seconds_left()
        words.append(f"{duration(left)} left" if left is not None else "time left not known yet")
        return " · ".join(words)

    def share(self) -> float:
        """How much of all symbols of all runs is read, of 1, each run weighed by its parameters."""
        reports = self.reports.values()
        whole = sum(report.total * self.parameters[report.name] for report in reports)
        done = sum(
            (report.total if report.phase == "complete" else report.done) * self.parameters[report.name]
            for report in reports
        )
        return done / whole if whole else 1.0

    def table(self, rows: int) -> RenderableType:
        """The runs at work, at most `rows` of them, and the summary."""
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, expand=False)
        table.add_column("model", no_wrap=True, overflow="ellipsis")
        for head in ("parameters", "epoch", "train", "validation", "symbols/s", "left"):
            table.add_column(head, justify="right", no_wrap=True)
        working = [report for report in self.reports.values() if report.phase == "training"]
        for report in working[:rows]:
            table.add_row(*self._cells(report))
        more = len(working) - rows
        summary = f"{self.share():.0%} · {self.summary()}"
        return Group(table, Text(f"and {more} more · {summary}" if more > 0 else summary, style="bold"))

    def _cells(self, report: Report) -> list[str]:
        left = duration((report.total - report.done) / report.rate) if report.rate else ""
        return [
            report.name,
            compact(self.parameters[report.name]),
            f"{min(report.epochs + 1, self.epochs)}/{self.epochs}",
            "" if report.train is None else f"{report.train:.4f}",
            "" if report.validation is None else f"{report.validation:.4f}",
            compact(report.rate) if report.rate else "",
            left,
        ]


Update = Callable[[Report | None, str], None]
"""Takes a report, or None after a silence, and a line to be kept, or an empty one."""


@contextmanager
def sweep_display(state: SweepState) -> Iterator[Update]:
    """Shows the state while it changes; reports are noted in it on the way."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(state)
        return
    # Drawn from this thread alone: the state never changes under the drawing.
    with Live(
        console=console, auto_refresh=False, transient=True, redirect_stdout=sys.stdout.isatty()
    ) as live:
        drawn = 0.0

        def update(report: Report | None, line: str) -> None:
            nonlocal drawn
            if report is not None:
                state.note(report)
            if line:
                live.console.print(Text(line))
            if line or time.monotonic() - drawn > 1 / REDRAWS_PER_SECOND:
                drawn = time.monotonic()
                live.update(state.table(max(1, console.height - FRAME_LINES)), refresh=True)

        yield update


def _lines(state: SweepState) -> Update:
    said = time.monotonic()

    def update(report: Report | None, line: str) -> None:
        nonlocal said
        if report is not None:
            state.note(report)
        if line:
            print(line, file=sys.stderr, flush=True)  # noqa: T201
        if time.monotonic() - said > PLAIN_SECONDS:
            said = time.monotonic()
            print(f"sweep {state.share():.0%} · {state.summary()}", file=sys.stderr, flush=True)  # noqa: T201

    return update
