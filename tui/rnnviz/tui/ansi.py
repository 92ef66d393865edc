"""Frames as bytes for a terminal: lines that look right with `cat` and `less -R`."""

from __future__ import annotations

from rnnviz.tui.frame import Frame
from rnnviz.tui.palette import Paint, Palette

RESET = "\x1b[0m"


def painted(text: str, paint: Paint) -> str:
    """Text wrapped in the sequences that draw it so and reset after it."""
    return f"\x1b[{paint.sgr}m{text}{RESET}" if paint.sgr else text


def ansi_lines(frame: Frame, palette: Palette) -> list[str]:
    """Each row of a frame as a string. Every line resets at its end, so that any of them can stand alone."""
    return [
        "".join(painted(text, palette.paint(style)) for text, style in frame.runs(row))
        for row in range(len(frame.codes))
    ]
