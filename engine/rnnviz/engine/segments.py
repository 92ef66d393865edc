"""What of a text is captured: its segments, and their bytes as the symbols that a model reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.split import Split, spans
from rnnviz.engine.text import PIECE, Text
from rnnviz.engine.vocabulary import UNKNOWN, Vocabulary
from rnnviz.store.errors import InvalidRequest

CapturedPart = Literal["train", "val", "test", "all"]


class Readable(Protocol):
    """What segments lie in: a text, or the text of a capture."""

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """The bytes start … stop, uint8 of shape [stop - start]."""
        ...


@dataclass(frozen=True)
class Segments:
    """Spans of a text that are each read from zero state, and lie one after the other in a capture.

    `table` is int64 [segment, 3]: start on the capture's time axis, length, offset in the text. `after` is
    int32 [segment]: the byte that followed the segment, -1 where none did.
    """

    table: NDArray[np.int64]
    after: NDArray[np.int32]

    @property
    def symbols(self) -> int:
        """The length of the time axis."""
        return int(self.table[:, 1].sum())

    @property
    def lengths(self) -> list[int]:
        found: list[int] = self.table[:, 1].tolist()
        return found

    def pieces(self, text: Readable) -> Iterator[NDArray[np.uint8]]:
        """The bytes along the time axis, a megabyte at most at a time."""
        for _, length, source in self.table.tolist():
            for offset in range(source, source + length, PIECE):
                yield text.read(offset, min(offset + PIECE, source + length))


def segments_of(text: Text, split: Split, part: CapturedPart, streams: int | None = None) -> Segments:
    """The segments of a part of a text.

    Of train, val and test these are the split's spans, one per stream, and what follows each is its last
    target (see `split`). `all` is one segment per file, after which nothing follows, or the whole text in
    `streams` rows of lengths that differ by one at most, each followed by the next.

    Raises InvalidText where the part is empty, InvalidRequest for more streams than bytes or for streams
    together with a part of the split, which has its own.
    """
    if part != "all":
        if streams is not None:
            raise InvalidRequest(
                f"--streams does not go with --split {part}",
                f"The {part} part has the run's own {split.streams} streams. Leave --streams out.",
            )
        found = spans(text.length, split, part)
        truncated = split.truncated(text.length)
        return _segments(
            [span.start for span in found],
            [span.length for span in found],
            [_byte(text, (span.start + span.length) % truncated) for span in found],
        )
    if streams is None:
        parts = text.parts
        return _segments([part.start for part in parts], [part.length for part in parts], [-1] * len(parts))
    if not 1 <= streams <= text.length:
        raise InvalidRequest(
            f"--streams {streams} is not a number from 1 to the text's {text.length:,} bytes",
            "Give a number of rows that the text can be cut into, for example 100.",
        )
    edges = [text.length * row // streams for row in range(streams + 1)]
    lengths = [stop - start for start, stop in pairwise(edges)]
    return _segments(edges[:-1], lengths, [_byte(text, edge) for edge in edges[1:-1]] + [-1])


class Source:
    """The segments of a text as symbols. A byte outside the vocabulary is read as `read_as`: a space, or the
    vocabulary's first byte where it has none."""

    def __init__(self, text: Readable, segments: Segments, vocabulary: Vocabulary) -> None:
        self._text = text
        self._segments = segments
        self._vocabulary = vocabulary
        self.read_as = ord(" ") if b" " in vocabulary.symbols else vocabulary.symbols[0]

    def count_unknown(self) -> int:
        """How many bytes of the segments the vocabulary does not have."""
        pieces = self._segments.pieces(self._text)
        return sum(int((self._vocabulary.encode(piece) == UNKNOWN).sum()) for piece in pieces)

    def symbols(self, segment: int, start: int, stop: int) -> NDArray[np.int64]:
        """What is read from `start` to `stop` of a segment: int64 [stop - start]."""
        source = int(self._segments.table[segment, 2])
        codes = self._vocabulary.encode(self._text.read(source + start, source + stop))
        return np.where(codes == UNKNOWN, self._vocabulary.symbols.index(self.read_as), codes)

    def targets(self, segment: int, start: int, stop: int) -> NDArray[np.int64]:
        """What came after each of the symbols from `start` to `stop` of a segment: int64 [stop - start],
        UNKNOWN where nothing came or the vocabulary does not have it."""
        _, length, source = self._segments.table[segment].tolist()
        inside = self._text.read(source + start + 1, source + min(stop + 1, length))
        codes = self._vocabulary.encode(inside)
        if stop < length:
            return codes
        after = int(self._segments.after[segment])
        return np.append(codes, UNKNOWN if after < 0 else self._vocabulary.encode(np.array(after)))


def _segments(sources: Sequence[int], lengths: Sequence[int], after: Sequence[int]) -> Segments:
    sizes = np.array(lengths, np.int64)
    table = np.stack([np.cumsum(sizes) - sizes, sizes, np.array(sources, np.int64)], axis=1)
    return Segments(table, np.array(after, np.int32))


def _byte(text: Text, offset: int) -> int:
    return int(text.read(offset, offset + 1)[0])
