"""Small hand-made captures with known values, written by the real writer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.accumulator import LayerAccumulator, Tally
from rnnviz.store.schema import CaptureSchema, ModelSchema, SymbolUnit
from rnnviz.store.signals import SIGNALS
from rnnviz.store.writer import CaptureWriter, create_capture, resume_capture

SIGNALS_OF_KIND: dict[str, tuple[str, ...]] = {
    "lstm": ("c", "h", "i", "f", "o", "g"),
    "gru": ("h", "r", "z", "n"),
    "gru-torch": ("h", "r", "z", "n"),
    "rnn": ("h",),
}
"""The signals of a layer of each kind of recurrent model, with the one to look at first in front."""

Values = dict[str, NDArray[Any]]
"""What a capture's time arrays hold, by array path."""


@dataclass(frozen=True)
class HandMade:
    """A capture on disk and what was put into it."""

    path: Path
    schema: CaptureSchema
    values: Values
    text: bytes
    segments: NDArray[np.int64]
    after: NDArray[np.int32]
    ends: NDArray[np.int64] | None = None
    """Of a token capture: where in the text each symbol ends."""

    def signal(self, layer: int, signal: str, model: int = 0) -> NDArray[np.float16]:
        """[unit, time], also of what is not captured yet."""
        return self.values[self.schema.models[model].signal_path(layer, signal)]

    def next(self, model: int = 0) -> NDArray[np.float16]:
        """[time, symbol]."""
        return self.values[self.schema.models[model].next_path]

    def surprisal(self, model: int = 0) -> NDArray[np.float32]:
        """[time]."""
        return self.values[self.schema.models[model].surprisal_path]

    def create(self, *, force: bool = False) -> CaptureWriter:
        """Begin it on disk, without values."""
        text = np.frombuffer(self.text, np.uint8)
        ends = [] if self.ends is None else [self.ends]
        return create_capture(
            self.path, self.schema, [text], self.segments, self.after, ends=ends, force=force
        )

    def resume(self) -> CaptureWriter:
        """Go on with it on disk."""
        return resume_capture(self.path, self.schema, self.segments)

    def cut(self, start: int, stop: int) -> Values:
        """The values of a stretch of time."""
        arrays = [array for model in self.schema.models for array in self.schema.time_arrays(model)]
        return {array.path: self.values[array.path][array.stretch(start, stop)] for array in arrays}


def count(layer: LayerAccumulator, signal: str, values: NDArray[np.float16]) -> None:
    """Count a stretch of all units, [unit, time], at least one symbol."""
    tally = Tally(signal, 0, len(values))
    tally.count(values)
    layer.add(tally)


def model_schema(
    text: bytes,
    *,
    name: str = "model",
    kind: str = "lstm",
    layers: int = 1,
    hidden: int = 4,
    signals: Sequence[str] | None = None,
    vocabulary: bytes | None = None,
    next: bool = True,
) -> ModelSchema:
    """A model whose vocabulary is the text's, unless another is given; all signals of its kind."""
    return ModelSchema(
        name=name,
        kind=kind,
        vocabulary=vocabulary or bytes(sorted(set(text))),
        layers=layers,
        hidden=hidden if layers else 0,
        signals=tuple(signals if signals is not None else SIGNALS_OF_KIND[kind]) if layers else (),
        next=next,
        run={"name": name},
    )


def random_values(schema: CaptureSchema, seed: int = 0) -> Values:
    """Believable values of every array: signals within their range, next a distribution, surprisal of it."""
    random = np.random.default_rng(seed)
    values: Values = {}
    for model in schema.models:
        for layer in range(model.layers):
            for name in model.signals:
                signal = SIGNALS[name]
                span = 3.0 if signal.squashed else 1.0
                low, high = (-span, span) if signal.low else (0.0, 1.0)
                shape = (model.hidden, schema.symbols)
                values[model.signal_path(layer, name)] = random.uniform(low, high, shape).astype(np.float16)
        logits = random.normal(size=(schema.symbols, model.vocabulary_size))
        log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        if model.next:
            values[model.next_path] = log_p.astype(np.float16)
        if model.surprisal:
            values[model.surprisal_path] = -log_p[:, 0].astype(np.float32)
    return values


