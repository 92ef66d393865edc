"""What the symbols of an imported model are: from a list of tokens in some program's format, or from a text.

Tokens that are all single bytes make a byte vocabulary, in ascending order whatever order the model has; the
weights are then rearranged (`Symbols.order`). All others stay in the model's order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, NoReturn

from rnnviz.engine.capture.numbered_words import GREATEST_FILE, read_dictionary
from rnnviz.engine.importing.json_vocabulary import Tokens, json_tokens, numbered, refuse_subwords
from rnnviz.engine.importing.torch7_file import Table, read_t7
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.engine.symbols.distinct_symbols import distinct_symbols
from rnnviz.engine.symbols.token_vocabulary import (
    LINE_END_TOKENS,
    UNKNOWN_TOKENS,
    TokenVocabulary,
    longer_than_a_character,
    special_symbol,
)
from rnnviz.engine.text.text import STANDARD_LIBRARY, Text, open_text, printable
from rnnviz.store.errors import InvalidRequest
from rnnviz.store.schema import SymbolUnit

Format = Literal["auto", "text", "list", "json", "dict", "t7"]

FORMAT_OF_SUFFIX: Final[dict[str, Format]] = {".json": "json", ".dict": "dict", ".t7": "t7"}

_FORMAT_WORDS: Final[dict[Format, str]] = {
    "text": "a text", "list": "a list, one token a line", "json": "JSON",
    "dict": "a .dict, a token and its number a line", "t7": "a Torch7 table",
}  # fmt: skip

_PART_OF_WORD: Final = re.compile(r"(##|Ġ|▁).+|.+(@@|</w>)", re.DOTALL)
"""Marks of WordPiece, of BPE over bytes and SentencePiece, and of the older BPE."""

MOST_MARKED: Final = 0.05
"""The share of tokens that may bear such marks: of BERT's vocabulary it is 0.19, of GPT-2's above a half."""

_ESCAPED_BYTE: Final = re.compile(r"\[(1[2-9]\d|2[0-5]\d)\]")
"""How torch-rnn writes a byte above 127 in its JSON: `[233]`."""

NO_TOKEN: Final = "none"
"""The special token that there is not."""


@dataclass(frozen=True)
class SpecialTokens:
    """What whoever imports says: the token that is read at the end of each line, and the one for what the vocabulary
    lacks. None leaves it to the tokens' names, NO_TOKEN means that there is none."""

    line_end: str | None = None
    unknown: str | None = None

    @property
    def named(self) -> tuple[str, ...]:
        return tuple(token for token in (self.line_end, self.unknown) if token and token != NO_TOKEN)


BY_NAME: Final = SpecialTokens()


@dataclass(frozen=True)
class Symbols:
    vocabulary: Vocabulary | TokenVocabulary
    order: tuple[int, ...] | None
    """Symbol k of the vocabulary is the model's symbol order[k]; None where they are the same."""
    told: str
    """What they were taken from, in words."""
    of_text: bool = False
    """Whether that is a text, whose symbols these are."""


def read_symbols(
    spec: str,
    count: int,
    unit: SymbolUnit | None = None,
    form: Format = "auto",
    special: SpecialTokens = BY_NAME,
) -> Symbols:
    """The symbols of a model that has `count`, from a vocabulary file or a text.

    What it is is told by its ending (.json, .dict, .t7); anything else is a list if its lines are distinct and as many
    as the symbols, and a text otherwise. `form` says it outright. Raises InvalidRequest where it does not fit,
    NotFound, InvalidText.
    """
    path = Path(spec)
    if form == "auto":
        form = (
            "text" if spec == STANDARD_LIBRARY or path.is_dir() else FORMAT_OF_SUFFIX.get(path.suffix, "auto")
        )
    text = open_text(spec)
    tokens: Tokens
    if form == "auto":
        form = _list_or_text(text, count, unit)
    if form == "text":
        tokens = _tokens_of(text, unit)
        unit = unit or "byte"
    else:
        tokens = _tokens_in(path, text, form)
        _refuse_subwords(tokens, text.name)
    name = f"{text.name} ({_FORMAT_WORDS[form]})"
    _check_count(len(tokens), count, name, form, unit)
    return replace(symbols_of(tokens, name, unit, special), of_text=form == "text")


