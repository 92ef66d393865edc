"""What the terminal can show: its colour depth, and why we think so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rnnviz.tui.paint.palette import Depth

_TRUE_COLOUR_TERMS = ("alacritty", "contour", "foot", "ghostty", "kitty", "wezterm")
"""Terminals that name themselves in TERM and show 16 million colours; theirs is all that crosses SSH."""
_NO_COLOUR_TERMS = ("", "dumb", "vt100", "vt102", "vt220")


@dataclass(frozen=True)
class ColourDepth:
    depth: Depth
    reason: str


def colour_depth(asked: str, environment: Mapping[str, str]) -> ColourDepth:
    """The depth to draw in: what was asked for with `--color`, or what the environment tells.

    `COLORTERM` does not cross SSH and tmux sets a `TERM` of its own, so a terminal that can do more often says
    less; `--color` is the way to insist.
    """
    if asked != "auto":
        return ColourDepth(Depth(asked), f"--color {asked}")
    if environment.get("NO_COLOR"):
        return ColourDepth(Depth.NONE, "NO_COLOR is set")
    term = environment.get("TERM", "")
    colorterm = environment.get("COLORTERM", "").lower()
    if term in _NO_COLOUR_TERMS:
        return ColourDepth(Depth.NONE, f"TERM is {term or 'not set'}")
    if colorterm in ("truecolor", "24bit"):
        return ColourDepth(Depth.TRUE, f"COLORTERM is {colorterm}")
    if (
        term.endswith(("-direct", "-truecolor"))
        or term.removeprefix("xterm-").split("-")[0] in _TRUE_COLOUR_TERMS
    ):
        return ColourDepth(Depth.TRUE, f"TERM is {term}")
    if "256color" in term:
        hint = "; COLORTERM does not cross SSH: use --color 16m if the terminal can" if not colorterm else ""
        return ColourDepth(Depth.EIGHT_BIT, f"TERM is {term}{hint}")
    return ColourDepth(Depth.FOUR_BIT, f"TERM is {term}, which promises no more")
