"""Texts cut into characters and words: nothing lost, nothing found twice, wherever one begins to read."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.engine.progress import Computation
from rnnviz.engine.symbols import tokenized_text as token_text
from rnnviz.engine.symbols import tokenizer as cutting
from rnnviz.engine.symbols.byte_vocabulary import UNKNOWN
from rnnviz.engine.symbols.token_vocabulary import (
    LINE_END_TOKENS,
    UNKNOWN_TOKENS,
    TokenVocabulary,
    special_symbol,
)
from rnnviz.engine.symbols.tokenized_text import TokenText, refuse_unknown_tokens
from rnnviz.engine.text.text import Text, open_text, text_of_files
from rnnviz.store.errors import InvalidText

LETTERS = tuple("aé🙂\n ")
CHARACTERS = TokenVocabulary(LETTERS, "character")
WORDS = TokenVocabulary(("<unk>", "<eos>", "a", "é", "ab"), "word", unknown=0, line_end=1)
STRICT = TokenVocabulary(("a", "é", "ab"), "word")

TEXTS = st.one_of(
    st.binary(max_size=60),
    st.text(st.sampled_from("aéb🙂 \n\t\r\u2028"), max_size=60).map(str.encode),
    st.lists(st.sampled_from([b"a", "é".encode(), b" ", b"\n", b"\xc3", b"\xed\xa0\x80", b"\xff"])).map(
        b"".join
    ),
)


def written(folder: Path, *contents: bytes) -> Text:
    for index, content in enumerate(contents):
        (folder / f"{index}.txt").write_bytes(content)
    return text_of_files("text", [folder / f"{index}.txt" for index in range(len(contents))])


def tokens_of(text: Text, vocabulary: TokenVocabulary) -> TokenText:
    indexing = Computation(token_text.token_text(text, vocabulary))
    for _ in indexing:
        pass
    return indexing.result


def slices(tokens: TokenText) -> list[bytes]:
    """The bytes of every symbol."""
    begins = tokens.begins(0, tokens.length + 1).tolist()
    return [tokens.text.read(start, stop).tobytes() for start, stop in pairwise(begins)]


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every text of a few bytes has ends of pieces and of blocks in all places."""
    monkeypatch.setattr(cutting, "PIECE", 3)
    monkeypatch.setattr(token_text, "BLOCK", 2)


