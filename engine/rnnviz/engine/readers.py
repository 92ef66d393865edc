"""Readers: threads that read shares of the streams, each at its own pace.

PyTorch can lend several threads to one operation, but a step of a recurrent layer is too small for that: the
threads wait for each other after every product, by spinning, and on a machine that has anything else to do they
wait for long. Streams do not depend on each other. So each thread reads streams of its own with operations of
one thread: two threads read 1.65 times (1×64) to 2 times (3×241) what one reads, and lose nothing under load.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from queue import SimpleQueue
from threading import Event
from types import TracebackType
from typing import Final, Protocol, Self

import torch
from torch import Tensor

from rnnviz.engine.model import MOST_ONE_HOT, RecurrentModel, State
from rnnviz.engine.steps import Steps

FEWEST_STREAMS: Final = 4
"""A thread with fewer streams than this spends its time on Python."""


class Reader(Protocol):
    """Reads windows with one model. See `Steps`."""

    def signals(self, symbols: Tensor, state: State) -> tuple[list[dict[str, Tensor]], Tensor, State]: ...

    def state_after(self, symbols: Tensor, state: State) -> State: ...


class FusedReader:
    """Reads on a GPU, where a step is launch latency and only the fused kernels are fast. They take one-hot vectors."""

    def __init__(self, model: RecurrentModel) -> None:
        self._model = model

    def signals(self, symbols: Tensor, state: State) -> tuple[list[dict[str, Tensor]], Tensor, State]:
        return self._model.signals(symbols, state)

    @torch.inference_mode()
    def state_after(self, symbols: Tensor, state: State) -> State:
        after: State = self._model(symbols, state)[1]
        return after


class Readers:
    """The readers of a model, one for each of PyTorch's CPU threads, or one on a GPU.

    A context manager: within it PyTorch's own number of threads is one.
    """

    def __init__(self, model: RecurrentModel) -> None:
        self.model = model
        self.device = model.decoder.weight.device
        self._threads = torch.get_num_threads()
        self._all: list[Reader]
        on_gpu = self.device.type == "cuda"
        if on_gpu and model.symbols <= MOST_ONE_HOT:
            self._all = [FusedReader(model)]
        else:
            first = Steps(model)
            self._all = [first, *(first.twin() for _ in range(0 if on_gpu else self._threads - 1))]
        self._pool = ThreadPoolExecutor(len(self._all), "rnnviz-reader", torch.set_num_threads, (1,))

    def __len__(self) -> int:
        return len(self._all)

    def __enter__(self) -> Self:
        torch.set_num_threads(1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True)
        torch.set_num_threads(self._threads)

    def among(self, streams: int) -> list[Reader]:
        """The readers to share so many streams, at least one. Reader k takes stream k and every so manieth after it."""
        return self._all[: max(1, min(len(self._all), streams // FEWEST_STREAMS))]

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
