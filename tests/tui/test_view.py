"""Moving through a text: where the cursor and the screen's top come to be."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.analysis.cells import Cell
from rnnviz.tui.text.rows import TextWindow
from rnnviz.tui.view import view as moves
from rnnviz.tui.view.view import View

TEXT = b"".join(b"line %d %s\n" % (n, b"x" * (n * 7 % 30)) for n in range(60))
WINDOW = TextWindow(0, np.frombuffer(TEXT, dtype=np.uint8), len(TEXT), np.array([0]))
WIDTH, HEIGHT = 20, 10


def view(cursor: int = 0, top: int = 0) -> View:
    return View("model", Cell(0, 0), "c", top=top, cursor=cursor)


def visible(moved: View) -> bool:
    rows = WINDOW.rows_from(moved.top, WIDTH, HEIGHT)
    return moved.top == rows[0].start and rows[0].start <= moved.cursor < rows[-1].stop


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("symbols"), st.integers(-50, 50)),
            st.tuples(st.just("rows"), st.integers(-15, 15).filter(bool)),
            st.tuples(st.just("pages"), st.sampled_from([-2, -1, 1, 2])),
            st.tuples(st.just("to"), st.integers(0, len(TEXT) - 1)),
            st.tuples(st.just("end"), st.integers(0, 1)),
        ),
        max_size=12,
    )
)
def test_after_any_walk_the_cursor_is_on_the_screen_and_the_top_starts_a_row(
    walk: list[tuple[str, int]],
) -> None:
    now = view()
    for how, much in walk:
        match how:
            case "symbols":
                now = moves.moved_by_symbols(now, much, WINDOW, WIDTH, HEIGHT)
            case "rows":
                now = moves.moved_by_rows(now, much, WINDOW, WIDTH, HEIGHT)
            case "pages":
                now = moves.moved_by_pages(now, much, WINDOW, WIDTH, HEIGHT)
            case "to":
                now = moves.moved_to(now, much, WINDOW, WIDTH, HEIGHT)
            case _:
                now = moves.moved_in_row(now, bool(much), WINDOW, WIDTH, HEIGHT)
        assert visible(now)


def test_the_end_of_the_text_fills_the_screen() -> None:
    for moved in (
        moves.moved_to(view(), len(TEXT) - 1, WINDOW, WIDTH, HEIGHT),
        moves.moved_by_pages(view(), 100, WINDOW, WIDTH, HEIGHT),
    ):
        rows = WINDOW.rows_from(moved.top, WIDTH, HEIGHT)
        assert len(rows) == HEIGHT
        assert rows[-1].stop == len(TEXT)


def test_a_place_far_away_comes_to_a_third_of_the_height() -> None:
    moved = moves.moved_to(view(), 1000, WINDOW, WIDTH, HEIGHT)
    rows = WINDOW.rows_from(moved.top, WIDTH, HEIGHT)
    assert [row.start <= 1000 < row.stop for row in rows].index(True) == HEIGHT // 3


def test_a_page_down_and_up_comes_back_and_keeps_a_row_in_sight() -> None:
    start = moves.moved_to(view(), 800, WINDOW, WIDTH, HEIGHT)
    down = moves.moved_by_pages(start, 1, WINDOW, WIDTH, HEIGHT)
    assert WINDOW.rows_from(start.top, WIDTH, HEIGHT)[-1].start == down.top
    assert moves.moved_by_pages(down, -1, WINDOW, WIDTH, HEIGHT).top == start.top


def test_down_keeps_the_column_where_the_row_is_long_enough() -> None:
    start = view(cursor=5)
    down = moves.moved_by_rows(start, 1, WINDOW, WIDTH, HEIGHT)
    assert down.cursor == TEXT.index(b"line 1") + 5


def test_signals_go_around() -> None:
    signals = ("c", "h", "i")
    assert moves.next_signal(view(), -1, signals).signal == "i"
    assert moves.next_signal(moves.next_signal(view(), 1, signals), 2, signals).signal == "c"