@settings(max_examples=150, deadline=None)
@given(data=TEXTS.filter(bool))
def test_characters_are_what_python_decodes(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        tokens = tokens_of(written(Path(folder), data), CHARACTERS)
        decoded = data.decode("utf-8", "surrogateescape")
        assert b"".join(slices(tokens)) == data
        assert slices(tokens) == [character.encode("utf-8", "surrogateescape") for character in decoded]
        expected = [LETTERS.index(character) if character in LETTERS else UNKNOWN for character in decoded]
        assert tokens.read(0, tokens.length).tolist() == expected
        assert tokens.unknown == expected.count(UNKNOWN)
        assert tokens.first_unknown() == (expected.index(UNKNOWN) if UNKNOWN in expected else None)


@settings(max_examples=150, deadline=None)
@given(data=TEXTS.filter(lambda data: bool(data.split())))
def test_words_are_what_python_splits(data: bytes) -> None:
    """Also those that are longer than any token, of which only the beginning is kept."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "LONGEST_TOKEN", 2)
        tokens = tokens_of(written(Path(folder), data), STRICT)
        assert b"".join(slices(tokens)) == data
        assert [part.strip(cutting.WHITE) for part in slices(tokens)] == data.split()
        known = {token.encode(): symbol for symbol, token in enumerate(STRICT.tokens)}
        expected = [known.get(word, UNKNOWN) for word in data.split()]
        assert tokens.read(0, tokens.length).tolist() == expected


@settings(max_examples=150, deadline=None)
@given(data=TEXTS.filter(lambda data: bool(data.strip(b" \t\r\v\f"))))
def test_lines_of_words_end_with_a_symbol(data: bytes) -> None:
    """Against the line by line reading of language models of the Penn Treebank."""
    with TemporaryDirectory() as folder:
        tokens = tokens_of(written(Path(folder), data), WORDS)
        *lines, last = data.split(b"\n")
        known = {token.encode(): symbol for symbol, token in enumerate(WORDS.tokens)}
        expected = [known.get(word, 0) for line in lines for word in [*line.split(), b"<eos>"]]
        expected += [known.get(word, 0) for word in last.split()]
        assert tokens.read(0, tokens.length).tolist() == expected
        assert tokens.unknown == 0
        assert b"".join(slices(tokens)) == data
        assert all(slices(tokens))


@settings(max_examples=100, deadline=None)
@given(
    files=st.lists(TEXTS, min_size=1, max_size=4),
    vocabulary=st.sampled_from([CHARACTERS, WORDS, STRICT]),
    data=st.data(),
)
def test_any_stretch_of_several_files_is_read_as_the_whole_is(
    files: list[bytes], vocabulary: TokenVocabulary, data: st.DataObject
) -> None:
    alone = [
        (len(content.decode("utf-8", "surrogateescape")))
        if vocabulary.unit == "character"
        else len(content.split()) + (content.count(b"\n") if vocabulary.line_end is not None else 0)
        for content in files
    ]
    if not sum(alone):
        return
    with TemporaryDirectory() as folder:
        tokens = tokens_of(written(Path(folder), *files), vocabulary)
        assert tokens.length == sum(alone)
        assert [part.length for part in tokens.parts] == [length for length in alone if length]
        assert b"".join(slices(tokens)) == b"".join(files)
        start = data.draw(st.integers(0, tokens.length))
        stop = data.draw(st.integers(start, tokens.length))
        whole, begins = tokens.read(0, tokens.length), tokens.begins(0, tokens.length + 1)
        assert tokens.read(start, stop).tolist() == whole[start:stop].tolist()
        assert tokens.begins(start, stop + 1).tolist() == begins[start : stop + 1].tolist()


def test_a_newline_is_read_as_the_line_end_where_it_is_no_character(tmp_path: Path) -> None:
    text = written(tmp_path, b"a\na")
    without = TokenVocabulary(("a", "<eos>"), "character", line_end=1)
    assert tokens_of(text, without).read(0, 3).tolist() == [0, 1, 0]
    with_it = TokenVocabulary(("a", "<eos>", "\n"), "character", line_end=1)
    assert tokens_of(text, with_it).read(0, 3).tolist() == [0, 2, 0]


def test_what_a_vocabulary_calls_unknown_stands_for_what_it_lacks(tmp_path: Path) -> None:
    vocabulary = TokenVocabulary(("<unk>", "a"), "character", unknown=0)
    tokens = tokens_of(written(tmp_path, "aß\n\xff".encode("latin-1")), vocabulary)
    assert tokens.read(0, tokens.length).tolist() == [1, UNKNOWN, 0, UNKNOWN], (
        "bytes that are no text stay so"
    )
    assert special_symbol(("a", "<eos>", "<unk>"), UNKNOWN_TOKENS) == 2
    assert special_symbol(("a", "</s>"), LINE_END_TOKENS) == 1
    assert special_symbol(("a",), UNKNOWN_TOKENS) is None


def test_nothing_but_white_space_has_no_words(tmp_path: Path) -> None:
    with pytest.raises(InvalidText, match="white space") as caught:
        tokens_of(written(tmp_path, b" \n\t "), STRICT)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("vocabulary", "content", "words"),
    [
        (
            STRICT,
            b"a ab\na xyzzy \n b",
            "the word 'xyzzy', which is at offset 7, in line 2 of 0.txt, the first of 2 places with an unseen word",
        ),
        (CHARACTERS, "aaß".encode(), "the character 'ß', which is at offset 2, in line 1 of 0.txt"),
        (CHARACTERS, b"a\n\xffa", "byte 0xFF, which is no UTF-8, which is at offset 2, in line 2 of 0.txt"),
        (CHARACTERS, b"a\x1ba", "the character U+001B, which is at offset 1, in line 1 of 0.txt"),
        (STRICT, b"a \xff\x1b[2J", "the word '\\\\xff\\\\x1b[2J', which is at offset 2"),
    ],
)
def test_what_is_unknown_is_named(
    tmp_path: Path, vocabulary: TokenVocabulary, content: bytes, words: str
) -> None:
    tokens = tokens_of(written(tmp_path, content), vocabulary)
    with pytest.raises(InvalidText) as caught:
        refuse_unknown_tokens(tokens, "hint")
    assert words.replace("\\\\", "\\") in caught.value.message
    assert caught.value.message.isprintable()
    refuse_unknown_tokens(tokens_of(written(tmp_path, b"a a"), vocabulary), "hint")


def test_memory_does_not_grow_with_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "PIECE", 1 << 16)
    monkeypatch.setattr(token_text, "BLOCK", 4096)
    text = written(tmp_path, b"ab a \xc3\xa9 b\n" * 150_000, b"x" * 3_000_000)
    for vocabulary in (STRICT, CHARACTERS):
        tracemalloc.start()
        tokens = tokens_of(text, vocabulary)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert used < 12 << 20, "a code point table, and pieces"
        assert np.count_nonzero(tokens.read(tokens.length - 3, tokens.length) == UNKNOWN) > 0


def test_a_directory_is_cut_file_by_file(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt"):
        (tmp_path / name).write_bytes(b"a")
    tokens = tokens_of(open_text(str(tmp_path)), STRICT)
    assert [(part.start, part.length) for part in tokens.parts] == [(0, 1), (1, 1)]
