"""What the screen reads from a capture, without ever waiting for the disk.

The screen asks for *blocks* of the arrays, the same pieces in which they lie on disk. A block that is in memory
is there at once; one that is not is read by a worker thread, which says so when something arrived. What is wanted
is a list that each request replaces, so reads that are no longer of interest are dropped, however slow the disk.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.errors import RnnvizError
from rnnviz.store.reader import Capture
from rnnviz.store.statistics import LayerStatistics
from rnnviz.tui.capture_cache.blocks import (
    TEXT_BLOCK,
    TIME_BLOCK,
    UNIT_BLOCK,
    Block,
    ByteBlock,
    NextBlock,
    SegmentsBlock,
    SignalBlock,
    StatisticsBlock,
    SurprisalBlock,
    SymbolsBlock,
    TextBlock,
    next_rows,
    signal_blocks,
    span,
    surprisal_blocks,
    text_blocks,
)
from rnnviz.tui.text.rows import NEWLINE
from rnnviz.tui.text.symbol_edges import Symbols, byte_of, symbols_in

CACHE_BYTES = 10_000_000
"""Enough for some forty blocks. The explorer then takes 80 MB (110, once a scan of the whole text has loaded zarr)."""


@dataclass(frozen=True, eq=False)
class Segments:
    """Where segments start in the text, and what followed each in its source.

    starts: int64 [segment], ascending from 0. stops: int64 [segment]. after: int32 [segment], -1 for nothing.
    """

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    after: NDArray[np.int32]

    def index(self, position: int) -> int:
        """The segment that a symbol of the text is in."""
        return int(np.searchsorted(self.starts, position, side="right")) - 1


Content: TypeAlias = NDArray[Any] | LayerStatistics | Segments | Symbols | int | RnnvizError


class Source:
    """Blocks of one capture, read in the background. `arrived` is called from the worker thread when one was read.

    A screen over the text screen that reads through the same source says so with `listen`, and `unlisten` when it
    goes; it names itself in `want`, so that the text screen's list stands beside its own.
    """

    def __init__(self, capture: Capture, arrived: Callable[[], None] | None = None) -> None:
        self.capture = capture
        self._listeners: tuple[Callable[[], None], ...] = (arrived,) if arrived else ()
        self._cache: OrderedDict[Block, Content] = OrderedDict()
        self._bytes = 0
        self._wanted: dict[str, list[Block]] = {}
        """What each screen wants, who asked last first."""
        self._newlines = [0]
        """Newlines before each text block whose predecessors have been counted."""
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        self._arrival = threading.Condition(lock)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="rnnviz-source", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the worker thread after the read it is in."""
        with self._changed:
            self._closed.set()
            self._changed.notify()

    def listen(self, arrived: Callable[[], None]) -> None:
        """Call `arrived`, too, from the worker thread whenever something was read."""
        self._listeners = (*self._listeners, arrived)

    def unlisten(self, arrived: Callable[[], None]) -> None:
        self._listeners = tuple(listener for listener in self._listeners if listener != arrived)

    def _arrived(self) -> None:
        for listener in self._listeners:
            listener()

    def want(self, blocks: Iterable[Block], by: str = "text") -> None:
        """Say which blocks are of interest now, the most urgent first.

        Replaces what the same one wanted before, and goes before what others want; an empty list withdraws.
        """
        with self._changed:
            self._wanted.pop(by, None)
            wanted = list(blocks)
            self._wanted = {by: wanted} | self._wanted if wanted else self._wanted
            self._changed.notify()

    def grow(self, captured: int, complete: bool) -> None:
        """Take note that a capture that is still being written has come further: what was read of its end, and of
        its statistics, is to be read again."""
        capture, before = self.capture, self.capture.captured
        ends = {
            TextBlock: (capture.text_bytes // TEXT_BLOCK),
            SurprisalBlock: before // TIME_BLOCK,
        }
        with self._changed:
            capture.captured, capture.complete = captured, complete
            for block in list(self._cache):
                match block:
                    case TextBlock(index) | SurprisalBlock(_, index):
                        old = index >= ends[type(block)]
                    case NextBlock(model, index):
                        old = index >= before // next_rows(capture.models[model])
                    case SignalBlock():
                        old = block.time >= before // TIME_BLOCK
                    case _:
                        old = isinstance(block, StatisticsBlock | SymbolsBlock)
                if old:
                    self._bytes -= _size(self._cache.pop(block))
            self._newlines = self._newlines[: ends[TextBlock] + 1]
            self._changed.notify()

    def wait(self, seconds: float) -> None:
        """Wait until something was read, or so long."""
        with self._changed:
            self._arrival.wait(seconds)

    def has(self, blocks: Iterable[Block]) -> bool:
        with self._changed:
            return all(block in self._cache for block in blocks)

    def failure(self, blocks: Iterable[Block]) -> RnnvizError | None:
        """The error that one of these blocks met, if any did."""
        with self._changed:
            found = (self._cache.get(block) for block in blocks)
            return next((content for content in found if isinstance(content, RnnvizError)), None)

    # What the screen shows, each None while a block of it is missing or unreadable.

    def text(self, start: int, stop: int) -> NDArray[np.uint8] | None:
        """uint8 [stop - start]"""
        pieces = [self._array(block) for block in text_blocks(start, stop)]
        return _joined(pieces, start - start // TEXT_BLOCK * TEXT_BLOCK, stop - start)

    def values(
        self, model: str, layer: int, signal: str, unit: int, start: int, stop: int
    ) -> NDArray[np.float16] | None:
        """float16 [stop - start], as stored"""
        blocks = signal_blocks(model, layer, signal, unit, start, stop)
        pieces = [self._array(block) for block in blocks]
        rows = [piece if piece is None else piece[unit % UNIT_BLOCK] for piece in pieces]
        return _joined(rows, start - start // TIME_BLOCK * TIME_BLOCK, stop - start)

    def next(self, model: str, position: int) -> NDArray[np.float16] | None:
        """float16 [symbol], natural logarithms"""
        rows = next_rows(self.capture.models[model])
        block = self._array(NextBlock(model, position // rows))
        return None if block is None else block[position % rows]

    def surprisal(self, model: str, position: int) -> float | None:
        block = self._array(SurprisalBlock(model, position // TIME_BLOCK))
        return None if block is None else float(block[position % TIME_BLOCK])

    def surprisals(self, model: str, start: int, stop: int) -> NDArray[np.float32] | None:
        """float32 [stop - start]"""
        if start == stop:
            return np.zeros(0, dtype=np.float32)
        pieces = [self._array(block) for block in surprisal_blocks(model, start, stop)]
        return _joined(pieces, start - start // TIME_BLOCK * TIME_BLOCK, stop - start)

    def statistics(self, model: str, layer: int) -> LayerStatistics | None:
        content = self._get(StatisticsBlock(model, layer))
        return content if isinstance(content, LayerStatistics) else None

    def line(self, position: int) -> int | None:
        """The line a symbol of the text is in, counted from 1, or None while the text before it is uncounted."""
        index = position // TEXT_BLOCK
        block = self._array(TextBlock(index))
        if block is None or index >= len(self._newlines):
            return None
        return self._newlines[index] + int(np.count_nonzero(block[: position % TEXT_BLOCK] == NEWLINE)) + 1

    def segments(self) -> Segments | None:
        content = self._get(SegmentsBlock())
        return content if isinstance(content, Segments) else None

    def symbols(self, start: int, stop: int) -> Symbols | None:
        """Of a text whose symbols are no bytes, those that hold its bytes start…stop."""
        content = self._get(SymbolsBlock(start, stop))
        return content if isinstance(content, Symbols) else None

    def byte_of(self, symbol: int) -> int | None:
        """The byte that a symbol starts with."""
        if not self.capture.has_tokens:
            return symbol
        content = self._get(ByteBlock(symbol))
        return content if isinstance(content, int) else None

    def _get(self, block: Block) -> Content | None:
        with self._changed:
            content = self._cache.get(block)
            if content is not None:
                self._cache.move_to_end(block)
            return content

    def _array(self, block: Block) -> NDArray[Any] | None:
        content = self._get(block)
        return content if isinstance(content, np.ndarray) else None

    def _work(self) -> None:
        """Read what is wanted; when nothing is, count lines; when they are counted, sleep."""
        while True:
            with self._changed:
                if self._closed.is_set():
                    return
                block = self._next_wanted()
                if block is None and self._counted:
                    self._changed.wait()
                    continue
            if block is not None:
                content = self._read(block)
                with self._changed:
                    self._keep(block, content)
                    self._arrival.notify_all()
            else:
                self._count_lines()
            if (block is not None or self._counted) and not self._closed.is_set():
                self._arrived()

    @property
    def _counted(self) -> bool:
        return len(self._newlines) * TEXT_BLOCK >= self.capture.text_bytes

    def _count_lines(self) -> None:
        content = self._read(TextBlock(len(self._newlines) - 1))
        known = content == NEWLINE if isinstance(content, np.ndarray) else np.zeros(0)
        self._newlines.append(self._newlines[-1] + int(np.count_nonzero(known)))

    def _next_wanted(self) -> Block | None:
        return next((block for block in self._all_wanted() if block not in self._cache), None)

    def _all_wanted(self) -> Iterable[Block]:
        return itertools.chain.from_iterable(self._wanted.values())

    def _keep(self, block: Block, content: Content) -> None:
        self._cache[block] = content
        self._bytes += _size(content)
        wanted = set(self._all_wanted())
        for old in list(self._cache):
            if self._bytes <= CACHE_BYTES:
                break
            if old not in wanted:
                self._bytes -= _size(self._cache.pop(old))

    def _read(self, block: Block) -> Content:
        try:
            return self._read_from_capture(block)
        except RnnvizError as error:
            return error

    def _read_from_capture(self, block: Block) -> Content:
        capture = self.capture
        match block:
            case SegmentsBlock():
                starts, lengths, _ = capture.segments.T
                return Segments(starts, starts + lengths, capture.after)
            case SymbolsBlock(start, stop):
                symbols = symbols_in(capture, start, stop)
                return Symbols(0, np.zeros(1, np.int64)) if symbols is None else symbols
            case ByteBlock(symbol):
                return byte_of(capture, symbol)
            case TextBlock(index):
                start, stop = span(index, TEXT_BLOCK, capture.text_bytes)
                return capture.text(start, stop)
            case SignalBlock(model, layer, signal, units, time):
                start, stop = span(time, TIME_BLOCK, capture.captured)
                first, last = span(units, UNIT_BLOCK, capture.models[model].layers[layer].units)
                stored = capture.models[model].layers[layer]
                return stored.read_units(signal, slice(first, last), start, stop)
            case NextBlock(model, index):
                predicting = capture.models[model]
                return predicting.next(*span(index, next_rows(predicting), capture.captured))
            case SurprisalBlock(model, index):
                return capture.models[model].surprisal(*span(index, TIME_BLOCK, capture.captured))
            case StatisticsBlock(model, layer):
                return capture.models[model].layers[layer].statistics()


def _size(content: Content) -> int:
    if isinstance(content, Symbols):
        return content.edges.nbytes
    return content.nbytes if isinstance(content, np.ndarray) else 0


def _joined(pieces: list[NDArray[Any] | None], skip: int, length: int) -> NDArray[Any] | None:
    present = [piece for piece in pieces if piece is not None]
    if len(present) < len(pieces):
        return None
    return (present[0] if len(present) == 1 else np.concatenate(present))[skip : skip + length]
