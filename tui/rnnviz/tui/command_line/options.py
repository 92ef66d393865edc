"""Arguments and options that several commands share, so that they read alike everywhere."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from rnnviz.tui.command_line.help_page import choices
from rnnviz.tui.command_line.home_path import home_path, home_text


class ColourChoice(StrEnum):
    AUTO = "auto"
    TRUE = "16m"
    EIGHT_BIT = "256"
    FOUR_BIT = "16"
    NONE = "none"


class ThemeChoice(StrEnum):
    DARK = "dark"
    LIGHT = "light"


DeviceChoice = Literal["auto", "cpu", "cuda"]
DeviceOption = Annotated[
    DeviceChoice, typer.Option("--device", help="Where to compute.", metavar=choices(DeviceChoice))
]
TrainedTextArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="TEXT",
        parser=home_text,
        help="A file, a directory, or `python:stdlib` (the source of this Python's library).",
        show_default=False,
    ),
]
EpochsOption = Annotated[int, typer.Option("--epochs", metavar="N", help="Passes over the train part.")]
SharesOption = Annotated[
    str, typer.Option("--split", metavar="N/N/N", help="Shares of train/validation/test in percent.")
]
StreamsOption = Annotated[
    int, typer.Option("--streams", metavar="N", help="Streams read side by side (the batch).")
]
UnrollOption = Annotated[int, typer.Option("--unroll", metavar="N", help="Steps that gradients reach back.")]
SeedOption = Annotated[
    int, typer.Option("--seed", metavar="N", help="Fixes the first weights, the dropout, the files' order.")
]
PartChoice = Literal["test", "val", "train"]
PartOption = Annotated[
    PartChoice, typer.Option("--split", metavar=choices(PartChoice), help="The part of the text.")
]
CapturedPartChoice = Literal["test", "val", "train", "all"]
GlobOption = Annotated[
    str, typer.Option("--glob", metavar="PATTERN", help="Which files of a directory make up the text.")
]
TrainedGlobOption = Annotated[
    str | None,
    typer.Option(
        "--glob",
        metavar="PATTERN",
        help="Which files of a directory, by default as in training.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
CellOption = Annotated[
    str | None,
    typer.Option("--cell", help="The cell, as 1:37; both are counted from 0.", metavar="LAYER:UNIT"),
]
SignalOption = Annotated[
    str | None, typer.Option("--signal", help="The signal: c h i f o g, h r z n, or h.", metavar="S")
]
StartOption = Annotated[int, typer.Option("--start", help="Offset of the first symbol shown.", metavar="N")]
WishedStartOption = Annotated[
    int | None, typer.Option("--start", help="Offset of the first symbol shown.", metavar="N")
]
ViewOption = Annotated[
    str | None, typer.Option("--view", help="A view as y copies it in the explorer.", metavar="VIEW")
]
ColourOption = Annotated[
    ColourChoice,
    typer.Option(
        "--color",
        metavar=choices(ColourChoice),
        help="Colours the terminal shows. COLORTERM does not cross SSH: say 16m there.",
    ),
]
MapChoice = Literal["red-blue", "orange-blue", "brown-teal", "magenta-green"]
MapOption = Annotated[
    MapChoice,
    typer.Option(
        "--map",
        metavar=choices(MapChoice),
        help="Colours of −1 and +1; all but the first for any kind of sight.",
    ),
]
ThemeOption = Annotated[
    ThemeChoice,
    typer.Option("--theme", metavar=choices(ThemeChoice), help="For a dark or a light terminal."),
]
CaptureArgument = Annotated[Path, typer.Argument(metavar="X.zarr", parser=home_path, help="A capture.")]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", parser=home_path, help="A run directory.")]


def is_given(context: typer.Context, name: str) -> bool:
    """Whether a parameter stands on the command line, whatever its value."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
