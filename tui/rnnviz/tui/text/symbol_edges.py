"""Where the symbols of a text stand among its bytes: the screen shows bytes, and models see symbols."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.reader import Capture


@dataclass(frozen=True, eq=False)
class Symbols:
    """The symbols of a stretch of text that are characters or words, from symbol `first` on.

    edges: int64 [symbol + 1]: where each starts in the text, in bytes, and after the last one where that ends.
    """

    first: int
    edges: NDArray[np.int64]

    def start(self, symbol: int) -> int:
        """The byte that a symbol starts with; that of the nearest one for a symbol that is not among them."""
        return int(self.edges[min(max(symbol - self.first, 0), len(self.edges) - 1)])

    def at(self, byte: int) -> int:
        """The symbol that holds a byte, or the nearest one."""
        index = int(np.searchsorted(self.edges, byte, side="right")) - 1
        return self.first + min(max(index, 0), len(self.edges) - 2)


def symbols_in(capture: Capture, start: int, stop: int) -> Symbols | None:
    """The symbols that hold the bytes start…stop, at least one; None where each byte is a symbol.

    Raises InvalidCapture for a damaged capture.
    """
    if not capture.has_tokens or stop <= start:
        return None
    first, last = capture.symbol_at(start), capture.symbol_at(stop - 1) + 1
    ends = capture.ends(max(0, first - 1), last)
    return Symbols(first, ends if first else np.append(np.int64(0), ends))


def byte_of(capture: Capture, symbol: int) -> int:
    """The byte of the text that a symbol starts with. Raises what reading the capture raises."""
    return symbol if not capture.has_tokens or symbol == 0 else int(capture.ends(symbol - 1, symbol)[0])
