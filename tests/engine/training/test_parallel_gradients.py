"""Gradients by shares of the streams against those of the whole mini-batch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F

from rnnviz.engine.models.kinds.registry import KINDS, Kind
from rnnviz.engine.models.layer_weights import State
from rnnviz.engine.models.recurrent import RecurrentModel, build, initialise
from rnnviz.engine.training.parallel_gradients import Shares

K, HIDDEN, STREAMS, TIME = 9, 7, 100, 12


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def _model(kind: Kind = "lstm", dropout: float = 0.0) -> RecurrentModel:
    model = build(kind, K, HIDDEN, 2, dropout)
    initialise(model, 3, 0.5)
    return model.train()


def _window(streams: int = STREAMS) -> torch.Tensor:
    return torch.randint(0, K, (TIME + 1, streams), generator=torch.Generator().manual_seed(1))


def _state(model: RecurrentModel, streams: int = STREAMS) -> State:
    generator = torch.Generator().manual_seed(2)
    return tuple(torch.rand(part.shape, generator=generator) - 0.5 for part in model.zero_state(streams))


def _by_shares(
    model: RecurrentModel, threads: int, streams: int = STREAMS
) -> tuple[torch.Tensor, State, list[torch.Tensor]]:
    torch.set_num_threads(threads)
    shares = Shares(model, streams)
    with shares:
        loss, state = shares.gradients(_window(streams), _state(model, streams))
    shares.close()
    assert torch.get_num_threads() == threads
    return (
        loss,
        state,
        [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None],
    )


@pytest.mark.parametrize("streams", [1, 21, 49, STREAMS])
@pytest.mark.parametrize("kind", KINDS)
def test_loss_state_and_gradients_are_those_of_the_whole(kind: Kind, streams: int) -> None:
    model = _model(kind)
    logits, after = model(_window(streams)[:-1], _state(model, streams))
    expected = F.cross_entropy(logits.flatten(0, 1), _window(streams)[1:].flatten())
    wanted = torch.autograd.grad(expected, list(model.parameters()))
    loss, state, gradients = _by_shares(model, 2, streams)
    torch.testing.assert_close(loss, expected.detach())
    for found, whole in zip((*state, *gradients), (*after, *wanted), strict=True):
        torch.testing.assert_close(found, whole.detach(), rtol=1e-4, atol=1e-7)
        assert not found.requires_grad


@pytest.mark.parametrize("streams", [4, 24, STREAMS])
def test_the_number_of_threads_changes_no_bit(streams: int) -> None:
    one, two = _by_shares(_model(), 1, streams), _by_shares(_model(), 2, streams)
    assert torch.equal(one[0], two[0])
    for first, second in zip((*one[1], *one[2]), (*two[1], *two[2]), strict=True):
        assert torch.equal(first, second)


def test_an_update_reaches_every_share() -> None:
    model = _model()
    shares = Shares(model, STREAMS)
    with shares:
        before, _ = shares.gradients(_window(), _state(model))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.zero_()
        after, _ = shares.gradients(_window(), _state(model))
    shares.close()
    assert before != after
    torch.testing.assert_close(after, torch.tensor(float(K)).log())  # every symbol as likely as any


def test_dropout_draws_in_one_order() -> None:
    losses = []
    for _ in range(2):
        torch.manual_seed(0)
        losses.append(_by_shares(_model(dropout=0.5), 2)[0])
    assert torch.equal(*losses)
