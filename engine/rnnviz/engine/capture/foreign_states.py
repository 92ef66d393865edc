"""Captures of hidden states that someone already has, without any model: cells, but no predictions.

The values are looked at twice: once to see what they are, once to write them. Memory is bounded by a column.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.capture.state_files import Values
from rnnviz.engine.capture.state_text import StateText
from rnnviz.engine.progress import Progress
from rnnviz.store.bounds import MOST_UNITS
from rnnviz.store.errors import InvalidRequest
from rnnviz.store.schema import CaptureSchema, ModelSchema, model_name
from rnnviz.store.signals import SIGNALS
from rnnviz.store.writer import create_capture

KIND: Final = "states"
PIECE_VALUES: Final = 4 << 20
"""Values of all layers that are read at a time."""

StateSignal = Literal["h", "c"]


def capture_states(
    layers: Sequence[Values],
    text: StateText,
    target: Path,
    *,
    name: str,
    signal: StateSignal | None = None,
    force: bool = False,
) -> Generator[Progress, None, None]:
    """Write the states, of `text`, as a capture at `target`; the model in it is called `name`.

    `signal` says what they are: h, which lies in −1…1 and is shown as it is, or c, of which tanh(c) is shown. Where it
    is None, they are h if no value lies outside −1…1.

    Raises InvalidRequest where the numbers of rows and symbols differ, where values are no numbers or do not fit the
    signal; AlreadyExists; StorageFailure where the disk refuses.
    """
    rows, units = layers[0].shape
    if rows != text.symbols:
        raise InvalidRequest(
            f"{layers[0].name} has {rows:,} rows, and {text.name} {text.symbols:,} {text.unit}s",
            "A row belongs to each symbol: give the text that was read while the states came about.",
        )
    if units > MOST_UNITS:
        raise InvalidRequest(f"{layers[0].name} has {units:,} units", f"At most {MOST_UNITS:,} fit.")
    digest = hashlib.sha256()
    greatest = 0.0
    for place, values in _pieces(layers):
        yield Progress(0, rows, f"looking at the values, {place / rows:.0%}")
        greatest = max(greatest, _greatest(values, layers, place))
        for layer in values:
            digest.update(np.ascontiguousarray(layer).data)
    signal = _signal(signal, greatest, layers)
    model = ModelSchema(
        name=model_name(name),
        kind=KIND,
        vocabulary=text.vocabulary,
        layers=len(layers),
        hidden=units,
        signals=(signal,),
        next=False,
        run={"name": name, "layers": [layer.name for layer in layers], "values": digest.hexdigest()},
        tokens=text.tokens,
        surprisal=False,
    )
    schema = CaptureSchema(
        symbols=rows,
        segments=len(text.segments),
        text_name=text.name,
        text_sha256=text.sha256,
        part="all",
        models=(model,),
        generator=f"rnnviz {version('rnnviz')}",
        unit=text.unit,
        token_bytes=0 if text.unit == "byte" else text.length,
    )
    ends = text.source.ends()
    with create_capture(
        target, schema, text.source.text(), text.segments, text.after, ends=ends, force=force
    ) as writer:
        for place, values in _pieces(layers):
            writer.append({model.signal_path(index, signal): layer.T for index, layer in enumerate(values)})
            yield Progress(place, rows)
        writer.finish()


def _pieces(layers: Sequence[Values]) -> Iterator[tuple[int, list[NDArray[np.float16]]]]:
    """How many rows are behind with this piece, and the piece of each layer: float16 [time, unit]."""
    rows, units = layers[0].shape
    step = max(1, PIECE_VALUES // (units * len(layers)))
    for start in range(0, rows, step):
        stop = min(start + step, rows)
        with np.errstate(over="ignore"):
            yield stop, [layer.read(start, stop).astype(np.float16) for layer in layers]


def _greatest(values: Sequence[NDArray[np.float16]], layers: Sequence[Values], place: int) -> float:
    """The greatest absolute value. Raises InvalidRequest for one that is no number or beyond float16's."""
    found = 0.0
    for layer, piece in zip(layers, values, strict=True):
        greatest = float(np.abs(piece).max())
        if not np.isfinite(greatest):
            row, unit = np.argwhere(~np.isfinite(piece))[0].tolist()
            raise InvalidRequest(
                f"{layer.name} has a value at [{place - len(piece) + row:,}, {unit}] that is no number or beyond "
                "65,504",
                "States are finite numbers.",
            )
        found = max(found, greatest)
    return found


def _signal(wanted: StateSignal | None, greatest: float, layers: Sequence[Values]) -> StateSignal:
    inside = greatest <= SIGNALS["h"].high
    if wanted == "h" and not inside:
        raise InvalidRequest(
            f"{', '.join(layer.name for layer in layers)} have values of up to {greatest:g}: hidden states h lie in "
            "-1…1",
            "Give --signal c for cell states, which are shown as tanh(c).",
        )
    return wanted or ("h" if inside else "c")
