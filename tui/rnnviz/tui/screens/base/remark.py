"""A few words that a screen says in its bottom line, and how long they are true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Remark:
    """Words, and what they speak of: when that is no longer as it was when they were said, they no longer hold."""

    text: str
    wrong: bool
    """Whether they say that what was asked for cannot be."""
    _about: Callable[[], object]
    _as_said: object

    @classmethod
    def made(cls, text: str, about: Callable[[], object] | None, *, wrong: bool = False) -> Remark:
        """The words as they are said now. `about` returns what they speak of; None stands for words that stay true."""
        spoken_of = about or (lambda: None)
        return cls(text, wrong, spoken_of, spoken_of())

    @property
    def holds(self) -> bool:
        """Whether what they speak of is still as it was."""
        return self._about() == self._as_said
