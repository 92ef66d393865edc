"""Runs of glyphs that are surely drawn in one font, each with the column it starts at.

A page or a picture is drawn with fonts that we do not choose. Letters of one monospaced font have one width, but a
glyph that this font lacks comes from another one and is wider or narrower: everything after it in the same piece of
text would shift. White space is no safe way to keep a place either, because readers of SVG collapse it. So each
run is given its column, and the space between runs is not written at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rnnviz.tui.text.character_widths import is_wide

_RUN = re.compile(
    "[!-\u024f]+(?: [!-\u024f]+)*"  # Latin, in words that single spaces separate: every font has it
    "|[\u2500-\u259f]+"  # lines and blocks: a font has all or none of them
    "|[\u2800-\u28ff]+"  # Braille likewise
    "|[^ !-\u024f\u2500-\u259f\u2800-\u28ff]"  # any other glyph stands alone
)


@dataclass(frozen=True)
class FontRun:
    """A run of glyphs that starts at column `x` of its piece and covers `columns` columns."""

    text: str
    x: int
    columns: int

    @property
    def is_latin(self) -> bool:
        return self.text[0] <= "\u024f"


def columns_of(text: str) -> int:
    """How many columns a text covers in a terminal."""
    return len(text) + sum(map(is_wide, text))


def font_runs(text: str) -> Iterator[FontRun]:
    """The runs of a text, from left to right, without the spaces between them."""
    x = stop = 0
    for found in _RUN.finditer(text):
        x += found.start() - stop  # spaces
        columns = columns_of(found[0])
        yield FontRun(found[0], x, columns)
        x += columns
        stop = found.end()
