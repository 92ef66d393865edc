"""The order of the work when a text is captured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.engine.capture.plan import MOST_TOGETHER, Piece, plan
from rnnviz.engine.capture.read_ahead import ReadAhead
from rnnviz.engine.models.kinds.registry import KINDS
from rnnviz.engine.models.parallel_readers import Readers
from rnnviz.engine.models.recurrent import RecurrentModel, initialise
from rnnviz.engine.symbols.byte_vocabulary import UNKNOWN, Vocabulary
from rnnviz.engine.text.segments import ByteSource, segments_of
from rnnviz.engine.text.split import Split
from rnnviz.engine.text.text import open_text
from support.texts import write_words


@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=40),
    st.integers(1, 500),
    st.integers(1, 1000),
    st.integers(1, 20),
    st.integers(1, 200),
    st.integers(1, 400),
)
def test_blocks_cover_the_time_axis_in_turn(
    lengths: list[int], enough: int, most: int, together: int, piece: int, uncut: int
) -> None:
    work = plan(lengths, enough=enough, most=most, together=together, piece=piece, uncut=uncut)
    blocks = [block for group in work.groups for block in group.blocks]
    starts = np.cumsum([0, *lengths])
    time = 0
    for block in blocks:
        assert block.start == time
        assert block.length <= most or len(block.pieces) == 1
        for found in block.pieces:
            assert starts[found.segment] + found.offset == time
            time += found.length
    assert time == sum(lengths)
    assert work.longest == max(block.length for block in blocks)
    for before in blocks[:-1]:
        full = before.length >= enough and len(before.pieces) >= together
        following = next(block for block in blocks if block.start == before.stop)
        assert full or before.length + following.pieces[0].length > most


@given(st.integers(1, 1000), st.integers(1, 200))
def test_pieces_are_equal_but_for_the_last(length: int, piece: int) -> None:
    *whole, last = plan([length], enough=1, most=10**6, together=1, piece=piece, uncut=0).groups[0].pieces()
    assert [found.offset for found in (*whole, last)] == [piece * index for index in range(len(whole) + 1)]
    assert {found.length for found in whole} <= {piece}
    assert last.length < 1.5 * piece or piece == 1
    assert not whole or last.length >= piece // 2


def test_only_long_segments_are_cut() -> None:
    (group,) = plan([90, 91], enough=1, most=10**6, together=1, piece=30, uncut=90).groups
    assert group.pieces() == [Piece(0, 0, 90), Piece(1, 0, 30), Piece(1, 30, 30), Piece(1, 60, 31)]


def test_segments_are_read_ahead_in_groups_of_a_bounded_number() -> None:
    work = plan([5] * 600, enough=10**6, most=10**6, together=1, piece=100, uncut=100)
    assert [len(group.pieces()) for group in work.groups] == [MOST_TOGETHER, MOST_TOGETHER, 88]
    assert [group.stop for group in work.groups] == [1280, 2560, 3000]


@pytest.mark.parametrize("kind", KINDS)
def test_the_state_read_ahead_is_the_state_there(kind: str, tmp_path: Path) -> None:
    """Of segments of several lengths, against one that reads each from its start to the piece."""
    folder = tmp_path / "files"
    folder.mkdir()
    for index, length in enumerate((130, 40, 300, 7, 199)):
        write_words(folder / f"{index}.txt", length, seed=index)
    text = open_text(str(folder))
    vocabulary = Vocabulary.of(text)
    segments = segments_of(text, Split(), "all")
    source = ByteSource(text, segments, vocabulary)
    model = RecurrentModel(kind, len(vocabulary), 6, 2).eval()
    initialise(model, 0, 1.0)
    (group,) = plan(segments.lengths, enough=50, most=1000, together=4, piece=30, uncut=45).groups
    with Readers(model) as readers:
        ahead = ReadAhead(readers, source, group, 30)
        assert sum(ahead.read()) == ahead.symbols
    pieces = group.pieces()
    state = ahead.state(pieces)
    assert any(piece.offset for piece in pieces)
    for column, piece in enumerate(pieces):
        expected = model.zero_state(1)
        if piece.offset:
            symbols = torch.from_numpy(source.symbols(piece.segment, 0, piece.offset))
            with torch.inference_mode():
                _, expected = model(symbols[:, None], expected)
        for part, whole in zip(state, expected, strict=True):
            torch.testing.assert_close(part[:, column], whole[:, 0], rtol=1e-4, atol=1e-5)


def test_nothing_is_read_ahead_of_whole_segments(tmp_path: Path) -> None:
    text = open_text(str(write_words(tmp_path / "a.txt", 100)))
    vocabulary = Vocabulary.of(text)
    source = ByteSource(text, segments_of(text, Split(), "all"), vocabulary)
    model = RecurrentModel("rnn", len(vocabulary), 3, 1)
    (group,) = plan([100], enough=10, most=1000, together=4, piece=30, uncut=100).groups
    ahead = ReadAhead(Readers(model), source, group, 30)
    assert (ahead.symbols, list(ahead.read())) == (0, [])
    (part,) = ahead.state([Piece(0, 0, 100)])
    assert not part.any()


def test_symbols_and_what_came_after_them(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"ab?cab?")
    text = open_text(str(path))
    vocabulary = Vocabulary(b"abc")
    rows = ByteSource(text, segments_of(text, Split(), "all", streams=2), vocabulary)  # ab? and cab?
    assert rows.read_as == ord("a")
    assert rows.count_unknown() == 2
    assert rows.symbols(0, 0, 3).tolist() == [0, 1, 0]
    assert rows.targets(0, 0, 3).tolist() == [1, UNKNOWN, 2]
    assert rows.targets(0, 0, 2).tolist() == [1, UNKNOWN]
    assert rows.symbols(1, 1, 3).tolist() == [0, 1]
    assert rows.targets(1, 1, 4).tolist() == [1, UNKNOWN, UNKNOWN]
    assert ByteSource(text, segments_of(text, Split(), "all"), Vocabulary(b" ab")).read_as == ord(" ")
