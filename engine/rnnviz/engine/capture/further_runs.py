"""Further runs read the text of a capture that is complete, as further models of it.

Each segment is read from zero state, so that every model of a capture knows at time t the same symbols: those since
the segment's start, and text[t] is the last of them. The computation is that of `capture`, with the captured text in
the place of the source.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from rnnviz.engine.capture.capture import Predictions, load_model, model_schema, placed, record
from rnnviz.engine.capture.captured_stream import captured_source, refuse_unknown_symbols
from rnnviz.engine.capture.run_stream import source_of
from rnnviz.engine.progress import Progress
from rnnviz.engine.runs.run import Run
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.engine.text.segments import CapturedPart, Source
from rnnviz.engine.text.text import Text
from rnnviz.store.addition import adding, is_added, open_to_add
from rnnviz.store.errors import AlreadyExists, InvalidRequest, InvalidText
from rnnviz.store.reader import Capture
from rnnviz.store.schema import ModelSchema, model_name


@dataclass(frozen=True)
class _Wanted:
    run: Run
    schema: ModelSchema
    source: Source


def check_runs(runs: Sequence[Run], signals: Sequence[str] | None = None) -> None:
    """Raise for what no capture could hold together: AlreadyExists for two runs of one name, InvalidRequest for
    signals that one of them does not have, and what `Run.model` raises."""
    names: dict[str, Run] = {}
    for run in runs:
        other = names.setdefault(model_name(run.name), run)
        if other is not run:
            raise AlreadyExists(
                f"{other.path} and {run.path} would both be the model {model_name(run.name)}",
                "A model is called after its run's directory: give one of them another name.",
            )
        model_schema(run, signals)
        load_model(run, None)


def check_readable(
    main: Run,
    runs: Sequence[Run],
    text: Text,
    part: CapturedPart,
    streams: int | None,
    first: int | None = None,
    *,
    replace_unknown: bool,
) -> Generator[Progress, None, None]:
    """Raise for what could not be added to a capture that `main` is to make of a part of the text: InvalidRequest
    for runs over symbols of another kind, InvalidText for symbols that one has never seen, unless they may be
    replaced."""
    for run in runs:
        if _unit(run) != _unit(main):
            raise InvalidRequest(
                f"{run.path} is a model over {_unit(run)}s, and {main.path} one over {_unit(main)}s",
                "Make a capture for each: the models of one read the same symbols.",
            )
        split_alike = replace(run, config=replace(run.config, split=main.config.split))
        try:
            yield from source_of(
                split_alike, text, part, streams, first=first, replace_unknown=replace_unknown
            )
        except InvalidText as error:
            raise InvalidText(f"{run.path}: {error.message}", error.hint) from error


def add_runs(
    path: Path,
    runs: Sequence[Run],
    *,
    signals: Sequence[str] | None = None,
    replace_unknown: bool = False,
    device: torch.device | None = None,
    predictions: Predictions = "all",
) -> Generator[Progress, None, None]:
    """Add every run to the complete capture at `path`: layers, signals, statistics, predictions and surprisal, as a
    capture by that run would have them. `signals`, `replace_unknown` and `predictions` are as for `capture`.

    Runs that are there already are passed over, so an interrupted addition is taken up by the same call. Raises as
    `check_runs`, `captured_source` and `rnnviz.store.addition` do, and InvalidText for symbols that a run has never
    seen, each run being added whole or not at all.
    """
    check_runs(runs, signals)
    capture = open_to_add(path)
    models = [placed(model_schema(run, signals, predictions), run.path, path) for run in runs]
    found = [_wanted(capture, run, model, replace_unknown) for run, model in zip(runs, models, strict=True)]
    missing = [each for each in found if not is_added(capture, each.schema)]
    total = capture.symbols * len(missing)
    for index, wanted in enumerate(missing):
        done = index * capture.symbols
        model = load_model(wanted.run, device)
        with adding(path, wanted.schema) as writer:
            for event in record(model, wanted.source, wanted.source.segments, writer):
                detail = ", ".join(filter(None, (wanted.schema.name, event.detail)))
                yield Progress(done + event.done, total, detail)


def _wanted(capture: Capture, run: Run, model: ModelSchema, replace_unknown: bool) -> _Wanted:
    source = captured_source(capture, run)
    unknown = source.count_unknown()
    if unknown and not replace_unknown:
        refuse_unknown_symbols(capture, run, source, unknown)
    if unknown:
        replaced = {"symbols": unknown, "read_as": source.read_as}
        model = replace(model, run={**model.run, "unknown": replaced})
    return _Wanted(run, model, source)


def _unit(run: Run) -> str:
    return run.vocabulary.unit if isinstance(run.vocabulary, TokenVocabulary) else "byte"
