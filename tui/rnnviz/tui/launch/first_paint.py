"""The first screen, on the terminal before Textual is loaded.

Loading Textual and starting an application takes longer than reading the first screenful. So that is drawn at once,
as the application will draw it again; keys pressed meanwhile wait in the terminal's queue.
"""

from __future__ import annotations

import os
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

from rnnviz.tui.capture_cache.block_cache import Source
from rnnviz.tui.capture_cache.blocks import Block
from rnnviz.tui.capture_cache.wanted_blocks import text_needed, values_needed, window_at
from rnnviz.tui.paint.palette import Depth
from rnnviz.tui.scenes.layout import HINTS_HEIGHT
from rnnviz.tui.scenes.text_scene import Scene
from rnnviz.tui.terminal.difference import painted
from rnnviz.tui.view import view as moves
from rnnviz.tui.view.view import View

PATIENCE = 0.5
"""Seconds to wait for the disk before the application starts without a first screen."""
TerminalModes: TypeAlias = list[Any]
"""What `tcgetattr` returns."""
_INPUT_MODES, _LOCAL_MODES = 0, 3
"""Where these modes stand in what `tcgetattr` returns."""
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?1049l\x1b[?25h"


@contextmanager
def without_echo() -> Iterator[TerminalModes]:
    """Keep keys that are pressed meanwhile, unseen, for whoever reads the terminal next; then leave it as it was.
    What is inside learns how it was."""
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    quiet = termios.tcgetattr(keyboard)
    quiet[_LOCAL_MODES] &= ~(termios.ECHO | termios.ICANON)
    quiet[_INPUT_MODES] &= ~termios.ICRNL  # Enter shall be Enter when it is read
    termios.tcsetattr(keyboard, termios.TCSANOW, quiet)
    try:
        yield before
    finally:
        with suppress(termios.error):  # the terminal may be gone
            termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def terminal_is_gone() -> bool:
    """Whether the terminal was taken away, as by a connection that broke."""
    try:
        termios.tcgetattr(sys.stdin.fileno())
    except termios.error:
        return True
    return False


@contextmanager
def paint_first(source: Source, view: View, depth: Depth, theme: str) -> Iterator[None]:
    """Show a view while what is inside runs; the terminal is left as it was only if that fails."""
    size = os.get_terminal_size(sys.stdout.fileno())
    screen = _screen(source, view, depth, theme, size.columns, size.lines - HINTS_HEIGHT)
    if not screen:
        yield
        return
    sys.stdout.write(_ENTER + screen)
    sys.stdout.flush()
    try:
        yield
    except BaseException:
        sys.stdout.write(_LEAVE)
        sys.stdout.flush()
        raise


def _screen(source: Source, view: View, depth: Depth, theme: str, width: int, height: int) -> str:
    """The bytes of the first screen; none where it cannot be drawn in time or there is nothing to draw."""
    capture, scene = source.capture, Scene(source.capture, source, depth, theme)
    at = scene.places(view, width, height)
    if capture.captured == 0 or at.text.width < 1 or at.text.height < 1:
        return ""
    deadline = time.monotonic() + PATIENCE
    if not _read(source, text_needed(capture, view.top), deadline):
        return ""
    window = window_at(source, view.top)
    if window is None:
        return ""
    view = moves.scrolled_to_cursor(view, window, at.text.width, at.text.height)
    rows = window.rows_from(view.top, at.text.width, at.text.height)
    if not _read(source, values_needed(capture, view, *window.span(rows)), deadline):
        return ""
    return painted(scene.draw(view, view, window, rows, at, width, height))


def _read(source: Source, blocks: list[Block], deadline: float) -> bool:
    """Whether all blocks are in memory in time, without an error: those are shown by the application."""
    source.want(blocks)
    while not source.has(blocks):
        if time.monotonic() > deadline:
            return False
        source.wait(deadline - time.monotonic())
    return source.failure(blocks) is None
