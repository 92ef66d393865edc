"""Reading Torch7's binary files (`torch.save`), without Torch7 and without trust.

A file is one object: a number, string, table, tensor, or an instance of a Torch class, each with objects inside;
an object that was written before is a reference to it. Integers are 4 bytes, sizes of tensors 8, all little-endian.
Lua functions are stepped over, never run. Every claimed size is checked against what is left of the file before
anything is made of it, a tensor is a view of its storage and may not reach outside it, and nesting costs no stack, so
memory is bounded by the file's length and MOST_VALUES.

The readers on PyPI do not do for strangers' files: torchfile 0.1.0, of 2017, allocates what a file claims, recurses
as deeply as it says, and makes tensors that reach outside their storage.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.errors import InvalidCheckpoint

MOST_VALUES: Final = 1 << 22
"""Objects, numbers and strings in a file, storages counted as one: a few hundred bytes of memory each."""

MOST_DIMENSIONS: Final = 16

ELEMENT_TYPES: Final = {
    "Byte": np.uint8, "Char": np.int8, "Short": np.int16, "Int": np.int32, "Long": np.int64,
    "Half": np.float16, "Float": np.float32, "Double": np.float64,
    "Cuda": np.float32, "CudaByte": np.uint8, "CudaChar": np.int8, "CudaShort": np.int16, "CudaInt": np.int32,
    "CudaLong": np.int64, "CudaHalf": np.float16, "CudaDouble": np.float64, "Cl": np.float32,
}  # fmt: skip
"""Of `torch.XTensor` and `torch.XStorage`."""

_NIL, _NUMBER, _STRING, _TABLE, _INSTANCE, _BOOLEAN = range(6)
_OLD_FUNCTION: Final = 6
_FUNCTIONS: Final = (7, 8)

Array: TypeAlias = NDArray[Any]


@dataclass(eq=False)
class Table:
    """A Lua table. Keys and values are as `Value` has them; two tables are equal if they are the same one."""

    entries: dict[Value, Value] = field(default_factory=dict)

    def get(self, name: str) -> Value:
        """The value under a string, None where there is none."""
        return self.entries.get(name.encode())

    def items(self) -> Iterator[Value]:
        """The values under 1, 2, 3… up to the first that is missing."""
        number = 1
        while (value := self.entries.get(float(number))) is not None:
            yield value
            number += 1


@dataclass(eq=False)
class Instance:
    """An object of a Torch class: its name, as `nn.Linear`, and its fields."""

    type_name: str
    fields: Table = field(default_factory=Table)

    def get(self, name: str) -> Value:
        return self.fields.get(name)


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor or a storage: a view of the file's bytes, read-only."""

    values: Array


Value: TypeAlias = float | bool | bytes | Table | Instance | Tensor | None


def read_t7(path: Path) -> Value:
    """The object in a binary file. Raises InvalidCheckpoint for anything that is no such file."""
    return _Reader(path.read_bytes(), path).read()


