"""The shaded text on the screen: a frame, drawn row by row."""

from __future__ import annotations

import numpy as np
from rich.segment import Segment
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from rnnviz.tui.frame import Frame
from rnnviz.tui.painting import painted_row
from rnnviz.tui.palette import Paint, Palette
from rnnviz.tui.widgets.lines import rich_style


class TextView(Widget):
    """Shows one frame. Rows that a new frame leaves as they were are not sent to the terminal again."""

    ALLOW_SELECT = False

    class Resized(Message):
        """The view has a new size; the frame to show is another one."""

    def __init__(self, ground: Paint, *, id: str) -> None:
        super().__init__(id=id)
        self._ground = ground
        self._frame: Frame | None = None
        self._palette: Palette | None = None

    def show(self, frame: Frame, palette: Palette) -> None:
        old, self._frame = self._frame, frame
        repaint_all = old is None or old.codes.shape != frame.codes.shape or palette is not self._palette
        self._palette = palette
        if old is None or repaint_all:
            self.refresh()
            return
        differs = (old.codes != frame.codes) | (old.styles != frame.styles)
        rows = np.flatnonzero(differs.any(axis=1)).tolist()
        if rows:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in rows))

    def on_resize(self) -> None:
        self.post_message(self.Resized())

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if self._frame is None or self._palette is None or y >= len(self._frame.codes):
            return Strip.blank(width, rich_style(self._ground))
        row = painted_row(self._frame, y, self._palette)
        segments = [Segment(text, rich_style(paint)) for text, paint in row]
        return Strip(segments).adjust_cell_length(width, rich_style(self._ground))
