"""What keys do in less that do something else here, for people whose fingers know less."""

from __future__ import annotations

from typing import Final

IN_LESS: Final[dict[str, tuple[str, str]]] = {
    "b": ("one screen up", "Ctrl-B"),
    "f": ("one screen down", "Ctrl-F or Space"),
    "d": ("half a screen down", "Ctrl-D"),
    "u": ("half a screen up", "Ctrl-U"),
    "w": ("one screen up", "Ctrl-B"),
    "z": ("one screen down", "Ctrl-F or Space"),
    "e": ("one line down", "↓"),
    "y": ("one line up", "↑"),
    "j": ("one line down", "↓"),
    "k": ("one line up", "↑"),
    "J": ("one line down", "↓"),
    "K": ("one line up", "↑"),
    "ctrl+p": ("one line up", "↑"),
    "home": ("the start of the text", "g"),
    "end": ("the end of the text", "G"),
    "p": ("to a share of the text", "50%"),
    "P": ("to an offset", "#"),
    "h": ("the list of keys", "?"),
    "question_mark": ("search backwards", "/ and then N"),
    "s": ("save to a file", "w in the text view"),
    "r": ("draw the screen again", "Ctrl-L"),
    "F": ("follow a file that grows", "a capture that grows is followed by itself"),
    "M": ("mark the last line on the screen", "m marks the cursor's place"),
    "=": ("the name of the file and the place in it", "the lines above and below the text"),
}
"""For each key, as bindings name it: what it does in less, and what does that here. Those of which nothing here does
the same have no row: there is nothing to learn from it."""

AS_IN_LESS: Final = frozenset({("j", "mark(1)"), ("k", "mark(-1)"), ("end", "edge(1)"), ("home", "edge(-1)")})
"""Keys of some screens, with their actions, that do what they do in less after all."""
