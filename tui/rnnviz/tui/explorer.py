"""The explorer: what `rnnviz browse` opens."""

from __future__ import annotations

import asyncio

from textual.app import App
from textual.css.query import NoMatches
from textual.events import CursorPosition

from rnnviz.store.reader import Capture
from rnnviz.tui.palette import Depth
from rnnviz.tui.screens.text import TextScreen
from rnnviz.tui.view import View
from rnnviz.tui.widgets.canvas import Canvas

FAREWELL = 0.5
"""Seconds to wait, when leaving, for a terminal that has still to answer: its answer must not reach the shell."""


class Explorer(App[None]):
    """Shows one capture. Colours are the palette's own or the terminal's, never a Textual theme's."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "rnnviz"

    def __init__(self, capture: Capture, view: View, depth: Depth, theme: str) -> None:
        super().__init__(ansi_color=True)
        self._text_screen = TextScreen(capture, view, depth, theme)

    @property
    def settled(self) -> bool:
        """Whether everything that is looked at is on the screen."""
        return self.screen is not self._text_screen or self._text_screen.settled

    def on_mount(self) -> None:
        self.push_screen(self._text_screen)

    def on_cursor_position(self, event: CursorPosition) -> None:
        """The terminal's answer to the question at the end of a frame."""
        try:
            self._text_screen.query_one("#canvas", Canvas).answered()
        except NoMatches:
            return  # the answer to an earlier program's question

    async def action_quit(self) -> None:
        canvas = self._text_screen.query_one("#canvas", Canvas)
        for _ in range(int(FAREWELL / 0.01)):
            if not canvas.waiting:
                break
            await asyncio.sleep(0.01)
        self.exit()
