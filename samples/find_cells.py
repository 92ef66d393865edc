"""Which cells of a run track something a person can name in Python source?

    rnnviz capture samples/python-lstm tui --glob '*.py' --split all --signals c --unknown replace --out own.zarr
    python samples/find_cells.py own.zarr

The text is this project's own source, which the run was not trained on, one segment a file. For each property of
the text (a *track*: a number per symbol) and each cell, the measure is Pearson's correlation over all symbols
between the track and tanh(c) after the symbol was read. The cell with the largest |r| is named, whatever it is.
"""

from __future__ import annotations

import io
import sys
import tokenize
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.reader import Capture, open_capture

Tracks = dict[str, NDArray[np.float32]]
OPENING, CLOSING = "([{", ")]}"


def tracks_of(source: bytes) -> Tracks:
    """The tracks of one file, float32 [byte]. The file must be valid Python and ASCII or UTF-8."""
    lines = source.splitlines(keepends=True)
    starts = np.concatenate([[0], np.cumsum([len(line) for line in lines])])
    found: Tracks = {
        name: np.zeros(len(source), np.float32)
        for name in (
            "inside a string",
            "inside a comment",
            "bracket depth",
            "position in line",
            "indentation",
        )
    }
    for line, start in zip(lines, starts, strict=False):
        span = slice(int(start), int(start) + len(line))
        found["position in line"][span] = np.arange(len(line))
        found["indentation"][span] = len(line) - len(line.lstrip(b" "))
    depth = 0
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        if token.type == tokenize.ENCODING:
            continue
        (row, column), (end_row, end_column) = token.start, token.end
        if row > len(lines):
            break
        start = starts[row - 1] + _bytes_before(lines[row - 1], column)
        stop = starts[min(end_row, len(lines)) - 1] + _bytes_before(
            lines[min(end_row, len(lines)) - 1], end_column
        )
        if token.type == tokenize.STRING:
            found["inside a string"][start : stop - 1] = 1
        elif token.type == tokenize.COMMENT:
            found["inside a comment"][start:stop] = 1
        elif token.type == tokenize.OP:
            depth += (token.string in OPENING) - (token.string in CLOSING)
        found["bracket depth"][start:] = depth
    return found


def _bytes_before(line: bytes, column: int) -> int:
    return len(line.decode("utf-8", "replace")[:column].encode())


def correlations(capture: Capture) -> dict[str, NDArray[np.float64]]:
    """Pearson's r of every cell with every track: float64 [cell], layer by layer."""
    pieces: dict[str, list[NDArray[np.float32]]] = {}
    keep = []
    for start, length, _ in capture.segments.tolist():
        source = capture.text(start, start + length).tobytes()
        try:
            for name, track in tracks_of(source).items():
                pieces.setdefault(name, []).append(track)
        except (tokenize.TokenError, SyntaxError):
            continue
        keep.append(np.arange(start, start + length))
    positions = np.concatenate(keep)
    model = next(iter(capture.models.values()))
    values = np.concatenate(
        [
            np.tanh(layer.read_units("c", slice(0, layer.units), 0, capture.captured).astype(np.float32))
            for layer in model.layers
        ]
    )[:, positions]
    values -= values.mean(axis=1, keepdims=True)
    values /= np.linalg.norm(values, axis=1, keepdims=True) + 1e-12
    found = {}
    for name, tracks in pieces.items():
        track = np.concatenate(tracks)
        track = track - track.mean()
        found[name] = (values @ (track / (np.linalg.norm(track) + 1e-12))).astype(np.float64)
    return found


def main() -> None:
    capture = open_capture(Path(sys.argv[1]))
    model = next(iter(capture.models.values()))
    names = [f"{layer}:{unit}" for layer, stored in enumerate(model.layers) for unit in range(stored.units)]
    print(f"{capture.captured:,} symbols, {len(capture.segments)} files, {len(names)} cells")
    for name, r in correlations(capture).items():
        best = np.argsort(-np.abs(r))[:5]
        print(f"{name:18}", "  ".join(f"{names[cell]} {r[cell]:+.3f}" for cell in best))


if __name__ == "__main__":
    main()
