"""Which blocks of a capture a view is made of, and which ones its next steps may need."""

from __future__ import annotations

import numpy as np

from rnnviz.analysis.cells import step
from rnnviz.store.reader import Capture
from rnnviz.tui.capture_cache.block_cache import Source
from rnnviz.tui.capture_cache.blocks import (
    TEXT_BLOCK,
    TIME_BLOCK,
    UNIT_BLOCK,
    Block,
    SegmentsBlock,
    StatisticsBlock,
    SurprisalBlock,
    SymbolsBlock,
    next_block,
    signal_blocks,
    surprisal_blocks,
    text_blocks,
)
from rnnviz.tui.text.rows import TextWindow
from rnnviz.tui.view.view import Panel, View


def window_span(byte: int, length: int) -> tuple[int, int]:
    """The stretch of a text of `length` bytes to hold around a place: its block and one on each side."""
    start = max(0, (byte // TEXT_BLOCK - 1) * TEXT_BLOCK)
    return start, min(length, start + 3 * TEXT_BLOCK)


def text_needed(capture: Capture, byte: int) -> list[Block]:
    """What a TextWindow around a place is made of."""
    span = window_span(byte, capture.text_bytes)
    symbols: list[Block] = [SymbolsBlock(*span)] if capture.has_tokens else []
    return [SegmentsBlock(), *symbols, *text_blocks(*span)]


def window_at(source: Source, byte: int) -> TextWindow | None:
    """The text around a place, if all of it is in memory."""
    capture = source.capture
    start, stop = window_span(byte, capture.text_bytes)
    data, segments = source.text(start, stop), source.segments()
    symbols = source.symbols(start, stop) if capture.has_tokens else None
    if data is None or segments is None or (capture.has_tokens and symbols is None):
        return None
    breaks = segments.starts
    if symbols is not None:
        first, last = np.searchsorted(breaks, [symbols.first, symbols.first + len(symbols.edges) - 1])
        breaks = symbols.edges[breaks[first:last] - symbols.first]
    return TextWindow(start, data, capture.text_bytes, breaks, symbols)


def values_needed(capture: Capture, view: View, start: int, stop: int) -> list[Block]:
    """What a view of the symbols start…stop is made of, apart from the text."""
    layer, unit = view.cell.layer, view.cell.unit
    layers = capture.models[view.model].layers
    needed = signal_blocks(view.model, layer, view.signal, unit, start, stop)
    under_cursor = layers[layer].signals if view.above is Panel.GATES else (view.signal,)
    for signal in under_cursor:
        needed += signal_blocks(view.model, layer, signal, unit, view.cursor, view.cursor + 1)
    needed += [
        StatisticsBlock(view.model, one) for one in range(len(layers)) if view.hides_dead or one == layer
    ]
    for name in dict.fromkeys((view.model, *(view.pair or ()))):
        model = capture.models[name]
        if model.has_surprisal:
            needed.append(SurprisalBlock(name, view.cursor // TIME_BLOCK))
            if name in (view.pair or ()):
                needed += surprisal_blocks(name, max(0, start - 1), stop)
        if model.has_next:
            needed.append(next_block(model, view.cursor))
    conditions = () if view.condition is None else view.condition.readings
    for reading in (*view.pins, *conditions):
        needed += signal_blocks(
            view.model, reading.cell.layer, reading.signal, reading.cell.unit, start, stop
        )
    return needed


def reading_list(capture: Capture, view: View, start: int, stop: int) -> list[Block]:
    """Everything to read for a view, the most urgent first, then the neighbouring units and the text around."""
    layers = capture.models[view.model].layers
    units = tuple(layer.units for layer in layers)
    ahead: list[Block] = []
    for by in (UNIT_BLOCK, -UNIT_BLOCK):
        cell = step(view.cell, by, units)
        if view.signal in layers[cell.layer].signals:
            ahead += signal_blocks(view.model, cell.layer, view.signal, cell.unit, start, stop)
    before, after = max(0, start - TIME_BLOCK), min(stop + TIME_BLOCK, capture.captured)
    ahead += signal_blocks(view.model, view.cell.layer, view.signal, view.cell.unit, before, after)
    return [*text_needed(capture, view.top), *values_needed(capture, view, start, stop), *ahead]
