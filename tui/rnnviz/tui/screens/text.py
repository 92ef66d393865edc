"""The text screen: the shaded text with all groups of keys. A new group is a module beside this one, listed here."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.binding import BindingType

from rnnviz.tui.palette import DEFAULT_MAP, next_map, other_base
from rnnviz.tui.screens.above import Above
from rnnviz.tui.screens.bindings import key
from rnnviz.tui.screens.conditions import Conditions
from rnnviz.tui.screens.finding import Finding
from rnnviz.tui.screens.gates import Gates
from rnnviz.tui.screens.growing import Growing
from rnnviz.tui.screens.help import HelpScreen
from rnnviz.tui.screens.listing import Listing
from rnnviz.tui.screens.marking import Marking
from rnnviz.tui.screens.movement import Movement
from rnnviz.tui.screens.pins import Pins
from rnnviz.tui.screens.predicting import Predicting
from rnnviz.tui.screens.shaded import ShadedText
from rnnviz.tui.screens.sharing import Sharing
from rnnviz.tui.screens.stepping import Stepping
from rnnviz.tui.screens.trying import Trying
from rnnviz.tui.widgets.canvas import Canvas


class Screenful(ShadedText):
    GROUP = "Screen"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("p", "panels", "panels", "Show or hide the panels"),
        key("b", "brightness", "light or dark", "Light or dark colours"),
        key("B", "map", "colour map", "Next map of diverging colours"),
        key("ctrl+p", "app.command_palette", "commands", "Find any of these by name"),
        key("ctrl+l", "redraw", "redraw", "Draw the whole screen again"),
        key("ctrl+z", "app.suspend", "suspend", "Back to the shell for a while; fg there comes back here"),
        key("question_mark", "help", "keys", "This list", show=True),
        key("q", "app.quit", "quit", "Quit, as Ctrl-Q does wherever nothing is typed", show=True),
    ]

    def action_panels(self) -> None:
        self.lay_out(replace(self.view, panels=self.places.panels is None))

    def action_brightness(self) -> None:
        self.retheme(other_base(self.theme_name))

    def action_map(self) -> None:
        self.retheme(next_map(self.theme_name))
        name = self.theme_name.partition(":")[2] or DEFAULT_MAP
        self.say(f"colours: {name}", about=lambda: self.theme_name)

    def action_redraw(self) -> None:
        """For a terminal that something else has written into."""
        self.query_one("#canvas", Canvas).forget()
        self.refresh()

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(self.key_groups()))


class TextScreen(
    Above,
    Stepping,
    Listing,
    Pins,
    Gates,
    Predicting,
    Movement,
    Conditions,
    Finding,
    Marking,
    Trying,
    Sharing,
    Screenful,
    Growing,
):
    """The groups in the order of the help."""
