"""Keys with which a model goes on writing the page."""

from __future__ import annotations

from random import SystemRandom
from typing import ClassVar, Final

from textual.binding import Binding

from rnnviz.tui.screens.base.keys import key
from rnnviz.tui.screens.playground.document_screen import PageScreen

STEP: Final = 0.1
"""Of the temperature."""


class Writing(PageScreen):
    GROUP = "The model writes (after Esc)"
    MODES = (False,)
    KEYS: ClassVar[list[Binding]] = [
        key(
            "space,enter",
            "write",
            "write on",
            "A model goes on writing at the end of the page, or stops",
            show=True,
        ),
        key(".", "write_one", "one symbol on", "It writes one symbol"),
        key("backspace", "unwrite", "one symbol back", "Take away the last symbol of the page"),
        key(">", "warmer(1)", "warmer", "Higher temperature: more surprising symbols"),
        key("<", "warmer(-1)", "colder", "Lower temperature: likelier symbols; at 0 always the likeliest"),
        key(",", "reseed", "other dice", "Other dice: what is written from here on comes out differently"),
        key("backslash", "other_writer", "other writer", "The other of the two models writes"),
    ]

    def action_write(self) -> None:
        self.writing = not self.writing and self._can_write
        self.one_symbol = False
        self.turned()

    def action_write_one(self) -> None:
        self.writing = self.one_symbol = self._can_write
        self.turned()

    @property
    def _can_write(self) -> bool:
        """Whether the writer can go on; says why not."""
        if self.obstacle:
            self.notify(self.obstacle, timeout=3, markup=False)
        return not self.obstacle

    def action_unwrite(self) -> None:
        self.writing = False
        self.edit(self.session.without_last())

    def action_warmer(self, by: int) -> None:
        self.session.warmer(by * STEP)
        self.turned()

    def action_reseed(self) -> None:
        self.session.seed = SystemRandom().randrange(1 << 31)
        self.turned()

    def action_other_writer(self) -> None:
        others = [place for place in self.session.readers if place != self.session.writer]
        self.session.writer = others[0] if others else self.session.writer
        self.notify(f"{self.session.readers[self.session.writer].name} writes", timeout=2, markup=False)
        self.turned()
