"""A vocabulary of strings: the characters or words that an imported model knows, numbered as it numbers them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

from rnnviz.store.bounds import LONGEST_TOKEN, MOST_TOKEN_BYTES, MOST_TOKENS
from rnnviz.store.schema import SymbolUnit

UNITS: Final[tuple[SymbolUnit, ...]] = ("character", "word")
"""What the tokens of a vocabulary may be."""

_SPECIAL: Final = re.compile(r"<.+>|\[.+\]")
"""Tokens for what is no text: `<unk>`, `[PAD]`."""

UNKNOWN_TOKENS: Final = ("<unk>", "<UNK>", "[UNK]", "<unknown>")
LINE_END_TOKENS: Final = ("<eos>", "<EOS>", "</s>", "<nl>")
"""What vocabularies call the token for what they lack, and the one that is read at the end of each line."""


class TokenVocabulary:
    """The distinct strings `tokens`; K = len(vocabulary). Symbol k is the string tokens[k].

    `unit` says what a text is cut into. `unknown` is the symbol that is read for what is not in the vocabulary,
    `line_end` the one that is read for a newline; None where the model has no such symbol.
    """

    def __init__(
        self, tokens: Sequence[str], unit: SymbolUnit, unknown: int | None = None, line_end: int | None = None
    ) -> None:
        """Raises ValueError, with one line, for a token that comes twice, is too long or cannot be written as
        UTF-8, for too many tokens or none, and for an `unknown` or a `line_end` that is no symbol."""
        self.tokens = tuple(tokens)
        self.unit: SymbolUnit = unit
        self.unknown = unknown
        self.line_end = line_end
        if not 1 <= len(self.tokens) <= MOST_TOKENS:
            raise ValueError(f"a vocabulary has 1 to {MOST_TOKENS:,} tokens, not {len(self.tokens):,}")
        if len(set(self.tokens)) != len(self.tokens):
            twice = next(token for token, times in Counter(self.tokens).items() if times > 1)
            raise ValueError(f"the vocabulary has the token {twice[:60]!a} twice")
        sizes = [_utf8_length(token) for token in self.tokens]
        if max(sizes) > LONGEST_TOKEN or sum(sizes) > MOST_TOKEN_BYTES:
            raise ValueError(
                f"the vocabulary's tokens are too long: at most {LONGEST_TOKEN:,} bytes each, "
                f"{MOST_TOKEN_BYTES:,} together"
            )
        for name, symbol in (("unknown", unknown), ("line_end", line_end)):
            if symbol is not None and not 0 <= symbol < len(self.tokens):
                raise ValueError(f"{name} is {symbol}, and there are {len(self.tokens):,} tokens")
        if unit not in UNITS:
            raise ValueError(f"{unit!a} is no unit of a vocabulary")

    def __len__(self) -> int:
        return len(self.tokens)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TokenVocabulary) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        return f"TokenVocabulary({len(self)} tokens, {self.unit!r})"

    def _identity(self) -> tuple[object, ...]:
        return self.tokens, self.unit, self.unknown, self.line_end


def special_symbol(tokens: Sequence[str], names: Sequence[str]) -> int | None:
    """The symbol of the first of `names` that is among the tokens, None where none is."""
    place = {token: symbol for symbol, token in enumerate(tokens)}
    return next((place[name] for name in names if name in place), None)


def longer_than_a_character(tokens: Sequence[str], special: Collection[str] = ()) -> str | None:
    """The first token that is more than one character, None where none is. Tokens like `<unk>` and those said to be
    `special` do not count."""
    return next(
        (
            token
            for token in tokens
            if len(token) > 1 and token not in special and not _SPECIAL.fullmatch(token)
        ),
        None,
    )


def _utf8_length(token: str) -> int:
    try:
        return len(token.encode())
    except UnicodeEncodeError as error:
        raise ValueError(f"the token {token[:60]!a} cannot be written as UTF-8") from error
