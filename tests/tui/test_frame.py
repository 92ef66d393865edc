"""A frame has the right glyph and level in every column."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcwidth

from rnnviz.store.signals import SIGNALS
from rnnviz.tui.paint.lines import painted_row
from rnnviz.tui.paint.palette import Depth, palette
from rnnviz.tui.paint.text_frame import CURSOR, LEVELS, MATCH, PLAIN, Frame, compose, levels
from rnnviz.tui.text.rows import TextWindow

SHADES = palette(Depth.TRUE, "dark", "diverging")


def frame_of(data: bytes, width: int, height: int, **options: object) -> Frame:
    window = TextWindow(0, np.frombuffer(data, dtype=np.uint8), len(data), np.array([0]))
    shade = np.arange(len(data), dtype=np.uint8) % LEVELS
    rows = window.rows_from(0, width, height)
    return compose(window, rows, width, height, shade, **options)  # type: ignore[arg-type]


def text_of(frame: Frame) -> list[str]:
    return [
        "".join(text for text, _ in painted_row(frame, row, SHADES)).rstrip()
        for row in range(len(frame.codes))
    ]


@pytest.mark.parametrize(
    ("signal", "values", "expected"),
    [
        ("c", [-30.0, 0.0, 30.0, np.nan], [0, 16, 32, PLAIN]),
        ("c", [np.arctanh(0.5)], [24]),  # tanh(c) is what is shown
        ("h", [-1.0, 0.0, 0.5, 1.0], [0, 16, 24, 32]),
        ("f", [0.0, 0.5, 1.0], [0, 16, 32]),
    ],
)
def test_levels_run_evenly_over_the_view_range(signal: str, values: list[float], expected: list[int]) -> None:
    assert levels(np.array(values, dtype=np.float16), SIGNALS[signal]).tolist() == expected


def test_every_byte_has_its_level_in_its_columns() -> None:
    frame = frame_of(b"ab\tc\nd", 10, 3)
    assert text_of(frame) == ["ab⇥   c↵", "d", ""]
    assert frame.styles[0, :8].tolist() == [0, 1, 2, 2, 2, 2, 3, 4]
    assert frame.styles[0, 8:].tolist() == [PLAIN, PLAIN]
    assert frame.styles[1].tolist() == [5, *[PLAIN] * 9]
    assert (frame.styles[2] == PLAIN).all()


@pytest.mark.parametrize(("width", "rows"), [(6, ["ab↵·", "↵·"]), (3, ["ab↵", "·", "↵·"])])
def test_a_line_end_of_two_bytes_is_one_sign_with_the_level_of_each_byte(width: int, rows: list[str]) -> None:
    frame = frame_of(b"ab\r\n\r\n", width, len(rows))
    assert text_of(frame) == rows
    shown = frame.styles[frame.styles != PLAIN]
    assert shown.tolist() == [0, 1, 2, 3, 4, 5]


def test_a_rule_follows_the_last_symbol_of_a_segment() -> None:
    data = b"ab\ncd"
    window = TextWindow(0, np.frombuffer(data, dtype=np.uint8), len(data), np.array([0, 2, 3]))
    frame = compose(window, window.rows_from(0, 6, 4), 6, 4, None)
    assert text_of(frame) == ["ab ───", "↵ ────", "cd", ""]


def test_cursor_and_matches_are_marked_on_top_of_the_level() -> None:
    frame = frame_of(b"abcdef", 10, 1, cursor=2, matches=[(1, 3), (5, 99)])
    assert frame.styles[0, :6].tolist() == [0, 1 | MATCH, 2 | MATCH | CURSOR, 3, 4, 5 | MATCH]


def test_a_wide_character_has_one_style_over_both_columns_and_is_replaced_where_the_edge_cuts_it() -> None:
    data = "a漢b".encode()
    frame = frame_of(data, 10, 1)
    assert frame.styles[0, :5].tolist() == [0, 1, 1, 3, 4]
    cut = frame_of(data, 2, 3)
    assert text_of(cut) == ["a▯", "··", "b"]


def test_a_character_cut_by_the_top_of_the_screen_is_still_known() -> None:
    data = "xé".encode() + b"\n"
    window = TextWindow(0, np.frombuffer(data, dtype=np.uint8), len(data), np.array([0]))
    rows = window.rows_from(2, 1, 1)
    frame = compose(window, rows, 1, 1, None)
    assert text_of(frame) == ["·"]


@given(st.binary(min_size=1, max_size=300), st.integers(1, 40), st.integers(1, 12))
def test_runs_cover_every_column_of_every_row(data: bytes, width: int, height: int) -> None:
    frame = frame_of(data, width, height)
    for row in range(height):
        drawn = sum(wcwidth(character) for text, _ in painted_row(frame, row, SHADES) for character in text)
        assert drawn == width
