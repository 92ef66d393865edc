"""The widget that shows a grid, and changes the terminal itself where nothing lies over it."""

from __future__ import annotations

import time

import numpy as np
from rich.segment import Segment
from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets._toast import Toast

from rnnviz.tui.paint.grid import Grid
from rnnviz.tui.paint.palette import Paint
from rnnviz.tui.terminal.difference import difference
from rnnviz.tui.terminal.frame_pacing import PATIENCE, QUESTION, Pace
from rnnviz.tui.terminal.tab_stops import TabStops, pass_unchanged
from rnnviz.tui.widgets.lines import rich_style

SYNC_START, SYNC_END = "\x1b[?2026h", "\x1b[?2026l"
"""What is between the two appears at once (terminals that do not know them ignore them)."""
_OUTPUT = 2
"""The file that Textual writes to."""


class Canvas(Widget):
    """Shows one grid.

    A new grid of the same size is painted as the difference to the old one, straight to the terminal, as soon as
    that has answered for the frame before (see `pacing`); a grid that is overtaken meanwhile is never painted.
    Textual's compositor draws the grid (`render_line`) when the size is another, or while a dialog, a notice or what
    is wrong with an answer covers it.
    """

    ALLOW_SELECT = False

    class Resized(Message):
        """The canvas has a new size: what it shows must be drawn anew."""

    class Clicked(Message):
        """A column and row of the canvas were clicked; the second click of a double one says so."""

        def __init__(self, x: int, y: int, *, again: bool = False) -> None:
            super().__init__()
            self.x = x
            self.y = y
            self.again = again

    class Wheeled(Message):
        """The mouse's wheel was turned, downwards or upwards."""

        def __init__(self, down: bool) -> None:
            super().__init__()
            self.down = down

    class Free(Message):
        """The terminal has shown the last frame: the next may be drawn."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Canvas.Free)

    def __init__(self, ground: Paint, *, id: str) -> None:
        super().__init__(id=id)
        self.ground = ground
        self.grid: Grid | None = None
        """What the terminal shows, or will once Textual has drawn what it is about to."""
        self._drawn = False
        """Whether the compositor has drawn the grid since it last had to."""
        self._pace = Pace()
        self._stops = TabStops()

    @property
    def free(self) -> bool:
        """Whether a grid shown now would be painted now. If not, `Free` will say when."""
        return self._pace.free(time.monotonic()) or self._covered

    @property
    def waiting(self) -> bool:
        """Whether the terminal has still to answer for a frame."""
        return self._pace.waiting or self._stops.waiting

    def show(self, grid: Grid) -> None:
        """Paint this grid in the place of the last one."""
        old, self.grid = self.grid, grid
        # Textual keeps the strips it rendered; these are no longer what a dialog that closes must uncover.
        self._styles_cache.clear()
        if old is None or old.codes.shape != grid.codes.shape:
            self._drawn = False
            self.refresh()
        elif self._drawn and not self._covered:
            self._write(difference(old, grid, *self.region.offset, tabs=self._stops.known))
        else:
            differs = ((old.codes != grid.codes) | (old.inks != grid.inks)).any(axis=1)
            rows = np.flatnonzero(differs).tolist()
            if rows:
                self.refresh(*(Region(0, y, grid.width, 1) for y in rows))

    def on_mount(self) -> None:
        # While the program was suspended, others may have used the terminal.
        self.app.app_resume_signal.subscribe(self, lambda _: self.forget())

    def answered(self, column: int, row: int) -> None:
        """The terminal has told where its cursor is: at a tab stop, if it was asked for those, else at the end of a
        frame."""
        if self._stops.waiting:
            self._stops.answered(column, row)
        else:
            self._pace.answered()
            self.post_message(self.Free())

    def forget(self) -> None:
        """Take nothing for granted of what the terminal shows."""
        self._drawn = False
        self._stops.forget()
        self._styles_cache.clear()
        self.refresh()

    @property
    def _covered(self) -> bool:
        """Whether something may lie over the canvas, or Textual is about to draw it anyway."""
        return (
            self.app.screen is not self.screen
            or bool(self.screen.query(Toast))
            or any(
                other.display and other is not self and other.region.overlaps(self.region)
                for other in self.screen.children
            )
            or bool(self._repaint_regions)
            or self.app._driver is None
            or self.app.is_headless
        )

    def _write(self, data: str) -> None:
        driver = self.app._driver
        if data and driver is not None:
            if not (self._stops.asked or self.waiting) and pass_unchanged(_OUTPUT):
                data += self._stops.question(self.region.right)
            driver.write(f"{SYNC_START}{data}{SYNC_END}{QUESTION}")
            driver.flush()
            self._pace.sent(time.monotonic())
            self.set_timer(PATIENCE, lambda: self.post_message(self.Free()))

    def on_click(self, event: Click) -> None:
        self.post_message(self.Clicked(event.x, event.y, again=event.chain == 2))

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self.post_message(self.Wheeled(down=True))

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self.post_message(self.Wheeled(down=False))

    def on_resize(self) -> None:
        self._drawn = False
        self._stops.forget()
        self.post_message(self.Resized())

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if self.grid is None or y >= self.grid.height:
            return Strip.blank(width, rich_style(self.ground))
        if y == self.grid.height - 1:
            self._drawn = True
        segments = [Segment(text, rich_style(paint)) for text, paint in self.grid.row(y)]
        return Strip(segments).adjust_cell_length(width, rich_style(self.ground))
