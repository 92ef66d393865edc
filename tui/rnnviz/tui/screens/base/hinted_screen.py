"""A screen whose bottom line names keys, and how it chooses which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence

from textual.screen import Screen, ScreenResultType

from rnnviz.tui.paint.lines import Inks
from rnnviz.tui.screens.base.hints import Hint, chosen
from rnnviz.tui.widgets.hint_line import HintLine


class Hinted(Screen[ScreenResultType]):
    """Counts what a person does and names first what they have not done yet.

    Which keys are named is decided when the screen comes up, gets another width, or has other keys to name, so that
    the line does not change under one who presses a key again and again.
    """

    _used: Counter[str] | None = None
    """How often each action was done."""
    _chosen: tuple[Hashable, list[Hint]] | None = None
    """The hints that were chosen last, and for what."""

    def key_comes(self, action: str) -> None:
        """A key, or a click, is about to have its action done."""
        if self._used is None:
            self._used = Counter()
        self._used[action] += 1

    def show_chosen(
        self, hints: Callable[[], Iterable[Hint]], stay: Sequence[str], inks: Inks, of: Hashable = None
    ) -> None:
        """Show as many of the hints as have room, before all those whose keys are in `stay`. They are chosen anew where
        what they are `of` is not what it was."""
        width = self.size.width
        if self._chosen is None or self._chosen[0] != (of, width):
            self._chosen = (of, width), chosen(list(hints()), width, stay, self._used or Counter())
        self.query_one("#hints", HintLine).show_hints(self._chosen[1], inks)

    def on_screen_suspend(self) -> None:
        self._chosen = None

    async def on_hint_line_clicked(self, event: HintLine.Clicked) -> None:
        await self.run_action(event.action)
