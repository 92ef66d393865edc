"""The text that was read while states came about: numbers and a dictionary, or a file cut as the states are long."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.capture.numbered_words import NumberedWords
from rnnviz.engine.progress import Progress
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.engine.symbols.distinct_symbols import distinct_symbols
from rnnviz.engine.symbols.token_stream import TokenSource
from rnnviz.engine.symbols.token_vocabulary import LINE_END_TOKENS, TokenVocabulary
from rnnviz.engine.symbols.tokenized_text import token_text
from rnnviz.engine.text.segments import ByteSource, Source, segments_of
from rnnviz.engine.text.split import Split
from rnnviz.engine.text.text import Text
from rnnviz.store.errors import InvalidRequest
from rnnviz.store.schema import SymbolUnit

LINE_END: Final = LINE_END_TOKENS[0]


@dataclass(frozen=True)
class StateText:
    """What was read while the states came about, as a capture keeps it. `tokens` are None where symbols are bytes."""

    name: str
    sha256: str
    symbols: int
    length: int
    unit: SymbolUnit
    vocabulary: bytes
    tokens: tuple[str, ...] | None
    segments: NDArray[np.int64]
    after: NDArray[np.int32]
    source: Source | NumberedWords


def text_of_words(name: str, words: NumberedWords) -> StateText:
    """Raises InvalidRequest for a number without a word."""
    length, sha256 = words.measure()
    table = np.array([[0, words.symbols, 0]], np.int64)
    after = np.array([-1], np.int32)
    return StateText(name, sha256, words.symbols, length, words.unit, b"", words.tokens, table, after, words)


def text_of_file(
    text: Text, vocabulary: Vocabulary | TokenVocabulary
) -> Generator[Progress, None, StateText]:
    """All of a text as the symbols of a vocabulary; each of its files is a segment. Raises InvalidText."""
    if isinstance(vocabulary, TokenVocabulary):
        tokens = yield from token_text(text, vocabulary)
        source: Source = TokenSource(tokens, segments_of(tokens, Split(), "all"))
        symbols, known = b"", vocabulary.tokens
    else:
        source = ByteSource(text, segments_of(text, Split(), "all"), vocabulary)
        symbols, known = vocabulary.symbols, None
    segments = source.segments
    return StateText(
        name=text.name,
        sha256=text.sha256(),
        symbols=segments.symbols,
        length=text.length,
        unit=source.unit,
        vocabulary=symbols,
        tokens=known,
        segments=source.table(),
        after=segments.after,
        source=source,
    )


def vocabulary_of(text: Text, rows: int, unit: SymbolUnit | None = None) -> Vocabulary | TokenVocabulary:
    """The distinct symbols of a text, which are bytes, characters or words as `unit` says, or where it is None as
    there are `rows` of them. Newlines are symbols among words where there are as many rows as both.

    Raises InvalidText for a text that is no UTF-8 or has too many words, InvalidRequest where nothing fits.
    """
    if unit == "byte" or (unit is None and text.length == rows):
        return Vocabulary.of(text)
    counts = distinct_symbols(text, "Convert it, for example with iconv.")
    lines = counts.words + counts.newlines
    if unit is None:
        fitting: list[tuple[SymbolUnit, int]] = [
            ("character", counts.characters),
            ("word", counts.words),
            ("word", lines),
        ]
        unit = next((candidate for candidate, count in fitting if count == rows), None)
    if unit is None:
        raise InvalidRequest(
            f"there are {rows:,} rows, and {text.name} has {text.length:,} bytes, {counts.characters:,} characters, "
            f"{counts.words:,} words and {counts.newlines:,} newlines",
            "Give the text that was read while the states came about: a row belongs to each symbol.",
        )
    if unit == "character":
        return TokenVocabulary(sorted(counts.character_set), "character")
    words = counts.sorted_words("Give --unit byte, or numbers and a dictionary: --word-ids, --dict.")
    ends = [] if rows != lines or not counts.newlines or LINE_END in words else [LINE_END]
    return TokenVocabulary([*words, *ends], "word", line_end=len(words) if ends else None)
