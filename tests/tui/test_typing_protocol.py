"""What the explorer and a model's process say to each other survives the way, and nothing else is believed."""

from __future__ import annotations

import io
import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from rnnviz.tui.playground.protocol import LARGEST_ARRAYS, TYPES, BrokenStream, Message, receive, send

Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
Headers = st.dictionaries(st.text(max_size=8).filter(lambda name: name != "arrays"), Json, max_size=4)
Arrays = st.dictionaries(
    st.text(max_size=8),
    st.sampled_from(sorted(TYPES)).flatmap(
        lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_side=5, min_side=0))
    ),
    max_size=3,
)


@given(st.lists(st.tuples(Headers, Arrays), max_size=3))
def test_messages_arrive_as_they_were_sent(
    sent: list[tuple[dict[str, object], dict[str, NDArray[np.uint8]]]],
) -> None:
    stream = io.BytesIO()
    for header, values in sent:
        send(stream, Message(header, values))
    stream.seek(0)
    for header, values in sent:
        message = receive(stream)
        assert message is not None
        assert message.header == header
        assert message.arrays.keys() == values.keys()
        for name, array in values.items():
            assert message.arrays[name].dtype == array.dtype
            np.testing.assert_array_equal(message.arrays[name], array)
    assert receive(stream) is None


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    stream = io.BytesIO(data)
    try:
        while receive(stream) is not None:
            pass
    except BrokenStream:
        pass


@given(Headers, Arrays, st.data())
def test_a_message_cut_short_is_refused(
    header: dict[str, object], values: dict[str, NDArray[np.uint8]], data: st.DataObject
) -> None:
    stream = io.BytesIO()
    send(stream, Message(header, values))
    whole = stream.getvalue()
    cut = whole[: data.draw(st.integers(1, len(whole) - 1))]
    with pytest.raises(BrokenStream):
        receive(io.BytesIO(cut))


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"arrays": 3},
        {"arrays": [["a", "object", [1]]]},
        {"arrays": [["a", "uint8", [-1]]]},
        {"arrays": [["a", "uint8", [True]]]},
        {"arrays": [["a", "uint8", [1 << 40]]]},
        {"arrays": [["a", "float32", [LARGEST_ARRAYS // 2]]]},
        {"arrays": [["a", "uint8"]]},
        [],
    ],
)
def test_headers_that_lie_are_refused_before_memory_is_taken(header: object) -> None:
    text = json.dumps(header).encode()
    with pytest.raises(BrokenStream):
        receive(io.BytesIO(struct.pack("<I", len(text)) + text))
    with pytest.raises(BrokenStream):
        receive(io.BytesIO(struct.pack("<I", 1 << 31)))
