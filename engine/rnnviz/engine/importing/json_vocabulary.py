"""Vocabularies in JSON, as the programs that train models write them: a list of tokens, or tokens and their numbers,
by themselves or under a name in an object."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

from rnnviz.engine.text.text import printable
from rnnviz.store.errors import InvalidRequest

Tokens = Sequence[str] | Sequence[bytes]

_THING: Final = "(words?|tokens?|chars?|characters?|symbols?)"
_NUMBER: Final = "(idx|ix|ids?|index|indices|int)"
_KNOWN_NAMES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        f"{_THING}_?(2|to)_?{_NUMBER}|{_NUMBER}_?(2|to)_?{_THING}|[wct]2i|i2[wct]",  # word2idx, ix_to_char
        "itos|stoi",
        "vocab|vocabulary|tokens|chars|words",
        "model",
    )
)
"""Names of entries that are a vocabulary or have one in them, the most telling first."""

_SUBWORD_MODELS: Final = ("BPE", "WordPiece", "Unigram")
"""The `type` of a tokenizer's model whose tokens are parts of words."""

MOST_KEYS: Final = 12
"""That a message shows."""


def json_tokens(content: str, name: str) -> Tokens:
    """The tokens in the order of their numbers; `name` says where they are from.

    Raises InvalidRequest for what is no vocabulary, with what it is.
    """
    try:
        value: object = json.loads(content)
    except (ValueError, RecursionError):
        _refuse(
            f"{name} is not valid JSON", "Give a list of tokens or an object of tokens and their numbers."
        )
    value = _vocabulary_in(value, name)
    return numbered(value, name) if isinstance(value, dict) else _listed(value, name)


def numbered(pairs: Mapping[Any, object], name: str) -> Tokens:
    """The tokens in the order of their numbers, which are either the values or the keys, from 0 or from 1."""
    by_number: dict[int, object] = {}
    flipped = all(isinstance(value, str | bytes) for value in pairs.values())
    for key, value in pairs.items():
        number, token = (key, value) if flipped else (value, key)
        if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) < 10:
            number = int(number)
        if isinstance(number, bool) or not isinstance(number, int | float) or number != number // 1:
            _refuse(
                f"{name} has a token without a whole number", "Each token has its number, from 0 or from 1."
            )
        by_number[int(number)] = token
    first = min(by_number, default=-1)
    if len(by_number) < len(pairs) or first not in (0, 1) or max(by_number) != first + len(pairs) - 1:
        _refuse(
            f"{name} does not number its tokens one after the other from 0 or 1",
            "Give each number one token.",
        )
    tokens = [by_number[number] for number in range(first, first + len(pairs))]
    strings = [token for token in tokens if isinstance(token, str)]
    plain = [token for token in tokens if isinstance(token, bytes)]
    if len(tokens) not in (len(strings), len(plain)):
        _refuse(f"{name} has tokens that are no strings", "Give strings.")
    return strings or plain


def refuse_subwords(name: str, sign: str) -> NoReturn:
    """Raise InvalidRequest for a vocabulary that is one of parts of words; `sign` is what shows it."""
    _refuse(
        f"{name} has parts of words ({sign}), and subword vocabularies are not supported",
        "Import a model over bytes, characters or whole words.",
    )


def _vocabulary_in(value: object, name: str) -> object:
    """What an object has under a known name, as long as something is nested in it; else the object itself."""
    while isinstance(value, dict):
        nested = {key: held for key, held in value.items() if isinstance(held, dict | list) and held}
        if not nested:
            break
        if "vocab" in nested and value.get("type") in _SUBWORD_MODELS:
            refuse_subwords(name, f"a {value['type']} tokenizer has them")
        known = [key for pattern in _KNOWN_NAMES for key in nested if pattern.fullmatch(key.lower())]
        if not known:
            keys = [printable(key[:30]) for key in value]
            more = f" and {len(keys) - MOST_KEYS:,} more" if len(keys) > MOST_KEYS else ""
            _refuse(
                f"{name} has {', '.join(keys[:MOST_KEYS])}{more}, and none of these is a vocabulary known here",
                "Known are names like word2idx, ix_to_char and token_to_idx, itos, stoi, vocab and model.vocab. Or "
                "give a list of tokens, or an object of tokens and their numbers.",
            )
        value = nested[known[0]]
    return value


def _listed(value: object, name: str) -> Tokens:
    items: list[object] = value if isinstance(value, list) else []
    strings = [token for token in items if isinstance(token, str)]
    values = [token for token in items if type(token) is int and 0 <= token < 256]
    if not items or len(items) not in (len(strings), len(values)):
        _refuse(
            f"{name} is no list of tokens",
            "Give a list of strings, or an object of tokens and their numbers.",
        )
    return strings or [bytes([value]) for value in values]


def _refuse(message: str, hint: str) -> NoReturn:
    raise InvalidRequest(message, hint)
