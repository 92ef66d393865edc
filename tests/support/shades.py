"""Whether a row of a terminal is shaded as a capture says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.signals import Signal
from rnnviz.tui.paint.palette import Depth, palette
from rnnviz.tui.paint.text_frame import LEVELS, PLAIN
from support.terminal import Terminal


def wrong_columns(
    terminal: Terminal, y: int, values: NDArray[np.float16] | NDArray[np.float32], kind: Signal
) -> list[str]:
    """Where a row is not shaded by the values of a signal as stored, one for each of its first columns, in the dark
    theme. A level more or less is rounding; what is not known is not shaded."""
    shades = palette(Depth.TRUE, "dark", "sequential" if kind.is_gate else "diverging")
    found = []
    for x, value in enumerate(kind.view(values).tolist()):
        level = min(max((value - kind.low) / (kind.high - kind.low), 0), 1) * (LEVELS - 1)
        near = {
            shades.paint(PLAIN if level != level else round(level + by)).background for by in (-0.05, 0, 0.05)
        }
        colours = {"{:02x}{:02x}{:02x}".format(*colour) for colour in near if isinstance(colour, tuple)}
        if terminal.background(x, y) not in colours:
            found.append(f"{x}: {terminal.background(x, y)}, not one of {colours}")
    return found


def wait_for_shades(
    terminal: Terminal, y: int, values: NDArray[np.float16] | NDArray[np.float32], kind: Signal
) -> None:
    terminal.wait_for(
        lambda: not wrong_columns(terminal, y, values, kind), f"row {y} shaded by {kind.title} as captured"
    )
