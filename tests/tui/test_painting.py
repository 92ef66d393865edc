"""Lines of painted pieces, cut to a width."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rnnviz.tui.paint.lines import cut, fitted, width_of
from rnnviz.tui.paint.palette import Paint
from rnnviz.tui.text.character_widths import is_wide
from rnnviz.tui.text.glyphs import COVERED, token_name

Lines = st.lists(st.text("ab漢🙂é ", max_size=5).map(lambda text: (token_name(text), Paint())), max_size=5)


def is_whole(text: str) -> bool:
    """Whether every wide character has its second column."""
    return all(
        not is_wide(character) or text[place + 1 : place + 2] == chr(COVERED)
        for place, character in enumerate(text)
    )


@given(Lines, st.integers(0, 30))
def test_what_is_cut_has_no_half_characters(line: list[tuple[str, Paint]], width: int) -> None:
    found = cut(line, width)
    text, whole = ("".join(text for text, _ in pieces) for pieces in (found, line))
    assert len(text) == min(width, len(whole))
    assert is_whole(text)
    assert text[:-1] == whole[: len(text)][:-1]
    assert [paint for _, paint in found] == [paint for _, paint in line][: len(found)]


@given(Lines, Lines, st.integers(1, 30))
def test_what_is_fitted_is_no_wider_and_has_no_half_characters(
    left: list[tuple[str, Paint]], right: list[tuple[str, Paint]], width: int
) -> None:
    found = fitted(left, right, [], width, Paint())
    assert width_of(found) <= width
    assert is_whole("".join(text for text, _ in found))
