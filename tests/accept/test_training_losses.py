"""The losses of recurrent models on War and Peace, held to the figures that were measured once.

The first two tests take about a minute on two cores. RNNVIZ_ACCEPT_LONG=1 adds whole trainings, of a quarter of an hour
and more each. The bands are wider than the spread of other machines' rounding, and far narrower than what a mistake in
the split, the schedule or the evaluation costs.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnviz.engine.models.kinds.registry import Kind
from rnnviz.engine.runs.run import Run, RunConfig
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.engine.text.split import Split, spans
from rnnviz.engine.text.text import open_text
from support.reference_texts import LONG, WAR_AND_PEACE, reference_text
from support.runs import go_on, start

PAPER_SPLIT = Split(80, 10, 10, streams=100, unroll=100)


def trained(path: Path, kind: Kind, layers: int, hidden: int, epochs: int) -> Run:
    """A run on War and Peace with the paper's split, and its test loss at the end."""
    text = open_text(str(reference_text(WAR_AND_PEACE)))
    config = RunConfig(
        kind=kind, layers=layers, hidden=hidden, epochs=epochs, split=PAPER_SPLIT, device="cpu"
    )
    start(path, text, config)
    return go_on(path, text)


def test_the_split_of_war_and_peace_is_the_paper_s() -> None:
    text = open_text(str(reference_text(WAR_AND_PEACE)))
    assert len(Vocabulary.of(text)) == 87
    assert PAPER_SPLIT.columns(text.length) == {"train": 260, "val": 32, "test": 33}
    assert sum(span.length for span in spans(text.length, PAPER_SPLIT, "test")) == 330_000


def test_three_epochs_come_to_the_loss_that_was_measured(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", "lstm", 1, 64, 3)
    assert run.test is not None
    print(f"\nLSTM 1×64, 3 epochs: validation {run.history[-1].validation:.4f}, test {run.test.loss:.4f}")
    assert run.history[-1].validation == pytest.approx(1.970, abs=0.02)
    assert run.test.loss == pytest.approx(1.969, abs=0.02)


@pytest.mark.skipif(not LONG, reason="takes a quarter of an hour and more: RNNVIZ_ACCEPT_LONG=1")
@pytest.mark.parametrize(("kind", "layers", "hidden", "loss", "within"), [("lstm", 1, 64, 1.4477, 0.01)])
def test_a_whole_training_comes_to_the_loss_that_was_measured(
    tmp_path: Path, kind: Kind, layers: int, hidden: int, loss: float, within: float
) -> None:
    run = trained(tmp_path / "run", kind, layers, hidden, 50)
    assert run.test is not None
    print(f"\n{kind} {layers}×{hidden}, 50 epochs: test {run.test.loss:.4f}, best epoch {run.best}")
    assert run.test.loss == pytest.approx(loss, abs=within)
