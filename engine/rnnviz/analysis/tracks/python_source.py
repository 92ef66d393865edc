"""What Python source is doing at each of its symbols, as Python's own tokenizer has it, and how cells follow that."""

from __future__ import annotations

import io
import tokenize

import numpy as np
from numpy.typing import NDArray

from rnnviz.analysis.cells import Cell
from rnnviz.store.reader import Capture, CapturedModel
from rnnviz.store.signals import SIGNALS

Track = NDArray[np.float32]
"""A property of the text: a number per symbol, NaN where the text is no Python."""
NAMES = ("bracket depth", "position in line", "indentation", "inside a string", "inside a comment")
_PARTS_OF_STRINGS = {
    getattr(tokenize, name)
    for name in ("FSTRING_START", "FSTRING_MIDDLE", "TSTRING_START", "TSTRING_MIDDLE")
    if hasattr(tokenize, name)
}
"""What formatted strings are cut into from Python 3.12 on, without what stands in their braces."""
OPENING, CLOSING = "([{", ")]}"


def tracks_of(source: bytes) -> dict[str, Track]:
    """The tracks of one file by name, float32 [byte]. Raises what `tokenize` raises for what is no Python in UTF-8."""
    lines = source.splitlines(keepends=True)
    starts = np.concatenate([[0], np.cumsum([len(line) for line in lines])])
    found: dict[str, Track] = {name: np.zeros(len(source), np.float32) for name in NAMES}
    for line, start in zip(lines, starts, strict=False):
        span = slice(int(start), int(start) + len(line))
        found["position in line"][span] = np.arange(len(line))
        found["indentation"][span] = len(line) - len(line.lstrip(b" "))

    def byte_at(row: int, column: int) -> int:
        """The byte at a row, counted from 1, and a column in characters."""
        row = min(row, len(lines))
        return int(starts[row - 1]) + len(lines[row - 1].decode("utf-8", "replace")[:column].encode())

    depth = 0
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        if token.type == tokenize.ENCODING:
            continue
        if token.start[0] > len(lines):
            break
        start, stop = byte_at(*token.start), byte_at(*token.end)
        if token.type == tokenize.STRING:
            found["inside a string"][start : stop - 1] = 1
        elif token.type in _PARTS_OF_STRINGS:
            found["inside a string"][start:stop] = 1
        elif token.type == tokenize.COMMENT:
            found["inside a comment"][start:stop] = 1
        elif token.type == tokenize.OP:
            depth += (token.string in OPENING) - (token.string in CLOSING)
        found["bracket depth"][start:] = depth
    return found


def tracks_over(capture: Capture) -> dict[str, Track]:
    """The tracks of the whole text of a capture over bytes whose segments are Python files, float32 [symbol]."""
    found = {name: np.full(capture.captured, np.nan, np.float32) for name in NAMES}
    for start, length, _ in capture.segments.tolist():
        stop = min(start + length, capture.captured)
        try:
            of_file = tracks_of(capture.text(start, stop).tobytes()) if stop > start else {}
        except (tokenize.TokenError, SyntaxError):
            continue
        for name, track in of_file.items():
            found[name][start:stop] = track
    return found


def correlations(model: CapturedModel, track: Track) -> list[NDArray[np.float64]]:
    """Pearson's r of the track with tanh(c) after each symbol, for every cell: float64 [unit] for each layer.

    A cell that never moves has 0. The model must be an LSTM.
    """
    known = np.flatnonzero(~np.isnan(track))
    wanted = _unit_vector(track[known].astype(np.float64))
    found = []
    for layer in model.layers:
        of_layer = np.zeros(layer.units)
        for unit in range(layer.units):
            values = SIGNALS["c"].view(layer.read("c", unit, 0, len(track)))[known]
            of_layer[unit] = _unit_vector(values.astype(np.float64)) @ wanted
        found.append(of_layer)
    return found


def correlation(model: CapturedModel, cell: Cell, track: Track) -> float:
    """The same of one cell."""
    known = np.flatnonzero(~np.isnan(track))
    stored = model.layers[cell.layer].read("c", cell.unit, 0, len(track))
    values = SIGNALS["c"].view(stored)[known].astype(np.float64)
    return float(_unit_vector(values) @ _unit_vector(track[known].astype(np.float64)))


def _unit_vector(values: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = values - values.mean() if len(values) else values
    length = float(np.linalg.norm(centred))
    return centred / length if length else centred
