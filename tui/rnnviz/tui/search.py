"""Finding a regular expression in a text of any size, forwards or backwards, from a worker thread."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.errors import InvalidRequest

PIECE = 1 << 20
LONGEST = 4096
"""A match longer than this may be missed where two pieces of the text meet."""

Span = tuple[int, int]
Read = Callable[[int, int], NDArray[np.uint8]]


def pattern_of(text: str) -> re.Pattern[bytes]:
    """A regular expression over bytes. Lower-case letters match both cases until an upper-case one is typed."""
    ignore_case = 0 if any(character.isupper() for character in text) else re.IGNORECASE
    try:
        return re.compile(text.encode("utf-8", "surrogateescape"), re.MULTILINE | ignore_case)
    except (re.error, OverflowError, RecursionError) as error:
        raise InvalidRequest(
            f"{text!r} is no regular expression: {error}", "Put a backslash before ( ) [ ] { } . * + ? ^ $ |"
        ) from error


def find(
    pattern: re.Pattern[bytes],
    read: Read,
    length: int,
    position: int,
    *,
    backwards: bool = False,
    cancelled: Callable[[], bool] = lambda: False,
) -> Span | None:
    """The first match after `position`, or the last one before it, going on around the end of the text.

    read(start, stop) gives the text's bytes. Empty matches are passed over. None: no match, or cancelled.
    """
    search = _backwards if backwards else _forwards
    ranges = [(0, position), (position, length)] if backwards else [(position + 1, length), (0, position + 1)]
    for start, stop in ranges:
        for span in search(pattern, read, start, stop, length):
            if cancelled():
                return None
            if span is not None:
                return span
    return None


def spans_in(pattern: re.Pattern[bytes], data: NDArray[np.uint8], offset: int) -> list[Span]:
    """Every match in `data`, whose first byte lies at `offset` of the text."""
    found = (match.span() for match in pattern.finditer(data.tobytes()))
    return [(offset + start, offset + stop) for start, stop in found if stop > start]


def _forwards(
    pattern: re.Pattern[bytes], read: Read, start: int, stop: int, length: int
) -> Iterator[Span | None]:
    for piece in range(start, stop, PIECE):
        end = min(piece + PIECE, stop)
        spans = spans_in(pattern, read(piece, min(end + LONGEST, length)), piece)
        yield spans[0] if spans and spans[0][0] < end else None


def _backwards(
    pattern: re.Pattern[bytes], read: Read, start: int, stop: int, length: int
) -> Iterator[Span | None]:
    for end in range(stop, start, -PIECE):
        piece = max(start, end - PIECE)
        spans = spans_in(pattern, read(piece, min(end + LONGEST, length)), piece)
        before = [span for span in spans if span[0] < end]
        yield before[-1] if before else None
