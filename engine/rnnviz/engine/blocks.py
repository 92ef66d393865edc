"""The order in which a text is read for a capture: segments, and the blocks they are worked on in.

A capture lays its segments one after the other on its time axis, and is written along that axis. A model,
however, is fast only when it reads many segments side by side. So the time axis is cut into blocks that fit
into a fixed amount of memory, whatever the length of the text: inside a block all segments are read side by
side, and the finished block is written. A segment too long for a block gets blocks of its own, and the model's
state is carried from each to the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.split import Split, spans
from rnnviz.engine.text import PIECE, Text
from rnnviz.store.errors import InvalidRequest

CapturedPart = Literal["train", "val", "test", "all"]
CAPTURED_PARTS: tuple[CapturedPart, ...] = get_args(CapturedPart)


@dataclass(frozen=True)
class Segments:
    """What of a text is captured: spans that are each read from zero state.

    `table` is int64 [segment, 3]: start on the capture's time axis, length, offset in the text. `after` is
    int16 [segment]: the byte that followed the segment, -1 where none did.
    """

    table: NDArray[np.int64]
    after: NDArray[np.int16]

    @property
    def symbols(self) -> int:
        """The length of the time axis."""
        return int(self.table[:, 1].sum())

    def pieces(self, text: Text) -> Iterator[NDArray[np.uint8]]:
        """The bytes along the time axis, a megabyte at most at a time."""
        for _, length, source in self.table.tolist():
            for offset in range(source, source + length, PIECE):
                yield text.read(offset, min(offset + PIECE, source + length))


@dataclass(frozen=True)
class Piece:
    """`length` symbols of a segment from `offset` on; within the segment, so from zero state where that is 0."""

    segment: int
    offset: int
    length: int


@dataclass(frozen=True)
class Block:
    """A stretch of the time axis from `start` on: whole segments, or one piece of a long one."""

    start: int
    pieces: tuple[Piece, ...]

    @property
    def length(self) -> int:
        return sum(piece.length for piece in self.pieces)

    @property
    def stop(self) -> int:
        return self.start + self.length

    @property
    def carried(self) -> bool:
        """Whether the block begins in the state in which the one before ended."""
        return self.pieces[0].offset > 0


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
        ends = [(span.start + span.length) % truncated for span in found]
        return _segments(
            [span.start for span in found],
            [span.length for span in found],
            [int(text.read(end, end + 1)[0]) for end in ends],
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
    starts = edges[:-1]
    lengths = [stop - start for start, stop in pairwise(edges)]
    return _segments(starts, lengths, [int(text.read(start, start + 1)[0]) for start in starts[1:]] + [-1])


def plan_blocks(segments: Segments, *, enough: int, most: int, together: int = 16) -> list[Block]:
    """Cut the time axis into blocks, the same for the same arguments.

    A block is closed once it has `enough` symbols in `together` segments, a batch that is worth the while, and
    never has more than `most` symbols.
    """
    blocks: list[Block] = []
    waiting: list[Piece] = []
    start = length = 0

    def close() -> None:
        nonlocal start, length
        if waiting:
            blocks.append(Block(start, tuple(waiting)))
            start += length
            length = 0
            waiting.clear()

    for index, whole in enumerate(segments.table[:, 1].tolist()):
        if length + whole > most:
            close()
        for offset in range(0, whole, most):
            waiting.append(Piece(index, offset, min(most, whole - offset)))
            length += waiting[-1].length
            if whole > most or (length >= enough and len(waiting) >= together):
                close()
    close()
    return blocks


def _segments(sources: Sequence[int], lengths: Sequence[int], after: Sequence[int]) -> Segments:
    sizes = np.array(lengths, np.int64)
    table = np.stack([np.cumsum(sizes) - sizes, sizes, np.array(sources, np.int64)], axis=1)
    return Segments(table, np.array(after, np.int16))
