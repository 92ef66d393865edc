"""The losses of n-gram models on War and Peace, held to the figures that KenLM gave, whoever scores."""

from __future__ import annotations

import pytest

from rnnviz.engine.ngram.directory import NgramModels, load_ngrams
from rnnviz.engine.ngram.evaluation import evaluate_ngrams
from rnnviz.engine.ngram.scorers.kenlm_build import greatest_order
from rnnviz.engine.ngram.scorers.scorer import SCORERS, ScorerName
from rnnviz.engine.ngram.training import start_ngrams, train_ngrams
from rnnviz.engine.progress import Computation
from rnnviz.engine.text.split import Split
from rnnviz.engine.text.text import Text, open_text
from support.reference_texts import WAR_AND_PEACE, reference_text

LOSSES = {
    1: 2.3987, 2: 1.9277, 3: 1.5206, 4: 1.3137, 5: 1.2316, 6: 1.2033, 7: 1.1940, 8: 1.1936, 9: 1.1943, 20: 1.1952,
}  # fmt: skip
"""Nats per symbol of the test part, by n."""


@pytest.fixture(scope="module")
def text() -> Text:
    return open_text(str(reference_text(WAR_AND_PEACE)))


@pytest.fixture(scope="module")
def models(text: Text, tmp_path_factory: pytest.TempPathFactory) -> NgramModels:
    path = tmp_path_factory.mktemp("ngrams") / "wp"
    started = start_ngrams(path, text, tuple(LOSSES), Split(), command="", spec=None, glob="*", force=False)
    for _ in train_ngrams(started, text):
        pass
    return load_ngrams(path)


@pytest.mark.parametrize("scorer", SCORERS)
def test_the_losses_on_war_and_peace(text: Text, models: NgramModels, scorer: ScorerName) -> None:
    if scorer == "kenlm" and (greatest_order() or 0) <= max(LOSSES):
        pytest.skip("KenLM is not installed, or was built for models of smaller orders than 21")
    evaluation = Computation(evaluate_ngrams(models, text, "test", scorer))
    for _ in evaluation:
        pass
    losses = {each.n: each.loss for each in evaluation.result}
    print(f"\n{scorer}: " + " ".join(f"{n}: {loss:.4f}" for n, loss in losses.items()))
    assert losses == pytest.approx(LOSSES, abs=0.0015)
