"""What each byte of a text looks like on the screen: one visible glyph, whatever the byte.

Every byte is a symbol of its own with a value of its own, so every byte gets its own columns: one, or
`TAB_COLUMNS` for a tab. Nothing of the text is ever sent to the terminal as it is unless it is a character of which
every terminal knows that it is printable, and how wide (see `character_widths`). For the others stand-ins are drawn,
because a text can hold escape sequences, which Textual passes on in places, and because a character of another width
than ours would shift the rest of its row.

A character of several UTF-8 bytes is drawn in the column of its first byte, and `CONTINUATION` in those of the
others. A wide character (East Asian) covers the columns of its first two bytes. A line end of two bytes, carriage
return and line feed, is likewise one sign: ↵ in the column of the first, `CONTINUATION` in that of the second. Both
columns keep the shade of their own symbol.

The letters of decomposed Hangul, which terminals join into syllables, are drawn as the same letters that stand alone
(ㅎㅏㄴ): each in the columns of its own bytes.

The signs were looked up in the character tables of ten monospaced fonts of Debian 12: DejaVu Sans Mono, Liberation
Mono, Noto Sans Mono, Noto Mono, FreeMono, Hack, JetBrains Mono, Fira Code, Cousine and Mononoki. The first has all
that are drawn here and in the panels, but for Braille. Each of the others lacks some, for which a terminal takes
another font, and a picture draws shapes (see `picture_shapes`). Only FreeMono, JetBrains Mono and Fira Code have the
control pictures (␀ to ␡): all control characters but three have one stand-in, therefore, and the panels name them
by their numbers.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rnnviz.tui.text.character_widths import certain_columns, is_wide

TAB_COLUMNS = 4
CONTINUATION = ord("·")
UNDECODABLE = ord("�")
"""Stands for a byte that is not part of valid UTF-8."""
UNSHOWABLE = ord("▯")
"""Stands for a character that could disturb the terminal: a control, or one whose width is not certain."""
COVERED = 0
"""Marks a column that the wide character to its left covers."""
LONGEST_SEQUENCE = 4
"""Bytes of a character in UTF-8, at most."""

_SIGNS = {"\t": "⇥", "\n": "↵", "\r": "←"}
"""What is drawn for the controls that are common in texts."""
_CARRIAGE_RETURN, _LINE_FEED = b"\r\n"
_LEAST = np.array([0, 0, 0x80, 0x800, 0x10000], dtype=np.uint32)
"""The first code point that takes so many bytes."""


def _table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    table[:32] = table[0x7F] = UNSHOWABLE
    table[0x80:] = UNDECODABLE
    for control, sign in _SIGNS.items():
        table[ord(control)] = ord(sign)
    return table


_GLYPH_OF_BYTE = _table()


@lru_cache(maxsize=4096)
def _stand_in(code: int) -> int:
    """What is drawn for a character beyond ASCII whose width is not certain."""
    character = chr(code)
    if unicodedata.category(character).startswith("Z"):
        return ord("␣")
    kind, _, letter = unicodedata.name(character, "").partition("SEONG ")
    if kind in ("HANGUL CHO", "HANGUL JUNG", "HANGUL JONG"):
        try:
            alone = unicodedata.lookup(f"HANGUL LETTER {letter}")
        except KeyError:  # a letter of old texts
            return UNSHOWABLE
        return ord(alone) if is_wide(alone) else UNSHOWABLE
    return UNSHOWABLE


def glyphs(data: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """The code point to draw for each byte of `data`: uint32 of the same length, `COVERED` under wide ones."""
    codes = _by_character(data)
    first = np.flatnonzero((data[:-1] == _CARRIAGE_RETURN) & (data[1:] == _LINE_FEED))
    codes[first], codes[first + 1] = _GLYPH_OF_BYTE[_LINE_FEED], CONTINUATION
    return codes


def _by_character(data: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """As `glyphs`, but for line ends of two bytes: each of their characters has its own sign."""
    codes = _GLYPH_OF_BYTE[data]
    if len(data) == 0 or int(data.max()) < 0x80:
        return codes
    starts, sizes, characters = _decoded(data)
    columns = certain_columns()
    columns = columns[np.minimum(characters, len(columns) - 1)]
    uncertain = np.flatnonzero(columns == 0)
    if len(uncertain):
        kinds, inverse = np.unique(characters[uncertain], return_inverse=True)
        drawn = np.array([_stand_in(code) for code in kinds.tolist()], dtype=np.uint32)[inverse]
        characters[uncertain] = drawn
        columns[uncertain] = certain_columns()[drawn]
    for place in range(1, LONGEST_SEQUENCE):
        codes[starts[sizes > place] + place] = CONTINUATION
    codes[starts] = characters
    codes[starts[columns == 2] + 1] = COVERED
    return codes


def _decoded(data: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint32]]:
    """The well-formed UTF-8 sequences of two to four bytes (Unicode 15, table 3-7): where each starts, int64, how
    many bytes it has, int64, and its code point, uint32."""
    starts = np.flatnonzero((data >= 0xC2) & (data <= 0xF4))
    lead = data[starts]
    sizes = 2 + (lead >= 0xE0).astype(np.int64) + (lead >= 0xF0)
    characters = (lead & (0x7F >> sizes).astype(np.uint8)).astype(np.uint32)
    well_formed = starts + sizes <= len(data)
    for place in range(1, LONGEST_SEQUENCE):
        longer = sizes > place
        byte = data[np.minimum(starts + place, len(data) - 1)]
        well_formed &= ~longer | (byte & 0xC0 == 0x80)
        characters = np.where(longer, characters << np.uint32(6) | (byte & 0x3F), characters)
    well_formed &= (characters >= _LEAST[sizes]) & (characters <= 0x10FFFF)
    well_formed &= (characters < 0xD800) | (characters > 0xDFFF)
    return starts[well_formed], sizes[well_formed], characters[well_formed]


def columns_of(data: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many columns each byte takes: int64 of the same length."""
    return np.where(data == ord("\t"), TAB_COLUMNS, 1)


