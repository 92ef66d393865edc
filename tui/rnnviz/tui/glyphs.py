"""What each byte of a text looks like on the screen: one visible glyph, whatever the byte.

Every byte is a symbol of its own with a value of its own, so every byte gets its own columns: one, or
`TAB_COLUMNS` for a tab. Nothing of the text is ever sent to the terminal as it is unless it is a printable
character; controls, bidirectional marks and zero-width characters become visible stand-ins, because a text can
hold escape sequences and Textual passes them on in places.

A character of several UTF-8 bytes is drawn in the column of its first byte, and `CONTINUATION` in those of the
others. A wide character (East Asian) covers the columns of its first two bytes.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

TAB_COLUMNS = 4
CONTINUATION = ord("·")
UNDECODABLE = ord("�")
"""Stands for a byte that is not part of valid UTF-8."""
UNSHOWABLE = ord("▯")
"""Stands for a character that would disturb the terminal: zero-width, bidirectional, control, unassigned."""
COVERED = 0
"""Marks a column that the wide character to its left covers."""
FIRST_WIDE = 0x1100
"""No character before this one is two columns wide."""

_VALID_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]"
    rb"|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
"""A well-formed UTF-8 sequence of two to four bytes (Unicode 15, table 3-7)."""

LONGEST_SEQUENCE = 4


def _table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    table[:32] = 0x2400 + np.arange(32)  # the control pictures, ␀ to ␟
    table[ord("\t")] = ord("⇥")
    table[ord("\n")] = ord("↵")
    table[0x7F] = ord("␡")
    table[0x80:] = UNDECODABLE
    return table


_GLYPH_OF_BYTE = _table()


def is_wide(character: str) -> bool:
    """Whether a printable character takes two columns (East Asian width W or F)."""
    return unicodedata.east_asian_width(character) in ("W", "F")


@lru_cache(maxsize=4096)
def _shown(character: str) -> tuple[int, bool]:
    """The code point to draw for a decoded non-ASCII character, and whether it is two columns wide."""
    category = unicodedata.category(character)
    if category.startswith("Z"):
        return ord("␣"), False
    if category[0] in "CM" or unicodedata.bidirectional(character) in ("R", "AL", "AN"):
        return UNSHOWABLE, False
    return ord(character), is_wide(character)


def glyphs(data: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """The code point to draw for each byte of `data`: uint32 of the same length, `COVERED` under wide ones."""
    codes = _GLYPH_OF_BYTE[data]
    if len(data) == 0 or int(data.max()) < 0x80:
        return codes
    for match in _VALID_SEQUENCE.finditer(data.tobytes()):
        code, wide = _shown(match.group().decode())
        start, stop = match.span()
        codes[start:stop] = CONTINUATION
        codes[start] = code
        if wide:
            codes[start + 1] = COVERED
    return codes


def columns_of(data: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many columns each byte takes: int64 of the same length."""
    return np.where(data == ord("\t"), TAB_COLUMNS, 1)


def name_of(byte: int) -> str:
    """A byte as it is named in panels and messages: its glyph, or `\\x9c` where it has none of its own."""
    if byte == ord(" "):
        return "␣"
    return f"\\x{byte:02x}" if byte >= 0x80 else chr(int(_GLYPH_OF_BYTE[byte]))


def token_name(token: str) -> str:
    """A token as it is named in panels: what it says, with spaces and controls made visible. After a wide character
    stands one of code `COVERED`, so that each character of the name is one column."""
    shown = visible(token).replace(" ", "␣") or "∅"
    return "".join(f"{one}{chr(COVERED)}" if is_wide(one) else one for one in shown)


def shortened(name: str, width: int) -> str:
    """A name of `token_name` in `width` columns, one at least: where some of it is left out, an ellipsis ends it."""
    if len(name) <= width:
        return name
    kept = name[: width - 1]
    return (kept[:-1] + " " if kept and is_wide(kept[-1]) else kept) + "…"


def visible(text: str) -> str:
    """A string from a file or a capture (a name, a message) with every character that could act replaced."""
    data = np.frombuffer(text.encode("utf-8", "surrogateescape"), dtype=np.uint8)
    codes = glyphs(data)
    # What stands in the columns of a character's other bytes; the character may itself be one of these.
    others = (data & 0xC0 == 0x80) & ((codes == CONTINUATION) | (codes == COVERED))
    return "".join(map(chr, codes[~others].tolist()))
