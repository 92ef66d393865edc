"""The compiled loop that parses the lines of an ARPA file: `log10 p`, the words, and a back-off that may be missing.

Fields stand between tabs or spaces, lines may end in CR LF, numbers may have an exponent or be `-inf`. N-grams with a
word that no byte is written as are checked and left out: no text of bytes can meet them.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.ngram.scorers.trie_kernels import BEGIN, END, UNKNOWN
from rnnviz.store.compiled import compiled, inlined

FILLED: Final = 0
SEEN: Final = 1
"""Where `parse_lines` counts the n-grams that were kept, and all."""

MALFORMED: Final = -1
IMPROBABLE: Final = -2
TOO_MANY: Final = -3
"""What `parse_lines` returns for a line that is no n-gram, for a probability greater than 1, and for one line more than
were announced."""

_FOREIGN: Final = -1
_TAB, _NEWLINE, _RETURN, _SPACE, _BACKSLASH = 9, 10, 13, 32, 92
_PLUS, _MINUS, _DOT, _ZERO, _NINE = 43, 45, 46, 48, 57
_SMALL, _E, _I, _N, _F = 0x20, 101, 105, 110, 102
_LESS, _SLASH, _S, _MORE, _U, _K = 60, 47, 115, 62, 117, 107

_MOST_DIGITS: Final = 18
"""An int64 holds them."""
_TENS: Final = 10.0 ** np.arange(23)
"""Powers that a float64 holds exactly."""


@inlined
def _is_space(byte: int) -> bool:
    return byte in (_SPACE, _TAB, _RETURN)


@inlined
def _number(buffer: NDArray[np.uint8], start: int, stop: int) -> float:
    """The number that the bytes start…stop - 1 write; NaN for none."""
    place = start
    negative = buffer[place] == _MINUS
    if negative or buffer[place] == _PLUS:
        place += 1
    if stop - place == 3 and buffer[place] | _SMALL == _I:
        is_infinite = buffer[place + 1] | _SMALL == _N and buffer[place + 2] | _SMALL == _F
        return (-math.inf if negative else math.inf) if is_infinite else math.nan
    digits, scale, read, after_dot = 0, 0, 0, False
    while place < stop:
        byte = int(buffer[place])
        if _ZERO <= byte <= _NINE:
            read += 1
            if digits < 10**_MOST_DIGITS // 10:
                digits = 10 * digits + (byte - _ZERO)
                scale -= after_dot
            else:
                scale += not after_dot
        elif byte == _DOT and not after_dot:
            after_dot = True
        else:
            break
        place += 1
    if read == 0:
        return math.nan
    if place < stop:
        if buffer[place] | _SMALL != _E or stop - place < 2:
            return math.nan
        place += 1
        falls = buffer[place] == _MINUS
        if falls or buffer[place] == _PLUS:
            place += 1
        if not 0 < stop - place <= 4:
            return math.nan
        exponent = 0
        while place < stop:
            if not _ZERO <= buffer[place] <= _NINE:
                return math.nan
            exponent = 10 * exponent + int(buffer[place]) - _ZERO
            place += 1
        scale += -exponent if falls else exponent
    value = np.float64(digits)
    if -23 < scale < 23:
        value = value * _TENS[scale] if scale > 0 else value / _TENS[-scale]
    else:
        value *= 10.0**scale
    return -value if negative else value


@inlined
def _word(buffer: NDArray[np.uint8], start: int, stop: int, pairs: NDArray[np.int32]) -> int:
    """The number of a word, _FOREIGN for one that no byte is written as."""
    length = stop - start
    if length == 2:
        return int(pairs[(int(buffer[start]) << 8) | int(buffer[start + 1])])
    if not 3 <= length <= 5 or buffer[start] != _LESS or buffer[stop - 1] != _MORE:
        return _FOREIGN
    first, second, third = buffer[start + 1], buffer[start + 2], buffer[start + 3]
    if length == 3 and first == _S:
        return BEGIN
    if length == 4 and first == _SLASH and second == _S:
        return END
    if length == 5 and (
        (first == _U and second == _N and third == _K)
        or (first == _U - _SMALL and second == _N - _SMALL and third == _K - _SMALL)
    ):
        return UNKNOWN
    return _FOREIGN


@compiled(
    "int64(uint8[::1], int64, int64, int64, int64, int32[::1], uint64[:, ::1], uint64[::1], uint64[::1], "
    "uint16[::1], float32[::1], float32[::1], int64[::1])"
)
def parse_lines(
    buffer: NDArray[np.uint8],
    start: int,
    stop: int,
    order: int,
    announced: int,
    pairs: NDArray[np.int32],
    codes: NDArray[np.uint64],
    prefixes: NDArray[np.uint64],
    keys: NDArray[np.uint64],
    words: NDArray[np.uint16],
    logs: NDArray[np.float32],
    backoffs: NDArray[np.float32],
    counts: NDArray[np.int64],
) -> int:
    """Parse the lines of an order in buffer[start:stop], which ends with a newline, up to one that begins with `\\`.

    `pairs` int32 [65536] is which byte two characters write, or -1. The key of w₁…wₖ is codes[0, w₁] ^ … ^
    codes[k - 1, wₖ]; each n-gram's, that of all but its last word, and that word go to `keys`, `prefixes`, `words`.
    Returns where it stopped, or MALFORMED, IMPROBABLE or TOO_MANY, which are negative.
    """
    place = start
    while place < stop:
        if buffer[place] == _BACKSLASH:
            break
        end = place
        while buffer[end] != _NEWLINE:
            end += 1
        log = backoff = 0.0
        prefix = key = np.uint64(0)
        last, field, foreign = 0, 0, False
        while True:
            while place < end and _is_space(buffer[place]):
                place += 1
            if place == end:
                break
            token = place
            while place < end and not _is_space(buffer[place]):
                place += 1
            if field == 0:
                log = _number(buffer, token, place)
            elif field <= order:
                word = _word(buffer, token, place, pairs)
                if word < 0:
                    foreign = True
                else:
                    prefix, last = key, word
                    key ^= codes[field - 1, word]
            elif field == order + 1:
                backoff = _number(buffer, token, place)
            else:
                return MALFORMED
            field += 1
        place = end + 1
        if field == 0:
            continue
        if field <= order or math.isnan(log) or not math.isfinite(backoff):
            return MALFORMED
        if log > 0:
            return IMPROBABLE
        if counts[SEEN] == announced:
            return TOO_MANY
        counts[SEEN] += 1
        if not foreign:
            filled = counts[FILLED]
            prefixes[filled], keys[filled], words[filled] = prefix, key, last
            logs[filled], backoffs[filled] = log, backoff
            counts[FILLED] += 1
    return place
