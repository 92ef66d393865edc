"""Shows on stderr how far a long computation has come, so that stdout holds nothing but results."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from rich.console import Console, RenderableType
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

PLAIN_SECONDS = 10.0
"""Between two lines where there is no terminal to redraw on."""

REDRAWS_PER_SECOND = 4


class Event(Protocol):
    """What `rnnviz.engine.progress.Progress` is. The engine itself is loaded only by commands that compute."""

    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def detail(self) -> str: ...


AnyEvent = TypeVar("AnyEvent", bound=Event)


def show(description: str, events: Iterable[Event]) -> None:
    """Run a computation to its end while showing its progress."""
    for _ in watch(description, events):
        pass


def watch(description: str, events: Iterable[AnyEvent]) -> Generator[AnyEvent, None, None]:
    """The same events, shown as they pass. Lines printed meanwhile appear above the bar."""
    console = Console(stderr=True)
    display = _bar(description, console) if console.is_terminal else _lines(description)
    with display as update:
        for event in events:
            update(event)
            yield event


def compact(count: float) -> str:
    """A count in three figures and a suffix: 950, 12.3K, 4.56M."""
    for suffix, unit in (("G", 1e9), ("M", 1e6), ("K", 1e3)):
        if count >= 0.9995 * unit:
            scaled = count / unit
            return f"{scaled:.0f}{suffix}" if scaled >= 99.95 else f"{scaled:.3g}{suffix}"
    return f"{count:.0f}"


def duration(seconds: float) -> str:
    """A time as 1:02:03, or 2:03 below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class _Symbols(ProgressColumn):
    """Done of total symbols and the rate, as `1.2M/33M symbols · 210K/s`."""

    def render(self, task: Task) -> Text:
        rate = f" · {compact(task.speed)}/s" if task.speed else ""
        return Text(f"{compact(task.completed)}/{compact(task.total or 0)} symbols{rate}")


class _DetailedBar(Bar):
    """A bar with a line of detail below it."""

    detail = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self.detail:
            yield Text(self.detail, style="dim", no_wrap=True, overflow="ellipsis")


@contextmanager
def _bar(description: str, console: Console) -> Iterator[Callable[[Event], None]]:
    bar = _DetailedBar(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        _Symbols(),
        TimeRemainingColumn(compact=True),
        console=console,
        expand=True,
        transient=True,
        refresh_per_second=REDRAWS_PER_SECOND,
        # Redirected, what is printed on stdout goes through the bar's console; only right on one screen.
        redirect_stdout=sys.stdout.isatty(),
    )
    with bar:
        task = None

        def update(event: Event) -> None:
            nonlocal task
            if task is None:
                # Work that an earlier process did must not count as speed.
                task = bar.add_task(description, total=event.total, completed=event.done)
            bar.detail = event.detail
            bar.update(task, total=event.total, completed=event.done)

        yield update


@contextmanager
def _lines(description: str) -> Iterator[Callable[[Event], None]]:
    """A line now and then, for logs and pipes."""
    began = said = time.monotonic()
    first: int | None = None

    def update(event: Event) -> None:
        nonlocal said, first
        now = time.monotonic()
        if first is None:
            first = event.done
        if now - said < PLAIN_SECONDS:
            return
        said = now
        rate = (event.done - first) / (now - began)
        left = f" · {duration((event.total - event.done) / rate)} left" if rate else ""
        share = 100 * event.done / event.total if event.total else 100
        words = f"{description} {share:.0f} % · {compact(rate)} symbols/s{left}"
        print(" · ".join(filter(None, (words, event.detail))), file=sys.stderr, flush=True)  # noqa: T201

    yield update
