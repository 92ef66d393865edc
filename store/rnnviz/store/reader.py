"""Reading a capture: one cell over one window as a numpy array.

`open_capture` reads a few small JSON documents. zarr is imported only for stretches of many chunks, so that an
explorer can paint before, see `pieces`. Everything may be called from several threads at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.errors import InvalidCapture, InvalidRequest
from rnnviz.store.integrity import check_files, decoding, verify
from rnnviz.store.metadata import (
    check_array,
    check_is_capture,
    damaged,
    file_shape,
    read_schema,
)
from rnnviz.store.pieces import Pieces, pieces_of
from rnnviz.store.pipeline import open_to_read
from rnnviz.store.schema import CHUNK_TIME, FORMAT, ArraySchema, CaptureSchema, ModelSchema, SymbolUnit
from rnnviz.store.sidecar import read_captured, read_sidecar
from rnnviz.store.statistics import LayerStatistics

if TYPE_CHECKING:
    import zarr


def open_capture(path: str | Path) -> Capture:
    """Open the capture at `path`, complete or not.

    Raises `NotFound` where nothing is, `InvalidCapture` where it is no capture, a damaged one, or one of a
    newer format. Values are looked at only when they are read, so the readers raise `InvalidCapture` too.
    """
    return Capture(Path(path))


class Capture:
    """One text and what one or more models made of it. Time counts symbols from 0; see `schema` for the format."""

    def __init__(self, path: Path) -> None:
        check_is_capture(path)
        self.path = path
        self.schema, self.complete = read_schema(path)
        """What is planned, and whether all of it is there."""
        self._store = _Store(path, self.schema)
        self.captured = self._read_captured()
        """Symbols that can be read, from 0 on; equal to `symbols` in a complete capture."""
        self.models: Mapping[str, CapturedModel] = MappingProxyType(
            {
                model.name: CapturedModel(self, self._store, index)
                for index, model in enumerate(self.schema.models)
            }
        )
        """By name; the first is the main one."""
        self._token_bytes = 0, 0
        """Of how many symbols the bytes were counted last, and how many there are."""

    @property
    def format(self) -> int:
        return FORMAT

    @property
    def symbols(self) -> int:
        """The length of the time axis when complete."""
        return self.schema.symbols

    @property
    def has_tokens(self) -> bool:
        """Whether symbols are characters or words (`unit`), and not bytes."""
        return self.schema.has_tokens

    @property
    def unit(self) -> SymbolUnit:
        """What a symbol is."""
        return self.schema.unit

    @property
    def text_bytes(self) -> int:
        """The length, in bytes, of the text of the captured symbols; `captured` where symbols are bytes."""
        if not self.has_tokens:
            return self.captured
        captured, length = self._token_bytes
        if captured != self.captured:
            captured = self.captured
            length = int(self.ends(captured - 1, captured)[0]) if captured else 0
            self._token_bytes = captured, length
        return length

    @property
    def text_name(self) -> str:
        return self.schema.text_name

    @property
    def attributes(self) -> Mapping[str, object]:
        """The root group's, as `schema` lists them: options, part, generator…"""
        return MappingProxyType(self.schema.root(self.complete))

    @cached_property
    def segments(self) -> NDArray[np.int64]:
        """[segment, 3]: start, length, source (offset in the source text). They cover the time axis in turn."""
        values = self._store.read(self.schema.segment_arrays()[0])
        start, length, source = values.T
        covered = bool((length > 0).all() and (source >= 0).all() and start[0] == 0)
        if (
            not covered
            or (start[1:] != start[:-1] + length[:-1]).any()
            or start[-1] + length[-1] != self.symbols
        ):
            raise damaged(f"the segments of {self.path} do not cover its text")
        return values

    @cached_property
    def after(self) -> NDArray[np.int32]:
        """[segment]: what followed the segment in its source, -1 where nothing did: a byte, or in a token capture
        the number of a token of the main model."""
        values = self._store.read(self.schema.segment_arrays()[1])
        most = self.schema.models[0].vocabulary_size - 1 if self.has_tokens else 255
        if ((values < -1) | (values > most)).any():
            raise damaged(f"{self.path}: what follows its segments are no {self.unit}s")
        return values

    def text(self, start: int, stop: int) -> NDArray[np.uint8]:
        """The bytes start…stop of the text, uint8 [byte]. Raises `InvalidRequest` beyond `text_bytes`."""
        if not 0 <= start <= stop <= self.text_bytes:
            raise InvalidRequest(
                f"bytes {start} to {stop} of {self.path} cannot be read",
                f"{self.text_bytes} bytes are captured, counted from 0.",
            )
        return self._store.read(self.schema.text(), (slice(start, stop),))

    def ends(self, start: int, stop: int) -> NDArray[np.int64]:
        """Where in the text each of the symbols start…stop ends, int64 [symbol]: a symbol's bytes go from the end
        of the one before (from 0 for the first) to its own. Raises `InvalidRequest` beyond what is captured."""
        self.check_stretch(start, stop)
        if not self.has_tokens:
            return np.arange(start + 1, stop + 1, dtype=np.int64)
        first = max(0, start - 1)
        values = self._store.read(self.schema.ends(), (slice(first, stop),))
        if len(values):
            last, left = int(values[-1]), self.symbols - stop
            rising = bool(values[0] > 0 and (np.diff(values) > 0).all())
            if (
                not rising
                or last > self.schema.token_bytes - left
                or (not left and last != self.schema.token_bytes)
            ):
                raise damaged(f"the ends of the symbols of {self.path} do not cut its text")
        return values[start - first :]

    def symbol_at(self, byte: int) -> int:
        """The symbol that holds a byte of the text: the first one that ends beyond it.

        Raises `InvalidRequest` outside 0 <= byte < `text_bytes`.
        """
        if not 0 <= byte < self.text_bytes:
            raise InvalidRequest(
                f"there is no byte {byte} in {self.path}",
                f"{self.text_bytes} bytes are captured, counted from 0.",
            )
        if not self.has_tokens:
            return byte
        # The last end of each chunk is looked at first, so that few chunks are read.
        low, high = 0, -(-self.captured // CHUNK_TIME) - 1
        while low < high:
            middle = (low + high) // 2
            last = (middle + 1) * CHUNK_TIME
            low, high = (low, middle) if self.ends(last - 1, last)[0] > byte else (middle + 1, high)
        start = low * CHUNK_TIME
        ends = self.ends(start, min(start + CHUNK_TIME, self.captured))
        return start + int(np.searchsorted(ends, byte, side="right"))

    def refresh(self) -> None:
        """Look again how far a writer has come. Raises `InvalidCapture` where it is the same capture no more."""
        schema, self.complete = read_schema(self.path)
        if schema != self.schema:
            raise InvalidCapture(f"{self.path} was replaced by another capture", "Open it again.")
        self.captured = self._read_captured()

    def verify(self) -> Iterator[int]:
        """Read everything captured and compare all checksums, yielding numbers of values as they are found whole.

        Raises `InvalidCapture` for the first file that is missing or damaged.
        """
        yield from verify(self.path, self.schema, self.captured, self.complete)

    def check_stretch(self, start: int, stop: int) -> None:
        """Raise `InvalidRequest` unless 0 <= start <= stop <= captured."""
        if not 0 <= start <= stop <= self.captured:
            raise InvalidRequest(
                f"symbols {start} to {stop} of {self.path} cannot be read",
                f"{self.captured} symbols are captured, counted from 0.",
            )

    def _read_captured(self) -> int:
        if self.complete:
            return self.symbols
        captured = read_captured(self.path, self.schema)
        # Between the two looks a writer may have completed the capture and removed its note.
        if not captured and read_schema(self.path)[1]:
            self.complete, captured = True, self.symbols
        return captured


class CapturedModel:
    """What one model made of the text."""

    def __init__(self, capture: Capture, store: _Store, index: int) -> None:
        self._capture = capture
        self._store = store
        self._schema = capture.schema.models[index]
        arrays = {array.path: array for array in capture.schema.time_arrays(self._schema)}
        self._next = arrays.get(self._schema.next_path)
        self._surprisal = arrays.get(self._schema.surprisal_path)
        self.layers = tuple(
            CapturedLayer(capture, store, self._schema, layer, arrays) for layer in range(self._schema.layers)
        )

    @property
    def name(self) -> str:
        return self._schema.name

    @property
    def kind(self) -> str:
        """`lstm`, `gru`, `rnn`, or what a model without layers calls itself."""
        return self._schema.kind

    @property
    def vocabulary(self) -> bytes:
        """The distinct symbols, in the order of `next`'s second axis; empty where they are `tokens`."""
        return self._schema.vocabulary

    @property
    def tokens(self) -> tuple[str, ...] | None:
        """Of a token capture, the distinct symbols in the order of `next`'s second axis; they may hold any
        character. None where symbols are bytes."""
        return self._schema.tokens

    @property
    def captured(self) -> int:
        """Symbols that can be read, from 0 on: those of the capture."""
        return self._capture.captured

    @property
    def has_next(self) -> bool:
        """Whether `next` can be read."""
        return self._next is not None

    @property
    def has_surprisal(self) -> bool:
        """Whether `surprisal` can be read."""
        return self._surprisal is not None

    @property
    def attributes(self) -> Mapping[str, object]:
        """Of the model's group; `run` says where the model comes from."""
        return MappingProxyType(self._schema.attributes())

    def next(self, start: int, stop: int) -> NDArray[np.float16]:
        """Natural log p of every symbol of the vocabulary after each of the symbols start…stop, [time, symbol].

        Raises `InvalidRequest` beyond what is captured and where the capture holds no predictions.
        """
        if self._next is None:
            raise InvalidRequest(
                f"{self._capture.path} holds no predictions of {self.name}",
                "Capture the text again with them.",
            )
        self._capture.check_stretch(start, stop)
        return self._store.read(self._next, self._next.stretch(start, stop))

    def surprisal(self, start: int, stop: int) -> NDArray[np.float32]:
        """−log p, in nats, of the symbol that came after each of start…stop, [time].

        NaN where none came or it is not in the vocabulary. Raises `InvalidRequest` beyond what is captured and
        where the capture holds none.
        """
        if self._surprisal is None:
            raise InvalidRequest(
                f"{self._capture.path} holds no surprisal of {self.name}", "It was made without a model."
            )
        self._capture.check_stretch(start, stop)
        return self._store.read(self._surprisal, (slice(start, stop),))


class CapturedLayer:
    """The signals of one layer's units."""

    def __init__(
        self,
        capture: Capture,
        store: _Store,
        model: ModelSchema,
        layer: int,
        arrays: Mapping[str, ArraySchema],
    ) -> None:
        self._capture = capture
        self._store = store
        self._model = model
        self._layer = layer
        self._arrays = {signal: arrays[model.signal_path(layer, signal)] for signal in model.signals}
        self._complete_statistics: LayerStatistics | None = None

    @property
    def units(self) -> int:
        return self._model.hidden

    @property
    def signals(self) -> tuple[str, ...]:
        return self._model.signals

    def read(self, signal: str, unit: int, start: int, stop: int) -> NDArray[np.float16]:
        """One unit's signal over the symbols start…stop, [time].

        Raises `InvalidRequest` for a signal, a unit or a symbol that is not there.
        """
        if not 0 <= unit < self.units:
            raise InvalidRequest(f"there is no unit {unit}", f"The layer's units are 0 to {self.units - 1}.")
        row: NDArray[np.float16] = self.read_units(signal, slice(unit, unit + 1), start, stop)[0]
        return row

    def read_units(self, signal: str, units: slice, start: int, stop: int) -> NDArray[np.float16]:
        """The signal of some units over the symbols start…stop, [unit, time]; `units` as in numpy, step 1.

        Raises `InvalidRequest` for a signal or a symbol that is not there.
        """
        if signal not in self._arrays:
            raise InvalidRequest(f"there is no signal {signal}", f"The layer has {', '.join(self.signals)}.")
        self._capture.check_stretch(start, stop)
        first, last, _ = units.indices(self.units)
        return self._store.read(self._arrays[signal], (slice(first, last), slice(start, stop)))

    def statistics(self) -> LayerStatistics:
        """Of everything captured so far."""
        if self._complete_statistics is not None:
            return self._complete_statistics
        if not self._capture.complete:
            sidecar = read_sidecar(self._capture.path, self._capture.schema)
            return sidecar.accumulators[self._model.layer_path(self._layer)].statistics()
        histogram, summary = self._capture.schema.statistics_arrays(self._model)[2 * self._layer :][:2]
        self._complete_statistics = LayerStatistics(
            self.signals, self._store.read(histogram), self._store.read(summary)
        )
        return self._complete_statistics


class _Store:
    """The arrays of a capture, checked and opened when first read."""

    def __init__(self, path: Path, schema: CaptureSchema) -> None:
        self._path = path
        self._lock = Lock()
        self._files: dict[str, tuple[tuple[int, ...], Pieces | None]] = {}
        self._opened: dict[str, zarr.Array[Any]] = {}
        for array in schema.arrays():
            check_array(path, array)

    def read(self, array: ArraySchema, index: tuple[slice, ...] | None = None) -> NDArray[Any]:
        """The values of `array` at `index` (unit steps, within the shape), or all of them."""
        index = index or tuple(slice(0, size) for size in array.shape)
        index = tuple(slice(*part.indices(size)) for part, size in zip(index, array.shape, strict=True))
        shape, pieces = self._file(array)
        check_files(self._path, array, shape, index)
        with decoding(self._path, array):
            if pieces is not None and pieces.few(index):
                return pieces.read(index)
            return cast("NDArray[Any]", self._open(array)[index])

    def _file(self, array: ArraySchema) -> tuple[tuple[int, ...], Pieces | None]:
        """The shape of one file of an array, and how it is cut where it can be read without zarr."""
        with self._lock:
            if array.path not in self._files:
                self._files[array.path] = file_shape(self._path, array), pieces_of(self._path, array)
            return self._files[array.path]

    def _open(self, array: ArraySchema) -> zarr.Array[Any]:
        with self._lock:
            if array.path not in self._opened:
                self._opened[array.path] = open_to_read(self._path, array)
            return self._opened[array.path]
