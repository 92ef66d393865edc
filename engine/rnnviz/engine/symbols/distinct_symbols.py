"""The distinct characters and words of a text, counted file by file: a word does not go on in the next file."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Sequence
from dataclasses import dataclass

from rnnviz.engine.symbols.tokenizer import WHITE
from rnnviz.engine.text.text import PIECE, Text
from rnnviz.store.bounds import LONGEST_TOKEN, MOST_TOKEN_BYTES, MOST_TOKENS
from rnnviz.store.errors import InvalidText


@dataclass(frozen=True)
class Distinct:
    """Of a text, read as UTF-8: how many symbols it would have, and which. Words lie between white space."""

    name: str
    characters: int
    words: int
    newlines: int
    character_set: frozenset[str]
    word_set: frozenset[bytes] | None
    """None where they are more or longer than a vocabulary can have."""

    def sorted_words(self, hint: str) -> list[str]:
        """Raises InvalidText, with this hint, where they are more or longer than a vocabulary can have, or none."""
        if self.word_set is None:
            raise InvalidText(
                f"{self.name} has more than {MOST_TOKENS:,} distinct words, or very long ones", hint
            )
        if not self.word_set:
            raise InvalidText(f"{self.name} holds nothing but white space", "Give a text with words.")
        return sorted(word.decode() for word in self.word_set)


def distinct_symbols(text: Text, hint: str) -> Distinct:
    """Go through a text once; memory does not grow with it. Raises InvalidText, with this hint, if it is no UTF-8."""
    characters = words = newlines = 0
    character_set: set[str] = set()
    gathered = _Words()
    for part in text.parts:
        decoder = getincrementaldecoder("utf-8")()
        begun = b""
        """The last word, cut off by the end of a piece; of one that is too long, as much as shows that."""
        end = part.start + part.length
        for start in range(part.start, end, PIECE):
            stop = min(start + PIECE, end)
            data = text.read(start, stop).tobytes()
            try:
                decoded = decoder.decode(data, final=stop == end)
            except UnicodeDecodeError as error:
                raise InvalidText(f"{part.name} is not UTF-8", hint) from error
            characters += len(decoded)
            character_set.update(decoded)
            newlines += data.count(b"\n")
            found = (begun + data).split()
            begun = b"" if data[-1] in WHITE else found.pop()[: LONGEST_TOKEN + 1]
            words += len(found)
            gathered.add(found)
        if begun:
            words += 1
            gathered.add([begun])
    found_words = frozenset(gathered.words) if gathered.fit else None
    return Distinct(text.name, characters, words, newlines, frozenset(character_set), found_words)


class _Words:
    """Distinct words, as long as a vocabulary can have so many, so long ones, and a token more for line ends."""

    def __init__(self) -> None:
        self.words: set[bytes] = set()
        self.fit = True
        self._bytes = 0

    def add(self, words: Sequence[bytes]) -> None:
        if not self.fit:
            return
        new = set(words) - self.words
        self._bytes += sum(map(len, new))
        self.words |= new
        self.fit = (
            len(self.words) < MOST_TOKENS
            and max(map(len, new), default=0) <= LONGEST_TOKEN
            and self._bytes <= MOST_TOKEN_BYTES - LONGEST_TOKEN
        )
