"""How far a long computation has come. The engine yields this; it never prints."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True)
class Progress:
    """`done` of `total` symbols are behind us; `detail` says in a few words what is going on."""

    done: int
    total: int
    detail: str = ""


class Computation(Generic[Result]):
    """Iterates over the progress of a computation and keeps what it returns.

    measuring = Computation(evaluate(…))
    for progress in measuring: …
    measuring.result
    """

    result: Result
    """There once the iteration has ended."""

    def __init__(self, events: Generator[Progress, None, Result]) -> None:
        self._events = events

    def __iter__(self) -> Iterator[Progress]:
        self.result = yield from self._events
