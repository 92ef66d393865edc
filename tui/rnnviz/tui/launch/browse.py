"""From a call of `rnnviz browse` to the explorer on the terminal, by the shortest way."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from rnnviz.store.errors import InvalidRequest
from rnnviz.tui.command_line.home_path import home_path, home_text

if TYPE_CHECKING:
    from rnnviz.store.reader import Capture
    from rnnviz.tui.view.view import View

_COLOR_SYSTEMS = {"16m": "truecolor", "256": "256", "16": "standard", "none": "standard"}
_CHOICES = {
    "color": ("auto", "16m", "256", "16", "none"),
    "theme": ("dark", "light"),
    "map": ("red-blue", "orange-blue", "brown-teal", "magenta-green"),
}


@dataclass(frozen=True)
class Wishes:
    """What a person asked the explorer for. Each option but the capture is `--` and the field's name."""

    capture: Path
    cell: str | None = None
    signal: str | None = None
    start: int | None = None
    color: str = "auto"
    theme: str = "dark"
    map: str = "red-blue"
    view: str | None = None
    run: str | None = None


def plain_wishes(arguments: list[str]) -> Wishes | None:
    """The wishes in the arguments of `rnnviz browse`, or None where they are anything but plain and right: then the
    command line's own parser has the word."""
    found: dict[str, str] = {}
    names = {field.name for field in fields(Wishes)} - {"capture"}
    left = list(arguments)
    while left:
        argument = left.pop(0)
        if not argument.startswith("-"):
            name, value = "capture", argument
        else:
            name, equals, value = argument.removeprefix("--").partition("=")
            if not argument.startswith("--") or name not in names or not (equals or left):
                return None
            value = value if equals else left.pop(0)
        if name in found or value not in _CHOICES.get(name, (value,)):
            return None
        found[name] = value
    start = found.pop("start", None)
    if "capture" not in found or (start is not None and not start.isdecimal()):
        return None
    path = home_path(found.pop("capture"))
    if "run" in found:
        found["run"] = home_text(found["run"])
    return Wishes(path, start=None if start is None else int(start), **found)


def explore(wishes: Wishes) -> None:
    """Open a capture and explore it. Raises what `open_view` raises, and InvalidRequest without a terminal."""
    from rnnviz.tui.paint.palette import theme_name

    opened, view = open_wished(wishes)
    theme = theme_name(wishes.theme, wishes.map)
    explore_view(opened, view, wishes.color, theme, Path(wishes.run) if wishes.run else None)


def open_wished(wishes: Wishes) -> tuple[Capture, View]:
    """The capture and the view that were asked for; where none was, the one that the capture was left with."""
    from rnnviz.tui.launch.open_view import open_at, open_last, open_view

    if wishes.view is not None:
        if (wishes.cell, wishes.signal, wishes.start) != (None, None, None):
            raise InvalidRequest("--view says all of --cell, --signal and --start", "Leave those out.")
        return open_at(wishes.capture, wishes.view)
    if (wishes.cell, wishes.signal, wishes.start) == (None, None, None):
        return open_last(wishes.capture)
    return open_view(wishes.capture, wishes.cell, wishes.signal, wishes.start or 0)


def explore_view(opened: Capture, view: View, color: str, theme: str, run: Path | None = None) -> None:
    """Run the explorer until the person quits it. Raises InvalidRequest where there is no terminal.

    `run` is where the capture's run is, if it was said; NotFound and InvalidRun where none is.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InvalidRequest(
            "the explorer needs a terminal",
            f"Without one, use: rnnviz snapshot {opened.path.name} --cell {view.cell}",
        )
    if run is not None:
        from rnnviz.tui.playground.model_locations import refuse_no_run

        refuse_no_run(run)
    from rnnviz.tui.capture_cache.block_cache import Source
    from rnnviz.tui.launch.first_paint import paint_first, terminal_is_gone, without_echo
    from rnnviz.tui.launch.open_view import depth_of_terminal
    from rnnviz.tui.view.address import address_of
    from rnnviz.tui.view.user_state import keep_view

    found = depth_of_terminal(color)
    source = Source(opened)
    with without_echo() as modes:
        with paint_first(source, view, found.depth, theme):
            # Textual reads both when it is imported, and decides by itself where they are not set.
            os.environ["TEXTUAL_COLOR_SYSTEM"] = _COLOR_SYSTEMS[found.depth]
            if found.depth == "none":
                os.environ["NO_COLOR"] = "1"
            else:
                os.environ.pop("NO_COLOR", None)

            from rnnviz.tui.launch.app import Explorer

            app = Explorer(opened, view, found.depth, theme, source, run)
        if terminal_is_gone():  # Textual would wait for ever to write its first screen
            sys.exit(128 + signal.SIGHUP)
        app.terminal_modes = modes
        app.run()
    keep_view(opened.path, address_of(app.view))
    sys.exit(app.return_code or 0)
