"""A chunk on disk: its values as little-endian bytes, in a Blosc frame, and a CRC-32C of that.

This is what zarr makes of the codecs `bytes`, `blosc` and `crc32c`, by the two packages it has them from. The packages
are loaded where they are needed.
"""

from __future__ import annotations

import math
import struct
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

COMPRESSOR: Final = "lz4"
LEVEL: Final = 1
CHECKSUM_BYTES: Final = 4
_BITS_SHUFFLED: Final = 2
_HEADER: Final = struct.Struct("<BBBBIII")
"""Versions, flags, size of an item; bytes when decoded, of a block, and as they are."""


def stored(dtype: DTypeLike) -> np.dtype[Any]:
    """How values of a type lie on disk."""
    return np.dtype(dtype).newbyteorder("<")


def encode(chunk: NDArray[Any]) -> tuple[bytes, bytes]:
    """The frame and the checksum of a chunk, whose values lie in the order of the array and are `stored` as they are.

    To be called from other threads than the main one: from there Blosc may use threads of its own, and put the parts
    of a frame down in the order in which they happen to be ready.
    """
    from numcodecs.blosc import compress  # type: ignore[import-untyped]  # it says nothing of its types

    frame: bytes = compress(chunk, COMPRESSOR.encode(), LEVEL, _BITS_SHUFFLED)
    return frame, checksum(frame)


def decode(data: bytes, dtype: DTypeLike, shape: tuple[int, ...]) -> NDArray[Any]:
    """The values of a chunk from its frame and checksum. Raises ValueError where these are not what was written."""
    from numcodecs.blosc import decompress

    frame = checked(data)
    if len(frame) < _HEADER.size:
        raise ValueError("the chunk is cut short")
    *_, decoded_bytes, _, encoded_bytes = _HEADER.unpack_from(frame)
    if decoded_bytes != math.prod(shape) * np.dtype(dtype).itemsize or encoded_bytes != len(frame):
        raise ValueError("the chunk is not of the size it should be")
    try:
        values = decompress(frame)
    except RuntimeError as error:  # what Blosc refuses
        raise ValueError("the chunk cannot be decoded") from error
    return np.frombuffer(values, stored(dtype)).reshape(shape)


def checksum(data: bytes) -> bytes:
    """The CRC-32C of some bytes, as it lies behind them."""
    from google_crc32c import value

    found: int = value(data)
    return found.to_bytes(CHECKSUM_BYTES, "little")


def checked(data: bytes) -> bytes:
    """The bytes before the checksum at their end. Raises ValueError where it is another one."""
    content = data[:-CHECKSUM_BYTES]
    if checksum(content) != data[-CHECKSUM_BYTES:]:
        raise ValueError("the checksum is another one")
    return content
