"""A tour of cells that follow something in Python source: notes on what each follows and how closely, and the stretches
of the text that show it best. The notes and the places are found in the capture at hand, whatever its text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnviz.analysis.cells import Cell
from rnnviz.analysis.tracks.python_source import Track, correlation, correlations, tracks_over
from rnnviz.store.reader import Capture, CapturedModel
from rnnviz.store.signals import SIGNALS

FOLLOWED = {
    "bracket depth": "how many brackets are open",
    "inside a string": "whether it is inside a string",
    "position in line": "the position in the line",
    "indentation": "the indentation of the line",
}
"""The tracks that a cell is looked for, and what a cell that goes with one follows."""
STRETCH = 600
"""Symbols of a stretch: about what a screen of 80 × 24 shows."""
CHANGES = 0.7
"""The least standard deviation of the track over a stretch, of that over the whole text."""
PLACES = 2
"""Stretches of each cell."""
LEAST = 0.3
"""The |r| from which on a cell is said to go with something in part."""
FOLLOWS = 0.5
"""The |r| from which on it is said to follow it."""


@dataclass(frozen=True)
class Stop:
    """A cell of the tour: what it follows, how closely over the whole text, and where that is seen best."""

    cell: Cell
    follows: str
    r: float
    places: tuple[tuple[int, float], ...]
    """The first symbols of stretches, and r over each."""

    @property
    def note(self) -> str:
        """The sentence that stands with the cell."""
        told = f"follows {self.follows}" if abs(self.r) >= FOLLOWS else f"goes in part with {self.follows}"
        return f"{told}, r = {signed(self.r)} on this text"


def signed(r: float) -> str:
    """A correlation as it is printed, with a sign that is as wide as a digit."""
    return f"{r:+.2f}".replace("-", "−")


def tour(capture: Capture, cells: Mapping[str, Cell] | None = None) -> list[Stop]:
    """The stops of a capture of an LSTM over bytes, one for each of the tracks of `FOLLOWED`.

    cells: the cell that follows each track, by the track's name; without it, the one with the largest |r| on this text,
    if that is `LEAST` or more.
    """
    model = next(model for model in capture.models.values() if model.layers)
    tracks, stops = tracks_over(capture), []
    for name, follows in FOLLOWED.items():
        track = tracks[name]
        if np.isnan(track).all():
            continue
        if cells is None:
            cell, r = _closest(model, track)
            if abs(r) < LEAST:
                continue
        else:
            cell = cells[name]
            r = correlation(model, cell, track)
        stops.append(Stop(cell, follows, r, _best_places(capture, model, cell, track, r)))
    return stops


def _closest(model: CapturedModel, track: Track) -> tuple[Cell, float]:
    """The cell with the largest |r|, and its r."""
    of_layers = correlations(model, track)
    layer = max(range(len(of_layers)), key=lambda number: float(np.abs(of_layers[number]).max()))
    unit = int(np.abs(of_layers[layer]).argmax())
    return Cell(layer, unit), float(of_layers[layer][unit])


def _best_places(
    capture: Capture, model: CapturedModel, cell: Cell, track: Track, r: float
) -> tuple[tuple[int, float], ...]:
    """The stretches that begin a line, lie in one file and do not overlap, over which the cell goes with the track most
    closely, in the sense in which it does over the whole text.

    The track must change in them, too: where one bracket stands alone, any cell that moves goes with it.
    """
    length = len(track)
    values = SIGNALS["c"].view(model.layers[cell.layer].read("c", cell.unit, 0, length)).astype(np.float64)
    text = capture.text(0, length)
    starts = np.append(0, np.flatnonzero(text[:-1] == ord("\n")) + 1)
    segments = capture.segments[:, 0]
    inside = np.searchsorted(segments, starts, side="right") == np.searchsorted(
        segments, starts + STRETCH - 1, side="right"
    )
    starts = starts[(starts + STRETCH <= length) & inside]
    local, changes = _local(values, track.astype(np.float64), starts)
    changes_enough = changes >= CHANGES * float(np.nanstd(track))
    score = np.where(changes_enough, local * np.sign(r), -1.0)
    found: list[tuple[int, float]] = []
    for index in np.argsort(-score, kind="stable").tolist():
        place = int(starts[index])
        if len(found) == PLACES or score[index] <= 0:
            break
        if all(abs(place - other) >= STRETCH for other, _ in found):
            found.append((place, float(local[index])))
    return tuple(found)


def _local(
    values: NDArray[np.float64], track: NDArray[np.float64], starts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pearson's r over each stretch, and the track's standard deviation there: float64 [start]. Both are 0 where the
    track is not known all the way."""
    known = ~np.isnan(track)
    x, y = values, np.where(known, track, 0.0)

    def mean(of: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.concatenate([[0.0], np.cumsum(of)])
        over: NDArray[np.float64] = (sums[starts + STRETCH] - sums[starts]) / STRETCH
        return over

    whole = mean(known.astype(np.float64)) > 1 - 0.5 / STRETCH
    covariance = mean(x * y) - mean(x) * mean(y)
    spread_x = np.sqrt(np.maximum(0.0, mean(x * x) - mean(x) ** 2))
    spread_y = np.sqrt(np.maximum(0.0, mean(y * y) - mean(y) ** 2))
    product = spread_x * spread_y
    r = np.divide(covariance, product, out=np.zeros_like(product), where=product > 1e-9)
    return np.where(whole, r, 0.0), np.where(whole, spread_y, 0.0)
