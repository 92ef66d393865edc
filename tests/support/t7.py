"""A small writer of Torch7's binary files, for tests of the reader."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

NAMES = {"float64": "Double", "float32": "Float", "int64": "Long", "uint8": "Byte", "float16": "Half"}


@dataclass(eq=False)
class Table:
    """A Lua table, which may have any object as a key."""

    entries: list[tuple[object, object]] = field(default_factory=list)

    def put(self, key: object, value: object) -> None:
        self.entries.append((key, value))

    def get(self, name: str) -> Any:
        return {key: value for key, value in self.entries if isinstance(key, str)}[name]


@dataclass(eq=False)
class Instance:
    type_name: str
    fields: Table


@dataclass(eq=False)
class Tensor:
    """Numbers in a storage that other tensors may share."""

    storage: Array
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0


@dataclass(eq=False)
class Function:
    """What Lua calls it by is bytecode, which nobody may run."""

    dumped: bytes
    bound: object = None


def table(**fields: object) -> Table:
    return Table(list(fields.items()))


def listed(*values: object) -> Table:
    return Table([(number, value) for number, value in enumerate(values, 1)])


def instance(type_name: str, **fields: object) -> Instance:
    return Instance(type_name, table(**fields))


def tensor(values: Array) -> Tensor:
    """A tensor with a storage of its own."""
    steps = tuple(math.prod(values.shape[place + 1 :]) for place in range(values.ndim))
    return Tensor(np.ascontiguousarray(values).reshape(-1), values.shape, steps)


def share_storage(tensors: list[Tensor]) -> None:
    """Put the numbers of the tensors into one storage, as training in Torch7 does."""
    whole = np.concatenate([np.zeros(3, tensors[0].storage.dtype), *(each.storage for each in tensors)])
    offset = 3
    for each in tensors:
        size = each.storage.size
        each.storage, each.offset = whole, offset
        offset += size


def t7_bytes(value: object) -> bytes:
    """What torch.save would write of numbers, strings, booleans, None and the objects above."""
    writer = _Writer()
    writer.write(value)
    return bytes(writer.out)


class _Writer:
    def __init__(self) -> None:
        self.out = bytearray()
        self.known: dict[int, int] = {}
        self.kept: list[object] = []

    def integer(self, number: int) -> None:
        self.out += struct.pack("<i", number)

    def string(self, value: str | bytes) -> None:
        data = value.encode() if isinstance(value, str) else value
        self.integer(len(data))
        self.out += data

    def write(self, value: object) -> None:
        if value is None:
            self.integer(0)
        elif isinstance(value, bool):
            self.integer(5)
            self.integer(int(value))
        elif isinstance(value, int | float):
            self.integer(1)
            self.out += struct.pack("<d", value)
        elif isinstance(value, str | bytes):
            self.integer(2)
            self.string(value)
        elif isinstance(value, Table):
            if self.is_new(3, value):
                self.integer(len(value.entries))
                for key, held in value.entries:
                    self.write(key)
                    self.write(held)
        elif isinstance(value, Function):
            if self.is_new(8, value):
                self.string(value.dumped)
                self.write(value.bound)
        elif isinstance(value, Instance):
            if self.is_new(4, value):
                self.names(value.type_name)
                self.write(value.fields)
        elif isinstance(value, Tensor):
            if self.is_new(4, value):
                self.names(f"torch.{NAMES[str(value.storage.dtype)]}Tensor")
                self.integer(len(value.sizes))
                longs = (*value.sizes, *value.strides, value.offset + 1)
                self.out += struct.pack(f"<{len(longs)}q", *longs)
                self.write(value.storage)
        elif isinstance(value, np.ndarray):
            if self.is_new(4, value):
                self.names(f"torch.{NAMES[str(value.dtype)]}Storage")
                self.out += struct.pack("<q", value.size) + value.tobytes()
        else:
            raise TypeError(type(value))

    def names(self, type_name: str) -> None:
        self.string("V 1")
        self.string(type_name)

    def is_new(self, kind: int, value: object) -> bool:
        """Write the type and the number of an object; whether it has to be written itself."""
        self.integer(kind)
        number = self.known.get(id(value))
        if number is not None:
            self.integer(number)
            return False
        self.kept.append(value)
        self.known[id(value)] = len(self.kept)
        self.integer(len(self.kept))
        return True
