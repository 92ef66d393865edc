"""What of a text is captured: its segments, and the symbols of them that a model reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.symbols.byte_vocabulary import UNKNOWN, Vocabulary
from rnnviz.engine.text.split import Split, spans
from rnnviz.engine.text.text import PIECE, Part
from rnnviz.store.errors import InvalidRequest
from rnnviz.store.schema import SymbolUnit

CapturedPart = Literal["train", "val", "test", "all"]


class Readable(Protocol):
    """What segments lie in: a text, or the text of a capture."""

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """The bytes start … stop, uint8 of shape [stop - start]."""
        ...


class Symbols(Protocol):
    """What has segments: a text, or one cut into tokens."""

    @property
    def length(self) -> int: ...

    @property
    def parts(self) -> tuple[Part, ...]: ...

    def read(self, start: int, stop: int) -> NDArray[Any]: ...


@dataclass(frozen=True)
class Segments:
    """Spans of a text that are each read from zero state, and lie one after the other in a capture.

    `table` is int64 [segment, 3]: start on the capture's time axis, length, offset in the text, all in symbols.
    `after` is int32 [segment]: the byte or token that followed the segment, -1 where none did.
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


def segments_of(
    text: Symbols, split: Split, part: CapturedPart, streams: int | None = None, first: int | None = None
) -> Segments:
    """The segments of a part of a text, of bytes or of tokens.

    Of train, val and test these are the split's spans, one per stream, and what follows each is its last
    target (see `split`). `all` is one segment per file, after which nothing follows, or the whole text in
    `streams` rows of lengths that differ by one at most, each followed by the next. Of `all`, `first` leaves only so
    many symbols from the beginning on: of several files the whole ones that fit, and of a first file that does not fit
    its beginning.

    Raises InvalidText where the part is empty, InvalidRequest for more streams than symbols or for streams or
    `first` together with a part of the split, which has its own.
    """
    refuse_extent(split, part, streams, first)
    if part != "all":
        found = spans(text.length, split, part)
        truncated = split.truncated(text.length)
        return _segments(
            [span.start for span in found],
            [span.length for span in found],
            [_at(text, (span.start + span.length) % truncated) for span in found],
        )
    parts, stop = text.parts, text.length
    if first is not None and first < stop:
        parts = tuple(part for part in parts if part.start + part.length <= first) or parts[:1]
        stop = min(first, parts[-1].start + parts[-1].length)
    if streams is None:
        lengths = [min(part.length, stop - part.start) for part in parts]
        cut = lengths[-1] < parts[-1].length
        after = [-1] * (len(parts) - 1) + [_at(text, stop) if cut else -1]
        return _segments([part.start for part in parts], lengths, after)
    if not 1 <= streams <= stop:
        raise InvalidRequest(
            f"--streams {streams} is not a number from 1 to the text's {stop:,} symbols",
            "Give a number of rows that the text can be cut into, for example 100.",
        )
    edges = [stop * row // streams for row in range(streams + 1)]
    lengths = [end - begin for begin, end in pairwise(edges)]
    last = _at(text, stop) if stop < text.length else -1
    return _segments(edges[:-1], lengths, [*(_at(text, edge) for edge in edges[1:-1]), last])


def refuse_extent(split: Split, part: CapturedPart, streams: int | None, first: int | None) -> None:
    """Raise InvalidRequest for a number of streams or of first symbols that no text has, or that does not go with the
    part."""
    for option, number in (("--first", first), ("--streams", streams)):
        if number is not None and number < 1:
            raise InvalidRequest(f"{option} {number} is less than 1", f"Give {option} a positive number.")
    if first is not None and part != "all":
        raise InvalidRequest(
            f"--first does not go with --split {part}",
            f"Leave --split out to read the text from its beginning, or --first to read the whole {part} part.",
        )
    if streams is not None and part != "all":
        raise InvalidRequest(
            f"--streams does not go with --split {part}",
            f"The {part} part has the run's own {split.streams} streams. Leave --streams out.",
        )


class Source(ABC):
    """The segments of a text as symbols. What is outside the vocabulary is read as the symbol `substitute`."""

    def __init__(self, segments: Segments, substitute: int) -> None:
        self.segments = segments
        self.substitute = substitute

    @property
    @abstractmethod
    def unit(self) -> SymbolUnit:
        """What a symbol is."""

    @property
    @abstractmethod
    def read_as(self) -> int:
        """`substitute` as what it is in the text: a byte, or a token's number."""

    @abstractmethod
    def table(self) -> NDArray[np.int64]:
        """What a capture keeps of the segments: int64 [segment, 3], as in `Segments` with the offset in bytes."""

    @abstractmethod
    def text(self) -> Iterator[NDArray[np.uint8]]:
        """The bytes of all segments, one after the other, a megabyte at most at a time."""

    @abstractmethod
    def ends(self) -> Iterator[NDArray[np.int64]]:
        """Where in them each token ends, some at a time; nothing where symbols are bytes."""

    @abstractmethod
    def _read(self, start: int, stop: int) -> NDArray[np.int64]:
        """The symbols start … stop of the text, int64 [stop - start], UNKNOWN for what the vocabulary lacks."""

    @abstractmethod
    def _symbol_after(self, after: int) -> int:
        """The symbol that followed a segment, of what `Segments.after` says."""

    def count_unknown(self) -> int:
        """How many symbols of the segments the vocabulary does not have."""
        return sum(
            int(np.count_nonzero(self._read(offset, min(offset + PIECE, source + length)) == UNKNOWN))
            for _, length, source in self.segments.table.tolist()
            for offset in range(source, source + length, PIECE)
        )

    def first_unknown(self) -> int | None:
        """Where on the time axis the first symbol is that the vocabulary does not have."""
        for time, length, source in self.segments.table.tolist():
            for offset in range(0, length, PIECE):
                codes = self._read(source + offset, source + min(offset + PIECE, length))
                unknown = np.flatnonzero(codes == UNKNOWN)
                if unknown.size:
                    return int(time + offset + unknown[0])
        return None

    def symbols(self, segment: int, start: int, stop: int) -> NDArray[np.int64]:
        """What is read from `start` to `stop` of a segment: int64 [stop - start]."""
        source = int(self.segments.table[segment, 2])
        codes = self._read(source + start, source + stop)
        return np.where(codes == UNKNOWN, self.substitute, codes)

    def targets(self, segment: int, start: int, stop: int) -> NDArray[np.int64]:
        """What came after each of the symbols from `start` to `stop` of a segment: int64 [stop - start],
        UNKNOWN where nothing came or the vocabulary does not have it."""
        _, length, source = self.segments.table[segment].tolist()
        codes = self._read(source + start + 1, source + min(stop + 1, length))
        if stop < length:
            return codes
        after = int(self.segments.after[segment])
        return np.append(codes, UNKNOWN if after < 0 else self._symbol_after(after))


class ByteSource(Source):
    """Of a text whose symbols are bytes. A byte outside the vocabulary is read as a space, or as the vocabulary's
    first byte where it has none."""

    def __init__(self, text: Readable, segments: Segments, vocabulary: Vocabulary) -> None:
        super().__init__(segments, max(0, vocabulary.symbols.find(b" ")))
        self._text = text
        self._vocabulary = vocabulary

    @property
    def unit(self) -> SymbolUnit:
        return "byte"

    @property
    def read_as(self) -> int:
        return self._vocabulary.symbols[self.substitute]

    def table(self) -> NDArray[np.int64]:
        return self.segments.table

    def text(self) -> Iterator[NDArray[np.uint8]]:
        return self.segments.pieces(self._text)

    def ends(self) -> Iterator[NDArray[np.int64]]:
        return iter(())

    def _read(self, start: int, stop: int) -> NDArray[np.int64]:
        return self._vocabulary.encode(self._text.read(start, stop))

    def _symbol_after(self, after: int) -> int:
        return int(self._vocabulary.encode(np.array(after)))


def _segments(sources: Sequence[int], lengths: Sequence[int], after: Sequence[int]) -> Segments:
    sizes = np.array(lengths, np.int64)
    table = np.stack([np.cumsum(sizes) - sizes, sizes, np.array(sources, np.int64)], axis=1)
    return Segments(table, np.array(after, np.int32))


def _at(text: Symbols, offset: int) -> int:
    return int(text.read(offset, offset + 1)[0])
