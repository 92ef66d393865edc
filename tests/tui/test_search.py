"""Search finds what `re` finds in the whole text, from any place, in both directions and around the end."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rnnviz.analysis import pattern_search
from rnnviz.analysis.pattern_matcher import Matcher
from rnnviz.analysis.pattern_process import ALL, FIRST, LAST, matches
from rnnviz.analysis.pattern_search import Read, find, pattern_of
from rnnviz.store.errors import InvalidRequest
from rnnviz.tui.scenes.match_highlights import Marks
from support.terminal import PATIENCE


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
        patch.setattr(pattern_search, "PIECE", piece)
        found = find(pattern, reader(data), len(data), position, backwards=backwards)
    assert (None if found is None else found[0]) == expected


def test_lower_case_matches_both_and_upper_case_only_itself() -> None:
    data = np.frombuffer(b"If if IF", dtype=np.uint8)
    marks = Marks()
    assert [start for start, _ in marks.spans(pattern_of("if"), data, 100, 100)] == [100, 103, 106]
    assert [start for start, _ in marks.spans(pattern_of("If"), data, 100, 100)] == [100]


def test_a_match_across_the_pieces_of_a_large_text_is_found() -> None:
    data = b"x" * (pattern_search.PIECE - 2) + b"needle" + b"x" * 100
    assert find(pattern_of("needle"), reader(data), len(data), 0) == (
        pattern_search.PIECE - 2,
        pattern_search.PIECE + 4,
    )


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

    assert find(re.compile(b"x"), read, 100 * pattern_search.PIECE, 0, cancelled=lambda: True) is None
    assert len(reads) == 1


ENDLESS = rb"(\w+\s*)+@@"
WORDS = b"every word of it is tried in every way " * 100


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet="ab\n ", max_size=40).map(str.encode),
    st.sampled_from(["a+", "(a|b)b*", "^b?a", "(?<=b)a+", "x*"]),
    st.sampled_from([ALL, FIRST, LAST]),
    st.integers(0, 40),
    st.integers(0, 40),
)
def test_a_process_of_its_own_finds_the_same(
    data: bytes, text: str, which: bytes, start: int, stop: int
) -> None:
    pattern, start = pattern_of(text), min(start, len(data))
    assert MATCHER.matches(pattern, data, start, stop, which) == matches(pattern, data, start, stop, which)


MATCHER = Matcher()


def test_a_search_that_never_ends_is_ended_and_the_next_one_works() -> None:
    asked = []
    matcher = Matcher()

    def cancelled() -> bool:
        asked.append(True)
        return len(asked) > 2

    assert matcher.matches(re.compile(ENDLESS), WORDS, 0, len(WORDS), cancelled=cancelled) is None
    assert matcher.matches(re.compile(b"w.*?d"), WORDS, 0, len(WORDS), FIRST) == [(6, 10)]


def test_the_marks_of_a_search_that_never_ends_are_left_out() -> None:
    data, marks = np.frombuffer(WORDS, np.uint8), Marks()
    assert marks.spans(re.compile(ENDLESS), data, 0, 0) == []
    assert len(marks.spans(re.compile(b"tri+ed"), data, 0, 0)) == 100


def test_the_process_ends_with_who_asked() -> None:
    asking = """
import re, sys, threading, time
from rnnviz.analysis.pattern_matcher import Matcher
matcher = Matcher()
words = b"every word of it is tried in every way " * 100
threading.Thread(target=lambda: matcher.matches(re.compile(rb"(\\w+\\s*)+@@"), words, 0, 99), daemon=True).start()
while matcher._process is None:
    time.sleep(0.01)
print(matcher._process.pid, flush=True)
time.sleep(60)
"""
    asked = subprocess.Popen([sys.executable, "-c", asking], stdout=subprocess.PIPE, text=True)
    assert asked.stdout is not None
    with asked.stdout as told:
        pid = int(told.readline())
    asked.kill()
    asked.wait()
    deadline = time.monotonic() + PATIENCE
    while is_running(pid):
        assert time.monotonic() < deadline, "the process that searches goes on alone"
        time.sleep(0.1)


def is_running(pid: int) -> bool:
    """Whether there is such a process that is not only waiting for its end to be taken note of."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
