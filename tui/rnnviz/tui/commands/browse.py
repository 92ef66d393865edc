"""`rnnviz browse`: open the explorer on a capture."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnnviz.store.errors import InvalidRequest
from rnnviz.tui.options import (
    CellOption,
    ColourChoice,
    ColourOption,
    SignalOption,
    StartOption,
    ThemeChoice,
    ThemeOption,
)

if TYPE_CHECKING:
    from rnnviz.store.reader import Capture

    from rnnviz.tui.view import View

_COLOR_SYSTEMS = {"16m": "truecolor", "256": "256", "16": "standard", "none": "standard"}


def browse(
    capture: Annotated[Path, typer.Argument(help="A capture, X.zarr.", metavar="X.zarr")],
    cell: CellOption = None,
    signal: SignalOption = None,
    start: StartOption = 0,
    color: ColourOption = ColourChoice.AUTO,
    theme: ThemeOption = ThemeChoice.DARK,
) -> None:
    """Explore a capture: the text shaded by one cell, keys to step through cells, layers and signals.

    `?` in the explorer lists every key.

    Examples:

        rnnviz browse wp.zarr

        rnnviz browse wp.zarr --cell 1:37 --signal f --color 16m
    """
    from rnnviz.tui.opening import open_view

    opened, view = open_view(capture, cell, signal, start)
    explore(opened, view, color, theme)


def explore(opened: Capture, view: View, color: ColourChoice, theme: ThemeChoice) -> None:
    """Run the explorer until the person quits it. Raises InvalidRequest where there is no terminal."""
    from rnnviz.tui.opening import depth_of_terminal

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InvalidRequest(
            "the explorer needs a terminal",
            f"Without one, use: rnnviz snapshot {opened.path.name} --cell {view.cell}",
        )
    found = depth_of_terminal(color.value)
    # Textual reads both when it is imported, and decides by itself where they are not set.
    os.environ["TEXTUAL_COLOR_SYSTEM"] = _COLOR_SYSTEMS[found.depth]
    if found.depth == "none":
        os.environ["NO_COLOR"] = "1"
    else:
        os.environ.pop("NO_COLOR", None)

    from rnnviz.tui.explorer import Explorer

    app = Explorer(opened, view, found.depth, theme.value)
    app.run()
    sys.exit(app.return_code or 0)
