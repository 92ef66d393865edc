"""Every byte has a visible glyph, and none of a text reaches the terminal unless it is printable."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.tui.text.character_widths import is_wide
from rnnviz.tui.text.glyphs import (
    COVERED,
    TAB_COLUMNS,
    UNSHOWABLE,
    columns_of,
    glyphs,
    name_of,
    shortened,
    token_name,
    visible,
)


def shown(data: bytes) -> str:
    return "".join(chr(code) for code in glyphs(np.frombuffer(data, dtype=np.uint8)) if code != COVERED)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"if (x)", "if (x)"),
        (b"a\tb\r\n", "a⇥b↵·"),
        (b"\r\r\n\n\r", "←↵·↵←"),
        ("é\r\n".encode(), "é·↵·"),
        (b"\x00\x1b[31m\x7f", "▯▯[31m▯"),
        ("“é”".encode(), "“··é·”··"),
        (b"\xff\xc3(", "��("),
        (b"\xe2\x80", "��"),
        (b"\xc0\xaf\xed\xa0\x80", "�����"),  # overlong, surrogate
        ("\u202egnp\u200b".encode(), "▯··gnp▯··"),  # bidirectional override, zero width
        ("\u009b31m".encode(), "▯·31m"),  # C1 control sequence introducer
        ("שלום".encode(), "▯·▯·▯·▯·"),  # right-to-left letters would reorder the row
        ("\u00a0".encode(), "␣·"),
        ("e\u0301".encode(), "e▯·"),
        ("漢".encode(), "漢·"),
        (unicodedata.normalize("NFD", "한국").encode(), "ㅎ·ㅏ·ㄴ·ㄱ·ㅜ·ㄱ·"),  # decomposed Hangul
        ("\u1160\u115f\u1113".encode(), "▯··▯··▯··"),  # fillers, and a letter of old texts
        ("❤\ufe0f".encode(), "❤··▯··"),  # an emoji's variation selector
        ("👩\u200d🔬".encode(), "👩··▯··🔬··"),  # joined by a zero-width joiner
        ("👍🏽".encode(), "👍··▯···"),  # a skin tone
        ("🇩🇪".encode(), "▯···▯···"),  # regional indicators
        ("กำ".encode(), "ก··▯··"),  # a letter that some terminals draw over the one before it
        ("🥰".encode(), "▯···"),  # of Unicode 11
        ("\ue000\U0010ffff".encode(), "▯··▯···"),
    ],
)
def test_glyphs_of_known_bytes(data: bytes, expected: str) -> None:
    assert shown(data) == expected


def test_a_wide_character_covers_the_columns_of_its_first_two_bytes() -> None:
    codes = glyphs(np.frombuffer("漢".encode(), dtype=np.uint8))
    assert codes.tolist() == [ord("漢"), COVERED, ord("·")]


@given(st.binary(max_size=200))
def test_no_byte_string_yields_a_control_or_a_zero_width_glyph(data: bytes) -> None:
    codes = glyphs(np.frombuffer(data, dtype=np.uint8))
    assert len(codes) == len(data)
    for code in codes:
        if code != COVERED:
            assert unicodedata.category(chr(code))[0] not in "CM" or chr(code) == chr(UNSHOWABLE)
            assert unicodedata.bidirectional(chr(code)) not in ("R", "AL", "RLO", "LRO", "RLE", "RLI")


@given(st.text(max_size=60))
def test_names_from_files_are_made_harmless(name: str) -> None:
    assert all(character.isprintable() for character in visible(name))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a·b", "a·b"), ("漢·字", "漢·字"), ("\udc80·\udcb7", "�·�"), ("é", "é"), ("a\r\n", "a←↵")],
)
def test_names_keep_every_character_that_is_harmless(name: str, expected: str) -> None:
    assert visible(name) == expected


@given(st.text("a漢🙂\x1b ·e\u0301", max_size=12), st.integers(1, 14))
def test_a_shortened_name_never_ends_in_half_a_character(name: str, width: int) -> None:
    whole = token_name(name)
    short = shortened(whole, width)
    assert len(short) == min(width, len(whole))
    for place, character in enumerate(short):
        assert not is_wide(character) or short[place + 1 : place + 2] == chr(COVERED)
    assert short == whole if len(whole) <= width else short.endswith("…")


def test_tabs_are_wide_and_everything_else_is_one_column() -> None:
    assert columns_of(np.frombuffer(b"a\tb\n", dtype=np.uint8)).tolist() == [1, TAB_COLUMNS, 1, 1]


def test_every_byte_has_a_distinct_name() -> None:
    names = [name_of(byte) for byte in range(256)]
    assert len(set(names)) == 256
    assert names[ord(" ")] == "␣"
    assert names[0xE9] == "\\xe9"
    assert names[0x1B] == "\\x1b"
    assert [names[ord(control)] for control in "\t\n\r"] == ["⇥", "↵", "\\r"]
