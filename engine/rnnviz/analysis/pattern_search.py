"""Finding a regular expression in a text of any size, forwards or backwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from rnnviz.analysis.pattern_process import ALL, FIRST, LAST, matches
from rnnviz.store.errors import Mistake

PIECE = 1 << 20
LONGEST = 4096
"""A match longer than this may be missed where two pieces of the text meet."""
MOST_COUNTED = 1_000_000
"""Matches that are counted."""

Span = tuple[int, int]
Read = Callable[[int, int], NDArray[np.uint8]]


def pattern_of(text: str) -> re.Pattern[bytes]:
    """A regular expression over bytes. Lower-case letters match both cases until an upper-case one is typed."""
    data = text.encode("utf-8", "surrogateescape")
    ignore_case = 0 if any(character.isupper() for character in text) else re.IGNORECASE
    try:
        return re.compile(data, re.MULTILINE | ignore_case)
    except (re.error, OverflowError, RecursionError) as error:
        reason, place = str(error), 0
        if isinstance(error, re.error):
            reason, place = error.msg, len(data[: error.pos or 0].decode("utf-8", "surrogateescape"))
        raise Mistake(
            f"{text!r} is no regular expression: {reason}",
            text,
            (place, len(text)),
            "Put a backslash before ( ) [ ] { } . * + ? ^ $ |",
        ) from error


def is_plain(pattern: re.Pattern[bytes]) -> bool:
    """Whether a pattern is found or not in a time that does not depend on the text: it repeats nothing and knows no
    alternatives."""
    return re.fullmatch(rb"(?:[^\\*+?{(|]|\\.)*", pattern.pattern, re.DOTALL) is not None


Nearest = Callable[[re.Pattern[bytes], bytes, int, int, bytes], list[Span] | None]
"""(pattern, data, start, stop, `FIRST`, `LAST` or `ALL`) → that match of those that begin from start to
stop; None where the search was ended."""


def find(
    pattern: re.Pattern[bytes],
    read: Read,
    length: int,
    position: int,
    *,
    backwards: bool = False,
    cancelled: Callable[[], bool] = lambda: False,
    nearest: Nearest = matches,
) -> Span | None:
    """The first match after `position`, or the last one before it, going on around the end of the text.

    read(start, stop) gives the text's bytes. Empty matches are passed over. None: no match, or cancelled. `nearest`
    searches a piece.
    """
    which = LAST if backwards else FIRST
    ranges = [(0, position), (position, length)] if backwards else [(position + 1, length), (0, position + 1)]
    for first, last in ranges:
        for start, stop in _pieces(first, last, backwards=backwards):
            offset = max(0, start - LONGEST)
            data = read(offset, min(stop + LONGEST, length)).tobytes()
            found = nearest(pattern, data, start - offset, stop - offset, which)
            if cancelled():
                return None
            if found:
                return offset + found[0][0], offset + found[0][1]
    return None


def places(
    pattern: re.Pattern[bytes],
    read: Read,
    length: int,
    cancelled: Callable[[], bool],
    each: Nearest = matches,
) -> NDArray[np.int64] | None:
    """Where every match in the text begins, ascending: int64 [match]. None: cancelled, or there are more than anybody
    counts."""
    found: list[int] = []
    end = 0
    for start, stop in _pieces(0, length, backwards=False):
        offset = max(0, start - LONGEST)
        data = read(offset, min(stop + LONGEST, length)).tobytes()
        spans = each(pattern, data, max(start, end) - offset, stop - offset, ALL)
        if spans is None or cancelled() or len(found) + len(spans) > MOST_COUNTED:
            return None
        found += [offset + first for first, _ in spans]
        end = offset + spans[-1][1] if spans else end
    return np.array(found, dtype=np.int64)


def _pieces(start: int, stop: int, *, backwards: bool) -> Iterator[tuple[int, int]]:
    """Stretches of at most PIECE bytes, in the order of the search."""
    if backwards:
        for end in range(stop, start, -PIECE):
            yield max(start, end - PIECE), end
    else:
        for piece in range(start, stop, PIECE):
            yield piece, min(piece + PIECE, stop)
