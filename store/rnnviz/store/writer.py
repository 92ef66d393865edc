"""Writing a capture: whole columns in the order of time, and then a note of how far it has come.

A column is `CaptureSchema.column` symbols of every array, which is one file per shard of units. What does not
make a whole one is gathered in a buffer. Full columns are encoded, put on disk and counted, file by file on as many
threads as there are cores, and only then does the sidecar (`sidecar.py`) say so. A process
killed at any moment thus leaves a capture that says truthfully how far it is, and one resumed from there ends with
the same bytes as one that was never interrupted, given the same values.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.accumulator import Tally
from rnnviz.store.creation import build_skeleton, put_in_place, refuse_existing
from rnnviz.store.disk import DirectoryLock, replace_file, storage_errors
from rnnviz.store.errors import InvalidRequest
from rnnviz.store.files import write_values, writing_threads
from rnnviz.store.metadata import DOCUMENT, check_is_capture, damaged, read_schema
from rnnviz.store.pieces import pieces_of
from rnnviz.store.reader import open_capture
from rnnviz.store.schema import ATTRIBUTE, SIDECAR, ArraySchema, CaptureSchema
from rnnviz.store.sidecar import Sidecar, new_accumulators, read_sidecar, write_sidecar

Arrays = Mapping[str, NDArray[Any]]
"""Values of a stretch of time by array path, each of the shape its `ArraySchema` gives with time cut to the stretch."""

_GO_ON: Final = "What is written so far is safe. Free some space, then go on with --resume."
_CHOOSE: Final = "Choose another place with --out."


def create_capture(
    path: Path,
    schema: CaptureSchema,
    text: Iterable[NDArray[np.uint8]],
    segments: NDArray[np.int64],
    after: NDArray[np.int32],
    *,
    ends: Iterable[NDArray[np.int64]] = (),
    force: bool = False,
) -> CaptureWriter:
    """Begin a capture at `path`, with its text and segments and no values yet.

    `text` gives `schema.text_bytes` bytes in pieces of any size, `ends` those of the symbols of a token capture;
    `segments` is int64 [segment, 3] (start, length, source) and `after` int32 [segment]. The directory appears
    under its name only when all of this is in it.

    Raises `AlreadyExists` where something is there and `force` is not given, or where it is nothing that
    rnnviz may remove; `InvalidRequest` where another process writes there; `StorageFailure` where the disk
    refuses.
    """
    refuse_existing(path, force=force)
    with storage_errors(path, _CHOOSE):
        skeleton = build_skeleton(path, schema, text, segments, after, ends)
        try:
            write_sidecar(skeleton.directory, Sidecar(accumulators=new_accumulators(schema)))
            put_in_place(skeleton, path, force=force)
        except BaseException:
            skeleton.discard()
            raise
    return CaptureWriter(path, schema, skeleton.lock)


def resume_capture(path: Path, schema: CaptureSchema, segments: NDArray[np.int64]) -> CaptureWriter:
    """Go on with an incomplete capture, or open a complete one to find that nothing is left to do.

    `schema` and `segments` are those it was begun with.

    Raises `InvalidCapture` where `path` holds no capture or a damaged one, `InvalidRequest` where it is a
    capture of something else than `schema` says or where another process is writing it.
    """
    check_is_capture(path)
    lock = DirectoryLock(path)
    try:
        found = open_capture(path)
        # A complete capture may have got further models since.
        begun = replace(found.schema, models=found.schema.models[: len(schema.models)])
        difference = _difference(begun if found.complete else found.schema, schema)
        if not difference and not np.array_equal(found.segments, segments):
            difference = "other segments"
        if not (difference or found.complete):
            difference = _other_layout(path, found.schema)
        if difference:
            raise InvalidRequest(
                f"{path} was begun with {difference}",
                "Give the command it was begun with, or start anew with --force.",
            )
        return CaptureWriter(path, schema, lock)
    except BaseException:
        lock.release()
        raise


class CaptureWriter:
    """Takes values in the order of time and puts them on disk. Made by `create_capture` or `resume_capture`.

    Call `append` with the values of all symbols from `position` on, and `finish` at the end. A context manager:
    leaving it lets go of the capture, in whatever state it is.
    """

    def __init__(self, path: Path, schema: CaptureSchema, lock: DirectoryLock) -> None:
        self.path = path
        self.schema = schema
        self._lock = lock
        self.complete = read_schema(path)[1]
        sidecar = Sidecar(captured=schema.symbols) if self.complete else read_sidecar(path, schema)
        if sidecar.captured % schema.column and sidecar.captured != schema.symbols:
            raise damaged(f"{path / SIDECAR}: {sidecar.captured} symbols are no whole number of columns")
        self.captured = sidecar.captured
        """Symbols that are on disk, from 0 on."""
        self.position = sidecar.captured
        """Where the next values appended go: ahead of `captured` by what is gathered."""
        self._accumulators = sidecar.accumulators
        self._schemas = {array.path: array for model in schema.models for array in schema.time_arrays(model)}
        if self.complete:
            (path / SIDECAR).unlink(missing_ok=True)
        else:
            with storage_errors(path, _GO_ON):
                _discard_unwritten(path, self._schemas.values(), schema, sidecar.captured)
        self._counted = {
            model.signal_path(layer, signal): (model.layer_path(layer), signal)
            for model in schema.models
            for layer in range(model.layers)
            for signal in model.signals
        }
        """The layer's path and the signal of each array that has statistics."""
        self._gathered: dict[str, NDArray[Any]] = {}
        """A column's memory by array path, once there is need of it."""
        self._threads = ThreadPoolExecutor(writing_threads(), "rnnviz-writer")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._lock.release()

    def append(self, values: Arrays) -> None:
        """Take values of the symbols that follow those appended before: one array per time array of the schema.

        When it returns they are on disk, or copied. Raises `StorageFailure` where the disk refuses; what was written
        before stays valid.
        """
        column = self.schema.column
        first = next(iter(self._schemas.values()))
        length = values[first.path].shape[first.time_axis]
        taken = 0
        while taken < length:
            filled, left = self.position % column, length - taken
            whole = left if self.position + left == self.schema.symbols else left - left % column
            at_once = whole if not filled else 0
            step = at_once or min(left, column - filled)
            stretch = self._cut(values, taken, taken + step)
            self.position += step
            taken += step
            if at_once:
                self._put(stretch)
            else:
                self._gather(stretch, filled, step)
                if filled + step == column or self.position == self.schema.symbols:
                    self._put(self._cut(self._gathered, 0, filled + step))

    def finish(self) -> None:
        """Fill in the statistics and mark the capture complete. Raises ValueError where symbols are missing."""
        if self.complete:
            return
        if self.captured != self.schema.symbols:
            raise ValueError(f"{self.captured} of {self.schema.symbols} symbols were appended")
        with storage_errors(self.path, _GO_ON):
            jobs: list[Future[Tally | None]] = []
            for model in self.schema.models:
                for layer in range(model.layers):
                    statistics = self._accumulators[model.layer_path(layer)].statistics()
                    histogram, summary = self.schema.statistics_arrays(model)[2 * layer :][:2]
                    jobs += self._write(histogram, 0, statistics.histogram)
                    jobs += self._write(summary, 0, statistics.summary)
            for job in jobs:
                job.result()
            document = json.loads((self.path / DOCUMENT).read_bytes())
            document["attributes"] = {ATTRIBUTE: self.schema.root(complete=True)}
            replace_file(self.path / DOCUMENT, json.dumps(document, indent=2).encode())
            self.complete = True
            (self.path / SIDECAR).unlink()

    def _cut(self, values: Arrays, start: int, stop: int) -> Arrays:
        return {name: values[name][array.stretch(start, stop)] for name, array in self._schemas.items()}

    def _gather(self, stretch: Arrays, start: int, length: int) -> None:
        if not self._gathered:
            size = min(self.schema.column, self.schema.symbols)
            self._gathered = {name: _memory(array, size) for name, array in self._schemas.items()}
        for name, array in self._schemas.items():
            self._gathered[name][array.stretch(start, start + length)] = stretch[name]

    def _put(self, columns: Arrays) -> None:
        """Write the whole columns that end at `position`, and count them."""
        first = next(iter(self._schemas.values()))
        start = self.position - columns[first.path].shape[first.time_axis]
        with storage_errors(self.path, _GO_ON):
            jobs = {name: self._write(array, start, columns[name]) for name, array in self._schemas.items()}
            counted = [(name, job.result()) for name, of_array in jobs.items() for job in of_array]
            for name, tally in counted:
                if tally:
                    self._accumulators[self._counted[name][0]].add(tally)
            write_sidecar(self.path, Sidecar(self.position, self._accumulators))
        self.captured = self.position

    def _write(self, array: ArraySchema, start: int, values: NDArray[Any]) -> list[Future[Tally | None]]:
        """Begin to write values of an array from that time on, and to count them."""
        begin = tuple(start if dimension == "time" else 0 for dimension in array.dimensions)
        _, signal = self._counted.get(array.path, ("", None))
        return write_values(self._threads, self.path, array, begin, values, signal)


