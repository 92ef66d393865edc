"""Arguments and options that several commands share, so that they read alike everywhere."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import typer


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
DeviceOption = Annotated[DeviceChoice, typer.Option("--device", help="Where to compute.")]
TrainedTextArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="TEXT",
        help="A file, a directory, or `python:stdlib` (the source of this Python's library).",
        show_default=False,
    ),
]
EpochsOption = Annotated[int, typer.Option("--epochs", help="Passes over the train part.")]
SharesOption = Annotated[str, typer.Option("--split", help="Shares of train/validation/test in percent.")]
StreamsOption = Annotated[int, typer.Option("--streams", help="Streams read side by side (the batch).")]
UnrollOption = Annotated[int, typer.Option("--unroll", help="Steps that gradients reach back.")]
SeedOption = Annotated[
    int, typer.Option("--seed", help="Fixes the first weights, the dropout, the files' order.")
]
PartOption = Annotated[Literal["test", "val", "train"], typer.Option("--split", help="The part of the text.")]
GlobOption = Annotated[str, typer.Option("--glob", help="Which files of a directory make up the text.")]
TrainedGlobOption = Annotated[
    str | None,
    typer.Option("--glob", help="Which files of a directory, by default as in training.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
CellOption = Annotated[
    str | None, typer.Option("--cell", help="The cell, layer:unit, both counted from 0.", metavar="1:37")
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
    typer.Option("--color", help="Colours the terminal shows. COLORTERM does not cross SSH: say 16m there."),
]
MapChoice = Literal["red-blue", "orange-blue", "brown-teal", "magenta-green"]
MapOption = Annotated[
    MapChoice, typer.Option("--map", help="Colours of −1 and +1; all but the first for any kind of sight.")
]
ThemeOption = Annotated[ThemeChoice, typer.Option("--theme", help="For a dark or a light terminal.")]


def is_given(context: typer.Context, name: str) -> bool:
    """Whether a parameter stands on the command line, whatever its value."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
