from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.engine.text.split import PARTS, PartName, Span, Split, read_streams, spans, windows
from rnnviz.engine.text.text import Text, open_text
from rnnviz.store.errors import InvalidRequest, InvalidText
from support.texts import write_words

WAR_AND_PEACE = 3_258_245
"""Bytes."""


def test_war_and_peace_splits_as_in_the_paper() -> None:
    split = Split()
    assert split.columns(WAR_AND_PEACE) == {"train": 260, "val": 32, "test": 33}
    test = spans(WAR_AND_PEACE, split, "test")
    assert len(test) == 100
    assert {span.length for span in test} == {3300}
    assert sum(span.length for span in test) == 330_000
    assert test[0] == Span(292 * 100, 3300)
    assert test[1] == Span(325 * 100 + 292 * 100, 3300)
    assert split.truncated(WAR_AND_PEACE) == 3_250_000


@given(st.integers(1, 20_000), st.integers(1, 12), st.integers(1, 12), st.integers(1, 98), st.data())
def test_the_parts_tile_the_cut_text(
    length: int, streams: int, unroll: int, train: int, data: st.DataObject
) -> None:
    val = data.draw(st.integers(1, 99 - train))
    split = Split(train, val, 100 - train - val, streams, unroll)
    pieces: list[Span] = []
    for part, columns in split.columns(length).items():
        if columns:
            pieces += spans(length, split, part)
        else:
            with pytest.raises(InvalidText):
                spans(length, split, part)
    position = 0
    for span in sorted(pieces, key=lambda span: span.start):
        assert span.start == position
        assert span.length % unroll == 0
        position += span.length
    assert position == split.truncated(length)


@pytest.fixture(name="text")
def _text(tmp_path: Path) -> Text:
    return open_text(str(write_words(tmp_path / "text", 1234)))


@pytest.mark.parametrize("part", PARTS)
def test_streams_and_their_targets(text: Text, part: PartName) -> None:
    """Every symbol's target is the next one of the cut text; the last one's is the first."""
    split = Split(60, 20, 20, streams=5, unroll=7)
    whole = text.read(0, split.truncated(text.length))
    targets = np.roll(whole, -1)
    length = spans(text.length, split, part)[0].length
    data = read_streams(text, split, part, 3, length)
    for stream, span in enumerate(spans(text.length, split, part)):
        span_range = slice(span.start + 3, span.start + length)
        np.testing.assert_array_equal(data[:-1, stream], whole[span_range])
        np.testing.assert_array_equal(data[1:, stream], targets[span_range])


@pytest.mark.parametrize("steps", [1, 10, 10_000])
def test_windows_cover_a_part(text: Text, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnviz.engine.text.split.READ_STEPS", 25)
    split = Split(60, 20, 20, streams=5, unroll=7)
    length = spans(text.length, split, "train")[0].length
    pieces = list(windows(text, split, "train", steps))
    assert max(len(piece) for piece in pieces) <= steps + 1
    joined = np.concatenate([piece[:-1] for piece in pieces] + [pieces[-1][-1:]])
    np.testing.assert_array_equal(joined, read_streams(text, split, "train", 0, length))


def test_shares_are_read_and_written() -> None:
    split = Split.parse("90/5/5", streams=3, unroll=4)
    assert split == Split(90, 5, 5, 3, 4)
    assert split.shares == "90/5/5"


@pytest.mark.parametrize(
    "shares",
    ["80/10", "80/10/10/0", "80/20/0", "80/10/11", "a/b/c", "", "-80/90/90", "80.5/9.5/10", "٨٠/10/10"],
)
def test_what_is_no_split(shares: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Split.parse(shares)
    assert "--split" in caught.value.hint


@pytest.mark.parametrize("field", ["streams", "unroll"])
def test_streams_and_unroll_are_positive(field: str) -> None:
    with pytest.raises(InvalidRequest, match=f"--{field} 0"):
        Split(**{field: 0})


def test_a_text_too_short_says_what_to_change() -> None:
    with pytest.raises(InvalidText, match="9,999 symbols, fewer than one mini-batch") as caught:
        spans(9_999, Split(), "train")
    assert "--streams" in caught.value.hint
    with pytest.raises(InvalidText, match="the val part is empty"):
        spans(10_000, Split(), "val")
