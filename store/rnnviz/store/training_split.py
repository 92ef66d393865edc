"""What of a text a model was trained on, as far as a capture says it: nobody is to compare probabilities unawares.

A text of N bytes is cut to the greatest multiple of B·T (B streams, T steps) and laid out as B rows, these are cut into
columns of T symbols, and the leading columns train, the next ones validate, the last ones test. So the part of a symbol
follows from its offset in the text. What was cut off was never read, and is held out like the test part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.bounds import MOST_SYMBOLS
from rnnviz.store.reader import Capture

TRAINED, VALIDATED, HELD_OUT = range(3)
PART_WORDS: Final = ("trained on", "validated on", "held out")
"""How a symbol of each part is called, by its number. That a symbol is validated on chose the epoch that is kept."""

_PIECE: Final = 1 << 20


@dataclass(frozen=True)
class TrainingSplit:
    """How a text of `length` bytes was split for training. `shares` are those of the train, validation and test parts
    in percent."""

    shares: tuple[int, int, int]
    streams: int
    unroll: int
    length: int

    @property
    def columns(self) -> tuple[int, int, int]:
        """How many columns of `unroll` symbols of each row the parts have."""
        total = self.length // (self.streams * self.unroll)
        train, validation = (total * share // 100 for share in self.shares[:2])
        return train, validation, total - train - validation

    def parts(self, offsets: NDArray[np.int64]) -> NDArray[np.uint8]:
        """TRAINED, VALIDATED or HELD_OUT of the symbols at these offsets in the text: uint8 of the same shape."""
        train, validation, test = self.columns
        row = (train + validation + test) * self.unroll
        if not row:
            return np.full(offsets.shape, HELD_OUT, np.uint8)
        edges = np.array([train * self.unroll, (train + validation) * self.unroll], np.int64)
        found = np.searchsorted(edges, offsets % row, side="right").astype(np.uint8)
        found[offsets >= row * self.streams] = HELD_OUT
        return found


def training_split(capture: Capture, model: str) -> TrainingSplit | None:
    """How the text of a capture was split to train one of its models. None where the model was trained on another
    text, or where it is not known."""
    if capture.has_tokens:
        return None
    record = capture.models[model].attributes.get("run")
    if not isinstance(record, Mapping):
        return None
    text, written = record.get("text"), record.get("split")
    if not isinstance(text, Mapping) or text.get("sha256") != capture.schema.text_sha256:
        return None
    counts = [record.get("streams"), record.get("unroll"), text.get("length")]
    shares = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{1,2})", written) if isinstance(written, str) else None
    if shares is None or not all(type(count) is int and 0 < count <= MOST_SYMBOLS for count in counts):
        return None
    train, validation, test = map(int, shares.groups())
    if train + validation + test != 100:
        return None
    streams, unroll, length = (int(str(count)) for count in counts)
    return TrainingSplit((train, validation, test), streams, unroll, length)


def parts_of(capture: Capture, split: TrainingSplit, start: int, stop: int) -> NDArray[np.uint8]:
    """The parts of the captured symbols start…stop, uint8 [time]: see `TrainingSplit.parts`."""
    segments = capture.segments
    times = np.arange(start, stop, dtype=np.int64)
    owners = np.searchsorted(segments[:, 0], times, side="right") - 1
    return split.parts(segments[owners, 2] + times - segments[owners, 0])


def only_part(capture: Capture, split: TrainingSplit) -> int | None:
    """The part that all segments lie in, as those of a capture of the test part do; None where there are several. Looks
    at no symbol, however many there are."""
    _, lengths, sources = capture.segments.T
    first, last = split.parts(sources), split.parts(sources + lengths - 1)
    # Within a row a part is one stretch, so a segment of one row that begins and ends in a part lies in it.
    same = bool((first == first[0]).all() and (last == first[0]).all())
    row = sum(split.columns) * split.unroll
    in_rows = row and bool((sources // row == (sources + lengths - 1) // row).all())
    return int(first[0]) if same and in_rows else None


def part_pieces(capture: Capture, split: TrainingSplit) -> Iterator[tuple[int, int, NDArray[np.uint8]]]:
    """The parts of everything captured, a million symbols at a time, each with its start and its stop."""
    for start in range(0, capture.captured, _PIECE):
        stop = min(start + _PIECE, capture.captured)
        yield start, stop, parts_of(capture, split, start, stop)
