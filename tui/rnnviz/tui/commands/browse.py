"""`rnnviz browse`: open the explorer on a capture."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnnviz.store.errors import InvalidRequest, NotFound
from rnnviz.tui.command_line.home_path import home_path
from rnnviz.tui.command_line.next_command import say_drawn
from rnnviz.tui.command_line.options import (
    CaptureArgument,
    CellOption,
    ColourChoice,
    ColourOption,
    MapOption,
    SignalOption,
    ThemeChoice,
    ThemeOption,
    ViewOption,
    WishedStartOption,
)

if TYPE_CHECKING:
    from rnnviz.store.reader import Capture
    from rnnviz.tui.view.view import View


def browse(
    capture: CaptureArgument,
    cell: CellOption = None,
    signal: SignalOption = None,
    start: WishedStartOption = None,
    view: ViewOption = None,
    color: ColourOption = ColourChoice.AUTO,
    theme: ThemeOption = ThemeChoice.DARK,
    colours: MapOption = "red-blue",
    run: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN", parser=home_path, help="The run to type with, if it is not near the capture."
        ),
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.svg", parser=home_path, help="Write the screen to this SVG file and leave."
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="NxN",
            help="The picture's columns and rows (120x40, or those of the view).",
            show_default=False,
        ),
    ] = None,
    press: Annotated[
        str,
        typer.Option(
            metavar="KEY,…",
            help="Keys to press before the picture is taken: single characters, and names as enter, pagedown, "
            "question_mark, comma or ctrl+l.",
        ),
    ] = "",
) -> None:
    """Explore a capture: the text shaded by one cell, keys to step through cells, layers and signals.

    It opens where it was left, unless a cell, a signal, a place or a view is named; the first time, on the cell of the
    top layer that varies most over the text. `?` in the explorer lists every key.

    Examples:

        rnnviz browse wp.zarr

        rnnviz browse wp.zarr --cell 1:37 --signal f --color 16m

        rnnviz browse wp.zarr --view 1:37.c,top=4000,cursor=4012

        rnnviz browse wp.zarr --picture screen.svg --size 80x24 --press j,j,pagedown
    """
    from rnnviz.tui.launch.browse import Wishes, explore_view, open_wished
    from rnnviz.tui.paint.palette import theme_name
    from rnnviz.tui.view.address import size_of

    for option, given in (("--press", press), ("--size", size)):
        if given and picture is None:
            raise InvalidRequest(
                f"{option} is for --picture", f"Give --picture FILE.svg, or leave {option} out."
            )
    if picture is not None and picture.suffix.lower() != ".svg":
        raise InvalidRequest(
            f"{picture} does not end in .svg, and a picture is drawn as SVG",
            "Give --picture a name that ends in .svg; rsvg-convert makes a PNG of it.",
        )
    if picture is not None and not picture.parent.is_dir():
        raise NotFound(f"there is no folder {picture.parent}", "Make it first, or choose another place.")
    if picture is not None and view is None:
        start = start or 0  # a picture is of what was asked for, not of where somebody left
    opened, opened_view = open_wished(Wishes(capture, cell, signal, start, view=view))
    if picture is None:
        explore_view(opened, opened_view, color, theme_name(theme, colours), run)
    else:
        keys = [key for key in press.split(",") if key]
        if size is None:
            size = "{}x{}".format(*(size_of(view or "") or (120, 40)))
        _draw(opened, opened_view, theme_name(theme, colours), picture, size, keys, run)


def _draw(
    opened: Capture,
    view: View,
    theme: str,
    path: Path,
    size: str,
    keys: list[str],
    run: Path | None,
) -> None:
    match = re.fullmatch(r"(\d{2,3})[x×](\d{1,3})", size)
    if match is None:
        raise InvalidRequest(f"{size!r} is no size", "Write columns and rows, as in 120x40.")

    from rnnviz.tui.launch.app import Explorer
    from rnnviz.tui.launch.headless_picture import picture_of, refuse_unknown_keys
    from rnnviz.tui.paint.palette import Depth
    from rnnviz.tui.scenes.snapshot import write_drawn

    refuse_unknown_keys(keys)
    explorer = Explorer(opened, view, Depth.TRUE, theme, run=run)
    svg = picture_of(explorer, int(match[1]), int(match[2]), keys, theme)
    write_drawn(path, svg)
    say_drawn(path, opened, explorer.view, f"{match[1]}×{match[2]} columns and rows")
