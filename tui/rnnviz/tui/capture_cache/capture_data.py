"""What views are drawn from: the blocks of a capture that are in memory (`source.Source`), or the capture itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.errors import RnnvizError
from rnnviz.store.reader import Capture
from rnnviz.store.statistics import LayerStatistics
from rnnviz.tui.capture_cache.block_cache import Segments
from rnnviz.tui.capture_cache.blocks import Block
from rnnviz.tui.text.rows import NEWLINE

_PIECE = 1 << 20


class Material(Protocol):
    """Pieces of a capture, each None where it is not to be had (yet)."""

    def values(
        self, model: str, layer: int, signal: str, unit: int, start: int, stop: int
    ) -> NDArray[np.float16] | None:
        """float16 [stop - start], as stored"""
        ...

    def next(self, model: str, position: int) -> NDArray[np.float16] | None:
        """float16 [symbol], natural logarithms"""
        ...

    def surprisal(self, model: str, position: int) -> float | None: ...

    def surprisals(self, model: str, start: int, stop: int) -> NDArray[np.float32] | None:
        """float32 [stop - start]"""
        ...

    def statistics(self, model: str, layer: int) -> LayerStatistics | None: ...

    def line(self, position: int) -> int | None:
        """The line that a byte is in, counted from 1."""
        ...

    def segments(self) -> Segments | None: ...

    def failure(self, blocks: Iterable[Block]) -> RnnvizError | None:
        """Why one of these blocks is not to be had."""
        ...


class FromDisk:
    """A capture read at once, however long that takes. Everything raises what reading the capture raises."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture

    def values(
        self, model: str, layer: int, signal: str, unit: int, start: int, stop: int
    ) -> NDArray[np.float16]:
        return self._capture.models[model].layers[layer].read(signal, unit, start, stop)

    def next(self, model: str, position: int) -> NDArray[np.float16]:
        distribution: NDArray[np.float16] = self._capture.models[model].next(position, position + 1)[0]
        return distribution

    def surprisal(self, model: str, position: int) -> float | None:
        if not self._capture.models[model].has_surprisal:
            return None
        return float(self._capture.models[model].surprisal(position, position + 1)[0])

    def surprisals(self, model: str, start: int, stop: int) -> NDArray[np.float32]:
        return self._capture.models[model].surprisal(start, stop)

    def statistics(self, model: str, layer: int) -> LayerStatistics:
        return self._capture.models[model].layers[layer].statistics()

    def line(self, position: int) -> int:
        newlines = 0
        for start in range(0, position, _PIECE):
            piece = self._capture.text(start, min(start + _PIECE, position))
            newlines += int(np.count_nonzero(piece == NEWLINE))
        return newlines + 1

    def segments(self) -> Segments:
        starts, lengths, _ = self._capture.segments.T
        return Segments(starts, starts + lengths, self._capture.after)

    def failure(self, blocks: Iterable[Block]) -> None:
        """None: what cannot be read has raised already."""
