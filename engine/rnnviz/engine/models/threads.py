"""Threads that compute side by side, each with PyTorch operations of one thread.

PyTorch can lend several threads to one operation, but a step of a recurrent layer is too small for that: the
threads wait for each other after every product, by spinning, and on a machine that has anything else to do they
wait for long. Streams do not depend on each other. So each thread gets streams of its own: two threads read 1.65
times (1×64) to 2 times (3×241) what one reads, and lose nothing under load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from queue import SimpleQueue
from threading import Event
from types import TracebackType
from typing import Final, Self, TypeVar

import torch

FEWEST_STREAMS: Final = 4
"""A thread with fewer streams than this spends its time on Python."""

Share = TypeVar("Share")
Found = TypeVar("Found")


class Threads:
    """As many threads as PyTorch has for the CPU. A context manager: within it PyTorch's own number is one."""

    def __init__(self) -> None:
        self._before = torch.get_num_threads()
        self._pool = ThreadPoolExecutor(self._before, "rnnviz-threads", torch.set_num_threads, (1,))

    def __len__(self) -> int:
        return self._before

    def __enter__(self) -> Self:
        torch.set_num_threads(1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True)
        torch.set_num_threads(self._before)

    def for_streams(self, streams: int) -> int:
        """How many threads are to share so many streams, at least one."""
        return max(1, min(self._before, streams // FEWEST_STREAMS))

    def map(self, work: Callable[[Share], Found], shares: Iterable[Share]) -> list[Found]:
        """What `work` makes of each share, in order. Raises what it raises."""
        return list(self._pool.map(work, shares))

    def together(self, shares: Sequence[Iterator[int]]) -> Iterator[int]:
        """Go through the iterators, each in a thread of its own, and yield what they yield, as it comes.

        Raises what one of them raises. Closed early, it stops all of them at their next number.
        """
        numbers: SimpleQueue[int | None] = SimpleQueue()
        stopped = Event()

        def go_through(share: Iterator[int]) -> None:
            try:
                for number in share:
                    numbers.put(number)
                    if stopped.is_set():
                        return
            finally:
                numbers.put(None)

        running = [self._pool.submit(go_through, share) for share in shares]
        try:
            left = len(running)
            while left:
                number = numbers.get()
                if number is None:
                    left -= 1
                else:
                    yield number
        finally:
            stopped.set()
            wait(running)
        for share in running:
            share.result()
