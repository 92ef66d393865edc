"""A page of typed text: what each key does to bytes and cursor."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from rnnviz.tui.playground.document import Page, character_start, character_stop

Pages = st.tuples(st.binary(max_size=12) | st.text(max_size=6).map(str.encode), st.integers(0, 12)).map(
    lambda made: Page(made[0], min(made[1], len(made[0])))
)


def test_typing_and_taking_back() -> None:
    page = Page().typed("né".encode()).typed(b"!")
    assert page == Page("né!".encode(), 4)
    assert page.erased_before().erased_before() == Page(b"n", 1)
    assert page.moved(-1).moved(-1).cursor == 1
    assert page.moved(-1).moved(-1).erased_after() == Page(b"n!", 1)
    assert page.moved_to(2).cursor == 1  # inside é
    assert page.moved_to(99).cursor == 4


def test_words_and_lines() -> None:
    page = Page(b"one two  \nthree", 9)
    assert page.erased_word() == Page(b"one \nthree", 4)
    assert page.erased_line() == Page(b"\nthree", 0)
    assert Page(b"a\nb", 2).erased_line() == Page(b"ab", 1)
    assert Page(b"", 0).erased_line() == Page(b"", 0)
    assert Page(b"word", 4).erased_word() == Page(b"", 0)


def test_bytes_that_are_no_character_count_as_one_each() -> None:
    page = Page(b"\xc3\xff\xc3\xa9", 4)
    assert page.moved(-1).cursor == 2
    assert page.moved(-1).moved(-1).cursor == 1
    assert page.erased_before() == Page(b"\xc3\xff", 2)


@given(Pages, st.binary(max_size=5))
def test_what_is_typed_stands_before_the_cursor(page: Page, data: bytes) -> None:
    after = page.typed(data)
    assert after.text == page.text[: page.cursor] + data + page.text[page.cursor :]
    assert after.erased(page.cursor, after.cursor) == page


@given(Pages)
def test_the_cursor_stays_in_the_text_and_nothing_else_is_lost(page: Page) -> None:
    for after in (page.erased_before(), page.erased_word(), page.erased_line()):
        assert after.text == page.text[: after.cursor] + page.text[page.cursor :]
        assert (len(after.text) < len(page.text)) == (page.cursor > 0)
    after = page.erased_after()
    assert after.cursor == page.cursor
    assert (len(after.text) < len(page.text)) == (page.cursor < len(page.text))


@given(st.text(max_size=10))
def test_steps_are_characters(text: str) -> None:
    data, position, stops = text.encode(), 0, [0]
    while position < len(data):
        position = character_stop(data, position)
        stops.append(position)
    assert [data[a:b].decode() for a, b in itertools.pairwise(stops)] == list(text)
    back = [len(data)]
    while back[-1] > 0:
        back.append(character_start(data, back[-1]))
    assert back[::-1] == stops
