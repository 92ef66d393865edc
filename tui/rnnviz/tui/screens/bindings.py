"""How keys of the explorer are declared: next to what they do, in one form, from which the help is made."""

from __future__ import annotations

from textual.binding import Binding


def key(keys: str, action: str, what: str, tooltip: str, *, show: bool = False) -> Binding:
    """A key (or several, with commas between) for an action of a screen.

    `what` are the few words of the hints at the bottom, where `show` puts it; `tooltip` is the help's sentence.
    """
    # Questions have priority: their keys are acted on before the next key is looked at, so that what a fast typist
    # or a paste sends after them finds the prompt open. Any other key may wait its turn in the screen's queue.
    asks = action.startswith("ask_")
    return Binding(keys, action, what, show=show, tooltip=tooltip, id=f"{action}-{keys}", priority=asks)
