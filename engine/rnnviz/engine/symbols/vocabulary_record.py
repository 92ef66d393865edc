"""How a run writes down its vocabulary."""

from __future__ import annotations

from rnnviz.engine.fields import Fields
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.engine.symbols.token_vocabulary import UNITS, TokenVocabulary
from rnnviz.store.bounds import MOST_TOKENS


def vocabulary_record(vocabulary: Vocabulary | TokenVocabulary) -> object:
    """A list of bytes, or an object with the tokens."""
    if isinstance(vocabulary, Vocabulary):
        return list(vocabulary.symbols)
    return {
        "unit": vocabulary.unit,
        "unknown": vocabulary.unknown,
        "line_end": vocabulary.line_end,
        "tokens": list(vocabulary.tokens),
    }


def read_vocabulary(fields: Fields) -> Vocabulary | TokenVocabulary:
    """The field `vocabulary`. Raises InvalidRun, and ValueError for symbols that cannot be a vocabulary."""
    if fields.is_list("vocabulary"):
        return Vocabulary(bytes(fields.integers("vocabulary", 0, 255)))
    described = fields.group("vocabulary")
    return TokenVocabulary(
        described.strings("tokens"),
        described.choice("unit", UNITS),
        *(
            described.integer(name, 0, MOST_TOKENS) if described.has(name) else None
            for name in ("unknown", "line_end")
        ),
    )
