"""The text of a capture as what a further run reads: the segments are the capture's, the symbols the run's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.capture.run_stream import substitute_words
from rnnviz.engine.runs.run import Run
from rnnviz.engine.symbols.byte_vocabulary import UNKNOWN
from rnnviz.engine.symbols.token_stream import ENDS, substitute_of
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.engine.symbols.tokenized_text import SHOWN, name_symbol
from rnnviz.engine.symbols.tokenizer import cutter
from rnnviz.engine.text.segments import ByteSource, Segments, Source
from rnnviz.engine.text.text import PIECE
from rnnviz.store.errors import InvalidRequest, InvalidText
from rnnviz.store.reader import Capture
from rnnviz.store.schema import SymbolUnit


@dataclass(frozen=True)
class CapturedBytes:
    """The bytes of a capture's text, one segment after the other."""

    capture: Capture

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        return self.capture.text(start, stop)


class CapturedTokens(Source):
    """Of a capture whose symbols are characters or words. The run's vocabulary is another than the main model's, but
    has to cut the text alike."""

    def __init__(self, capture: Capture, segments: Segments, vocabulary: TokenVocabulary) -> None:
        super().__init__(segments, substitute_of(vocabulary))
        self._capture = capture
        self._text = CapturedBytes(capture)
        self._vocabulary = vocabulary
        self._cutter = cutter(vocabulary)
        self._symbol_of = {token: symbol for symbol, token in enumerate(vocabulary.tokens)}
        self._known = capture.schema.models[0].tokens or ()

    @property
    def unit(self) -> SymbolUnit:
        return self._vocabulary.unit

    @property
    def read_as(self) -> int:
        return self.substitute

    def table(self) -> NDArray[np.int64]:
        return self._capture.segments

    def text(self) -> Iterator[NDArray[np.uint8]]:
        for start in range(0, self._capture.text_bytes, PIECE):
            yield self._text.read(start, min(start + PIECE, self._capture.text_bytes))

    def ends(self) -> Iterator[NDArray[np.int64]]:
        for start in range(0, self._capture.symbols, ENDS):
            yield self._capture.ends(start, min(start + ENDS, self._capture.symbols))

    def _read(self, start: int, stop: int) -> NDArray[np.int64]:
        if start == stop:
            return np.empty(0, np.int64)
        first = int(self._capture.ends(start - 1, start)[0]) if start else 0
        edges = np.append(first, self._capture.ends(start, stop))
        cuts = list(self._cutter.cut(self._text, first, int(edges[-1])))
        symbols, begins = (np.concatenate(parts) for parts in zip(*cuts, strict=True))
        if not np.array_equal(begins, edges[:-1]):
            raise InvalidRequest(
                f"the model to add cuts the text of {self._capture.path} into other {self.unit}s",
                "Capture the text anew with it.",
            )
        return symbols

    def _symbol_after(self, after: int) -> int:
        unknown = UNKNOWN if self._vocabulary.unknown is None else self._vocabulary.unknown
        return self._symbol_of.get(self._known[after], unknown)


def captured_source(capture: Capture, run: Run) -> Source:
    """Raises InvalidRequest where the symbols of the capture are not those of the run."""
    vocabulary = run.vocabulary
    unit = vocabulary.unit if isinstance(vocabulary, TokenVocabulary) else "byte"
    if unit != capture.unit:
        raise InvalidRequest(
            f"{run.path} is a model over {unit}s, and the symbols of {capture.path} are {capture.unit}s",
            f"Add a model over {capture.unit}s, or capture the text anew with this one.",
        )
    start, length, _ = capture.segments.T
    segments = Segments(np.stack([start, length, start], axis=1), capture.after)
    if isinstance(vocabulary, TokenVocabulary):
        return CapturedTokens(capture, segments, vocabulary)
    return ByteSource(CapturedBytes(capture), segments, vocabulary)


def refuse_unknown_symbols(capture: Capture, run: Run, source: Source, count: int) -> None:
    """Raise InvalidText that names the first of `count` symbols that the run has never seen, unless there is none."""
    time = source.first_unknown()
    if time is None:
        return
    begin = int(capture.ends(time - 1, time)[0]) if time else 0
    end = min(int(capture.ends(time, time + 1)[0]), begin + SHOWN)
    data = capture.text(begin, end).tobytes()
    name = (
        f"the byte 0x{data[0]:02X} ({data!r})" if capture.unit == "byte" else name_symbol(capture.unit, data)
    )
    read_as = substitute_words(run.vocabulary, source.substitute)
    others = f", the first of {count:,} places with an unseen {capture.unit}" if count > 1 else ""
    raise InvalidText(
        f"{run.path} has never seen {name}, which is symbol {time:,} of the captured text{others}",
        f"Give --unknown replace to have it read such {capture.unit}s as {read_as}.",
    )
