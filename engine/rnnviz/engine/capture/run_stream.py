"""The source that a run reads: a part of a text as the symbols of the run's vocabulary."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from rnnviz.engine.progress import Progress
from rnnviz.engine.runs.run import Run
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary, refuse_unknown
from rnnviz.engine.symbols.token_stream import TokenSource
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.engine.symbols.tokenized_text import refuse_unknown_tokens, token_text
from rnnviz.engine.text.segments import ByteSource, CapturedPart, Segments, Source, Symbols, segments_of
from rnnviz.engine.text.split import TooShort
from rnnviz.engine.text.text import Text

_HINT: Final = "Give --unknown replace to have the model read such {} as {}."


def source_of(
    run: Run,
    text: Text,
    part: CapturedPart,
    streams: int | None = None,
    *,
    first: int | None = None,
    replace_unknown: bool = False,
    hint: str = "",
) -> Generator[Progress, None, tuple[Source, int]]:
    """The part's symbols, and how many of them the run has never seen.

    Raises as `segments_of` does, and InvalidText where there are such symbols and they may not be replaced; its hint
    is how to replace them, or the one given.
    """
    vocabulary = run.vocabulary
    if isinstance(vocabulary, TokenVocabulary):
        tokens = yield from token_text(text, vocabulary)
        found = TokenSource(tokens, read_segments(run, tokens, part, streams, first))
        unknown = found.count_unknown()
        if unknown and not replace_unknown:
            read_as = substitute_words(vocabulary, found.substitute)
            refuse_unknown_tokens(tokens, hint or _HINT.format(f"{vocabulary.unit}s", read_as))
        return found, unknown
    source = ByteSource(text, read_segments(run, text, part, streams, first), vocabulary)
    unknown = source.count_unknown()
    if unknown and not replace_unknown:
        refuse_unknown(
            vocabulary, text, hint or _HINT.format("bytes", substitute_words(vocabulary, source.substitute))
        )
    return source, unknown


def substitute_words(vocabulary: Vocabulary | TokenVocabulary, substitute: int) -> str:
    """What a message calls the symbol of this number, as which unknown ones are read: `a space`."""
    if isinstance(vocabulary, TokenVocabulary):
        token = vocabulary.tokens[substitute]
    else:
        token = chr(vocabulary.symbols[substitute])
    return "a space" if token == " " else ascii(token)


def read_segments(
    run: Run, symbols: Symbols, part: CapturedPart, streams: int | None, first: int | None
) -> Segments:
    """The segments of a part of the text that the run is to read. Raises as `segments_of` does."""
    try:
        return segments_of(symbols, run.config.split, part, streams, first)
    except TooShort as error:
        # Nobody is training: what the run was trained with cannot be changed.
        raise TooShort(
            error.message, "Leave --split out, to have all of the text read, or give a longer one."
        ) from error
