from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.engine.symbols.byte_vocabulary import UNKNOWN, Vocabulary, refuse_unknown
from rnnviz.engine.text.text import open_text, text_of_files
from rnnviz.store.errors import InvalidText


@given(st.binary(min_size=1), st.binary())
def test_encode_numbers_the_bytes_in_order(known: bytes, other: bytes) -> None:
    vocabulary = Vocabulary(bytes(sorted(set(known))))
    codes = vocabulary.encode(np.frombuffer(known + other, dtype=np.uint8))
    assert codes.dtype == np.int64
    for byte, code in zip(known + other, codes.tolist(), strict=True):
        assert code == (vocabulary.symbols.index(byte) if byte in known else UNKNOWN)


def test_a_text_gives_its_distinct_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(range(255, -1, -1)) + b"aa")
    assert Vocabulary.of(open_text(str(path))).symbols == bytes(range(256))


@pytest.mark.parametrize("symbols", [b"", b"ba", b"aa"])
def test_a_vocabulary_ascends(symbols: bytes) -> None:
    with pytest.raises(ValueError, match="ascending"):
        Vocabulary(symbols)


def test_the_first_unknown_byte_is_located(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x\nx\n")
    (tmp_path / "b").write_bytes(b"x\nx\xe9\n\xe9z")
    text = text_of_files("two files", [tmp_path / "a", tmp_path / "b"])
    vocabulary = Vocabulary(b"\nx")
    unknown = vocabulary.first_unknown(text)
    assert unknown is not None
    assert (unknown.offset, unknown.value, unknown.line, unknown.part, unknown.count) == (7, 0xE9, 2, "b", 3)
    with pytest.raises(
        InvalidText, match=r"0xE9 \(b'\\xe9'\).* offset 7, in line 2 of b, the first of 3 places"
    ) as caught:
        refuse_unknown(vocabulary, text, "a hint")
    assert caught.value.hint == "a hint"
    assert Vocabulary(b"\nxz\xe9").first_unknown(text) is None


def test_an_unknown_byte_far_into_a_text(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x\n" * 600_000 + b"y")
    unknown = Vocabulary(b"\nx").first_unknown(open_text(str(path)))
    assert unknown is not None
    assert (unknown.offset, unknown.line, unknown.count) == (1_200_000, 600_001, 1)
