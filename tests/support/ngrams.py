"""N-gram models for tests: estimated and written in a moment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rnnviz.engine.ngram.arpa import write_arpa
from rnnviz.engine.ngram.captured_ngrams import add_ngrams
from rnnviz.engine.ngram.counting import Sentence
from rnnviz.engine.ngram.directory import NgramModels
from rnnviz.engine.ngram.kneser_ney import Estimate, estimate
from rnnviz.engine.ngram.training import start_ngrams, train_ngrams
from rnnviz.engine.progress import Computation
from rnnviz.engine.text.split import Split
from rnnviz.engine.text.text import Text

Entries = Mapping[str, tuple[float, float]]
"""log10 p and back-off of each n-gram, by its words."""

SMALL = Split(60, 20, 20, streams=4, unroll=10)


def estimated(data: bytes, *orders: int) -> Estimate:
    computation = Computation(estimate(Sentence.of(np.frombuffer(data, np.uint8)), orders))
    for _ in computation:
        pass
    return computation.result


def written(path: Path, data: bytes, order: int) -> Path:
    """The ARPA file of one model of `data`."""
    for _ in write_arpa(path, estimated(data, order), order):
        pass
    return path


def read_arpa(path: Path) -> dict[str, tuple[float, float]]:
    entries = {}
    for line in path.read_text().splitlines():
        fields = line.split("\t")
        if len(fields) > 1:
            entries[fields[1]] = (float(fields[0]), float(fields[2]) if len(fields) > 2 else 0.0)
    return entries


def words(gram: bytes) -> str:
    """How a model writes a gram."""
    return " ".join(f"{byte:02x}" for byte in gram)


def trained(
    path: Path, text: Text, *orders: int, split: Split = SMALL, compressed: bool = False
) -> NgramModels:
    """A directory of models."""
    models = start_ngrams(
        path, text, orders, split, compressed=compressed, command="rnnviz", spec=None, glob="*", force=False
    )
    for _ in train_ngrams(models, text):
        pass
    return models


def added(capture: Path, path: Path, text: Text, *orders: int) -> NgramModels:
    """A directory of models, and what they expect added to a capture."""
    models = trained(path, text, *orders)
    for _ in add_ngrams(capture, models):
        pass
    return models
