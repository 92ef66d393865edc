"""What of a text a model was trained on: the same as training takes, for every text and split."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.engine.text.split import PARTS, Split, TooShort, spans
from rnnviz.store.reader import open_capture
from rnnviz.store.training_split import HELD_OUT, TrainingSplit, training_split
from support.captures import make_capture

SHARES = st.tuples(st.integers(1, 98), st.integers(1, 98)).filter(lambda pair: sum(pair) < 100)


@given(SHARES, st.integers(1, 7), st.integers(1, 9), st.integers(1, 2000))
def test_parts_are_those_of_the_split(
    shares: tuple[int, int], streams: int, unroll: int, length: int
) -> None:
    split = Split(*shares, 100 - sum(shares), streams, unroll)
    expected = np.full(length, HELD_OUT, np.uint8)
    for number, part in enumerate(PARTS):
        try:
            found = spans(length, split, part)
        except TooShort:
            continue
        for span in found:
            expected[span.start : span.start + span.length] = number
    ours = TrainingSplit((split.train, split.val, split.test), streams, unroll, length)
    np.testing.assert_array_equal(ours.parts(np.arange(length)), expected)


RECORD = {"text": {"name": "t", "sha256": "", "length": 100}, "split": "80/10/10", "streams": 2, "unroll": 5}


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({}, True),
        ({"split": "80/10/11"}, False),
        ({"split": [80, 10, 10]}, False),
        ({"streams": 0}, False),
        ({"streams": True}, False),
        ({"unroll": 1 << 60}, False),
        ({"unroll": None}, False),
        ({"text": {"sha256": "another", "length": 100}}, False),
        ({"text": "t"}, False),
    ],
)
def test_what_a_stranger_wrote_is_known_or_unknown(
    tmp_path: Path, change: dict[str, object], known: bool
) -> None:
    made = make_capture(tmp_path / "a.zarr")
    group = made.path / "models/model/zarr.json"
    document = json.loads(group.read_text())
    record = {**RECORD, "text": {**RECORD["text"], "sha256": made.schema.text_sha256}, **change}  # type: ignore[dict-item]
    document["attributes"] |= {"run": record, "place": "/etc/passwd"}
    group.write_text(json.dumps(document))
    capture = open_capture(made.path)
    assert (training_split(capture, "model") is not None) is known
    assert capture.schema.models[0].place is None, "no absolute path is followed"