def symbols_in_checkpoint(
    table: Table, count: int, unit: SymbolUnit | None = None, special: SpecialTokens = BY_NAME
) -> Symbols:
    """The symbols from the vocabulary in a Torch7 checkpoint. Raises InvalidRequest where it does not fit."""
    tokens = numbered(table.entries, "the checkpoint's own vocabulary")
    _check_count(len(tokens), count, "the checkpoint's own vocabulary", "t7", unit)
    return symbols_of(tokens, "the checkpoint's own vocabulary", unit, special)


def symbols_of(
    tokens: Tokens, name: str, unit: SymbolUnit | None, special: SpecialTokens = BY_NAME
) -> Symbols:
    """The symbols that a model numbers in the order of `tokens`; `name` says where they are from."""
    if special.named and unit == "byte":
        _refuse(
            f"a model over bytes has no token {printable(special.named[0])}",
            "Leave --line-end and --unknown-token out, or give --unit character or word.",
        )
    # Bytes have no special tokens: where some are named, they are characters.
    values = None if special.named else _bytes_of(tokens, unit)
    if values is not None:
        if len(set(values)) < len(values):
            _refuse(f"{name} has a byte twice", "Give the vocabulary that the model was trained with.")
        order = tuple(sorted(range(len(values)), key=values.__getitem__))
        moved = order != tuple(range(len(values)))
        words = f"{len(values)} bytes, from {name}{', put in ascending order' if moved else ''}"
        return Symbols(Vocabulary(bytes(sorted(values))), order if moved else None, words)
    if unit == "byte":
        _refuse(f"{name} has tokens that are no bytes", "Leave --unit out, or give --unit character or word.")
    strings = [_decoded(token, name) for token in tokens]
    longer = longer_than_a_character(strings, special.named)
    if unit == "character" and longer is not None:
        _refuse(
            f"{name} has '{printable(longer[:60])}', which is more than one character",
            "Leave --unit out, or give --unit word.",
        )
    unit = unit or ("character" if longer is None else "word")
    unknown = _special(strings, special.unknown, UNKNOWN_TOKENS, f"{name}, for --unknown-token")
    line_end = _special(strings, special.line_end, LINE_END_TOKENS, f"{name}, for --line-end")
    try:
        vocabulary = TokenVocabulary(strings, unit, unknown, line_end)
    except ValueError as error:
        _refuse(f"{name}: {error}", "Give the vocabulary that the model was trained with.")
    told = [
        f"{printable(strings[symbol])} is read for {what}"
        for symbol, what in ((unknown, "what it lacks"), (line_end, "line ends"))
        if symbol is not None
    ]
    return Symbols(vocabulary, None, ", ".join([f"{len(strings):,} {unit}s, from {name}", *told]))


def _special(tokens: Sequence[str], wanted: str | None, names: Sequence[str], where: str) -> int | None:
    """The symbol of the token that is wanted, or where None is, of the first of these names."""
    if wanted is None:
        return special_symbol(tokens, names)
    if wanted == NO_TOKEN:
        return None
    symbol = special_symbol(tokens, [wanted])
    if symbol is None:
        _refuse(
            f"there is no token '{printable(wanted[:60])}' in {where}",
            f"Give a token of the vocabulary, or {NO_TOKEN} where the model has none.",
        )
    return symbol


def _bytes_of(tokens: Tokens, unit: SymbolUnit | None) -> list[int] | None:
    """The byte that each token is, None unless all are. Characters count up to 127, or, for `byte`, to 255."""
    if unit == "word":
        return None
    values: list[int] = []
    for token in tokens:
        if isinstance(token, bytes) and len(token) == 1:
            values.append(token[0])
        elif isinstance(token, str) and len(token) == 1 and ord(token) < (256 if unit == "byte" else 128):
            values.append(ord(token))
        elif (
            unit != "character"
            and (escaped := _ESCAPED_BYTE.fullmatch(_lenient(token)))
            and 128 <= int(escaped[1]) < 256
        ):
            values.append(int(escaped[1]))
        else:
            return None
    return values


