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


def is_plain(pattern: re.Pattern[bytes]) -> bool:
    """Whether a pattern is found or not in a time that does not depend on the text: it repeats nothing and knows no
    alternatives."""
    return re.fullmatch(rb"(?:[^\\*+?{(|]|\\.)*", pattern.pattern, re.DOTALL) is not None


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


def spans_in(pattern: re.Pattern[bytes], data: NDArray[np.uint8], offset: int, start: int) -> list[Span]:
    """Every match from `start` on in `data`, whose first byte lies at `offset` of the text.

    What lies before `start` is not searched, but `^` and what looks behind see it.
    """
    found = (match.span() for match in pattern.finditer(data.tobytes(), start - offset))
    return [(offset + first, offset + last) for first, last in found if last > first]


def _forwards(
    pattern: re.Pattern[bytes], read: Read, start: int, stop: int, length: int
) -> Iterator[Span | None]:
    for piece in range(start, stop, PIECE):
        end = min(piece + PIECE, stop)
        spans = _around(pattern, read, piece, end, length)
        yield spans[0] if spans else None


def _backwards(
    pattern: re.Pattern[bytes], read: Read, start: int, stop: int, length: int
) -> Iterator[Span | None]:
    for end in range(stop, start, -PIECE):
        spans = _around(pattern, read, max(start, end - PIECE), end, length)
        yield spans[-1] if spans else None


def _around(pattern: re.Pattern[bytes], read: Read, start: int, stop: int, length: int) -> list[Span]:
    """The matches that begin from start to stop, read with what stands before and after."""
    offset = max(0, start - LONGEST)
    spans = spans_in(pattern, read(offset, min(stop + LONGEST, length)), offset, start)
    return [span for span in spans if span[0] < stop]
