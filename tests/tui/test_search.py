"""Search finds what `re` finds in the whole text, from any place, in both directions and around the end."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rnnviz.store.errors import InvalidRequest
from rnnviz.tui import search
from rnnviz.tui.search import Read, find, pattern_of, spans_in


def reader(data: bytes) -> Read:
    def read(start: int, stop: int) -> NDArray[np.uint8]:
        return np.frombuffer(data[start:stop], dtype=np.uint8)

    return read


@settings(max_examples=300)
@given(
    st.text(alphabet="ab\n", min_size=1, max_size=60).map(str.encode),
    st.sampled_from(["a", "b", "ab", "ba", "^b"]),
    st.integers(0, 59),
    st.booleans(),
    st.integers(1, 7),
)
def test_the_nearest_match_on_either_side(
    data: bytes, text: str, position: int, backwards: bool, piece: int
) -> None:
    position = min(position, len(data) - 1)
    pattern = pattern_of(text)
    # None of these patterns can overlap itself, so its matches are the same from wherever one looks.
    starts = [at for at in range(len(data)) if pattern.match(data, at)]
    if backwards:
        expected = max((at for at in starts if at < position), default=max(starts, default=None))
    else:
        expected = min((at for at in starts if at > position), default=min(starts, default=None))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "PIECE", piece)
        found = find(pattern, reader(data), len(data), position, backwards=backwards)
    assert (None if found is None else found[0]) == expected


def test_lower_case_matches_both_and_upper_case_only_itself() -> None:
    data = np.frombuffer(b"If if IF", dtype=np.uint8)
    assert [start for start, _ in spans_in(pattern_of("if"), data, 100, 100)] == [100, 103, 106]
    assert [start for start, _ in spans_in(pattern_of("If"), data, 100, 100)] == [100]


def test_a_match_across_the_pieces_of_a_large_text_is_found() -> None:
    data = b"x" * (search.PIECE - 2) + b"needle" + b"x" * 100
    assert find(pattern_of("needle"), reader(data), len(data), 0) == (search.PIECE - 2, search.PIECE + 4)


def test_empty_matches_are_no_matches() -> None:
    assert find(re.compile(b"y*"), reader(b"xxx"), 3, 0) is None


def test_a_broken_expression_says_what_to_do() -> None:
    with pytest.raises(InvalidRequest, match="regular expression") as caught:
        pattern_of("if (")
    assert "backslash" in caught.value.hint


def test_a_cancelled_search_stops() -> None:
    reads = []

    def read(start: int, stop: int) -> NDArray[np.uint8]:
        reads.append(start)
        return np.zeros(stop - start, dtype=np.uint8)

    assert find(re.compile(b"x"), read, 100 * search.PIECE, 0, cancelled=lambda: True) is None
    assert len(reads) == 1
