"""How a text becomes streams and how these are split (after char-rnn, which the paper's authors published).

    1. The text is cut to a multiple of B·T bytes (B streams, T steps of unrolling) and laid out as B rows.
    2. The rows are cut into columns of T symbols.
    3. The leading columns train, the next ones validate, the last ones test.

So every part is B spans spread over the whole text. War and Peace (3,258,245 bytes) at 80/10/10 and 100 × 100
has 325 columns, 260, 32 and 33 of them in the parts: the test part is 330,000 symbols, as in the paper.
The target of a symbol is the next one of the cut text; the last one's is the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.text.text import Text
from rnnviz.store.errors import InvalidRequest, InvalidText

PartName = Literal["train", "val", "test"]
PARTS: tuple[PartName, ...] = get_args(PartName)

READ_STEPS = 2000
"""Steps of all streams that are read from files at a time: a read of a few bytes costs as much as this."""


class TooShort(InvalidText):
    """A text of which a part of the split would be empty."""


@dataclass(frozen=True)
class Span:
    """The symbols start … start + length of a text."""

    start: int
    length: int


@dataclass(frozen=True)
class Split:
    """The shares of the three parts in percent, and the shape of a mini-batch (B = streams, T = unroll)."""

    train: int = 80
    val: int = 10
    test: int = 10
    streams: int = 100
    unroll: int = 100

    def __post_init__(self) -> None:
        shares = (self.train, self.val, self.test)
        if min(shares) < 1 or sum(shares) != 100:
            raise InvalidRequest(
                f"the split {self.shares} is not three shares of at least 1 that add up to 100",
                "Give --split as train/validation/test in percent, for example 80/10/10.",
            )
        for name, value in (("--streams", self.streams), ("--unroll", self.unroll)):
            if value < 1:
                raise InvalidRequest(f"{name} {value} is less than 1", f"Give {name} a positive number.")

    @classmethod
    def parse(cls, shares: str, *, streams: int = 100, unroll: int = 100) -> Split:
        """The split written as `80/10/10`. Raises InvalidRequest for anything else."""
        fields = shares.split("/")
        if len(fields) != 3 or not all(
            field.isascii() and field.isdigit() and len(field) <= 3 for field in fields
        ):
            raise InvalidRequest(
                f"the split {shares!r} is not three whole numbers with slashes between",
                "Give --split as train/validation/test in percent, for example 80/10/10.",
            )
        train, val, test = map(int, fields)
        return cls(train, val, test, streams, unroll)

    @property
    def shares(self) -> str:
        """The split as it is written: `80/10/10`."""
        return f"{self.train}/{self.val}/{self.test}"

    def columns(self, length: int) -> dict[PartName, int]:
        """How many columns of a text of `length` symbols each part has."""
        total = length // (self.streams * self.unroll)
        train = total * self.train // 100
        val = total * self.val // 100
        return {"train": train, "val": val, "test": total - train - val}

    def truncated(self, length: int) -> int:
        """How much of a text of `length` symbols is used: the greatest multiple of streams × unroll."""
        return length - length % (self.streams * self.unroll)


def spans(length: int, split: Split, part: PartName) -> list[Span]:
    """The spans of a text of `length` symbols that make up a part: one per stream, all equally long.

    Raises TooShort when the text is too short for the split, or the part would be empty.
    """
    columns = split.columns(length)
    total = sum(columns.values())
    hint = "Give a longer text, or train with fewer --streams or a smaller --unroll."
    if not total:
        raise TooShort(
            f"the text has {length:,} symbols, fewer than one mini-batch of {split.streams:,} streams × "
            f"{split.unroll:,} steps",
            hint,
        )
    if not columns[part]:
        raise TooShort(
            f"the text has {length:,} symbols, {total:,} mini-batches of {split.streams:,} streams × "
            f"{split.unroll:,} steps: split {split.shares}, the {part} part is empty",
            hint,
        )
    before = sum(columns[earlier] for earlier in PARTS[: PARTS.index(part)])
    row = total * split.unroll
    return [
        Span(stream * row + before * split.unroll, columns[part] * split.unroll)
        for stream in range(split.streams)
    ]


def windows(text: Text, split: Split, part: PartName, steps: int) -> Iterator[NDArray[np.uint8]]:
    """A part from start to end, `steps` steps at a time: each as `read_streams` returns it."""
    length = spans(text.length, split, part)[0].length
    for start in range(0, length, READ_STEPS):
        stop = min(start + READ_STEPS, length)
        data = read_streams(text, split, part, start, stop)
        for step in range(0, stop - start, steps):
            yield data[step : step + steps + 1]


def read_streams(text: Text, split: Split, part: PartName, start: int, stop: int) -> NDArray[np.uint8]:
    """The bytes start … stop of every span of a part, and the one after: uint8 [stop - start + 1, streams].

    Row t is what is read at step start + t, row t + 1 is its target.
    """
    truncated = split.truncated(text.length)
    data = np.empty((stop - start + 1, split.streams), dtype=np.uint8)
    for stream, span in enumerate(spans(text.length, split, part)):
        begin, end = span.start + start, span.start + stop
        data[:-1, stream] = text.read(begin, end)
        data[-1:, stream] = text.read(end % truncated, end % truncated + 1)
    return data
