"""Undoing what was typed: any way back is the way there, and the way on again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.tui.playground import undo_history as history
from rnnviz.tui.playground.document import Page
from rnnviz.tui.playground.undo_history import History

Pages = st.lists(
    st.builds(
        lambda text, cursor: Page(text, min(cursor, len(text))), st.binary(max_size=3), st.integers(0, 3)
    ),
    max_size=8,
)


def typed(made: History, page: Page, keys: str) -> Page:
    for key in keys:
        after = page.typed(key.encode())
        made.change(page, after)
        page = after
    return page


def ways_back(made: History, page: Page) -> list[bytes]:
    found = []
    while (before := made.back(page)) != page:
        found.append(before.text)
        page = before
    return found


def test_a_word_is_a_step_and_so_is_what_is_pasted_or_taken_away() -> None:
    made = History()
    page = typed(made, Page(), "the wär")
    page, before = page.typed(b"pasted"), page
    made.change(before, page)
    page, before = page.erased_before(), page
    made.change(before, page)
    page = typed(made, page, "e.")
    assert ways_back(made, page) == [
        "the wärpaste".encode(),
        "the wärpasted".encode(),
        "the wär".encode(),
        b"the ",
        b"the",
        b"",
    ]


def test_a_cursor_that_moved_ends_a_word() -> None:
    made = History()
    page = typed(made, Page(), "ab")
    made.change(page, page.moved(-1))
    page = typed(made, page.moved(-1), "cd")
    assert page.text == b"acdb"
    assert made.back(page) == Page(b"ab", 1)


@given(Pages)
def test_all_the_way_back_and_on_again(pages: list[Page]) -> None:
    made, page = History(), Page()
    for after in pages:
        made.change(page, after)
        page = after
    last = page
    steps = []
    while (before := made.back(page)) != page:
        steps.append(page)
        page = before
    assert page.text == b""
    for step in reversed(steps):
        page = made.on(page)
        assert page == step
    assert page == last
    assert made.on(page) == page


def test_what_is_undone_and_changed_is_not_redone() -> None:
    made = History()
    page = made.back(typed(made, Page(), "one two"))
    assert page.text == b"one "
    page = typed(made, page, "x")
    assert made.on(page) == page
    assert made.back(page).text == b"one "


def test_no_more_is_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_BYTES", 100)
    made, page = History(), Page()
    for _ in range(50):
        page, before = page.typed(b"0123456789"), page
        made.change(before, page)
    found = ways_back(made, page)
    assert len(found) == 1  # the one before is larger than all that may be kept
    assert found[0] == page.text[:-10]
