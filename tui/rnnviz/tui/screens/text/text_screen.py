"""The text screen: the shaded text with all groups of keys. A new group is a module beside this one, listed here."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.binding import BindingType

from rnnviz.tui.paint.palette import DEFAULT_MAP, next_map, other_base
from rnnviz.tui.screens.base.help_dialog import HelpScreen
from rnnviz.tui.screens.base.keys import key
from rnnviz.tui.screens.base.signs import TEXT_SIGNS
from rnnviz.tui.screens.text.capture_screen import ShadedText
from rnnviz.tui.screens.text.growing_capture import Growing
from rnnviz.tui.screens.text.keys.bookmark_keys import Marking
from rnnviz.tui.screens.text.keys.cell_keys import Stepping
from rnnviz.tui.screens.text.keys.cell_list_key import Listing
from rnnviz.tui.screens.text.keys.condition_keys import Conditions
from rnnviz.tui.screens.text.keys.gate_keys import Gates
from rnnviz.tui.screens.text.keys.movement_keys import Movement
from rnnviz.tui.screens.text.keys.pin_keys import Pins
from rnnviz.tui.screens.text.keys.playground_key import Trying
from rnnviz.tui.screens.text.keys.prediction_keys import Predicting
from rnnviz.tui.screens.text.keys.search_keys import Finding
from rnnviz.tui.screens.text.keys.share_keys import Sharing
from rnnviz.tui.screens.text.keys.top_panel_keys import Above
from rnnviz.tui.widgets.canvas import Canvas


class Screenful(ShadedText):
    GROUP = "Screen"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("p", "panels", "panels", "Show or hide the panels beside the text", show=True),
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
        self.app.push_screen(HelpScreen(self.key_groups(), TEXT_SIGNS))


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
