"""The colours of what Textual draws itself (dialogs, lists, scrollbars, the command palette), from our palette's."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from textual.theme import BUILTIN_THEMES, Theme

from rnnviz.tui.paint.palette import RGB, THEMES, Depth, mix

_SIXTEEN: Final = "ansi_bright_yellow"
"""The accent where a terminal has 16 colours, see `Inks`."""


def textual_theme(depth: Depth, base: str) -> Theme:
    """The theme for a depth and a base, `dark` or `light`. It has one accent, that of the palette."""
    if depth in (Depth.FOUR_BIT, Depth.NONE):
        return _of_terminal(base, plain=depth is Depth.NONE)
    ours = THEMES[base]
    ground, accent = _hexadecimal(ours.neutral), _hexadecimal(ours.accent)
    marked = _hexadecimal(mix(ours.neutral, ours.accent, 0.3))
    bar = _hexadecimal(mix(ours.neutral, ours.accent, 0.7))
    return Theme(
        name=_name(base),
        primary=accent,
        secondary=_hexadecimal(ours.faint),
        warning=accent,
        error=_hexadecimal(ours.negative),
        success=accent,
        accent=accent,
        foreground=_hexadecimal(ours.text),
        background=ground,
        surface=ground,
        panel=ground,
        dark=base == "dark",
        variables={
            "border": _hexadecimal(ours.faint),
            "border-blurred": _hexadecimal(ours.faint),
            "block-cursor-foreground": _hexadecimal(ours.text),
            "block-cursor-background": marked,
            "block-cursor-blurred-background": marked,
            "scrollbar": bar,
            "scrollbar-hover": accent,
            "scrollbar-active": accent,
            "scrollbar-background": ground,
        },
    )


def _of_terminal(base: str, *, plain: bool) -> Theme:
    """The same in the terminal's own colours; `plain`: without any."""
    theirs = BUILTIN_THEMES[f"ansi-{base}"]
    accent = "ansi_default" if plain else _SIXTEEN
    marked = {"block-cursor-background": "ansi_default", "block-cursor-foreground": accent}
    blurred = {name.replace("cursor", "cursor-blurred"): value for name, value in marked.items()}
    style = "reverse" if plain else "bold reverse"
    styles = {"block-cursor-text-style": style, "block-cursor-blurred-text-style": style}
    bars = dict.fromkeys(("scrollbar", "scrollbar-hover", "scrollbar-active", "border"), accent)
    return replace(
        theirs,
        name=_name(base),
        primary=accent,
        secondary="ansi_bright_black",
        warning=accent,
        success=accent,
        accent=accent,
        variables=theirs.variables
        | marked
        | blurred
        | styles
        | bars
        | {"scrollbar-background": "ansi_default"},
    )


def _name(base: str) -> str:
    return f"rnnviz-{base}"


def _hexadecimal(colour: RGB) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
