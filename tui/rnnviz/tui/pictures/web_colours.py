"""Paints in the notation of CSS, for pages and pictures."""

from __future__ import annotations

from rnnviz.tui.paint.palette import RGB, Paint


def web_colours(paint: Paint, ground: Paint | None = None) -> tuple[str, str]:
    """The colours of a piece's letters and of what is behind them, those of `ground` where the paint names none."""
    fore, back = ("#fff", "#000") if ground is None else web_colours(ground)
    letters, behind = _css(paint.foreground, fore), _css(paint.background, back)
    return (behind, letters) if paint.reverse else (letters, behind)


def _css(colour: RGB | int | None, default: str) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour) if isinstance(colour, tuple) else default
