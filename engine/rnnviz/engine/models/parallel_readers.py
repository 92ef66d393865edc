"""Readers of a model: each reads streams of its own, on a thread of its own (see `threads`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Protocol, Self

import torch
from torch import Tensor

from rnnviz.engine.models.layer_weights import State
from rnnviz.engine.models.recurrent import MOST_ONE_HOT, RecurrentModel
from rnnviz.engine.models.step_reader import Steps
from rnnviz.engine.models.threads import Threads


class Reader(Protocol):
    """Reads windows with one model. See `Steps`."""

    @property
    def quick_alone(self) -> bool: ...

    def layers(self, symbols: Tensor, state: State) -> tuple[list[dict[str, Tensor]], State]: ...

    def state_after(self, symbols: Tensor, state: State) -> State: ...


class FusedReader:
    """Reads on a GPU, where a step is launch latency and only the fused kernels are fast. They take one-hot vectors."""

    quick_alone = False

    def __init__(self, model: RecurrentModel) -> None:
        self._model = model

    def layers(self, symbols: Tensor, state: State) -> tuple[list[dict[str, Tensor]], State]:
        layers, _, after = self._model.signals(symbols, state)
        return layers, after

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
        self._threads = Threads()
        self._all: list[Reader]
        on_gpu = self.device.type == "cuda"
        if on_gpu and model.symbols <= MOST_ONE_HOT:
            self._all = [FusedReader(model)]
        else:
            first = Steps(model)
            self._all = [first, *(first.twin() for _ in range(0 if on_gpu else len(self._threads) - 1))]

    def __len__(self) -> int:
        return len(self._all)

    def __enter__(self) -> Self:
        self._threads.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.__exit__(kind, error, trace)

    @property
    def quick_alone(self) -> bool:
        return self._all[0].quick_alone

    def among(self, streams: int) -> list[Reader]:
        """The readers to share so many streams, at least one. With n readers, reader k takes the
        streams k, k + n, k + 2n…"""
        return self._all[: self._threads.for_streams(streams)]

    def together(self, shares: Sequence[Iterator[int]]) -> Iterator[int]:
        """Go through the iterators, one of each reader, and yield what they yield: see `Threads.together`."""
        return self._threads.together(shares)
