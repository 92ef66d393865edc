"""How keys of the explorer are declared: next to what they do, in one form, from which the help is made."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding

from rnnviz.tui.painting import Inks, Line, width_of
from rnnviz.tui.screens.help import keys_of


def key(keys: str, action: str, what: str, tooltip: str, *, show: bool = False) -> Binding:
    """A key (or several, with commas between) for an action of a screen.

    `what` are the few words of the hints at the bottom, where `show` puts it; `tooltip` is the help's sentence.
    """
    # Questions have priority: their keys are acted on before the next key is looked at, so that what a fast typist
    # or a paste sends after them finds the prompt open. Any other key may wait its turn in the screen's queue.
    asks = action.startswith("ask_")
    return Binding(keys, action, what, show=show, tooltip=tooltip, id=f"{action}-{keys}", priority=asks)


def hint_line(bindings: Iterable[Binding], inks: Inks, width: int, *, last: int = 0) -> Line:
    """The keys to be shown, each with its few words, as many as have room from the first on; the `last` ones stay."""
    hints = [(keys_of(binding), binding.description) for binding in bindings if binding.show]
    return hints_of(hints, inks, width, last=last)


def hints_of(keys: Iterable[tuple[str, str]], inks: Inks, width: int, *, last: int = 0) -> Line:
    """The same of keys and their words."""
    hints: list[Line] = [[(f" {name} ", inks.accent), (f"{what} ", inks.faint)] for name, what in keys]
    while len(hints) > last + 1 and sum(map(width_of, hints)) > width:
        del hints[-1 - last]
    return [piece for hint in hints for piece in hint]
