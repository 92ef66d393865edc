"""Further runs read the text of a capture that is complete, as further models of it.

Each segment is read from zero state, so that every model of a capture knows at time t the same symbols: those since
the segment's start, and text[t] is the last of them. The computation is that of `capture`, with the captured text in
the place of the source.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from rnnviz.engine.capture import load_model, model_schema, record
from rnnviz.engine.progress import Progress
from rnnviz.engine.run import Run
from rnnviz.engine.segments import ByteSource, Readable, Segments
from rnnviz.engine.vocabulary import UNKNOWN
from rnnviz.store.addition import adding, is_added, open_to_add
from rnnviz.store.errors import AlreadyExists, InvalidText
from rnnviz.store.reader import Capture
from rnnviz.store.schema import ModelSchema, model_name


@dataclass(frozen=True)
class _CapturedText:
    """The bytes of a capture, along its time axis."""

    capture: Capture

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        return self.capture.text(start, stop)


@dataclass(frozen=True)
class _Wanted:
    run: Run
    schema: ModelSchema
    source: ByteSource


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


def check_readable(run: Run, text: Readable, segments: Segments, *, replace_unknown: bool) -> int:
    """How many bytes of the segments the run has never seen. Raises InvalidText where there are any, unless they
    may be replaced."""
    source = ByteSource(text, segments, run.byte_vocabulary)
    count = source.count_unknown()
    if not count or replace_unknown:
        return count
    time, byte = _first_unknown(run, text, segments)
    others = f", and {count - 1:,} more" if count > 1 else ""
    raise InvalidText(
        f"{run.path} has never seen byte 0x{byte:02X} ({bytes([byte])!r}), which is symbol {time:,} of the captured "
        f"text{others}",
        f"Give --unknown replace to have it read such bytes as {bytes([source.read_as])!r}.",
    )


def add_runs(
    path: Path,
    runs: Sequence[Run],
    *,
    signals: Sequence[str] | None = None,
    replace_unknown: bool = False,
    device: torch.device | None = None,
) -> Generator[Progress, None, None]:
    """Add every run to the complete capture at `path`: layers, signals, statistics, predictions and surprisal, as a
    capture by that run would have them. `signals` and `replace_unknown` are as for `capture`.

    Runs that are there already are passed over, so an interrupted addition is taken up by the same call. Raises as
    `check_runs` and `rnnviz.store.addition` do, and InvalidText for bytes that a run has never seen, each run being
    added whole or not at all.
    """
    check_runs(runs, signals)
    capture = open_to_add(path)
    text = _CapturedText(capture)
    start, length, _ = capture.segments.T
    segments = Segments(np.stack([start, length, start], axis=1), capture.after)
    found = [_wanted(run, text, segments, signals, replace_unknown) for run in runs]
    missing = [each for each in found if not is_added(capture, each.schema)]
    total = capture.symbols * len(missing)
    for index, wanted in enumerate(missing):
        done = index * capture.symbols
        model = load_model(wanted.run, device)
        with adding(path, wanted.schema) as writer:
            for event in record(model, wanted.source, segments, writer):
                detail = ", ".join(filter(None, (wanted.schema.name, event.detail)))
                yield Progress(done + event.done, total, detail)


def _wanted(
    run: Run, text: Readable, segments: Segments, signals: Sequence[str] | None, replace_unknown: bool
) -> _Wanted:
    unknown = check_readable(run, text, segments, replace_unknown=replace_unknown)
    source, schema = ByteSource(text, segments, run.byte_vocabulary), model_schema(run, signals)
    if unknown:
        replaced = {"symbols": unknown, "read_as": source.read_as}
        schema = replace(schema, run={**schema.run, "unknown": replaced})
    return _Wanted(run, schema, source)


def _first_unknown(run: Run, text: Readable, segments: Segments) -> tuple[int, int]:
    """The time and the byte, of which there is one."""
    time = 0
    for piece in segments.pieces(text):
        unknown = np.flatnonzero(run.byte_vocabulary.encode(piece) == UNKNOWN)
        if unknown.size:
            break
        time += len(piece)
    return time + int(unknown[0]), int(piece[unknown[0]])
