"""The blocks that a capture is read in, and which of them hold a stretch of it.

A block is the piece in which an array lies on disk. A block of a signal holds sixteen units, so that fifteen of sixteen
steps to the next cell need no read at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.store.reader import CapturedModel

TEXT_BLOCK = 65536
TIME_BLOCK = 8192
UNIT_BLOCK = 16
NEXT_BLOCK = 512
NEXT_BYTES = 1_000_000
"""Of a block of distributions at most: vocabularies of words make them large, so that their blocks are short."""


@dataclass(frozen=True)
class TextBlock:
    index: int


@dataclass(frozen=True)
class SignalBlock:
    model: str
    layer: int
    signal: str
    units: int
    """Index of the block of UNIT_BLOCK units."""
    time: int
    """Index of the block of TIME_BLOCK symbols."""


@dataclass(frozen=True)
class NextBlock:
    model: str
    index: int


@dataclass(frozen=True)
class SurprisalBlock:
    model: str
    index: int


@dataclass(frozen=True)
class StatisticsBlock:
    model: str
    layer: int


@dataclass(frozen=True)
class SymbolsBlock:
    """The symbols that hold the bytes start…stop of a text whose symbols are no bytes."""

    start: int
    stop: int


@dataclass(frozen=True)
class ByteBlock:
    """The byte that a symbol starts with."""

    symbol: int


@dataclass(frozen=True)
class SegmentsBlock:
    """All of a capture's segments."""


Block = (
    SymbolsBlock
    | ByteBlock
    | SegmentsBlock
    | TextBlock
    | SignalBlock
    | NextBlock
    | SurprisalBlock
    | StatisticsBlock
)


def next_block(model: CapturedModel, position: int) -> Block:
    """The block that holds what a model expected after a symbol."""
    return NextBlock(model.name, position // next_rows(model))


def next_rows(model: CapturedModel) -> int:
    """How many symbols the distributions in one block come after."""
    size = len(model.vocabulary) if model.tokens is None else len(model.tokens)
    return max(1, min(NEXT_BLOCK, NEXT_BYTES // (2 * max(1, size))))


def text_blocks(start: int, stop: int) -> list[Block]:
    """The blocks that hold the text from start to stop."""
    return [TextBlock(index) for index in _indices(start, stop, TEXT_BLOCK)]


def signal_blocks(model: str, layer: int, signal: str, unit: int, start: int, stop: int) -> list[Block]:
    """The blocks that hold one unit's signal from start to stop."""
    units = unit // UNIT_BLOCK
    return [SignalBlock(model, layer, signal, units, time) for time in _indices(start, stop, TIME_BLOCK)]


def surprisal_blocks(model: str, start: int, stop: int) -> list[Block]:
    """The blocks that hold a model's surprisals from start to stop."""
    return [SurprisalBlock(model, time) for time in _indices(start, stop, TIME_BLOCK)]


def _indices(start: int, stop: int, size: int) -> range:
    return range(start // size, max(start, stop - 1) // size + 1)


def span(index: int, size: int, length: int) -> tuple[int, int]:
    """Where the block of this index starts and stops in an array of `length`, cut into blocks of `size`."""
    return index * size, min(length, (index + 1) * size)