def name_of(byte: int) -> str:
    """A byte as it is named in panels and messages: its sign, or `\\x9c` where it has none of its own."""
    return token_name(chr(byte)) if byte < 0x80 else f"\\x{byte:02x}"


_NAMES = {code: f"\\x{code:02x}" for code in (*range(32), 0x7F) if chr(code) not in _SIGNS}
_NAMES |= {ord(" "): "␣", _CARRIAGE_RETURN: "\\r"}
"""The names of characters that are drawn like others, or like the line end that they begin."""


def token_name(token: str) -> str:
    """A token as it is named in panels: what it says, with spaces and controls made visible. After a wide character
    stands one of code `COVERED`, so that each character of the name is one column."""
    return in_columns(token.translate(_NAMES)) or "∅"


def shortened(name: str, width: int) -> str:
    """A name of `in_columns` in `width` columns, one at least: where some of it is left out, an ellipsis ends it."""
    if len(name) <= width:
        return name
    kept = name[: width - 1]
    return (kept[:-1] + " " if kept and is_wide(kept[-1]) else kept) + "…"


def visible(text: str) -> str:
    """A string from a file or a capture (a name, a message) with every character that could act replaced."""
    data = np.frombuffer(text.encode("utf-8", "surrogateescape"), dtype=np.uint8)
    codes = _by_character(data)
    # What stands in the columns of a character's other bytes; the character may itself be one of these.
    others = (data & 0xC0 == 0x80) & ((codes == CONTINUATION) | (codes == COVERED))
    return "".join(map(chr, codes[~others].tolist()))


def in_columns(text: str) -> str:
    """A string as `visible` makes it, for painted lines: after a wide character stands one of code `COVERED`, so that
    each character is one column."""
    shown = visible(text)
    if shown.isascii():
        return shown
    return "".join(f"{one}{chr(COVERED)}" if is_wide(one) else one for one in shown)
