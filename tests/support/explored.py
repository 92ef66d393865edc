"""The explorer with a pilot at its keys, and what stands on its screen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot
from textual.screen import Screen

from rnnviz.tui.launch.app import Explorer
from rnnviz.tui.launch.headless_picture import screen_lines
from rnnviz.tui.paint.lines import Line
from rnnviz.tui.paint.palette import Paint
from rnnviz.tui.screens.cells.cells_screen import CellsScreen
from rnnviz.tui.screens.text.text_screen import TextScreen
from rnnviz.tui.view.view import View

PATIENCE = 30.0
"""Seconds to wait for what must come before a test fails: a bound, not a measure."""


class Explored:
    """Presses keys, and reads the screen once all they asked for is on it."""

    def __init__(self, app: Explorer, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
        await self.until(lambda: self.app.settled, "everything was read")

    async def until(self, reached: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not reached():
            assert time.monotonic() < deadline, f"never: {what}\n{self.shown}"
            await self.pilot.pause(0.02)

    @property
    def text(self) -> TextScreen:
        screen = self.app.screen_stack[1]
        assert isinstance(screen, TextScreen)
        return screen

    @property
    def cells(self) -> CellsScreen:
        screen = self.app.screen
        assert isinstance(screen, CellsScreen)
        return screen

    @property
    def view(self) -> View:
        return self.text.view

    @property
    def rows(self) -> list[str]:
        return ["".join(text for text, _ in line) for line in screen_lines(self.app)]

    @property
    def shown(self) -> str:
        return "\n".join(self.rows)


def remark_of(screen: Screen[Any]) -> str:
    """What a screen says in its bottom line."""
    assert isinstance(screen, TextScreen)
    return "" if screen.remark is None else screen.remark.text


def by_column(line: Line) -> list[tuple[str, Paint]]:
    """Every character of a painted line with its paint, however the line is cut into pieces."""
    return [(character, paint) for text, paint in line for character in text]
