"""What the symbols of an imported model are: vocabulary files of several programs, and texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.engine.importing.vocabularies import (
    Format,
    SpecialTokens,
    Symbols,
    read_symbols,
    symbols_of,
)
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.store.errors import InvalidRequest, InvalidText, NotFound
from rnnviz.store.schema import SymbolUnit
from support.t7 import Table, t7_bytes


def read(
    folder: Path,
    name: str,
    content: str | bytes,
    count: int,
    unit: SymbolUnit | None = None,
    form: Format = "auto",
) -> Symbols:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_symbols(str(folder / name), count, unit, form)


WORDS = ["the", "prince", "<unk>", "said"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("v.json", json.dumps(WORDS)),
        ("v.json", json.dumps({word: number for number, word in enumerate(WORDS)})),
        ("v.json", json.dumps({word: number for number, word in enumerate(WORDS, 1)})),
        ("v.json", json.dumps({str(number): word for number, word in enumerate(WORDS)})),
        ("v.json", json.dumps({"token_to_idx": dict(zip(WORDS, range(1, 5), strict=True)), "idx_to_token": {}})),
        ("v.json", json.dumps({"word2idx": dict(zip(WORDS, range(4), strict=True)), "idx2word": WORDS})),
        ("v.json", json.dumps({"counts": {"the": 7}, "itos": WORDS, "vocab": {"the": 7}})),
        ("v.json", json.dumps({"stoi": dict(zip(WORDS, range(4), strict=True)), "unk_index": 2})),
        ("v.json", json.dumps({"ix_to_char": dict(enumerate(WORDS, 1))})),
        ("v.json", json.dumps({"size": 4, "vocab": {"idx2token": WORDS}})),
        ("v.json", json.dumps({"model": {"type": "WordLevel", "vocab": dict(zip(WORDS, range(4), strict=True))},
                               "added_tokens": [{"id": 2, "content": "<unk>"}]})),
        ("v.dict", "the   0\nprince\t\t1\n<unk> \t2\nsaid 3"),
        ("v.dict", "said\t4\nthe\t1\nprince\t2\n<unk>\t3\n"),
        ("v.dict", "the 0\r\nprince 1\r\n<unk> 2\r\nsaid 3\r\n"),
        ("v.t7", t7_bytes(Table([(word, number) for number, word in enumerate(WORDS, 1)]))),
        ("words.txt", "\n".join(WORDS) + "\n"),
        ("words", "\n".join(WORDS)),
    ],
)  # fmt: skip
def test_every_format_of_a_vocabulary_file(name: str, content: str | bytes, tmp_path: Path) -> None:
    symbols = read(tmp_path, name, content, 4)
    assert symbols.vocabulary == TokenVocabulary(WORDS, "word", unknown=2)
    assert symbols.order is None


@pytest.mark.parametrize(
    ("unit", "vocabulary"),
    [
        (None, Vocabulary(bytes(sorted(set("añ b\n".encode()))))),
        ("byte", Vocabulary(bytes(sorted(set("añ b\n".encode()))))),
        ("character", TokenVocabulary(["\n", " ", "a", "b", "ñ"], "character")),
        ("word", TokenVocabulary(["a", "añ", "b"], "word")),
    ],
)
def test_the_distinct_symbols_of_a_text(
    unit: SymbolUnit | None, vocabulary: Vocabulary | TokenVocabulary, tmp_path: Path
) -> None:
    symbols = read(tmp_path, "text.txt", "b añ a\n" * 50, len(vocabulary), unit)
    assert symbols.vocabulary == vocabulary
    assert symbols.order is None
    assert "text.txt (a text)" in symbols.told


def test_characters_and_words_are_whole_where_pieces_of_a_text_meet(tmp_path: Path) -> None:
    content = "ñandú " * 200_000
    assert read(tmp_path, "t", content, 6, "character").vocabulary == TokenVocabulary(
        sorted("ñandú "), "character"
    )
    assert read(tmp_path, "t", content, 1, "word", "text").vocabulary == TokenVocabulary(["ñandú"], "word")


def test_the_files_of_a_directory_are_cut_one_by_one(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text("ein ñandú")  # no newline at the end
    found = read_symbols(str(tmp_path), 2, "word").vocabulary
    assert found == TokenVocabulary(["ein", "ñandú"], "word")
    ñ = "ñ".encode()
    (tmp_path / "a").write_bytes(b"x" + ñ[:1])
    (tmp_path / "b").write_bytes(ñ[1:] + b"x")
    with pytest.raises(InvalidText, match=r"^[ab] is not UTF-8"):
        read_symbols(str(tmp_path), 2, "character")


def test_a_few_words_that_look_like_parts_of_words_are_words(tmp_path: Path) -> None:
    tokens = [*(f"word{number}" for number in range(40)), "##define"]
    assert read(tmp_path, "v.json", json.dumps(tokens), 41, "word").vocabulary == TokenVocabulary(
        tokens, "word"
    )


def test_words_that_are_all_single_letters_stay_words(tmp_path: Path) -> None:
    assert read(tmp_path, "v.json", '["b", "a"]', 2, "word").vocabulary == TokenVocabulary(["b", "a"], "word")


@pytest.mark.parametrize(
    ("content", "unit", "expected", "order"),
    [
        ('["b", "a", "\\n"]', None, b"\nab", (2, 1, 0)),
        ('["a", "b"]', None, b"ab", None),
        ("[10, 233, 32]", None, b"\n \xe9", (0, 2, 1)),
        ('["a", "[233]", "b"]', None, b"ab\xe9", (0, 2, 1)),
        ('["é", "a"]', "byte", b"a\xe9", (1, 0)),
    ],
)
def test_single_bytes_are_a_byte_vocabulary(
    content: str, unit: SymbolUnit | None, expected: bytes, order: tuple[int, ...] | None, tmp_path: Path
) -> None:
    symbols = read(tmp_path, "v.json", content, len(expected), unit)
    assert symbols.vocabulary == Vocabulary(expected)
    assert symbols.order == order


def test_characters_that_are_not_all_ascii_stay_in_their_order(tmp_path: Path) -> None:
    symbols = read(tmp_path, "v.json", '["b", "é", "<pad>", "a"]', 4)
    assert symbols.vocabulary == TokenVocabulary(["b", "é", "<pad>", "a"], "character")
    assert symbols.order is None


@given(st.lists(st.integers(0, 255), min_size=1, unique=True))
def test_the_order_finds_each_byte_where_the_model_has_it(values: list[int]) -> None:
    symbols = symbols_of([bytes([value]) for value in values], "", None)
    assert isinstance(symbols.vocabulary, Vocabulary)
    order = symbols.order or range(len(values))
    assert bytes(values[place] for place in order) == symbols.vocabulary.symbols == bytes(sorted(values))


def test_a_file_that_may_be_a_list_or_a_text(tmp_path: Path) -> None:
    content = "ab\nba\nabb\n"
    with pytest.raises(InvalidRequest, match="3 lines and 3 distinct bytes") as refused:
        read(tmp_path, "v", content, 3)
    assert "--vocab-format list" in refused.value.hint
    listed = read(tmp_path, "v", content, 3, form="list").vocabulary
    assert listed == TokenVocabulary(["ab", "ba", "abb"], "word")
    assert read(tmp_path, "v", content, 3, form="text").vocabulary == Vocabulary(b"\nab")


@pytest.mark.parametrize(
    ("name", "content", "count", "unit", "sentence"),
    [
        ("v.json", '["a", "b"]', 3, None, r"v.json \(JSON\) has 2 symbols, and the model has 3"),
        ("text", "abab", 3, None, r"text \(a text\) has 2 symbols, and the model has 3"),
        ("v.json", "[", 3, None, "not valid JSON"),
        ("v.json", "[" * 100_000, 3, None, "not valid JSON"),
        ("v.json", "[]", 3, None, "no list of tokens"),
        ("v.json", "{}", 3, None, "does not number its tokens"),
        ("v.json", "[1, 2, 300]", 3, None, "no list of tokens"),
        ("v.json", '["a", 2, null]', 3, None, "no list of tokens"),
        ("v.json", '{"a": 0, "b": 2, "c": 3}', 3, None, "does not number its tokens one after the other"),
        ("v.json", '{"a": 0, "b": 0, "c": 1}', 3, None, "does not number its tokens one after the other"),
        ("v.json", '{"a": 0.5}', 1, None, "without a whole number"),
        ("v.json", '{"a": NaN}', 1, None, "without a whole number"),
        ("v.json", '{"a": true}', 1, None, "without a whole number"),
        ("v.json", '["a", "a", "b"]', 3, None, "has a byte twice"),
        ("v.json", '["the", "the", "b"]', 3, None, "the token 'the' twice"),
        ("v.json", '["a", "\\ud800", "bb"]', 3, None, "cannot be written as UTF-8"),
        ("v.json", '["a", "bb"]', 2, "byte", "has tokens that are no bytes"),
        ("v.dict", "a 1\nb\n", 2, None, "line 2 of v.dict is no word with a number of its own"),
        ("v.dict", "a 1\na 2\n", 2, None, "gives two numbers to a word"),
        ("v.json", '{"a": [1], "b": "c"}', 2, None, "v.json has a, b, and none of these is a vocabulary known here"),
        ("v.json", json.dumps({f"k{n}": [n] for n in range(15)}), 2, None, "k11 and 3 more, and none"),
        ("v.json", '{"model": {"type": "BPE", "vocab": {"ab": 0, "c": 1}}}', 2, None, "a BPE tokenizer has them"),
        ("v.json", '["the", "##ing"]', 2, None, r"v.json has parts of words \(as '##ing'\)"),
        ("v.json", '{"the": 0, "Ġthe": 1}', 2, "word", "parts of words .as 'Ġthe'"),
        ("v.json", '["<s>", "▁the"]', 2, None, "parts of words .as '▁the'"),
        ("list", "lo@@\nwer\nab", 3, None, "parts of words .as 'lo@@'"),
        ("v.json", '["<unk>", "é", "the", "of"]', 4, "character", "has 'the', which is more than one character"),
        ("v.t7", b"no", 2, None, "ends inside"),
        ("v.t7", t7_bytes("abc"), 2, None, "holds no table"),
        ("v.t7", t7_bytes(Table([("aa", 1), (b"\xff\xff", 2)])), 2, None, "neither bytes nor UTF-8"),
        ("list", "aa\n\nbb\ncc\ndde", 5, None, "line 2 of list is empty"),
        ("v.json", b"\xff", 2, None, "is not UTF-8"),
        ("text", b"\xff\xfe\n", 2, "character", "text is not UTF-8"),
    ],
)  # fmt: skip
def test_vocabularies_that_do_not_fit(
    name: str, content: str | bytes, count: int, unit: SymbolUnit | None, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=sentence) as refused:
        read(tmp_path, name, content, count, unit)
    error: Any = refused.value
    assert "\n" not in error.message
    assert error.hint


SPECIAL = ["<eos>", "</s>", "the", "<unk>", "rare"]


@pytest.mark.parametrize(
    ("special", "unknown", "line_end"),
    [
        (SpecialTokens(), 3, 0),
        (SpecialTokens(line_end="</s>"), 3, 1),
        (SpecialTokens(line_end="none"), 3, None),
        (SpecialTokens(unknown="rare"), 4, 0),
        (SpecialTokens(line_end="none", unknown="none"), None, None),
    ],
)
def test_special_tokens_are_taken_as_they_are_named(
    special: SpecialTokens, unknown: int | None, line_end: int | None
) -> None:
    symbols = symbols_of(SPECIAL, "list", None, special)
    assert symbols.vocabulary == TokenVocabulary(SPECIAL, "word", unknown, line_end)
    for symbol, what in ((unknown, "what it lacks"), (line_end, "line ends")):
        told = f"{SPECIAL[symbol]} is read for {what}" if symbol is not None else what
        assert (told in symbols.told) == (symbol is not None)


def test_special_tokens_among_single_letters() -> None:
    named = SpecialTokens(line_end="|")
    found = symbols_of(["b", "|", "a"], "list", None, named).vocabulary
    assert found == TokenVocabulary(["b", "|", "a"], "character", None, 1)
    assert symbols_of(["b", "|", "a"], "list", None, SpecialTokens("none", "none")).vocabulary == Vocabulary(
        b"ab|"
    )
    with pytest.raises(InvalidRequest, match=r"a model over bytes has no token \|"):
        symbols_of(["b", "|", "a"], "list", "byte", named)


def test_a_vocabulary_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no file or directory none\.json"):
        read_symbols("none.json", 3)