def _list_or_text(text: Text, count: int, unit: SymbolUnit | None) -> Format:
    """What a file without a telling ending is, judged by how many symbols the model has."""
    if text.length > GREATEST_FILE:
        return "text"
    lines = text.read(0, text.length).tobytes().removesuffix(b"\n").split(b"\n")
    if not len(lines) == len(set(lines)) == count:
        return "text"
    if len(_tokens_of(text, unit)) == count:
        _refuse(
            f"{text.name} has {count:,} lines and {count:,} distinct {unit or 'byte'}s: it may be a list or a text",
            "Say which it is with --vocab-format list or --vocab-format text.",
        )
    return "list"


def _tokens_of(text: Text, unit: SymbolUnit | None) -> Tokens:
    """The distinct bytes, characters or words of a text, ascending."""
    if unit in (None, "byte"):
        return [bytes([value]) for value in Vocabulary.of(text).symbols]
    found = distinct_symbols(text, "Give a vocabulary file, or --unit byte for a model over bytes.")
    return (
        sorted(found.character_set) if unit == "character" else found.sorted_words("Give a vocabulary file.")
    )


def _tokens_in(path: Path, text: Text, form: Format) -> Tokens:
    """The tokens of a vocabulary file, in the order of their numbers."""
    if text.length > GREATEST_FILE:
        _refuse(
            f"{text.name} is too long for a vocabulary", "If it is a text, say so with --vocab-format text."
        )
    if form == "t7":
        table = read_t7(path)
        if not isinstance(table, Table):
            _refuse(
                f"{text.name} holds no table of tokens", "Give the vocabulary file of char-rnn, vocab.t7."
            )
        return numbered(table.entries, text.name)
    if form == "dict":
        return numbered(read_dictionary(path), text.name)
    try:
        content = text.read(0, text.length).tobytes().decode()
    except UnicodeDecodeError:
        _refuse(f"{text.name} is not UTF-8", "Save the vocabulary as UTF-8.")
    if form == "json":
        return json_tokens(content, text.name)
    lines = [line.removesuffix("\r") for line in content.removesuffix("\n").split("\n")]
    if "" in lines:
        _refuse(
            f"line {lines.index('') + 1} of {text.name} is empty",
            "For tokens with line breaks, give a JSON list.",
        )
    return lines


def _refuse_subwords(tokens: Tokens, name: str) -> None:
    """Raise InvalidRequest where too many tokens are marked as parts of words to be words that happen to look so."""
    marked = [token for token in tokens if isinstance(token, str) and _PART_OF_WORD.fullmatch(token)]
    if len(marked) > len(tokens) * MOST_MARKED:
        refuse_subwords(name, f"as '{printable(marked[0][:60])}'")


def _check_count(found: int, count: int, name: str, form: Format, unit: SymbolUnit | None) -> None:
    if found == count:
        return
    if form == "text":
        hint = (
            f"Of a text, its distinct {unit or 'byte'}s are taken (--unit byte, character or word says which). Give "
            "the text the model was trained on, or its tokens: a .json, a .dict, or a file with one token a line."
        )
    else:
        hint = "Give the vocabulary that the model was trained with; --vocab-format says how a file is to be read."
    _refuse(f"{name} has {found:,} symbols, and the model has {count:,}", hint)


def _lenient(token: str | bytes) -> str:
    return token if isinstance(token, str) else token.decode("latin-1")


def _decoded(token: str | bytes, name: str) -> str:
    try:
        return token if isinstance(token, str) else token.decode()
    except UnicodeDecodeError:
        _refuse(f"{name} has tokens that are neither bytes nor UTF-8", "Give the vocabulary as JSON.")


def _refuse(message: str, hint: str) -> NoReturn:
    raise InvalidRequest(message, hint)
