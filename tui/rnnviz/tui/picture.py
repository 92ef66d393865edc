"""A picture of the whole explorer, made by the explorer itself without a terminal."""

from __future__ import annotations

from rich.color import Color
from rich.segment import Segment
from rich.terminal_theme import DEFAULT_TERMINAL_THEME
from textual.pilot import Pilot

from rnnviz.store.errors import Unavailable
from rnnviz.tui.explorer import Explorer
from rnnviz.tui.painting import Inks, Line
from rnnviz.tui.palette import RGB, Depth, Paint, palette
from rnnviz.tui.svg_picture import as_svg

PATIENCE = 30.0
"""Seconds to wait for the disk before giving up."""


def picture_of(explorer: Explorer, width: int, height: int, keys: list[str], theme: str) -> str:
    """Run the explorer headless at width × height columns, press keys, and return the screen as SVG.

    Keys are Textual's names (`j`, `pagedown`, `question_mark`). Raises Unavailable where the screen never settles.
    """
    found: list[list[Line]] = []

    async def pilot(pilot: Pilot[object]) -> None:
        await _settled(explorer, pilot)
        for key in keys:
            await pilot.press(key)
            await _settled(explorer, pilot)
        found.append(screen_lines(explorer))
        explorer.exit()

    explorer.run(headless=True, size=(width, height), auto_pilot=pilot)
    if not found:
        raise Unavailable("the screen never settled", "Is the capture on a disk that answers?")
    return as_svg(found[0], Inks.of(palette(Depth.TRUE, theme, "diverging")).plain, "rnnviz")


async def _settled(explorer: Explorer, pilot: Pilot[object]) -> None:
    for _ in range(int(PATIENCE / 0.05)):
        await pilot.pause(0.05)
        if explorer.settled:
            await pilot.pause()
            return
    explorer.exit()


def screen_lines(explorer: Explorer) -> list[Line]:
    """What is on the explorer's screen now, dialogs included, as painted lines."""
    strips = explorer.screen._compositor.render_strips()
    return [[_painted(segment) for segment in strip if segment.text] for strip in strips]


def _painted(segment: Segment) -> tuple[str, Paint]:
    style = segment.style
    if style is None:
        return segment.text, Paint()
    paint = Paint(
        _rgb(style.color, foreground=True),
        _rgb(style.bgcolor, foreground=False),
        bool(style.bold),
        bool(style.underline),
        bool(style.reverse),
    )
    return segment.text, paint


def _rgb(color: Color | None, *, foreground: bool) -> RGB | None:
    if color is None or color.is_default:
        return None
    red, green, blue = color.get_truecolor(DEFAULT_TERMINAL_THEME, foreground)
    return red, green, blue
