"""Steps, and the threads that take them, against the paper's recurrences and the fused windows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from rnnviz.engine.models import lstm_kernel
from rnnviz.engine.models.kinds.registry import KINDS, Kind
from rnnviz.engine.models.layer_steps import SHAPES
from rnnviz.engine.models.matrix_kernel import panels
from rnnviz.engine.models.parallel_readers import Readers
from rnnviz.engine.models.recurrent import MOST_ONE_HOT, RecurrentModel, build, initialise
from rnnviz.engine.models.step_reader import Steps
from rnnviz.engine.models.threads import FEWEST_STREAMS
from support import recurrences
from support.captures import SIGNALS_OF_KIND

K, HIDDEN, BATCH = 11, 6, 3
WIDE = 13
"""Hidden units of whose gates there are more than one panel, and not a whole number of them: see `matrix_kernel`."""


def _model(kind: Kind, layers: int = 2, hidden: int = HIDDEN) -> RecurrentModel:
    model = build(kind, K, hidden, layers)
    initialise(model, seed=5, reach=0.8)
    return model.eval()


def _symbols(time: int, batch: int = BATCH) -> torch.Tensor:
    return torch.randint(0, K, (time, batch), generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize("batch", [1, BATCH, 8])
@pytest.mark.parametrize(
    ("kind", "layers", "hidden", "compiled"),
    [
        *((kind, layers, HIDDEN, True) for kind in KINDS for layers in (1, 3)),
        ("lstm", 2, WIDE, True),
        ("lstm", 2, HIDDEN, False),
    ],
)
def test_windows_of_any_length_are_the_run_in_float32(
    kind: Kind, layers: int, hidden: int, compiled: bool, batch: int
) -> None:
    model, symbols = _model(kind, layers, hidden), _symbols(200, batch)
    parameters = {name: value.detach().double().numpy() for name, value in model.named_parameters()}
    expected, expected_logits = recurrences.run(kind, parameters, layers, symbols.numpy())
    steps, state, start = Steps(model, compiled=compiled), model.zero_state(batch), 0
    for size in (1, 50, 49, 20, 30, 50):  # shapes that come again and more than are kept
        signals, logits, state = steps.signals(symbols[start : start + size], state)
        for layer, expected_layer in zip(signals, expected, strict=True):
            assert layer.keys() == set(SIGNALS_OF_KIND[kind])
            for name, values in layer.items():
                part = expected_layer[name][start : start + size]
                np.testing.assert_allclose(values.numpy(), part, rtol=0, atol=2e-5)
        np.testing.assert_allclose(logits.numpy(), expected_logits[start : start + size], rtol=0, atol=2e-5)
        start += size
    assert SHAPES < 5


@pytest.mark.parametrize("batch", [1, BATCH])
@pytest.mark.parametrize("kind", KINDS)
def test_the_state_after_is_the_signals_last(kind: Kind, batch: int) -> None:
    model, symbols = _model(kind), _symbols(40, batch)
    steps = Steps(model)
    signals, _, state = steps.signals(symbols, model.zero_state(batch))
    alone = steps.state_after(symbols, model.zero_state(batch))
    for parts in (state, alone):
        torch.testing.assert_close(parts[0], torch.stack([layer["h"][-1] for layer in signals]))
    if kind == "lstm":
        torch.testing.assert_close(alone[1], torch.stack([layer["c"][-1] for layer in signals]))
    with torch.inference_mode():
        torch.testing.assert_close(alone, model(symbols, model.zero_state(batch))[1])


def test_twins_do_not_write_into_each_other_s_memory() -> None:
    model = _model("lstm")
    steps = Steps(model)
    twin = steps.twin()
    signals, _, _ = steps.signals(_symbols(9), model.zero_state(BATCH))
    before = signals[1]["c"].clone()
    twin.signals(_symbols(9).flip(0), model.zero_state(BATCH))
    torch.testing.assert_close(signals[1]["c"], before, rtol=0, atol=0)


def test_a_vocabulary_too_large_for_one_hot_vectors_is_looked_up() -> None:
    symbols = MOST_ONE_HOT + 1
    model = build("lstm", symbols, 4, 1)
    initialise(model, 0, 0.3)
    read = torch.tensor([[3], [symbols - 1]])
    state = Steps(model).state_after(read, model.zero_state(1))
    parameters = {name: value.detach().double().numpy() for name, value in model.named_parameters()}
    (layer,), _ = recurrences.run("lstm", parameters, 1, read.numpy())
    np.testing.assert_allclose(state[0][0].numpy(), layer["h"][-1], rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match="one-hot"):
        model(read, model.zero_state(1))


@pytest.fixture
def readers() -> Iterator[Readers]:
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    with Readers(_model("rnn")) as found:
        yield found
    assert torch.get_num_threads() == 3
    torch.set_num_threads(threads)


def test_there_are_as_many_readers_as_threads_and_none_for_a_stream_or_two(readers: Readers) -> None:
    assert len(readers) == 3
    assert torch.get_num_threads() == 1
    assert [len(readers.among(streams)) for streams in (1, FEWEST_STREAMS, 2 * FEWEST_STREAMS, 1000)] == [
        1,
        1,
        2,
        3,
    ]


def test_shares_yield_together(readers: Readers) -> None:
    shares = [iter([1, 2, 3]), iter([]), iter([10, 20])]
    assert sorted(readers.together(shares)) == [1, 2, 3, 10, 20]


def test_what_one_share_raises_ends_all(readers: Readers) -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise FloatingPointError("here")

    with pytest.raises(FloatingPointError, match="here"):
        list(readers.together([failing(), iter(range(5))]))


def test_closed_early_the_shares_stop(readers: Readers) -> None:
    taken = []

    def endless() -> Iterator[int]:
        for number in range(1_000_000_000):
            taken.append(number)
            yield number

    together = readers.together([endless(), endless()])
    next(together)
    together.close()  # type: ignore[attr-defined]
    count = len(taken)
    assert next(readers.together([iter([7])])) == 7  # their threads are free
    assert len(taken) == count


@given(st.lists(st.floats(width=32), min_size=1, max_size=40))
@example([float("nan"), float("inf"), float("-inf")])
def test_the_compiled_sigmoid_is_the_sigmoid(values: list[float]) -> None:
    for value in values:
        sums = np.full((1, 1, 4), value, np.float32)
        c, h = np.zeros((2, 2, 1, 1), np.float32)
        lstm_kernel.window(sums, panels(np.zeros((1, 4), np.float32)), c, h)
        np.testing.assert_allclose(sums[0, 0, 0], torch.sigmoid(torch.tensor(value)), rtol=0, atol=1.2e-7)
