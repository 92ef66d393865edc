"""The process behind `matcher.Matcher`: finds a regular expression in the bytes it is sent, request after request.

It is run as a file, and imports nothing but a little of the standard library: it is there after 15 ms. Everything goes
through two pipes. A request is `REQUEST`, then the pattern and the data; its answer is `COUNT` and as many `SPAN`s.
"""

from __future__ import annotations

import os
import re
import signal
import struct
import sys
from collections.abc import Iterator
from types import FrameType

REQUEST = struct.Struct("<cIdIQQQ")
"""Which matches (`FIRST`, `LAST` or `ALL`), the pattern's flags, the seconds of processor time it may take (0: any),
the pattern's length, the data's, and from where to where in the data a match may begin."""
COUNT = struct.Struct("<q")
SPAN = struct.Struct("<QQ")
FIRST, LAST, ALL = b"f", b"l", b"a"
TOO_LONG = -1
"""The count where a request took all its time."""
WATCH = 1.0
"""Seconds between two looks at whether who asks is still there: it may have been killed while a match is sought."""


class _TookTooLong(Exception):
    pass


def matches(
    pattern: re.Pattern[bytes], data: bytes, start: int, stop: int, which: bytes = ALL
) -> list[tuple[int, int]]:
    """The matches that begin from start to stop and are not empty: all, or the first or last of them.

    What lies before `start` is not searched, but `^` and what looks behind see it.
    """
    found: list[tuple[int, int]] = []
    for match in pattern.finditer(data, start):
        first, last = match.span()
        if first >= stop:
            break
        if last > first:
            if which == LAST:
                found.clear()
            found.append((first, last))
            if which == FIRST:
                break
    return found


def _answers() -> Iterator[bytes]:
    source = sys.stdin.buffer
    while len(header := source.read(REQUEST.size)) == REQUEST.size:
        which, flags, seconds, long, size, start, stop = REQUEST.unpack(header)
        pattern, data = source.read(long), source.read(size)
        try:
            # `re` asks for signals while it searches: what a handler raises ends the search.
            signal.setitimer(signal.ITIMER_PROF, seconds)
            found = matches(re.compile(pattern, flags), data, start, stop, which)
            signal.setitimer(signal.ITIMER_PROF, 0)
        except _TookTooLong:
            yield COUNT.pack(TOO_LONG)
        else:
            yield COUNT.pack(len(found)) + b"".join(SPAN.pack(*span) for span in found)


def _take_too_long(number: int, frame: FrameType | None) -> None:
    raise _TookTooLong


def main() -> None:
    asking = int(sys.argv[1])

    def end_if_alone(number: int, frame: FrameType | None) -> None:
        if os.getppid() != asking:
            os._exit(1)

    signal.signal(signal.SIGPROF, _take_too_long)
    signal.signal(signal.SIGALRM, end_if_alone)
    signal.setitimer(signal.ITIMER_REAL, WATCH, WATCH)
    for answer in _answers():
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
