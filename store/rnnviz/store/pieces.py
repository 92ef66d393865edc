"""Reading a few chunks of an array without zarr.

`import zarr` takes longer than everything else that happens before the explorer's first screen is there, and that
screen needs a dozen chunks. Arrays that are encoded as rnnviz encodes them (little-endian bytes, Blosc, CRC32C, sharded
or not) are read here: a chunk's place from the index at the end of its file, its bytes, their checksum, and Blosc. All
others, and longer stretches, are zarr's, which brings the two packages that decode and check.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.codec import CHECKSUM_BYTES, checked, decode, stored
from rnnviz.store.metadata import DOCUMENT, read_document
from rnnviz.store.schema import ArraySchema

FEW: Final = 16
"""Chunks that are read here at most; the threads of `zarrs` are faster from some fifty on."""
_PLACE: Final = struct.Struct("<QQ")
"""Where a chunk starts in its file, and its bytes."""


@dataclass(frozen=True)
class Pieces:
    """How an array is cut and encoded: file and chunk shapes, equal where it is not sharded."""

    directory: Path
    dtype: np.dtype[Any]
    file: tuple[int, ...]
    chunk: tuple[int, ...]
    sharded: bool

    def few(self, index: tuple[slice, ...]) -> bool:
        """Whether the values at `index` (unit steps, within the array) lie in few chunks."""
        return math.prod(len(span) for span in self._spans(index)) <= FEW

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """The values at `index` (unit steps, within the array).

        Raises OSError and ValueError where a file is not there or not what was written.
        """
        values = np.empty([max(0, part.stop - part.start) for part in index], self.dtype)
        for place in product(*self._spans(index)):
            corner = [number * size for number, size in zip(place, self.chunk, strict=True)]
            spans = [
                (max(part.start, start), min(part.stop, start + size))
                for part, start, size in zip(index, corner, self.chunk, strict=True)
            ]
            here = tuple(slice(a - start, b - start) for (a, b), start in zip(spans, corner, strict=True))
            there = tuple(
                slice(a - part.start, b - part.start) for (a, b), part in zip(spans, index, strict=True)
            )
            values[there] = decode(self._encoded(place), self.dtype, self.chunk)[here]
        return values

    def _spans(self, index: tuple[slice, ...]) -> list[range]:
        """The numbers of the chunks, along each axis."""
        return [
            range(part.start // size, -(-part.stop // size) if part.stop > part.start else 0)
            for part, size in zip(index, self.chunk, strict=True)
        ]

    def _encoded(self, place: tuple[int, ...]) -> bytes:
        """The bytes of a chunk and their checksum, given by its number along each axis."""
        chunks = [whole // part for whole, part in zip(self.file, self.chunk, strict=True)]
        name = self.directory.joinpath("c", *(str(n // m) for n, m in zip(place, chunks, strict=True)))
        with name.open("rb") as file:
            if not self.sharded:
                return file.read()
            number = 0
            for n, m in zip(place, chunks, strict=True):
                number = number * m + n % m
            size = math.prod(chunks) * _PLACE.size + CHECKSUM_BYTES
            stop = file.seek(-size, 2)
            start, length = _PLACE.unpack_from(checked(file.read(size)), number * _PLACE.size)
            if start + length > stop:
                raise ValueError("the chunk is not in the file")
            file.seek(start)
            return file.read(length)


def pieces_of(directory: Path, array: ArraySchema) -> Pieces | None:
    """How an array, whose document must have been checked, is cut, if it is encoded as rnnviz encodes arrays."""
    document: Any = read_document(directory / array.path / DOCUMENT)
    file = tuple(document["chunk_grid"]["configuration"]["chunk_shape"])
    chunk, codecs = file, document["codecs"]
    sharded = codecs[0].get("name") == "sharding_indexed"
    if sharded:
        how = codecs[0]["configuration"]
        index = how["index_codecs"]
        at_end = how.get("index_location", "end") == "end"
        if not at_end or len(index) != 2 or not _is_little(index[0], 8) or index[1].get("name") != "crc32c":
            return None
        chunk, codecs = tuple(how["chunk_shape"]), how["codecs"]
    dtype = np.dtype(array.dtype)
    names = [codec.get("name") for codec in codecs]
    if names != ["bytes", "blosc", "crc32c"] or not _is_little(codecs[0], dtype.itemsize):
        return None
    return Pieces(directory / array.path, stored(dtype), file, chunk, sharded)


def _is_little(codec: Mapping[str, Any], item_bytes: int) -> bool:
    """Whether a codec writes items of so many bytes as they are, the lowest byte first."""
    little = codec.get("configuration") == {"endian": "little"}
    return codec.get("name") == "bytes" and (little or item_bytes == 1)
