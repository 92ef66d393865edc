"""The equations of every kind against PyTorch's own layers, and every faster way against the equations."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch import Tensor, nn

from rnnviz.engine.models.kinds.registry import KINDS
from rnnviz.engine.models.layer_kind import LayerKind
from rnnviz.engine.models.layer_weights import State, Weights, layer_weights
from rnnviz.engine.models.stepped_layers import SteppedLayers
from support.captures import SIGNALS_OF_KIND

TIME, BATCH, INPUTS, HIDDEN, LAYERS = 9, 3, 5, 4, 3


@pytest.fixture(name="kind", params=KINDS)
def _kind(request: pytest.FixtureRequest) -> LayerKind:
    return KINDS[request.param]


@pytest.fixture(name="x")
def _x() -> Tensor:
    return torch.randn(TIME, BATCH, INPUTS, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.fixture(name="symbols")
def _symbols() -> Tensor:
    return torch.randint(INPUTS, (TIME, BATCH), generator=torch.Generator().manual_seed(4))


def drawn(kind: LayerKind, layers: int = 1) -> nn.Module:
    """Layers of a kind in float64, with weights drawn."""
    make = kind.module
    module = (
        make(INPUTS, HIDDEN, layers) if make else SteppedLayers(kind, INPUTS, HIDDEN, layers, dropout=0.0)
    )
    generator = torch.Generator().manual_seed(2)
    for parameter in module.double().parameters():
        parameter.data.uniform_(-1, 1, generator=generator)
    return module


def weights_of(kind: LayerKind) -> Weights:
    return Weights(*(value.detach() for value in layer_weights(drawn(kind), 0)))


def start(kind: LayerKind, layers: int) -> State:
    """A state [layers, batch, H] that is not zero."""
    generator = torch.Generator().manual_seed(3)
    return tuple(
        torch.randn(layers, BATCH, HIDDEN, dtype=torch.float64, generator=generator) for _ in kind.state
    )


def one_start(kind: LayerKind) -> State:
    return tuple(part[0] for part in start(kind, 1))


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.module], ids=lambda kind: kind.name)
@torch.no_grad()
def test_the_equations_are_those_of_torchs_layers(kind: LayerKind, x: Tensor) -> None:
    module, before = drawn(kind, LAYERS), start(kind, LAYERS)
    expected, last = module(x, before if len(before) > 1 else before[0])
    after = []
    for layer in range(LAYERS):
        weights = layer_weights(module, layer)
        signals = kind.stepped(kind.sums(x, weights), tuple(part[layer] for part in before), weights)
        after.append(kind.last(signals))
        x = signals["h"]
    torch.testing.assert_close(x, expected)
    for part, expected_part in zip(
        zip(*after, strict=True), last if len(before) > 1 else [last], strict=True
    ):
        torch.testing.assert_close(torch.stack(part), expected_part)


@torch.no_grad()
def test_the_papers_gru_is_another_function_than_torchs(x: Tensor) -> None:
    ours, theirs = KINDS["gru"], KINDS["gru-torch"]
    weights, before = weights_of(theirs), one_start(theirs)
    h, _ = ours.read_outputs(ours.sums(x, weights), before, weights)
    assert not torch.allclose(h, theirs.stepped(theirs.sums(x, weights), before, weights)["h"])


@torch.no_grad()
def test_a_window_of_signals_is_what_the_equations_give(kind: LayerKind, x: Tensor, symbols: Tensor) -> None:
    """Both of symbols and of the vectors that a layer above reads."""
    weights, before = weights_of(kind), one_start(kind)
    one_hot = nn.functional.one_hot(symbols, INPUTS).double()
    for read, vectors in ((symbols, one_hot), (x, x)):
        expected = kind.stepped(kind.sums(vectors, weights), before, weights)
        assert tuple(expected) == kind.signal_names == SIGNALS_OF_KIND[kind.name]
        torch.testing.assert_close(kind.read_window(read, vectors, before, weights), expected)


def test_outputs_and_their_gradients_are_what_the_equations_give(kind: LayerKind, x: Tensor) -> None:
    module, before = drawn(kind), one_start(kind)
    weights = layer_weights(module, 0)
    h, after = kind.read_outputs(kind.sums(x, weights), before, weights)
    signals = kind.stepped(kind.sums(x, weights), before, weights)
    torch.testing.assert_close(h, signals["h"])
    torch.testing.assert_close(after, kind.last(signals))
    parameters = list(module.parameters())
    found = torch.autograd.grad(h.square().sum(), parameters)
    torch.testing.assert_close(found, torch.autograd.grad(signals["h"].square().sum(), parameters))


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("first", [True, False])
@torch.no_grad()
def test_steps_are_what_the_equations_give(
    kind: LayerKind, first: bool, compiled: bool, x: Tensor, symbols: Tensor
) -> None:
    """In float32, which the memory of steps is, window after window."""
    weights, before = weights_of(kind), one_start(kind)
    read = symbols if first else x
    expected = kind.stepped(kind.sums(read, weights), before, weights)
    steps = kind.layer_steps(Weights(*(value.float() for value in weights)), first, compiled=compiled)
    state = tuple(part.float() for part in before)
    for window in (slice(0, 4), slice(4, 8), slice(8, TIME)):
        signals = steps.read(read[window] if first else read[window].float(), state)
        state = tuple(part.clone() for part in kind.last(signals))
        for name, values in expected.items():
            torch.testing.assert_close(signals[name].double(), values[window], rtol=0, atol=2e-6)


def test_weights_are_assumed_to_be_of_one_kind_at_most() -> None:
    assumed = Counter(kind.gates for kind in KINDS.values() if kind.assumed)
    assert assumed == {4: 1, 3: 1, 1: 1}
