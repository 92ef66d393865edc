"""A picture of the whole explorer, made by the explorer itself without a terminal."""

from __future__ import annotations

import re

from textual.pilot import Pilot

from rnnviz.store.errors import Unavailable
from rnnviz.tui.explorer import Explorer

PATIENCE = 30.0
"""Seconds to wait for the disk before giving up."""


def picture_of(explorer: Explorer, width: int, height: int, keys: list[str]) -> str:
    """Run the explorer headless at width × height columns, press keys, and return the screen as SVG.

    Keys are Textual's names (`j`, `pagedown`, `question_mark`). Raises Unavailable where the screen never settles.
    """
    found: list[str] = []

    async def pilot(pilot: Pilot[object]) -> None:
        await _settled(explorer, pilot)
        for key in keys:
            await pilot.press(key)
            await _settled(explorer, pilot)
        found.append(explorer.export_screenshot(title="rnnviz"))
        explorer.exit()

    explorer.run(headless=True, size=(width, height), auto_pilot=pilot)
    if not found:
        raise Unavailable("the screen never settled", "Is the capture on a disk that answers?")
    return without_downloads(found[0])


async def _settled(explorer: Explorer, pilot: Pilot[object]) -> None:
    for _ in range(int(PATIENCE / 0.05)):
        await pilot.pause(0.05)
        if explorer.settled:
            await pilot.pause()
            return
    explorer.exit()


def without_downloads(svg: str) -> str:
    """The same picture with the viewer's own monospaced font: no page that shows it fetches one."""
    svg = re.sub(r"\s*@font-face \{.*?\n    \}", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code", "DejaVu Sans Mono, Menlo, Consolas")
