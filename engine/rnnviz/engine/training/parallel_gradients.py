"""Gradients of a mini-batch, computed by shares of its streams.

Shares of the streams go forwards and backwards in threads of their own, each with operations of one thread (see
`threads`), and their gradients are added up in order. 100 streams in shares of 25 train 1.4 times (1×128) and 1.2 times
(3×241) as fast on two cores as with PyTorch's two threads, and several times as fast on a machine that has other work.

Few streams (those of a small text) are two shares from FEW_STREAMS on, and one below. Steps as small as theirs are
computed by one thread a share: on two cores that 14 processes wanted, 24 streams of a 1×128 trained 37,000 symbols/s by
one thread and 9,500 by PyTorch's two, which wait for each other at every operation.

The shares are the same on any number of threads, and so are the weights that come of them, as long as there are not
more threads than shares.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from types import TracebackType
from typing import Final, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from rnnviz.engine.models.layer_weights import State
from rnnviz.engine.models.window_network import Predictor, WindowNetwork

STREAMS: Final = 25
"""Streams in a share: fewer are not enough for an efficient product, more are too much for a cache."""
FEW_STREAMS: Final = 20
"""From so many on there are two shares: of 10 streams, which train 72,000 symbols/s of a 1×128 on a core where 20 train
83,000 and 100 train 100,000."""
SMALL_STEP: Final = 1 << 20
"""Streams × units², of a few streams, below which one thread computes a share."""
STREAMS_OF_PYTHON: Final = 50
"""The same where every step is Python, as for kinds that PyTorch has no layers of (the paper's GRU): Python runs in
one thread at a time."""


class Shares:
    """The shares of a model's mini-batches. A context manager, within which PyTorch's threads belong to the shares.

    There is but one, on the calling thread and with all of PyTorch's, where sharing has no use: on a GPU; for a
    model without steps (an n-NN); and with dropout, whose random numbers come from one generator, in an order that
    must not depend on threads.
    """

    def __init__(self, model: Predictor, streams: int) -> None:
        """`streams` is the size of a mini-batch."""
        self._threads = torch.get_num_threads()
        shares = _count(model, streams)
        self._models = [model, *(_twin(model) for _ in range(shares - 1))]
        self._edges = [streams * share // shares for share in range(shares + 1)]
        small = streams < 2 * STREAMS and streams // shares * model.decoder.weight.shape[1] ** 2 < SMALL_STEP
        self._within = 1 if small else max(1, self._threads // shares)
        """PyTorch's threads for each share."""
        self._pool = (
            ThreadPoolExecutor(
                min(shares, self._threads), "rnnviz-share", torch.set_num_threads, (self._within,)
            )
            if shares > 1
            else None
        )

    def __enter__(self) -> Self:
        # MKL has one number of threads for all that call it.
        torch.set_num_threads(self._within)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        torch.set_num_threads(self._threads)

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def gradients(self, window: Tensor, state: State) -> tuple[Tensor, State]:
        """Go through a mini-batch and leave the gradients of its mean loss in the model's parameters.

        window: int64 [time + 1, streams], the symbols and, one step on, their targets. Returns the mean loss in
        nats and the state after, both detached.
        """
        if self._pool is None:
            return self._share(0, window, state, window[1:].numel())
        work = [
            (
                share,
                window[:, start:stop],
                tuple(part[:, start:stop].contiguous() for part in state),
                window[1:].numel(),
            )
            for share, (start, stop) in enumerate(zip(self._edges[:-1], self._edges[1:], strict=True))
        ]
        found = list(self._pool.map(lambda arguments: self._share(*arguments), work))
        self._add_gradients()
        losses, states = zip(*found, strict=True)
        after = tuple(torch.cat(parts, dim=1) for parts in zip(*states, strict=True))
        return torch.stack(losses).sum(), after

    def _share(self, share: int, window: Tensor, state: State, symbols: int) -> tuple[Tensor, State]:
        """One share's part of the mean over so many symbols."""
        model = self._models[share]
        model.zero_grad(set_to_none=True)
        logits, after = model(window[:-1], state)
        total = F.cross_entropy(logits.flatten(0, 1), window[1:].flatten(), reduction="sum")
        loss = total / symbols
        torch.autograd.backward(loss)
        return loss.detach(), tuple(part.detach() for part in after)

    def _add_gradients(self) -> None:
        first, *others = (list(model.parameters()) for model in self._models)
        for parameter, *same in zip(first, *others, strict=True):
            for other in same:
                parameter.grad.add_(other.grad)


def _count(model: Predictor, streams: int) -> int:
    """How many shares the streams make."""
    if isinstance(model, WindowNetwork) or model.dropout or model.decoder.weight.is_cuda:
        return 1
    if model.layer_kind.module is None:
        return max(1, streams // STREAMS_OF_PYTHON)
    return max(2 if streams >= FEW_STREAMS else 1, streams // STREAMS)


def _twin(model: Predictor) -> Predictor:
    """A model with the same parameters and gradients of its own."""
    other = deepcopy(model)
    for own, shared in zip(other.parameters(), model.parameters(), strict=True):
        own.data = shared.data
    return other
