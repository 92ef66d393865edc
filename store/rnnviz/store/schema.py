"""Capture format 1: what lies where on disk, and how to read it without this program.

A capture is one Zarr v3 group. It holds one text and what one or more models made of it.

    path                                dimensions                  type     what it holds
    ------------------------------------------------------------------------------------------------------
    text                                time                        uint8    the bytes that were read
                                                                             (of tokens: dimension byte)
    ends                                time                        int64    of tokens only: where in text
                                                                             each symbol ends
    segments                            segment, field              int64    start, length, source (offset
                                                                             in the source text, in bytes)
    after                               segment                     int32    the byte, or the token's number,
                                                                             that followed the segment in its
                                                                             source, or -1
    models/M/next                       time, symbol                float16  natural log p of every symbol of
                                                                             the vocabulary, after text[t]
    models/M/surprisal                  time                        float32  -log p of the symbol that came
                                                                             after text[t], nats; NaN: none
                                                                             came or it is not in the vocabulary
    models/M/layers/L/S                 unit, time                  float16  signal S (`signals.py`) after
                                                                             text[t]; c before its tanh
    models/M/layers/L/statistics/
        histogram                       signal, unit, bin           int64    of the views, 64 equal bins
        summary                         signal, unit, statistic     float64  of the views, see STATISTICS

Time counts symbols. The symbols of most captures are bytes: one each. Those of a *token capture* are
characters or words, and `ends` cuts the bytes of `text` into them: the first symbol starts at 0, each one
starts where the one before ends, none is empty, and the last ends where the text does. White space after a word
belongs to the word's symbol.

State is zero at the start of each segment; segments lie one after the other on the time axis and cover it.
The statistics are those of the *views* (tanh(c) for c) and are filled in last.

Attributes. The root group has one, `rnnviz`: {format, complete, symbols, generator, text: {name, sha256,
part}, models: [names, the main one first], options, recipe}; in a token capture `text` has two more, unit (`character`
or `word`) and bytes (the length of `text`). A model's group has {kind, vocabulary: [bytes as integers, in the
order of the symbol axis], layers, hidden, signals, next, surprisal, run, place}; in a token capture it has tokens:
[strings] in the place of vocabulary. `next` and `surprisal` say whether there are arrays of that name: states
that came without a model (kind `states`) have neither. `recipe` says what an interrupted capture needs to go on, and
`place` where the model's directory was, relative to the capture (see `portable_path`); either may be
missing. `run` of a model that was trained on this very text has {text: {name, sha256, length}, split, streams, unroll}:
what each symbol was to it follows from these (see `training_split`).

While `complete` is false, the file `progress.npz` in the capture's directory (no part of Zarr) says how
many symbols, counted from 0, are written and readable; where it is missing, none are. What lies beyond
reads as NaN or may be half written. The text, `ends`, the segments and `after` are there in full from the start.

Reading it with bare zarr (the `zarrs` package is not needed):

    import zarr
    capture = zarr.open_group("X.zarr", mode="r")
    assert capture.attrs["rnnviz"]["complete"]
    text = capture["text"][:].tobytes()
    c = capture["models/wp64/layers/0/c"][37, 1000:2000]     # unit 37 over a thousand symbols
    ends = capture["ends"][:]                 # of a token capture: symbol t is text[ends[t - 1] : ends[t]]

Values are chunked unit-major, so that one unit over a window of the text is one chunk or two, and sharded
so that files stay few: chunks of (16 units, 8192 symbols) in shards of `column` symbols and as many units as make
8 MB, Blosc LZ4 level 1 with bit shuffle, a CRC-32C behind every chunk. `next` of thousands of tokens has chunks of
fewer symbols, and then so may all arrays. A chunk of statistics is all units of as many signals as make 4 MB.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

FORMAT: Final = 1
ATTRIBUTE: Final = "rnnviz"
SIDECAR: Final = "progress.npz"

SEGMENT_FIELDS: Final = ("start", "length", "source")
STATISTICS: Final = ("mean", "deviation", "minimum", "maximum", "low", "high")
"""The last axis of `summary`: of the views; low and high are the shares of saturated symbols (`signals.SATURATION`)."""
BINS: Final = 64

CHUNK_UNITS: Final = 16
CHUNK_TIME: Final = 8192
LONGEST_COLUMN: Final = 65536
SHARD_VALUES: Final = 64 * LONGEST_COLUMN
"""Of a signal in one file, at most: to make a file takes a file system up to a millisecond, and there may be many."""
COLUMN_BYTES: Final = 144 << 20
"""A writer keeps a column of all signals in memory: this bounds it."""
LARGEST_CHUNK_BYTES: Final = 4 << 20
"""Of `next`, whose rows may be long (those of 256 symbols fill it), and of the statistics."""
TOKEN_COLUMN_BYTES: Final = 128 << 20
SHORTEST_COLUMN: Final = 256
"""Of token captures, where `next` counts too: 50,000 words are 100 KB a symbol, and columns of 1024 symbols."""
CHUNK_SEGMENTS: Final = 65536

Dtype = Literal["uint8", "int32", "int64", "float16", "float32", "float64"]
ITEM_BYTES: Final[Mapping[Dtype, int]] = {
    "uint8": 1,
    "int32": 4,
    "int64": 8,
    "float16": 2,
    "float32": 4,
    "float64": 8,
}
FILL: Final[Mapping[Dtype, float]] = {
    "uint8": 0,
    "int32": -2,
    "int64": -1,
    "float16": math.nan,
    "float32": math.nan,
    "float64": math.nan,
}
"""What is not written yet reads as these."""
SymbolUnit = Literal["byte", "character", "word"]
SYMBOL_UNITS: Final[tuple[SymbolUnit, ...]] = get_args(SymbolUnit)
"""What a symbol of a capture is."""

MODEL_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class ArraySchema:
    """One array of a capture. `chunks` are what is compressed and read at once; `shards`, if any, are the files."""

    path: str
    dimensions: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: Dtype
    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)

    @property
    def time_axis(self) -> int:
        return self.dimensions.index("time")

    def cut(self, symbols: int) -> tuple[int, ...]:
        """The shape of a stretch of that many symbols."""
        return tuple(
            symbols if dimension == "time" else size
            for dimension, size in zip(self.dimensions, self.shape, strict=True)
        )

    def stretch(self, start: int, stop: int) -> tuple[slice, ...]:
        """The index that selects the symbols start…stop."""
        return tuple(
            slice(start, stop) if dimension == "time" else slice(None) for dimension in self.dimensions
        )


@dataclass(frozen=True)
class ModelSchema:
    """One model of a capture. A model without cells (an n-gram) has no layers, hidden 0 and no signals.

    Of a token capture, `tokens` are the symbols it knows and `vocabulary` is empty.
    """

    name: str
    kind: str
    vocabulary: bytes
    layers: int = 0
    hidden: int = 0
    signals: tuple[str, ...] = ()
    next: bool = True
    run: Mapping[str, object] = field(default_factory=dict)
    tokens: tuple[str, ...] | None = None
    surprisal: bool = True
    place: str | None = field(default=None, compare=False)
    """Where its run or its n-gram models were, relative to the capture. A model is the same elsewhere."""

    @property
    def vocabulary_size(self) -> int:
        """K: the length of the symbol axis."""
        return len(self.vocabulary if self.tokens is None else self.tokens)

    @property
    def path(self) -> str:
        return f"models/{self.name}"

    def layer_path(self, layer: int) -> str:
        return f"{self.path}/layers/{layer}"

    def signal_path(self, layer: int, signal: str) -> str:
        return f"{self.layer_path(layer)}/{signal}"

    @property
    def next_path(self) -> str:
        return f"{self.path}/next"

    @property
    def surprisal_path(self) -> str:
        return f"{self.path}/surprisal"

    def histogram_path(self, layer: int) -> str:
        return f"{self.layer_path(layer)}/statistics/histogram"

    def summary_path(self, layer: int) -> str:
        return f"{self.layer_path(layer)}/statistics/summary"

    def attributes(self) -> dict[str, object]:
        known = (
            {"vocabulary": list(self.vocabulary)} if self.tokens is None else {"tokens": list(self.tokens)}
        )
        return {
            "kind": self.kind,
            **known,
            "layers": self.layers,
            "hidden": self.hidden,
            "signals": list(self.signals),
            "next": self.next,
            "surprisal": self.surprisal,
            "run": dict(self.run),
            **({} if self.place is None else {"place": self.place}),
        }


@dataclass(frozen=True)
class CaptureSchema:
    """Everything about a capture that is known before its first symbol is computed."""

    symbols: int
    segments: int
    text_name: str
    text_sha256: str
    part: str
    models: tuple[ModelSchema, ...]
    generator: str = "rnnviz"
    options: Mapping[str, object] = field(default_factory=dict)
    unit: SymbolUnit = "byte"
    token_bytes: int = 0
    """The length of the text of a token capture."""
    recipe: Mapping[str, object] = field(default_factory=dict, compare=False)
    """How the capture is made, and where its text was. The same capture may be made in another way."""

    @property
    def has_tokens(self) -> bool:
        """Whether it is a token capture."""
        return self.unit != "byte"

    @property
    def text_bytes(self) -> int:
        """The length of the text in bytes."""
        return self.token_bytes if self.has_tokens else self.symbols

    def root(self, complete: bool) -> dict[str, object]:
        """What the root group's attribute `rnnviz` holds."""
        return {
            "format": FORMAT,
            "complete": complete,
            "symbols": self.symbols,
            "generator": self.generator,
            "text": {"name": self.text_name, "sha256": self.text_sha256, "part": self.part}
            | ({"unit": self.unit, "bytes": self.token_bytes} if self.has_tokens else {}),
            "models": [model.name for model in self.models],
            "options": dict(self.options),
            **({"recipe": dict(self.recipe)} if self.recipe else {}),
        }

    @property
    def bytes_per_symbol(self) -> int:
        """What a writer holds in memory for each symbol: the values of every time array of every model."""
        return sum(
            2 * model.layers * model.hidden * len(model.signals)
            + 2 * model.vocabulary_size * model.next
            + 4 * model.surprisal
            for model in self.models
        )

    @property
    def column(self) -> int:
        """Symbols per shard along time: the largest power of two in 8192…65536 for which a column of all
        signals stays within `COLUMN_BYTES`; 8192 where none does. In a token capture it is halved on, down to
        `SHORTEST_COLUMN`, until a column of everything stays within `TOKEN_COLUMN_BYTES`."""
        per_symbol = sum(2 * model.layers * model.hidden * len(model.signals) for model in self.models)
        column = LONGEST_COLUMN
        while column > CHUNK_TIME and column * per_symbol > COLUMN_BYTES:
            column //= 2
        if self.has_tokens:
            while column > SHORTEST_COLUMN and column * self.bytes_per_symbol > TOKEN_COLUMN_BYTES:
                column //= 2
        return column

    def text(self) -> ArraySchema:
        if self.has_tokens:
            size = (self.token_bytes,)
            return ArraySchema("text", ("byte",), size, "uint8", (CHUNK_TIME,), (LONGEST_COLUMN,))
        return ArraySchema("text", ("time",), (self.symbols,), "uint8", (CHUNK_TIME,), (self.column,))

    def ends(self) -> ArraySchema:
        """Of a token capture."""
        return ArraySchema("ends", ("time",), (self.symbols,), "int64", (CHUNK_TIME,), (LONGEST_COLUMN,))

    def segment_arrays(self) -> tuple[ArraySchema, ArraySchema]:
        """`segments` and `after`."""
        fields = len(SEGMENT_FIELDS)
        return (
            ArraySchema(
                "segments",
                ("segment", "field"),
                (self.segments, fields),
                "int64",
                (CHUNK_SEGMENTS, fields),
                attributes={"field": list(SEGMENT_FIELDS)},
            ),
            ArraySchema("after", ("segment",), (self.segments,), "int32", (CHUNK_SEGMENTS,)),
        )

    def time_arrays(self, model: ModelSchema) -> list[ArraySchema]:
        """Every array of a model that a writer fills column by column: signals, `next`, `surprisal`."""
        symbols, column = self.symbols, self.column
        chunk = min(CHUNK_TIME, column)
        shard_units = min(SHARD_VALUES // column, -(-model.hidden // CHUNK_UNITS) * CHUNK_UNITS)
        arrays = [
            ArraySchema(
                model.signal_path(layer, signal),
                ("unit", "time"),
                (model.hidden, symbols),
                "float16",
                (CHUNK_UNITS, chunk),
                (shard_units, column),
            )
            for layer in range(model.layers)
            for signal in model.signals
        ]
        if model.next:
            K = model.vocabulary_size
            rows = chunk
            while rows > 1 and rows * K * ITEM_BYTES["float16"] > LARGEST_CHUNK_BYTES:
                rows //= 2
            arrays.append(
                ArraySchema(
                    model.next_path, ("time", "symbol"), (symbols, K), "float16", (rows, K), (column, K)
                )
            )
        if model.surprisal:
            arrays.append(
                ArraySchema(model.surprisal_path, ("time",), (symbols,), "float32", (chunk,), (column,))
            )
        return arrays

    def statistics_arrays(self, model: ModelSchema) -> list[ArraySchema]:
        """The histogram and the summary of each layer of a model, in turn."""
        if not model.layers:
            return []
        rows = (len(model.signals), model.hidden)
        together = max(1, LARGEST_CHUNK_BYTES // (model.hidden * BINS * ITEM_BYTES["int64"]))
        together = min(together, len(model.signals))
        signal = {"signal": list(model.signals)}
        found = []
        for layer in range(model.layers):
            found += [
                ArraySchema(
                    model.histogram_path(layer),
                    ("signal", "unit", "bin"),
                    (*rows, BINS),
                    "int64",
                    (together, model.hidden, BINS),
                    attributes=signal,
                ),
                ArraySchema(
                    model.summary_path(layer),
                    ("signal", "unit", "statistic"),
                    (*rows, len(STATISTICS)),
                    "float64",
                    (together, model.hidden, len(STATISTICS)),
                    attributes={**signal, "statistic": list(STATISTICS)},
                ),
            ]
        return found

    def arrays(self) -> list[ArraySchema]:
        """Every array of the capture."""
        found = [self.text(), *([self.ends()] if self.has_tokens else []), *self.segment_arrays()]
        for model in self.models:
            found += self.time_arrays(model) + self.statistics_arrays(model)
        return found

    def groups(self) -> list[str]:
        """The path of every group below the root, parents first."""
        found = ["models"]
        for model in self.models:
            found.append(model.path)
            if model.layers:
                found.append(f"{model.path}/layers")
            for layer in range(model.layers):
                found += [model.layer_path(layer), f"{model.layer_path(layer)}/statistics"]
        return found


def model_name(wanted: str) -> str:
    """The name a model gets in a capture: `wanted` with every character that is not safe in a path replaced."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted).lstrip("._-")[:100]
    return safe or "model"
