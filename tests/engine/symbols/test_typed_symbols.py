"""What is typed is cut as captures cut texts, however it came to be what it is, and what a model writes is read as it
was meant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.engine.symbols.byte_vocabulary import UNKNOWN, Vocabulary
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.engine.symbols.tokenizer import cutter
from rnnviz.engine.symbols.typed_symbols import TypedTokens, common_length, typed_symbols
from support.token_runs import CHARACTERS, WORDS

VOCABULARIES = (
    WORDS,
    TokenVocabulary(("a", "b", "ab", " ", "a b", "\n", "", "<unk>"), "word", line_end=5),
    TokenVocabulary(("é", "🙂", "ab"), "word"),
    CHARACTERS,
    TokenVocabulary(("<unk>", "a", "é", "🙂", " ", "<eos>"), "character", unknown=0, line_end=5),
    TokenVocabulary(("<unk>", "\n", "<eos>", "�", "a"), "character", unknown=0, line_end=2),
)
Texts = st.lists(
    st.sampled_from(["a", "b", "ab", " ", "  ", "\n", "é", "🙂", "der", "Hund", "<unk>", "�"]), max_size=8
).map(lambda parts: "".join(parts).encode()) | st.binary(max_size=8)


class Text:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, start: int, stop: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
        return np.frombuffer(self.data, np.uint8)[start:stop]


def cut(vocabulary: TokenVocabulary, data: bytes) -> tuple[list[int], list[int]]:
    """The codes and edges of a text that is cut at once."""
    cuts = list(cutter(vocabulary).cut(Text(data), 0, len(data))) if data else []
    codes = [code for found, _ in cuts for code in found.tolist()]
    begins = [begin for _, found in cuts for begin in found.tolist()]
    return codes, [*begins, len(data)] if begins else [0]


def become(typed: TypedTokens, data: bytes, *, unfinished: bool = False) -> None:
    typed.become(np.frombuffer(data, np.uint8), unfinished=unfinished)


def finished(vocabulary: TokenVocabulary, data: bytes) -> bytes:
    """Without the word at the end that nothing stands after."""
    if vocabulary.unit == "character":
        return data
    while data and data[-1:] not in (b" ", b"\t", b"\n", b"\v", b"\f", b"\r"):
        data = data[:-1]
    return data


@given(st.sampled_from(VOCABULARIES), st.lists(st.tuples(Texts, st.booleans()), min_size=1, max_size=5))
def test_a_text_is_cut_as_at_once_whatever_it_was_before(
    vocabulary: TokenVocabulary, texts: Sequence[tuple[bytes, bool]]
) -> None:
    typed = TypedTokens(vocabulary)
    for data, unfinished in texts:
        become(typed, data, unfinished=unfinished)
        whole = finished(vocabulary, data) if unfinished else data
        codes, edges = cut(vocabulary, whole)
        assert (typed.codes.tolist(), typed.edges.tolist()) == (codes, edges)
        unknown = {UNKNOWN} if vocabulary.unknown is None else {UNKNOWN, vocabulary.unknown}
        assert typed.strange.tolist() == [code in unknown for code in codes]
        for place in range(len(data) + 1):
            assert typed.before(place) == sum(edge <= place for edge in edges[1:])
        begun, _ = cut(vocabulary, data[edges[-1] :]) if unfinished else ([], [])
        known = [code for code in begun if code not in unknown]
        assert typed.begun == (known[0] if known else UNKNOWN)


@given(st.sampled_from(VOCABULARIES), Texts, st.data())
def test_typing_key_by_key_cuts_as_at_once(
    vocabulary: TokenVocabulary, text: bytes, data: st.DataObject
) -> None:
    typed = TypedTokens(vocabulary)
    for length in range(len(text) + 1):
        become(typed, text[:length], unfinished=data.draw(st.booleans()))
    become(typed, text)
    assert (typed.codes.tolist(), typed.edges.tolist()) == cut(vocabulary, text)


@given(st.sampled_from(VOCABULARIES), Texts, st.data())
def test_what_is_written_is_read_as_the_symbol_it_is_of(
    vocabulary: TokenVocabulary, text: bytes, data: st.DataObject
) -> None:
    typed = TypedTokens(vocabulary)
    speakable = np.flatnonzero(typed.speakable).tolist()
    if vocabulary.unit == "character":
        text = text.decode(errors="ignore").encode()  # half a character might become another one
    become(typed, text)
    before = typed.codes.tolist()
    code = data.draw(st.sampled_from(speakable))
    written = typed.written(code)
    become(typed, text + written)
    assert typed.codes.tolist() == [*before, code]


def test_what_no_text_says_is_not_spoken() -> None:
    def spoken(number: int) -> set[str]:
        vocabulary = VOCABULARIES[number]
        speakable = TypedTokens(vocabulary).speakable.tolist()
        return {token for token, can in zip(vocabulary.tokens, speakable, strict=True) if can}

    assert spoken(0) == set(WORDS.tokens)
    assert spoken(1) == {"a", "b", "ab", "\n", "<unk>"}  # no word has white space in it
    assert spoken(4) == {"<unk>", "a", "é", "🙂", " ", "<eos>"}
    assert spoken(5) == {"\n", "�", "a"}  # <unk> and <eos> would be read as other symbols


@pytest.mark.parametrize("unknown", [None, 0])
def test_unknown_words_are_read_as_one_symbol_or_end_the_reading(unknown: int | None) -> None:
    typed = TypedTokens(TokenVocabulary(("<unk>", "a", "b"), "word", unknown))
    become(typed, b"a b x b y a")
    if unknown is None:
        assert typed.readable.tolist() == [1, 2]
        assert (typed.read_as, typed.strange.tolist()) == (None, [False, False, True, False, True, False])
    else:
        assert typed.readable.tolist() == [1, 2, 0, 2, 0, 1]
        assert typed.read_as == "<unk>"
    become(typed, b"a b b y", unfinished=True)
    assert typed.readable.tolist() == [1, 2, 2]
    assert typed.begun == UNKNOWN


def test_what_is_no_utf8_is_read_as_the_symbol_for_unknown_ones_too() -> None:
    typed = TypedTokens(VOCABULARIES[4])
    become(typed, b"a\xffa")
    assert typed.codes.tolist() == [1, UNKNOWN, 1]
    assert typed.readable.tolist() == [1, 0, 1]


def test_bytes_are_symbols_of_their_own() -> None:
    typed = typed_symbols(Vocabulary(b"\n ab"))
    typed.become(np.frombuffer(b"a\xffb", np.uint8), unfinished=True)
    assert typed.codes.tolist() == [2, UNKNOWN, 3]
    assert typed.readable.tolist() == [2, 1, 3]
    assert (typed.read_as, typed.before(2), typed.before(9)) == (ord(" "), 2, 3)
    assert [typed.written(code) for code in range(4)] == [b"\n", b" ", b"a", b"b"]


@given(st.binary(max_size=30), st.binary(max_size=30), st.binary(max_size=30))
def test_common_length(head: bytes, a: bytes, b: bytes) -> None:
    first, second = head + a, head + b
    found = common_length(np.frombuffer(first, np.uint8), np.frombuffer(second, np.uint8))
    assert found >= len(head)
    assert first[:found] == second[:found]
    assert first[found : found + 1] != second[found : found + 1] or found == len(first) == len(second)
