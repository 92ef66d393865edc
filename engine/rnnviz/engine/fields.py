"""Reading JSON that a stranger may have written: every field is checked for type and range."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import NoReturn, TypeVar

from rnnviz.store.errors import InvalidRun

Choice = TypeVar("Choice", bound=str)


class Fields:
    """The fields of one JSON object. Every method raises InvalidRun when the field is not what it should be.

    `where` names the object in error messages, as in `run.json: config`.
    """

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise InvalidRun(f"{where} is not an object", "Take the run from its source again.")
        self._values: Mapping[str, object] = value
        self._where = where

    @classmethod
    def parse(cls, data: str | bytes, where: str) -> Fields:
        """The object in `data`, which must be JSON in the strict sense: no NaN, no infinity."""

        def refuse(constant: str) -> NoReturn:
            raise ValueError(f"{constant} is no JSON")

        try:
            return cls(json.loads(data, parse_constant=refuse), where)
        except (ValueError, RecursionError) as error:
            raise InvalidRun(f"{where} is not valid JSON", "Take the run from its source again.") from error

    def group(self, name: str) -> Fields:
        return Fields(self._value(name), f"{self._where}: {name}")

    def groups(self, name: str) -> list[Fields]:
        return [Fields(item, f"{self._where}: {name}[{n}]") for n, item in enumerate(self._list(name))]

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._values.get(name) is not None

    def is_list(self, name: str) -> bool:
        """Whether the field is there and a list."""
        return isinstance(self._values.get(name), list)

    def strings(self, name: str) -> list[str]:
        """A list of strings, which may hold any character."""
        found = self._list(name)
        if not all(isinstance(item, str) for item in found):
            self._refuse(name)
        return [str(item) for item in found]

    def integer(self, name: str, low: int, high: int) -> int:
        return self._integer(name, self._value(name), low, high)

    def integers(self, name: str, low: int, high: int) -> list[int]:
        return [self._integer(name, item, low, high) for item in self._list(name)]

    def number(self, name: str, low: float = -math.inf, high: float = math.inf) -> float:
        value = self._value(name)
        try:
            number = (
                float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
            )
        except OverflowError:
            number = math.inf
        if not (math.isfinite(number) and low <= number <= high):
            self._refuse(name)
        return number

    def flag(self, name: str) -> bool:
        value = self._value(name)
        if not isinstance(value, bool):
            self._refuse(name)
        return value

    def text(self, name: str) -> str:
        """A string that is safe to print: no control characters, no line breaks."""
        value = self._value(name)
        if not (isinstance(value, str) and value.isprintable()):
            self._refuse(name)
        return value

    def choice(self, name: str, choices: tuple[Choice, ...]) -> Choice:
        value = self._value(name)
        if not isinstance(value, str) or value not in choices:
            self._refuse(name)
        return choices[choices.index(value)]

    def texts(self) -> dict[str, str]:
        """All fields, each a printable string under a printable name."""
        if not all(name.isprintable() for name in self._values):
            self._refuse("a name")
        return {name: self.text(name) for name in self._values}

    def _value(self, name: str) -> object:
        if name not in self._values:
            raise InvalidRun(f"{self._where} has no {name}", "Take the run from its source again.")
        return self._values[name]

    def _list(self, name: str) -> list[object]:
        value = self._value(name)
        if not isinstance(value, list):
            self._refuse(name)
        return value

    def _integer(self, name: str, value: object, low: int, high: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self._refuse(name)
        return value

    def _refuse(self, name: str) -> NoReturn:
        raise InvalidRun(
            f"{self._where}: {name} is not what it should be", "Take the run from its source again."
        )
