"""The explorer: what `rnnviz browse` opens."""

from __future__ import annotations

from textual.app import App

from rnnviz.store.reader import Capture
from rnnviz.tui.palette import Depth
from rnnviz.tui.screens.text import TextScreen
from rnnviz.tui.view import View


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
