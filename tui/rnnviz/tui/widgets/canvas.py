"""The widget that shows a grid, and changes the terminal itself where nothing lies over it."""

from __future__ import annotations

import numpy as np
from rich.segment import Segment
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets._toast import Toast

from rnnviz.tui.canvas import Grid, difference
from rnnviz.tui.palette import Paint
from rnnviz.tui.widgets.lines import rich_style


class Canvas(Widget):
    """Shows one grid.

    A new grid of the same size is painted as the difference to the old one, straight to the terminal. Textual's
    compositor draws the grid (`render_line`) when the size is another, or while a dialog or a notice covers it.
    """

    ALLOW_SELECT = False

    class Resized(Message):
        """The canvas has a new size: what it shows must be drawn anew."""

    def __init__(self, ground: Paint, *, id: str) -> None:
        super().__init__(id=id)
        self._ground = ground
        self.grid: Grid | None = None
        self._drawn = False
        """Whether the compositor has drawn the grid since it last had to."""

    def show(self, grid: Grid) -> None:
        old, self.grid = self.grid, grid
        # Textual keeps the strips it rendered; these are no longer what a dialog that closes must uncover.
        self._styles_cache.clear()
        if old is None or old.codes.shape != grid.codes.shape:
            self._drawn = False
            self.refresh()
        elif self._drawn and not self._covered:
            self._write(difference(old, grid, *self.region.offset))
        else:
            differs = ((old.codes != grid.codes) | (old.inks != grid.inks)).any(axis=1)
            rows = np.flatnonzero(differs).tolist()
            if rows:
                self.refresh(*(Region(0, y, grid.width, 1) for y in rows))

    def forget(self) -> None:
        """Take nothing for granted of what the terminal shows."""
        self._drawn = False
        self._styles_cache.clear()
        self.refresh()

    @property
    def _covered(self) -> bool:
        """Whether something may lie over the canvas, or Textual is about to draw it anyway."""
        return (
            self.app.screen is not self.screen
            or bool(self.screen.query(Toast))
            or bool(self._repaint_regions)
            or self.app._driver is None
            or self.app.is_headless
        )

    def _write(self, data: str) -> None:
        driver = self.app._driver
        if data and driver is not None:
            driver.write(data)
            driver.flush()

    def on_resize(self) -> None:
        self._drawn = False
        self.post_message(self.Resized())

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if self.grid is None or y >= self.grid.height:
            return Strip.blank(width, rich_style(self._ground))
        if y == self.grid.height - 1:
            self._drawn = True
        segments = [Segment(text, rich_style(paint)) for text, paint in self.grid.row(y)]
        return Strip(segments).adjust_cell_length(width, rich_style(self._ground))
