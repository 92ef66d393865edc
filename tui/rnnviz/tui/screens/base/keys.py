"""How keys of the explorer are declared: next to what they do, in one form, from which the help is made."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding

from rnnviz.tui.screens.base.help_dialog import keys_of
from rnnviz.tui.screens.base.hints import Hint


def key(keys: str, action: str, what: str, tooltip: str, *, show: bool = False) -> Binding:
    """A key (or several, with commas between) for an action of a screen.

    `what` are the few words of the hints at the bottom, where `show` puts it; `tooltip` is the help's sentence.
    """
    # Questions have priority: their keys are acted on before the next key is looked at, so that what a fast typist
    # or a paste sends after them finds the prompt open. Any other key may wait its turn in the screen's queue.
    asks = action.startswith("ask_")
    return Binding(keys, action, what, show=show, tooltip=tooltip, id=f"{action}-{keys}", priority=asks)


def hints_of(bindings: Iterable[Binding]) -> list[Hint]:
    """The hints of those that are to be shown, each with the first of its keys."""
    return [
        Hint(keys_of(binding).split()[0], binding.description, binding.action)
        for binding in bindings
        if binding.show
    ]
