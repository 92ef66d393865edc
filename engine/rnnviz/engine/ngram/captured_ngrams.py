"""What n-gram models expect of a captured text, as further models of the capture.

Each segment is read from nothing, so that a model knows at time t what the recurrent model does: the symbols since the
segment's start, and text[t] is the last of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Generator, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.ngram.directory import NgramModels
from rnnviz.engine.ngram.scorers.scorer import NgramModel
from rnnviz.engine.progress import Progress
from rnnviz.engine.runs.run import Run
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.store.addition import adding, is_added, open_to_add
from rnnviz.store.errors import InvalidRequest
from rnnviz.store.portable_path import portable_path
from rnnviz.store.reader import Capture
from rnnviz.store.schema import ModelSchema

PIECE: Final = 4096
"""Symbols that are computed at a time."""

Values = dict[str, NDArray[Any]]


def check_addition(models: NgramModels, predicting: Collection[int] | None = None) -> None:
    """Raise InvalidRequest for what `add_ngrams` could not do with any capture."""
    missing = sorted(set(predicting or ()) - set(models.orders))
    if missing:
        raise InvalidRequest(
            f"{models.path} has no model of n = {missing[0]}",
            f"It has n = {', '.join(map(str, models.orders))}.",
        )


def refuse_tokens(run: Run) -> None:
    """Raise InvalidRequest for a run over characters or words: to its captures no n-gram model can be added."""
    if isinstance(run.vocabulary, TokenVocabulary):
        raise _no_ngrams(f"{run.path} is a model over {run.vocabulary.unit}s", run.vocabulary.unit)


def refuse_capture_of_tokens(capture: Capture) -> None:
    """Raise InvalidRequest for a capture of characters or words: no n-gram model can be added to it."""
    if capture.has_tokens:
        raise _no_ngrams(f"the symbols of {capture.path} are {capture.unit}s", capture.unit)


def _no_ngrams(found: str, unit: str) -> InvalidRequest:
    return InvalidRequest(
        f"{found}, and n-gram models are over bytes",
        f"Leave --ngram out and compare with another run over {unit}s (--run RUN), or train a run over bytes "
        "(rnnviz train TEXT --out RUN) and give --ngram when you capture that one.",
    )


def add_ngrams(
    path: Path, models: NgramModels, predicting: Collection[int] | None = None
) -> Generator[Progress, None, None]:
    """Add every model to the complete capture at `path`: its surprisal of each symbol, and for the n in `predicting`
    (the largest where None) the full distribution.

    Models that are there already are passed over, so an interrupted addition is taken up by the same call. Raises as
    `check_addition`, `rnnviz.store.addition` and `NgramModels.load` do, each model being added whole or not at all.
    """
    check_addition(models, predicting)
    capture = open_to_add(path)
    refuse_capture_of_tokens(capture)
    full = {models.orders[-1]} if predicting is None else set(predicting)
    schemas = {n: _schema(models, n, n in full, path) for n in models.orders}
    missing = [n for n, schema in schemas.items() if not is_added(capture, schema)]
    total = capture.symbols * len(missing)
    for index, n in enumerate(missing):
        done = index * capture.symbols
        yield Progress(done, total, f"loading n = {n}")
        model = models.load(n)
        with adding(path, schemas[n]) as writer:
            for values in _values(capture, model, schemas[n]):
                writer.append(values)
                yield Progress(done + writer.position, total, f"n = {n}")


def _schema(models: NgramModels, n: int, predicts: bool, capture: Path) -> ModelSchema:
    record = {
        "n": n,
        "name": models.path.resolve().name,
        "text": {"name": models.text.name, "sha256": models.text.sha256, "length": models.text.length},
        "split": models.split.shares,
        "streams": models.split.streams,
        "unroll": models.split.unroll,
        "weights": _sha256(models.arpa(n)),
    }
    place = portable_path(models.path, capture)
    return ModelSchema(
        f"ngram-{n}", "n-gram", models.vocabulary.symbols, next=predicts, run=record, place=place
    )


def _sha256(path: Path) -> str | None:
    """Of the model's file; None where only its binary is kept."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _values(capture: Capture, model: NgramModel, schema: ModelSchema) -> Iterator[Values]:
    """The values of every symbol, in the order of time."""
    for (start, length, _), after in zip(capture.segments.tolist(), capture.after.tolist(), strict=True):
        reader = model.reader()
        data = capture.text(start, start + length)
        reader.surprisal(data[:1])
        targets = data[1:] if after < 0 else np.append(data[1:], np.uint8(after))
        predicted = model.distributions(data, PIECE) if schema.next else None
        for place in range(0, length, PIECE):
            stop = min(place + PIECE, length)
            surprisal = np.full(stop - place, np.nan, np.float32)
            surprisal[: len(targets) - place] = reader.surprisal(targets[place:stop])
            values: Values = {schema.surprisal_path: surprisal}
            if predicted is not None:
                values[schema.next_path] = next(predicted).astype(np.float16)
            yield values
