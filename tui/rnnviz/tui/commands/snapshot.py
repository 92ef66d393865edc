"""`rnnviz snapshot`: a view without a screen."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rnnviz.store.errors import InvalidRequest
from rnnviz.tui.command_line.help_page import choices
from rnnviz.tui.command_line.home_path import home_path
from rnnviz.tui.command_line.message import say_note
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
    from rnnviz.tui.scenes.snapshot import Format

FormatChoice = Literal["ansi", "html", "svg", "txt"]


def snapshot(
    capture: CaptureArgument,
    cell: CellOption = None,
    signal: SignalOption = None,
    start: WishedStartOption = None,
    view: ViewOption = None,
    lines: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Rows of text (40), or of the whole view.",
            min=1,
            max=10_000,
            show_default=False,
        ),
    ] = None,
    width: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Columns of text (100), or of the whole view.",
            min=10,
            max=1_000,
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        FormatChoice | None,
        typer.Option(
            "--format",
            metavar=choices(FormatChoice),
            help="By default what the file's suffix says, else ansi.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            parser=home_path,
            help="The file to write; by default the terminal.",
        ),
    ] = None,
    color: ColourOption = ColourChoice.AUTO,
    theme: ThemeOption = ThemeChoice.DARK,
    colours: MapOption = "red-blue",
) -> None:
    """Draw a piece of a capture, as the explorer shows it, to a file or to the terminal.

    A cell is drawn as the shaded text alone, a view as the whole screen: with its pins, panels and comparisons, the
    cursor and what its condition marks. It is as large as the screen was that the view was copied from. Where neither
    is named, it is of the cell of the top layer that varies most over the text.

    ANSI text looks right with `cat` and `less -R`. Written to a file or a pipe it has 16 million colours unless
    `--color` says otherwise.

    Examples:

        rnnviz snapshot wp.zarr --cell 1:37 | less -R

        rnnviz snapshot wp.zarr --cell 0:12 --signal f --start 4000 -o cell.svg

        rnnviz snapshot wp.zarr --view 1:37.c,top=4000,shade=difference -o difference.html
    """
    from rnnviz.store.addition import finish
    from rnnviz.tui.launch.browse import Wishes, open_wished
    from rnnviz.tui.launch.open_view import depth_of_terminal
    from rnnviz.tui.paint.palette import Depth, theme_name
    from rnnviz.tui.scenes.layout import HINTS_HEIGHT
    from rnnviz.tui.scenes.snapshot import Sheet, format_of, render, write_snapshot
    from rnnviz.tui.view.address import size_of

    if view is None:
        start = start or 0
    opened, drawn_view = open_wished(Wishes(capture, cell, signal, start, view=view))
    if opened.captured == 0:
        raise InvalidRequest(f"nothing is captured in {capture} yet", finish(opened))
    to_terminal = out is None and sys.stdout.isatty()
    known = to_terminal or color is not ColourChoice.AUTO
    depth = depth_of_terminal(color.value).depth if known else Depth.TRUE
    named = theme_name(theme, colours)
    if view is None:
        sheet = Sheet(width or 100, lines or 40, text_alone=True)
    else:
        columns, rows = size_of(view) or (120, 40)
        sheet = Sheet(width or columns, max(3, lines or rows - HINTS_HEIGHT))
    if out is None:
        chosen = form or "ansi"
        _tell_of_colours(color, chosen)
        sys.stdout.write(render(opened, drawn_view, chosen, sheet, theme=named, depth=depth))
        return
    try:
        chosen = form or format_of(out)
    except InvalidRequest as error:
        raise InvalidRequest(error.message, error.hint.removesuffix(".") + ", or give --format.") from error
    _tell_of_colours(color, chosen)
    write_snapshot(opened, drawn_view, out, sheet, form=chosen, theme=named, depth=depth)
    say_drawn(out, opened, drawn_view, f"{sheet.width} columns")


def _tell_of_colours(color: ColourChoice, form: Format) -> None:
    """Say where a choice of colours has no effect."""
    has = {"html": ColourChoice.TRUE, "svg": ColourChoice.TRUE, "txt": ColourChoice.NONE}.get(form, color)
    if color not in (ColourChoice.AUTO, has):
        colours = "no colours" if has is ColourChoice.NONE else "all colours"
        say_note(f"--color {color.value} is for ANSI text: {form} has {colours}")
