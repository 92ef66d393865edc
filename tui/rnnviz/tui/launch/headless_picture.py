"""A picture of the whole explorer, made by the explorer itself without a terminal."""

from __future__ import annotations

from typing import Final, Protocol, runtime_checkable

from rich.color import Color
from rich.segment import Segment
from rich.terminal_theme import DEFAULT_TERMINAL_THEME
from textual.binding import BindingsMap
from textual.keys import KEY_ALIASES, Keys, key_to_character
from textual.pilot import Pilot
from textual.widgets import Input

from rnnviz.store.errors import InvalidRequest, RnnvizError, Unavailable
from rnnviz.tui.launch.app import Explorer
from rnnviz.tui.paint.lines import Inks, Line
from rnnviz.tui.paint.palette import RGB, Depth, Paint, palette
from rnnviz.tui.pictures.svg_picture import as_svg

PATIENCE = 30.0
"""Seconds to wait for the disk before giving up."""


_MODIFIERS: Final = ("ctrl", "alt", "shift", "super")
_NAMES: Final = (
    "Keys are single characters (j, ?), names (enter, escape, space, comma, pagedown, f1), or ctrl+l."
)


@runtime_checkable
class TakesKeys(Protocol):
    """A screen that acts on keys which are not among its bindings, as one into which a person types."""

    def takes_key(self, key: str, character: str | None) -> bool:
        """Whether a key, by Textual's name, does something on this screen as it is now."""


def refuse_unknown_keys(keys: list[str]) -> None:
    """Raise InvalidRequest for the first name that is none of a key's."""
    known = {key.value for key in Keys}
    for key in keys:
        *modifiers, last = key.split("+") if len(key) > 1 else [key]
        is_key = len(last) == 1 or last in known or key_to_character(last) is not None
        if not (is_key and all(modifier in _MODIFIERS for modifier in modifiers)):
            raise InvalidRequest(f"{key!r} is no key", _NAMES)


def _means_something(explorer: Explorer, key: str) -> bool:
    """Whether a key does anything on the screen that the explorer shows now."""
    (name,) = BindingsMap([(key, "", "")]).key_to_bindings
    character = key_to_character(name)
    if character is not None and isinstance(explorer.focused, Input):
        return True
    screen = explorer.screen
    if any(each in screen.active_bindings for each in (name, *KEY_ALIASES.get(name, ()))):
        return True
    return isinstance(screen, TakesKeys) and screen.takes_key(name, character)


def picture_of(explorer: Explorer, width: int, height: int, keys: list[str], theme: str) -> str:
    """Run the explorer headless at width × height columns, press keys, and return the screen as SVG.

    Keys are Textual's names (`j`, `pagedown`, `question_mark`). Raises InvalidRequest for one that does nothing where
    it is pressed, and Unavailable where the screen never settles.
    """
    found: list[list[Line]] = []
    refused: list[RnnvizError] = []

    async def pilot(pilot: Pilot[object]) -> None:
        await _settled(explorer, pilot)
        for number, key in enumerate(keys):
            if not _means_something(explorer, key):
                after = f" after {','.join(keys[:number])}" if number else ""
                refused.append(
                    InvalidRequest(
                        f"the key {key!r} does nothing{after}", "? in the explorer lists the keys."
                    )
                )
                explorer.exit()
                return
            await pilot.press(key)
            await _settled(explorer, pilot)
        found.append(screen_lines(explorer))
        explorer.exit()

    explorer.run(headless=True, size=(width, height), auto_pilot=pilot)
    for error in refused:
        raise error
    if not found:
        raise Unavailable("the screen never settled", "Is the capture on a disk that answers?")
    return as_svg(found[0], Inks.of(palette(Depth.TRUE, theme, "diverging")).plain, "rnnviz")


async def _settled(explorer: Explorer, pilot: Pilot[object]) -> None:
    for _ in range(int(PATIENCE / 0.05)):
        await pilot.pause(0.05)
        if explorer.settled:
            await pilot.pause()
            return
    explorer.exit()


def screen_lines(explorer: Explorer) -> list[Line]:
    """What is on the explorer's screen now, dialogs included, as painted lines."""
    strips = explorer.screen._compositor.render_strips()
    return [[_painted(segment) for segment in strip if segment.text] for strip in strips]


def _painted(segment: Segment) -> tuple[str, Paint]:
    style = segment.style
    if style is None:
        return segment.text, Paint()
    paint = Paint(
        _rgb(style.color, foreground=True),
        _rgb(style.bgcolor, foreground=False),
        bool(style.bold),
        bool(style.underline),
        bool(style.reverse),
    )
    return segment.text, paint


def _rgb(color: Color | None, *, foreground: bool) -> RGB | None:
    if color is None or color.is_default:
        return None
    red, green, blue = color.get_truecolor(DEFAULT_TERMINAL_THEME, foreground)
    return red, green, blue
