"""What a person types: bytes and a cursor, changed as an editor changes them.

Models read bytes, characters or words; people type characters: the cursor stands between characters, and a character
is taken away whole. A byte that is part of no UTF-8 character, as a model may write it, counts as one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rnnviz.tui.text.glyphs import LONGEST_SEQUENCE

_WORD_BEFORE = re.compile(rb"[^\s]*\s*\Z")


@dataclass(frozen=True)
class Page:
    """The cursor is an offset in the text, from 0 to its length."""

    text: bytes = b""
    cursor: int = 0

    def typed(self, data: bytes) -> Page:
        """With bytes put in at the cursor."""
        text = self.text[: self.cursor] + data + self.text[self.cursor :]
        return Page(text, self.cursor + len(data))

    def erased(self, start: int, stop: int) -> Page:
        """Without the bytes start…stop; the cursor stays at its place in what is left."""
        removed = min(max(self.cursor - start, 0), stop - start)
        return Page(self.text[:start] + self.text[stop:], self.cursor - removed)

    def erased_before(self) -> Page:
        return self.erased(character_start(self.text, self.cursor), self.cursor)

    def erased_after(self) -> Page:
        return self.erased(self.cursor, character_stop(self.text, self.cursor))

    def erased_word(self) -> Page:
        """Without what stands before the cursor back to the start of a word."""
        match = _WORD_BEFORE.search(self.text, max(0, self.cursor - 1000), self.cursor)
        return self.erased(match.start() if match else self.cursor, self.cursor)

    def erased_line(self) -> Page:
        """Without what stands before the cursor in its line; at a line's start, without the line end before it."""
        start = self.text.rfind(b"\n", 0, self.cursor) + 1
        return self.erased(start, self.cursor) if start < self.cursor else self.erased_before()

    def moved(self, by: int) -> Page:
        """With the cursor a character back (by < 0) or on."""
        find = character_start if by < 0 else character_stop
        return Page(self.text, find(self.text, self.cursor))

    def moved_to(self, cursor: int) -> Page:
        """With the cursor at an offset, or before the character that the offset is inside of."""
        cursor = min(max(cursor, 0), len(self.text))
        for start in range(max(0, cursor - LONGEST_SEQUENCE + 1), cursor):
            if character_stop(self.text, start) > cursor:
                return Page(self.text, start)
        return Page(self.text, cursor)


def character_start(text: bytes, position: int) -> int:
    """Where the character before a position starts; at the start of the text, there."""
    for start in range(max(0, position - LONGEST_SEQUENCE), position - 1):
        if character_stop(text, start) == position:
            return start
    return max(0, position - 1)


def character_stop(text: bytes, position: int) -> int:
    """Where the character after a position ends; at the end of the text, there."""
    for length in range(2, LONGEST_SEQUENCE + 1):
        sequence = text[position : position + length]
        if len(sequence) == length and _is_character(sequence):
            return position + length
    return min(position + 1, len(text))


def _is_character(sequence: bytes) -> bool:
    try:
        return len(sequence.decode()) == 1
    except UnicodeDecodeError:
        return False
