"""What the explorer and a model's process say to each other over two pipes.

A message is four bytes (the length of its header, little-endian), the header (a JSON object in UTF-8), and then the
values of its arrays one after the other, in C order and little-endian. The header's `arrays` lists them: [name, type,
[size, …]], with a type of `TYPES`. Nothing is pickled, and lengths are bounded before memory is taken.

The explorer says `open` once and then `read` as often as the text or the view changes:

    open    model: "recurrent" | "ngram", path, n (of an n-gram model)
    read    number, cursor, start, stop (places in the text), unfinished (whether a word at its end may still grow),
            layer, unit, signal, draw: null | [temperature, seed]
            arrays: text uint8 [byte]

The process answers with `opened` or `failed` once, and with `values` for each `read` that no later one has overtaken:
several while a long text is being read, the last with `complete`. It cuts the text into symbols: bytes, characters or
words. A symbol is named by a byte or by a string.

    opened  symbols: "byte" | "character" | "word", longest (symbols of a text), layers, hidden, signals,
            read_as (the symbol as which a recurrent model reads unknown ones; null: it reads none)
    failed  kind (an exception of `rnnviz.store.errors`), message, hint
    values  number, of (symbols of the text), read (of them, so far), complete, nats (sum of the surprisals),
            counted (symbols summed), before (symbols before the cursor: where the cursor stands inside a symbol, those
            before it), first (the symbol that holds `start`), strange (symbols that the vocabulary does not have),
            refused: null | the first symbol that cannot be read,
            expected: [[symbol, log p] …], the likeliest first, after the symbols before the cursor; empty for none,
            came: null | which of `expected` stands in the text
            arrays: edges int32 [symbol + 1], where each begins in the text and the last one ends; empty for bytes;
                    shade float16 [symbol], the cell's signal from symbol `first` on as far as it is read;
                    surprises float32 [symbol], how surprising each was itself, from `first` on as far as it is read,
                    NaN where that is not known;
                    unknown uint8 [symbol], from `first` on, 1 where the vocabulary does not have it;
                    surprisal float32 [2], of the symbols before and after the cursor, NaN where there is none;
                    drawn uint8 [byte], what the text goes on with at its end, if that was asked
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

TYPES: Final = {"uint8": "|u1", "int32": "<i4", "float16": "<f2", "float32": "<f4"}
LONGEST_HEADER: Final = 1 << 20
LARGEST_ARRAYS: Final = 1 << 28
"""Bytes of all arrays of a message."""

_LENGTH: Final = struct.Struct("<I")


class BrokenStream(ValueError):
    """What came is no message, or not the whole of one."""


@dataclass(frozen=True, eq=False)
class Message:
    """A header without its `arrays`, and the arrays by name."""

    header: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def what(self) -> str:
        return str(self.header.get("what"))


def send(stream: IO[bytes], message: Message) -> None:
    """Write a message. Raises OSError where nobody reads any more."""
    arrays = {name: np.ascontiguousarray(array) for name, array in message.arrays.items()}
    listed = [[name, array.dtype.name, list(array.shape)] for name, array in arrays.items()]
    header = json.dumps({**message.header, "arrays": listed}).encode()
    parts = [_LENGTH.pack(len(header)), header]
    parts += [array.astype(TYPES[array.dtype.name], copy=False).tobytes() for array in arrays.values()]
    stream.write(b"".join(parts))
    stream.flush()


def receive(stream: IO[bytes]) -> Message | None:
    """Read a message; None at the end of the stream. Raises BrokenStream."""
    start = stream.read(_LENGTH.size)
    if not start:
        return None
    if len(start) < _LENGTH.size:
        raise BrokenStream("the stream ends inside a length")
    (length,) = _LENGTH.unpack(start)
    if length > LONGEST_HEADER:
        raise BrokenStream("a header is too long")
    try:
        header = json.loads(_exactly(stream, length))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise BrokenStream("a header is no JSON") from error
    if not isinstance(header, dict):
        raise BrokenStream("a header is no object")
    shapes = _shapes(header.pop("arrays", None))
    arrays = {}
    for name, dtype, shape in shapes:
        data = _exactly(stream, prod(shape) * dtype.itemsize)
        arrays[name] = np.frombuffer(data, dtype).reshape(shape)
    return Message(header, arrays)


def _shapes(listed: object) -> list[tuple[str, np.dtype[Any], tuple[int, ...]]]:
    if not isinstance(listed, list):
        raise BrokenStream("a header lists no arrays")
    found, total = [], 0
    for entry in listed:
        match entry:
            case [str(name), str(kind), [*sizes]] if kind in TYPES and all(map(_is_size, sizes)):
                dtype = np.dtype(TYPES[kind])
                total += prod(sizes) * dtype.itemsize
                found.append((name, dtype, tuple(sizes)))
            case _:
                raise BrokenStream("a header describes no array")
    if total > LARGEST_ARRAYS:
        raise BrokenStream("arrays are too large")
    return found


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_ARRAYS


def _exactly(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise BrokenStream("the stream ends inside a message")
    return data
