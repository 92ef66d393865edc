"""A widget that shows painted lines and repaints only those that changed."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from rnnviz.tui.paint.lines import Line
from rnnviz.tui.paint.palette import RGB, Paint


def _color(colour: RGB | int | None) -> Color | None:
    if colour is None:
        return None
    return Color.from_ansi(colour) if isinstance(colour, int) else Color.from_rgb(*colour)


@lru_cache(maxsize=2048)
def rich_style(paint: Paint) -> Style:
    """A paint as Rich and Textual know it."""
    return Style(
        color=_color(paint.foreground),
        bgcolor=_color(paint.background),
        bold=paint.bold or None,
        underline=paint.underline or None,
        reverse=paint.reverse or None,
    )


class Lines(Widget):
    """Painted lines from the top of the widget down, the rest of it in the ground's paint."""

    ALLOW_SELECT = False

    def __init__(self, ground: Paint, *, id: str) -> None:
        super().__init__(id=id)
        self.ground = ground
        self._lines: list[Line] = []

    def show(self, lines: list[Line]) -> None:
        """Draw these lines from now on."""
        old, self._lines = self._lines, lines
        count = max(len(old), len(lines))
        changed = [
            Region(0, y, self.size.width, 1) for y in range(count) if old[y : y + 1] != lines[y : y + 1]
        ]
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        line = self._lines[y] if y < len(self._lines) else []
        segments = [Segment(text, rich_style(paint)) for text, paint in line]
        return Strip(segments).adjust_cell_length(width, rich_style(self.ground))
