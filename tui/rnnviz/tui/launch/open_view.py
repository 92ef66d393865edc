"""From what a person typed to a capture and the view of it to start with."""

from __future__ import annotations

import os
from pathlib import Path

from rnnviz.analysis.cells import Cell, liveliest, parse_cell
from rnnviz.analysis.model_comparison import default_pair
from rnnviz.store.errors import InvalidCapture, InvalidRequest, RnnvizError
from rnnviz.store.reader import Capture, CapturedModel, open_capture
from rnnviz.store.signals import SIGNALS
from rnnviz.tui.terminal.colour_depth import ColourDepth, colour_depth
from rnnviz.tui.text.symbol_edges import byte_of
from rnnviz.tui.view.address import outside, view_at
from rnnviz.tui.view.user_state import last_view
from rnnviz.tui.view.view import View


def open_view(path: Path, cell: str | None, signal: str | None, start: int) -> tuple[Capture, View]:
    """Open a capture and look at `cell` and `signal` from the row that holds offset `start` on.

    Where no cell is named, it is one worth seeing (see `_first_cell`); where no signal is, the cell's first. Raises
    what `open_capture` raises, and InvalidRequest for a cell, signal or offset that the capture does not have.
    """
    capture = open_capture(path)
    _check_has_cells(capture)
    model = next(model for model in capture.models.values() if model.layers)
    units = tuple(layer.units for layer in model.layers)
    chosen = parse_cell(cell, units) if cell else _first_cell(capture, model, signal)
    signals = model.layers[chosen.layer].signals
    if signal is not None and signal not in signals:
        known = f" ({SIGNALS[signal].title})" if signal in SIGNALS else ""
        raise InvalidRequest(
            f"the capture has no signal {signal!r}{known}",
            f"It has {', '.join(signals)} of layer {chosen.layer}.",
        )
    if start < 0 or (start >= capture.captured and start > 0):
        raise outside(f"offset {start:,}", start, capture)
    left, right = default_pair(capture, model.name)
    view = View(
        model.name, chosen, signal or signals[0], byte_of(capture, start), start, left=left, right=right
    )
    return capture, view


def _first_cell(capture: Capture, model: CapturedModel, signal: str | None) -> Cell:
    """The cell to begin with: of the top layer, the one whose signal deviates most from its mean over the whole text,
    because the first cell of a model may show nothing at all.

    It is the first cell while a capture is not complete (another one would be chosen each time) and where the
    statistics cannot be read, which the explorer tells of. The first screen needs these statistics anyway.
    """
    top = len(model.layers) - 1
    layer = model.layers[top]
    signal = signal or layer.signals[0]
    if not capture.complete or signal not in layer.signals:
        return Cell(0, 0)
    try:
        unit = liveliest(layer.statistics(), signal)
    except RnnvizError:
        return Cell(0, 0)
    return Cell(0, 0) if unit is None else Cell(top, unit)


def open_at(path: Path, address: str) -> tuple[Capture, View]:
    """Open a capture and the view that a line stands for, see `addresses`."""
    capture = open_capture(path)
    _check_has_cells(capture)
    return capture, view_at(address, capture)


def open_last(path: Path) -> tuple[Capture, View]:
    """Open a capture where it was left, or as `open_view` does where that is not known or no longer there."""
    address = last_view(path)
    if address is not None:
        try:
            return open_at(path, address)
        except InvalidRequest:
            pass  # another capture has this name now
    return open_view(path, None, None, 0)


def _check_has_cells(capture: Capture) -> None:
    if not any(model.layers for model in capture.models.values()):
        raise InvalidCapture(
            f"{capture.path} holds no recurrent model",
            "Capture one with: rnnviz capture RUN TEXT --out X.zarr",
        )


def depth_of_terminal(asked: str) -> ColourDepth:
    """The colour depth to draw in: what was asked for, or what the environment tells."""
    return colour_depth(asked, os.environ)