def _memory(array: ArraySchema, symbols: int) -> NDArray[Any]:
    """Memory for a stretch of time of an array, laid out as models give their values: the same time together."""
    shape = array.cut(symbols)
    return np.empty(shape, array.dtype) if array.time_axis == 0 else np.empty(shape[::-1], array.dtype).T


def _difference(found: CaptureSchema, wanted: CaptureSchema) -> str:
    """What of two schemas differs, in words a person knows; empty where nothing does."""
    pairs = {
        "another text": (found.text_sha256, wanted.text_sha256),
        "another part of the text": (found.part, wanted.part),
        "another model": ([model.run for model in found.models], [model.run for model in wanted.models]),
        "other signals": (
            [model.signals for model in found.models],
            [model.signals for model in wanted.models],
        ),
        "other options": (replace(found, recipe={}).root(False), replace(wanted, recipe={}).root(False)),
        "other models": (found.models, wanted.models),
    }
    return next((name for name, (first, second) in pairs.items() if first != second), "")


def _other_layout(path: Path, schema: CaptureSchema) -> str:
    """The first array whose files are not cut as they are written today, in words; empty where all are."""
    for array in schema.arrays():
        pieces = pieces_of(path, array)
        file, sharded = array.shards or array.chunks, array.shards is not None
        if pieces is None or (pieces.file, pieces.chunk, pieces.sharded) != (file, array.chunks, sharded):
            return f"another layout of {array.path}, by another version of rnnviz"
    return ""


def _discard_unwritten(
    path: Path, arrays: Iterable[ArraySchema], schema: CaptureSchema, captured: int
) -> None:
    """Remove what an interrupted process left behind that is not known to be whole."""
    whole = -(-captured // schema.column)
    for array in arrays:
        shards = path / array.path / "c"
        for file in [file for file in shards.rglob("*") if file.is_file()]:
            index = file.relative_to(shards).parts
            written = len(index) == len(array.shape) and index[array.time_axis].isdecimal()
            if not written or int(index[array.time_axis]) >= whole:
                file.unlink()
    for model in schema.models:
        for array in schema.statistics_arrays(model):
            shutil.rmtree(path / array.path / "c", ignore_errors=True)
    for name in (SIDECAR, DOCUMENT):
        (path / f"{name}.new").unlink(missing_ok=True)
