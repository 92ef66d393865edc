"""Ctrl-C and `kill` as requests to stop at the next good moment."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import typer

from rnnviz.tui.command_line.message import say_note
from rnnviz.tui.command_line.next_command import say_next

if TYPE_CHECKING:
    from rnnviz.tui.command_line.progress_bar import Event


def run_to_end(
    description: str, events: Generator[Event, None, None], again: Callable[[], Sequence[str]]
) -> None:
    """Run a computation while showing its progress, or to a signal that asks for an end: then it is closed, stderr
    says that the command line whose words `again` gives goes on, and typer.Exit is raised."""
    from rnnviz.tui.command_line.progress_bar import watch

    with stop_requests() as requests, closing(events), closing(watch(description, events)) as shown:
        for _ in shown:
            if requests:
                break
    if requests:
        say_note("rnnviz: stopped")
        say_next(again())
        raise typer.Exit(128 + requests[0])


@contextmanager
def stop_requests() -> Iterator[list[int]]:
    """The signals that asked for an end since, for a loop to look at between two steps.

    An exception would come at any moment, and be lost where Python has no place for it (inside a destructor).
    The second signal of a kind acts at once, for those who cannot wait.
    """
    requests: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, _: FrameType | None) -> None:
        requests.append(number)
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, note)
    try:
        yield requests
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
