"""What the signs mean that stand on the screens beside words, for the help."""

from __future__ import annotations

from typing import Final

Signs = tuple[tuple[str, str], ...]
"""Signs, each with a sentence."""

TEXT_SIGNS: Final[Signs] = (
    ("↵  ↵·", "The end of a line: LF, and CR LF"),
    ("⇥  ←", "A tab, and a carriage return alone"),
    ("·", "A further byte of the character before it, with the shade of its own"),
    ("▯  �", "A byte or character that terminals cannot show, and a byte that is no UTF-8"),
    ("▸", "In a list of what a model expects: the symbol that came"),
    ("#77", "The rank of what came: it was the 77th likeliest"),
    ("◂  ▸", "The left, or the right model knew more of what came, by so many nats"),
    ("◂▸ ±3", "The strip under the text: how far either was ahead, 3 nats at its upper and lower edge"),
    ("▴", "Where the cursor is in that strip"),
    ("√count", "The heights of a histogram's bars are square roots of counts, so that small ones are seen"),
    ("┴", "Under a histogram: beyond these values a signal is called saturated"),
    ("▲", "Under a histogram: the value at the cursor"),
    ("…", "Is being read; at the end of a line: it goes on"),
)
LIST_SIGNS: Final[Signs] = (
    ("▸", "The mark: what Enter opens"),
    ("•", "The cell that you came from"),
    ("*", "Pinned under the text"),
    ("=", "The cell that the others are compared with"),
    ("↓  ↑", "The column that is sorted by, large or small numbers first"),
    ("·", "A number that is not known yet"),
)
