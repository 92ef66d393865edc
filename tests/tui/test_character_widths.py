"""Our widths of characters are those of terminals, for every code point there is."""

from __future__ import annotations

import sys
import unicodedata

import numpy as np
import pytest
import wcwidth
from rich.cells import cell_len

from rnnviz.tui.text.character_widths import certain_columns, is_wide
from rnnviz.tui.text.glyphs import COVERED, glyphs

VERSIONS = [version for version in wcwidth.list_versions() if int(version.split(".")[0]) >= 9]
"""Tables of Unicode that wcwidth offers: all of them in some of its releases, only the newest in others."""
CHARACTERS = [chr(code) for code in range(0xA0, sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]


@pytest.fixture(scope="module")
def drawn() -> list[tuple[str, int]]:
    """What is drawn for each of `CHARACTERS`, and in how many columns."""
    sizes = [len(character.encode()) for character in CHARACTERS]
    codes = glyphs(np.frombuffer("".join(CHARACTERS).encode(), dtype=np.uint8))
    starts = np.cumsum(sizes) - sizes
    wide = codes[starts + 1] == COVERED
    return list(zip(map(chr, codes[starts].tolist()), (1 + wide).tolist(), strict=True))


@pytest.mark.parametrize("version", VERSIONS)
def test_terminals_take_as_many_columns_for_what_is_drawn_as_we_do(
    drawn: list[tuple[str, int]], version: str
) -> None:
    assert {
        character: columns
        for character, columns in set(drawn)
        if wcwidth.wcwidth(character, unicode_version=version) != columns
    } == {}


def test_textual_takes_as_many_columns_for_what_is_drawn_as_we_do(drawn: list[tuple[str, int]]) -> None:
    assert {character: columns for character, columns in set(drawn) if cell_len(character) != columns} == {}


def test_painted_lines_take_as_many_columns_as_the_text(drawn: list[tuple[str, int]]) -> None:
    assert all(is_wide(character) == (columns == 2) for character, columns in set(drawn))


@pytest.mark.skipif(not hasattr(wcwidth, "iter_graphemes"), reason="this wcwidth knows no graphemes")
def test_no_terminal_joins_what_is_drawn_with_what_stands_beside_it(drawn: list[tuple[str, int]]) -> None:
    """Terminals that know graphemes draw those of several characters in the column of the first."""
    characters = sorted({character for character, _ in drawn})
    beside = "·".join(characters)
    assert list(wcwidth.iter_graphemes(beside)) == list(beside)
    together = "".join(characters + characters[::-1])
    assert list(wcwidth.iter_graphemes(together)) == list(together)


def test_a_stand_in_is_drawn_only_where_there_is_a_reason(drawn: list[tuple[str, int]]) -> None:
    """Every letter that was in Unicode 3.2, the oldest version that Python knows, is drawn as itself unless it is
    written from the right, is a mark, or is one that terminals join or measure in different ways."""
    old = unicodedata.ucd_3_2_0
    differing = "\u0d4e\u0e33\u0eb3\u17a4\u17d8\u3164\uff9e\uff9f\uffa0"
    replaced = {
        character
        for character, (shown, _) in zip(CHARACTERS, drawn, strict=True)
        if shown != character
        and old.category(character)[0] in "LN"
        and unicodedata.category(character)[0] in "LN"
        and unicodedata.bidirectional(character) not in ("R", "AL", "AN")
        and not "\u1100" <= character <= "\u11ff"
        and not "\u3248" <= character <= "\u324f"
    }
    assert replaced == set(differing) & replaced
    assert np.count_nonzero(certain_columns()[0x80:]) == 122_618
