"""A text that is being typed, as the symbols of a vocabulary: cut as a capture's text is, and only where it changes.

A word is *unfinished* as long as nothing stands after it: the next key may make it another one. Where the text ends
with one that is said to be unfinished, it is no symbol yet, so that a model does not read `w` and `wa` on the way to
`war`; it is one as soon as white space follows it, or the text is said to be finished. Words inside the text are
symbols as they stand. Characters and bytes are finished at once.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.symbols.byte_vocabulary import UNKNOWN, Vocabulary
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.engine.symbols.tokenizer import WHITE, cutter
from rnnviz.store.schema import SymbolUnit

Bytes = NDArray[np.uint8]
Codes = NDArray[np.int64]

REACH: Final = 3
"""Bytes before a change that may be cut in another way than they were: a character of UTF-8 less its last byte."""
_WHITE: Final = tuple(bytes([white]) for white in WHITE)
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
"""What stands in a text for a character that the vocabulary does not have."""


class TypedSymbols(Protocol):
    """The symbols of the text as it is now."""

    unit: SymbolUnit
    codes: Codes
    """[symbol], UNKNOWN for what the vocabulary lacks. Never changed in place."""
    edges: NDArray[np.int32]
    """Where each symbol begins, in bytes, and where the last one ends: [symbol + 1]. Empty where symbols are bytes."""
    begun: int
    """The code of the unfinished word at the end of the text as it stands; UNKNOWN where there is none, or it is not
    in the vocabulary (yet)."""
    read_as: int | str | None
    """The byte or token as which unknown symbols are read; None where there is none."""

    def become(self, text: Bytes, *, unfinished: bool) -> None:
        """Take uint8 [byte] for the text; `unfinished` says whether a word at its end may still grow."""
        ...

    @property
    def readable(self) -> Codes:
        """What a model reads: the codes up to the first symbol that it cannot read, with `read_as` for unknown ones."""
        ...

    @property
    def strange(self) -> NDArray[np.bool_]:
        """Which of the symbols the vocabulary does not have: [symbol]."""
        ...

    @property
    def speakable(self) -> NDArray[np.bool_]:
        """Which symbols of the vocabulary a text can be made to go on with: [K]."""
        ...

    def before(self, place: int) -> int:
        """How many symbols end before a place in the text, or at it: so the number of the symbol that holds it."""
        ...

    def name(self, code: int) -> int | str:
        """The byte or the token of a code."""
        ...

    def written(self, code: int) -> bytes:
        """What makes the text go on with a symbol that is speakable."""
        ...


class TypedBytes:
    """Symbols are bytes. Unknown ones are read as a space, or as the vocabulary's first, as in a capture."""

    unit: SymbolUnit = "byte"
    begun = UNKNOWN

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._substitute = max(0, vocabulary.symbols.find(b" "))
        self.read_as: int | str | None = vocabulary.symbols[self._substitute]
        self.speakable = np.ones(len(vocabulary), np.bool_)
        self.edges = np.empty(0, np.int32)
        self.codes = np.empty(0, np.int64)

    def become(self, text: Bytes, *, unfinished: bool) -> None:
        self.codes = self._vocabulary.encode(text)

    @property
    def readable(self) -> Codes:
        return np.where(self.strange, self._substitute, self.codes)

    @property
    def strange(self) -> NDArray[np.bool_]:
        return np.equal(self.codes, UNKNOWN)

    def before(self, place: int) -> int:
        return min(place, len(self.codes))

    def name(self, code: int) -> int:
        return self._vocabulary.symbols[code]

    def written(self, code: int) -> bytes:
        return bytes([self.name(code)])


