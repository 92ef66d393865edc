"""The distinct characters and words of a text, counted file by file: a word does not go on in the next file."""

from __future__ import annotations

from codecs import getincrementaldecoder
from dataclasses import dataclass

from rnnviz.engine.cutting import WHITE
from rnnviz.engine.text import PIECE, Text
from rnnviz.store.errors import InvalidText
from rnnviz.store.schema import LONGEST_TOKEN, MOST_TOKEN_BYTES, MOST_TOKENS


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
    word_set: set[bytes] = set()
    fits = True
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
            if fits:
                word_set.update(found)
                fits = _fits(word_set)
        if begun:
            words += 1
            word_set.add(begun)
    kept = frozenset(word_set) if fits and _fits(word_set) else None
    return Distinct(text.name, characters, words, newlines, frozenset(character_set), kept)


def _fits(words: set[bytes]) -> bool:
    """Whether a vocabulary can have so many words, so long ones, and a token more for line ends."""
    return (
        len(words) < MOST_TOKENS
        and max(map(len, words), default=0) <= LONGEST_TOKEN
        and sum(map(len, words)) < MOST_TOKEN_BYTES - LONGEST_TOKEN
    )
