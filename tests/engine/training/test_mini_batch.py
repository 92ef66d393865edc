"""Mini-batches that suit the size of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.engine.text.split import PARTS, Split, spans
from rnnviz.engine.training.mini_batch import FEW_UPDATES, suited
from rnnviz.store.errors import InvalidRequest


@pytest.mark.parametrize("length", [2_500_000, 3_258_245, 6_206_996, 10**12])
def test_large_texts_keep_the_papers(length: int) -> None:
    assert suited("80/10/10", length) == Split()


@pytest.mark.parametrize(
    ("length", "shares", "streams"),
    [
        (300_000, "80/10/10", 24),
        (1_000_000, "80/10/10", 24),
        (200_000, "90/5/5", 18),
        (2_400_000, "80/10/10", 24),
        (50_000, "80/10/10", 4),
        (1, "80/10/10", 4),
    ],
)
def test_small_texts_have_fewer_streams(length: int, shares: str, streams: int) -> None:
    assert suited(shares, length) == Split.parse(shares, streams=streams, unroll=50)


@given(st.integers(2_000, 4_000_000))
def test_every_text_can_be_trained_on_and_has_many_updates(length: int) -> None:
    split = suited("80/10/10", length)
    for part in PARTS:
        assert spans(length, split, part)
    if length >= 30_000:
        assert split.columns(length)["train"] > FEW_UPDATES


def test_shares_that_are_none_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="80/20"):
        suited("80/20", 10_000)
