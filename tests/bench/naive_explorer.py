"""The peer of the explorer's bench: what one would write first. A Static with a Text, one style a character.

python tests/bench/naive_explorer.py X.zarr
"""

from __future__ import annotations

import sys

import numpy as np
from rich.text import Text
from textual.app import App, ComposeResult
from textual.widgets import Static

from rnnviz.store.reader import open_capture
from rnnviz.tui.paint.palette import Depth, palette


class Naive(App[None]):
    BINDINGS = [("j", "step", "next cell"), ("q", "quit", "quit")]  # noqa: RUF012

    def __init__(self, path: str) -> None:
        super().__init__()
        self.capture = open_capture(path)
        self.unit = 0

    def compose(self) -> ComposeResult:
        yield Static(id="text")

    def on_mount(self) -> None:
        self.draw()

    def action_step(self) -> None:
        self.unit += 1
        self.draw()

    def draw(self) -> None:
        stop = min(self.capture.captured, self.size.width * self.size.height)
        layer = next(iter(self.capture.models.values())).layers[-1]
        values = np.tanh(layer.read("c", self.unit % layer.units, 0, stop).astype(np.float32))
        shades = palette(Depth.TRUE, "dark", "diverging")
        drawn = Text(f"cell {self.unit}\n")
        for byte, value in zip(self.capture.text(0, stop).tolist(), values.tolist(), strict=True):
            paint = shades.paint(round((value + 1) * 16))
            fore, back = paint.foreground, paint.background
            style = f"rgb{fore} on rgb{back}".replace(" ", "").replace("on", " on ")
            drawn.append(chr(byte), style)
        self.query_one("#text", Static).update(drawn)


if __name__ == "__main__":
    Naive(sys.argv[1]).run()
