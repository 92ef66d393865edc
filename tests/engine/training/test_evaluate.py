from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.engine.models.kinds.registry import Kind
from rnnviz.engine.models.recurrent import build, initialise
from rnnviz.engine.models.window_network import build_window
from rnnviz.engine.progress import Computation
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.engine.text.split import PARTS, PartName, Split, read_streams, spans
from rnnviz.engine.text.text import open_text
from rnnviz.engine.training.evaluate import Evaluation, bootstrap_deviation, evaluate, losses
from support import recurrences
from support.texts import write_words

SPLIT = Split(60, 20, 20, streams=4, unroll=10)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_losses_are_those_of_the_written_protocol(tmp_path: Path, kind: Kind, part: PartName) -> None:
    """Zero state at the start of each span, carried to its end; nats; every symbol of the part once."""
    text = open_text(str(write_words(tmp_path / "text", 3333)))
    vocabulary = Vocabulary.of(text)
    model = build(kind, len(vocabulary), 5, 2, dropout=0.5)
    initialise(model, seed=1, reach=0.5)
    model.train()
    measuring = Computation(losses(model, vocabulary, text, SPLIT, part))
    progress = list(measuring)
    assert model.training, "left as it was"

    data = vocabulary.encode(read_streams(text, SPLIT, part, 0, spans(text.length, SPLIT, part)[0].length))
    parameters = {name: value.detach().double().numpy() for name, value in model.named_parameters()}
    _, logits = recurrences.run(kind, parameters, 2, data[:-1])
    logits -= np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    expected = -np.take_along_axis(logits, data[1:, :, None], axis=-1).ravel()
    np.testing.assert_allclose(measuring.result, expected, rtol=0, atol=1e-5)
    assert progress[-1].done == progress[-1].total == expected.size

    measured = Computation(evaluate(model, vocabulary, text, SPLIT, part))
    for _ in measured:
        pass
    assert measured.result.loss == pytest.approx(expected.mean(), abs=1e-6)
    assert measured.result.symbols == expected.size
    assert measured.result.bits == pytest.approx(expected.mean() / math.log(2), abs=1e-5)


@pytest.mark.parametrize("kind", ["lstm", "n-nn"])
def test_the_streams_may_be_shared_among_threads(tmp_path: Path, kind: str) -> None:
    text = open_text(str(write_words(tmp_path / "text", 3333)))
    vocabulary = Vocabulary.of(text)
    K = len(vocabulary)
    model = build_window(K, 5, 3) if kind == "n-nn" else build("lstm", K, 5, 2)
    initialise(model, seed=1, reach=0.5)
    split = replace(SPLIT, streams=22)
    found = []
    threads = torch.get_num_threads()
    for count in (1, 3):
        torch.set_num_threads(count)
        measuring = Computation(losses(model, vocabulary, text, split, "test"))
        for _ in measuring:
            pass
        assert torch.get_num_threads() == count
        found.append(measuring.result)
    torch.set_num_threads(threads)
    one, three = found
    np.testing.assert_allclose(three, one, rtol=0, atol=1e-5)


def test_a_model_that_knows_nothing_loses_log_k(tmp_path: Path) -> None:
    text = open_text(str(write_words(tmp_path / "text", 2000)))
    vocabulary = Vocabulary.of(text)
    model = build("lstm", len(vocabulary), 3, 1)
    initialise(model, seed=0, reach=0.0)
    measuring = Computation(evaluate(model, vocabulary, text, SPLIT, "test"))
    for _ in measuring:
        pass
    assert measuring.result.loss == pytest.approx(math.log(len(vocabulary)), abs=1e-6)
    assert measuring.result.deviation == pytest.approx(0, abs=1e-6)


@given(st.integers(2_000, 20_000), st.floats(0.1, 5), st.integers(0, 100))
@settings(max_examples=10, deadline=None)
def test_the_deviation_is_near_its_closed_form(size: int, scale: float, seed: int) -> None:
    """Over all bootstrap samples it is s/√n; of 100 samples it is known to about 7 percent."""
    values = np.random.default_rng(seed).exponential(scale, size).astype(np.float32)
    closed = float(values.std()) / math.sqrt(size)
    assert bootstrap_deviation(values) == pytest.approx(closed, rel=0.35)
    assert bootstrap_deviation(values, samples=1500) == pytest.approx(closed, rel=0.09)


def test_the_deviation_is_the_same_each_time() -> None:
    values = np.random.default_rng(0).random(1000, dtype=np.float32)
    assert bootstrap_deviation(values) == bootstrap_deviation(values)
    assert bootstrap_deviation(values, seed=1) != bootstrap_deviation(values)


def test_a_nat_is_more_than_a_bit() -> None:
    assert Evaluation(math.log(2), 0.0, 1).bits == pytest.approx(1)


@pytest.mark.gpu
def test_losses_on_a_gpu(tmp_path: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    text = open_text(str(write_words(tmp_path / "text", 3333)))
    vocabulary = Vocabulary.of(text)
    model = build("lstm", len(vocabulary), 5, 2)
    initialise(model, seed=1, reach=0.5)
    results = []
    for device in ("cpu", "cuda"):
        measuring = Computation(losses(model.to(device), vocabulary, text, SPLIT, "test"))
        for _ in measuring:
            pass
        results.append(measuring.result)
    np.testing.assert_allclose(results[0], results[1], rtol=0, atol=1e-4)
