"""Rows tile the text exactly, from whichever side they are reached, however long its lines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnviz.tui.text import rows as layout
from rnnviz.tui.text.glyphs import TAB_COLUMNS, columns_of
from rnnviz.tui.text.rows import Row, TextWindow

LIMIT = 64


@pytest.fixture(autouse=True)
def _short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are broken at 64 bytes instead of 8192, so that texts with broken lines stay small."""
    monkeypatch.setattr(layout, "LIMIT", LIMIT)


def window_over(data: bytes, breaks: list[int] | None = None) -> TextWindow:
    return TextWindow(0, np.frombuffer(data, dtype=np.uint8), len(data), np.array(breaks or [0]))


texts = st.lists(
    st.one_of(
        st.binary(max_size=80),
        st.sampled_from(
            [b"\n", b"\t\t\n", b"x" * (LIMIT - 1) + b"\n", b"y" * (2 * LIMIT + 77), b"z" * LIMIT]
        ),
    ),
    min_size=1,
    max_size=6,
).map(b"".join)


def all_rows(window: TextWindow, width: int) -> list[Row]:
    return window.rows_from(0, width, window.length)


def test_a_line_wraps_at_the_width_and_ends_after_its_newline() -> None:
    window = window_over(b"abcdefgh\nij\n")
    assert all_rows(window, 5) == [Row(0, 5), Row(5, 9), Row(9, 12)]


def test_a_tab_that_does_not_fit_goes_to_the_next_row() -> None:
    window = window_over(b"abc\tdef")
    assert all_rows(window, 6) == [Row(0, 3), Row(3, 6), Row(6, 7)]


def test_a_segment_starts_a_row_of_its_own() -> None:
    window = window_over(b"abcdef", breaks=[0, 4])
    assert all_rows(window, 80) == [Row(0, 4), Row(4, 6)]


def test_a_tab_on_a_screen_narrower_than_a_tab_still_takes_a_row() -> None:
    assert all_rows(window_over(b"\t\ta"), TAB_COLUMNS - 1) == [Row(0, 1), Row(1, 2), Row(2, 3)]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts.filter(bool), st.integers(1, 250), st.data())
def test_rows_tile_the_text_and_are_the_same_from_everywhere(
    data: bytes, width: int, draw: st.DataObject
) -> None:
    breaks = sorted({0, *draw.draw(st.lists(st.integers(0, len(data) - 1), max_size=3))})
    window = window_over(data, breaks)
    rows = all_rows(window, width)
    assert [row.start for row in rows] == [0, *(row.stop for row in rows[:-1])]
    assert rows[-1].stop == len(data)
    for row in rows:
        content = window.bytes_at(row.start, row.stop)
        assert columns_of(content).sum() <= width or len(content) == 1
        assert b"\n" not in content[:-1].tobytes()
    index = draw.draw(st.integers(0, len(rows) - 1))
    position = draw.draw(st.integers(rows[index].start, rows[index].stop - 1))
    assert window.row(position, width) == rows[index]
    assert window.rows_from(position, width, 5) == rows[index : index + 5]
    assert window.rows_before(position, width, 5) == rows[max(0, index - 5) : index]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts.filter(bool), st.data())
def test_a_window_that_holds_a_place_lays_it_out_as_the_whole_text_does(
    data: bytes, draw: st.DataObject
) -> None:
    whole = window_over(data)
    position = draw.draw(st.integers(0, len(data) - 1))
    start, stop = max(0, position - 2 * LIMIT), min(len(data), position + 1 + 2 * LIMIT)
    part = TextWindow(start, whole.bytes_at(start, stop), len(data), whole.breaks)
    assert part.holds(position, position + 1)
    assert part.line(position) == whole.line(position)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=60).filter(lambda data: b"\n" not in data))
def test_column_and_position_are_inverse(data: bytes) -> None:
    window = window_over(data)
    row = Row(0, len(data))
    for position in range(len(data)):
        assert window.position(row, window.column(position, row)) == position


@given(st.text(alphabet="aé漢🙂\n\t", max_size=60), st.lists(st.integers(1, 200), max_size=3), st.data())
def test_the_column_counts_the_characters_of_the_line(
    text: str, cuts: list[int], data: st.DataObject
) -> None:
    encoded = text.encode() + b"x"
    breaks = np.array(sorted({0, *(cut for cut in cuts if cut < len(encoded))}), np.int64)
    window = TextWindow(0, np.frombuffer(encoded, np.uint8), len(encoded), breaks)
    place = data.draw(st.integers(0, len(text)))
    byte = len(text[:place].encode())
    assert window.column_of(byte) == place - (text.rfind("\n", 0, place) + 1) + 1


def test_the_column_of_bytes_that_begin_no_character() -> None:
    window = TextWindow(0, np.frombuffer(b"\x80\x80a", np.uint8), 3, np.zeros(1, np.int64))
    assert [window.column_of(byte) for byte in range(3)] == [1, 1, 1]


def test_the_column_is_not_known_where_the_line_began_too_long_ago() -> None:
    window = TextWindow(
        5 * LIMIT, np.frombuffer(b"a" * 100 + b"\nabc", np.uint8), 9 * LIMIT, np.zeros(1, np.int64)
    )
    assert window.column_of(5 * LIMIT + 50) is None
    assert window.column_of(5 * LIMIT + 103) == 3
    assert window.column_of(0) is None
