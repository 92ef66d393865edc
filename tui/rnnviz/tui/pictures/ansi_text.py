"""Painted lines as text for a terminal."""

from __future__ import annotations

from rnnviz.tui.paint.lines import Line
from rnnviz.tui.paint.palette import Paint

RESET = "\x1b[0m"


def as_ansi(lines: list[Line]) -> str:
    """Lines that look right with `cat` and `less -R`: each resets at its end and stands alone."""
    return "".join("".join(_painted(piece) for piece in line) + "\n" for line in lines)


def _painted(piece: tuple[str, Paint]) -> str:
    text, paint = piece
    return f"\x1b[{paint.sgr}m{text}{RESET}" if paint.sgr else text