def hand_made(
    path: Path,
    text: bytes = b'def f(x):\n    return "a\tb"\n',
    *,
    models: Sequence[ModelSchema] | None = None,
    lengths: Sequence[int] | None = None,
    text_name: str = "hand.py",
    values: Mapping[str, NDArray[Any]] | None = None,
    seed: int = 0,
) -> HandMade:
    """A capture that is not on disk yet: one LSTM layer of 4 units with random values over one segment, but
    for what is given. `lengths` are those of the segments; `values` replace the random ones by array path.
    The surprisal is true to `next` and the text where a model has both.
    """
    sizes = np.array(lengths if lengths is not None else [len(text)], np.int64)
    starts = np.cumsum(sizes) - sizes
    schema = CaptureSchema(
        symbols=len(text),
        segments=len(sizes),
        text_name=text_name,
        text_sha256="0" * 64,
        part="all",
        models=tuple(models if models is not None else [model_schema(text)]),
    )
    after = np.full(len(sizes), -1, np.int32)
    after[:-1] = np.frombuffer(text, np.uint8)[starts[1:]]
    filled = random_values(schema, seed) | dict(values or {})
    for model in schema.models:
        if model.next:
            filled[model.surprisal_path] = _surprisal(text, after, starts + sizes - 1, model, filled)
    segments = np.stack([starts, sizes, starts], axis=1)
    return HandMade(path, schema, filled, text, segments, after)


def hand_made_tokens(
    path: Path,
    symbols: Sequence[str] = ("Zwei ", "Wörter", "\n", "🙂 ", "zwei ", "🙂\n"),
    *,
    tokens: Sequence[str] = ("<eos>", "<unk>", "zwei", "Wörter", "🙂"),
    unit: SymbolUnit = "word",
    lengths: Sequence[int] | None = None,
    next: bool = True,
    surprisal: bool = True,
    seed: int = 0,
) -> HandMade:
    """A token capture that is not on disk yet, with random values, whose text is the symbols joined. Its model, an
    LSTM layer of 3 units, knows `tokens`."""
    model = replace(
        model_schema(b"", hidden=3, signals=("c", "h"), vocabulary=b"\0", next=next),
        vocabulary=b"",
        tokens=tuple(tokens),
        surprisal=surprisal,
    )
    sizes = np.array(lengths if lengths is not None else [len(symbols)], np.int64)
    starts = np.cumsum(sizes) - sizes
    ends = np.cumsum([len(symbol.encode()) for symbol in symbols])
    schema = CaptureSchema(
        symbols=len(symbols),
        segments=len(sizes),
        text_name="hand.txt",
        text_sha256="0" * 64,
        part="all",
        models=(model,),
        unit=unit,
        token_bytes=int(ends[-1]),
    )
    segments = np.stack([starts, sizes, np.append(0, ends)[starts]], axis=1)
    after = np.arange(len(sizes), dtype=np.int32)[::-1] - 1
    text = "".join(symbols).encode()
    return HandMade(path, schema, random_values(schema, seed), text, segments, after, ends.astype(np.int64))


def write_capture(made: HandMade, captured: int | None = None, *, force: bool = False) -> HandMade:
    """Put a hand-made capture on disk: the whole of it, or only its first columns up to `captured` symbols,
    which must be a whole number of columns (see `CaptureSchema.column`)."""
    with made.create(force=force) as writer:
        if captured is None:
            writer.append(made.cut(0, made.schema.symbols))
            writer.finish()
        elif captured:
            writer.append(made.cut(0, captured))
    return made


def make_capture(path: Path, text: bytes = b'def f(x):\n    return "a\tb"\n', **options: Any) -> HandMade:
    """Write a complete hand-made capture at `path`; `options` are those of `hand_made`."""
    return write_capture(hand_made(path, text, **options))


SEVERAL_COLUMNS = b"and so on\n" * 20_000
"""A text of three whole columns and a part of a fourth, where nothing makes columns shorter than 65,536."""


def several_columns(path: Path) -> HandMade:
    """A capture of `SEVERAL_COLUMNS` that is not on disk yet: two layers, two signals, two segments, and bytes
    that the model does not know."""
    models = [model_schema(SEVERAL_COLUMNS, layers=2, hidden=3, signals=("c", "o"), vocabulary=b"a on")]
    return hand_made(path, SEVERAL_COLUMNS, models=models, lengths=[150_000, 50_000])


def _surprisal(
    text: bytes, after: NDArray[np.int32], ends: NDArray[np.int64], model: ModelSchema, values: Values
) -> NDArray[np.float32]:
    targets = np.append(np.frombuffer(text, np.uint8)[1:], 0).astype(np.int32)
    targets[ends] = after
    place = {symbol: index for index, symbol in enumerate(model.vocabulary)}
    next = values[model.next_path].astype(np.float32)
    chosen = [
        -next[time, place[target]] if target in place else np.nan
        for time, target in enumerate(targets.tolist())
    ]
    return np.array(chosen, np.float32)