class TypedTokens:
    """Symbols are characters or words. Unknown ones are read as the vocabulary's symbol for them; where it has none,
    nothing is read from the first of them on."""

    def __init__(self, vocabulary: TokenVocabulary) -> None:
        self.unit: SymbolUnit = vocabulary.unit
        self._vocabulary = vocabulary
        self._cutter = cutter(vocabulary)
        self.read_as: int | str | None = (
            None if vocabulary.unknown is None else vocabulary.tokens[vocabulary.unknown]
        )
        self._written = [self._spelling(code) for code in range(len(vocabulary))]
        self.speakable = np.array([bool(spelling) for spelling in self._written])
        self.codes = np.empty(0, np.int64)
        self.edges = np.zeros(1, np.int32)
        self.begun = UNKNOWN
        self._text = np.empty(0, np.uint8)

    def become(self, text: Bytes, *, unfinished: bool) -> None:
        end = self._finished(text) if unfinished else len(text)
        common = common_length(self._text, text)
        self._text = text
        if common < self.edges[-1] or end != self.edges[-1]:
            kept = self.before(max(0, min(common, end) - REACH))
            codes, edges = self._cut(int(self.edges[kept]), end)
            self.codes = np.concatenate([self.codes[:kept], codes])
            self.edges = np.concatenate([self.edges[:kept], edges])
        begun, _ = self._cut(end, len(text))
        self.begun = int(begun[0]) if len(begun) and begun[0] != self._vocabulary.unknown else UNKNOWN

    def read(self, start: int, stop: int) -> Bytes:
        """The bytes start … stop of the text, for the cutter."""
        return self._text[start:stop]

    @property
    def readable(self) -> Codes:
        unknown = self._vocabulary.unknown
        if unknown is None:
            strange = np.flatnonzero(self.codes == UNKNOWN)
            return self.codes[: strange[0]] if len(strange) else self.codes
        return np.where(self.codes == UNKNOWN, unknown, self.codes)

    @property
    def strange(self) -> NDArray[np.bool_]:
        unknown = self._vocabulary.unknown
        return np.isin(self.codes, (UNKNOWN, UNKNOWN if unknown is None else unknown))

    def before(self, place: int) -> int:
        return int(np.searchsorted(self.edges[1:], place, side="right"))

    def name(self, code: int) -> str:
        return self._vocabulary.tokens[code]

    def written(self, code: int) -> bytes:
        spelling = self._written[code]
        joined = not len(self._text) or self._text[-1] in WHITE or spelling == b"\n"
        return spelling if joined or self.unit == "character" else b" " + spelling

    def _spelling(self, code: int) -> bytes:
        """A stretch of text that is cut into the symbol; none for a symbol that no text is cut into."""
        vocabulary = self._vocabulary
        token, characters = vocabulary.tokens[code], vocabulary.unit == "character"
        if code == vocabulary.line_end and not (characters and "\n" in vocabulary.tokens):
            return b"\n"
        if characters and code == vocabulary.unknown and REPLACEMENT not in vocabulary.tokens:
            return REPLACEMENT.encode()
        spelling = token.encode()
        sound = len(token) == 1 if characters else not set(spelling) & set(WHITE)
        return spelling if sound else b""

    def _finished(self, text: Bytes) -> int:
        """Where the last word of a text begins, if nothing stands after it; else where the text ends."""
        if self.unit == "character":
            return len(text)
        data = text.tobytes()
        return 1 + max(data.rfind(white) for white in _WHITE)

    def _cut(self, start: int, stop: int) -> tuple[Codes, NDArray[np.int32]]:
        """The codes of a stretch that begins where a symbol does, and its edges."""
        cuts = list(self._cutter.cut(self, start, stop)) if stop > start else []
        if not cuts:
            return np.empty(0, np.int64), np.array([start], np.int32)
        codes, begins = (np.concatenate(parts) for parts in zip(*cuts, strict=True))
        return codes, np.append(begins, stop).astype(np.int32)


def typed_symbols(vocabulary: Vocabulary | TokenVocabulary) -> TypedSymbols:
    """An empty text over a vocabulary."""
    return TypedBytes(vocabulary) if isinstance(vocabulary, Vocabulary) else TypedTokens(vocabulary)


def common_length(a: NDArray[np.generic], b: NDArray[np.generic]) -> int:
    """How many values two arrays begin with in common."""
    shorter = min(len(a), len(b))
    differing = np.flatnonzero(a[:shorter] != b[:shorter])
    return int(differing[0]) if len(differing) else shorter