class _Reader:
    def __init__(self, data: bytes, path: Path) -> None:
        self._data = data
        self._path = path
        self._position = 0
        self._values = 0
        self._known: dict[int, Value] = {}

    def read(self) -> Value:
        if self._data[1:2] in (b"\n", b"\r"):
            self._refuse(
                "is in Torch7's text format", "Save it again in the binary format: torch.save(file, object)"
            )
        # Each generator reads one value and yields where another lies inside it.
        reading = [self._value()]
        value: Value = None
        while reading:
            try:
                reading[-1].send(value)
            except StopIteration as done:
                reading.pop()
                value = done.value
            else:
                reading.append(self._value())
                value = None
        return value

    def _value(self) -> Generator[None, Value, Value]:
        self._values += 1
        if self._values > MOST_VALUES:
            self._refuse(f"has more than {MOST_VALUES:,} values")
        kind = self._integer()
        if kind == _NIL:
            return None
        if kind == _NUMBER:
            number: float = struct.unpack("<d", self._take(8))[0]
            return number
        if kind == _STRING:
            return self._string()
        if kind == _BOOLEAN:
            return self._integer() == 1
        if kind == _OLD_FUNCTION:
            self._string()
            yield  # what the function had bound
            return None
        if kind not in (_TABLE, _INSTANCE, *_FUNCTIONS):
            self._refuse(f"is no Torch7 file, or a damaged one: it has a value of type {kind}")
        number_of_object = self._integer()
        if number_of_object in self._known:
            return self._known[number_of_object]
        if kind == _TABLE:
            table = Table()
            self._known[number_of_object] = table
            yield from self._fill(table)
            return table
        if kind == _INSTANCE:
            return (yield from self._instance(number_of_object))
        self._known[number_of_object] = None
        self._string()
        yield
        return None

    def _fill(self, table: Table) -> Generator[None, Value, None]:
        for _ in range(self._integer()):
            key = yield
            table.entries[key] = yield

    def _instance(self, number: int) -> Generator[None, Value, Value]:
        version = self._string()
        name = (self._string() if version.startswith(b"V ") else version).decode("ascii", "replace")
        element = ELEMENT_TYPES.get(
            name.removeprefix("torch.").removesuffix("Tensor").removesuffix("Storage")
        )
        if element is None or not name.startswith("torch."):
            instance = Instance(name)
            self._known[number] = instance
            fields = yield
            if not isinstance(fields, Table):
                self._refuse(f"has an object of {name!a}, which is written in a way of its own")
            instance.fields = fields
            return instance
        if name.endswith("Storage"):
            tensor = self._storage(np.dtype(element))
        else:
            tensor = yield from self._tensor(np.dtype(element))
        self._known[number] = tensor
        return tensor

    def _storage(self, element: np.dtype[Any]) -> Tensor:
        count = self._longs(1)[0]
        start = self._position
        if not 0 <= count <= (len(self._data) - start) // element.itemsize:
            self._refuse_end()
        self._position += count * element.itemsize
        return Tensor(np.frombuffer(self._data, element.newbyteorder("<"), count, start))

    def _tensor(self, element: np.dtype[Any]) -> Generator[None, Value, Tensor]:
        dimensions = self._integer()
        if not 0 <= dimensions <= MOST_DIMENSIONS:
            self._refuse(f"has a tensor of {dimensions} dimensions")
        sizes, strides = self._longs(dimensions), self._longs(dimensions)
        offset = self._longs(1)[0] - 1
        storage = yield
        count = math.prod(sizes)
        if not dimensions or not count or storage is None:
            return Tensor(np.empty(0, element))
        last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
        if (
            not isinstance(storage, Tensor)
            or storage.values.ndim != 1
            or storage.values.dtype != element
            or min(sizes) < 0
            or min(strides) < 0
            or offset < 0
            or not max(last + 1, count) <= storage.values.size
        ):
            self._refuse("has a tensor that does not fit the numbers it is said to lie in")
        steps = [stride * element.itemsize for stride in strides]
        return Tensor(np.lib.stride_tricks.as_strided(storage.values[offset:], sizes, steps, writeable=False))

    def _integer(self) -> int:
        number: int = struct.unpack("<i", self._take(4))[0]
        return number

    def _longs(self, count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}q", self._take(8 * count))

    def _string(self) -> bytes:
        return self._take(self._integer())

    def _take(self, count: int) -> bytes:
        start, stop = self._position, self._position + count
        if count < 0 or stop > len(self._data):
            self._refuse_end()
        self._position = stop
        return self._data[start:stop]

    def _refuse_end(self) -> NoReturn:
        self._refuse("is no Torch7 file, or not whole: it ends inside of a value")

    def _refuse(self, what: str, hint: str = "Take the checkpoint from its source again.") -> NoReturn:
        raise InvalidCheckpoint(f"{self._path} {what}", hint)
