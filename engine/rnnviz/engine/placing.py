"""Putting what a window gave to its place in a block, narrowed to float16 and turned to [unit, time]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnnviz.store.compiled import compiled
from rnnviz.store.counting import turn
from rnnviz.store.instructions import float16_bits

_STEPS: Final = 16
"""Of which all units are narrowed before they are turned: they stay in the nearest cache."""


def row_length(symbols: int) -> int:
    """How long to make the rows of a block of so many symbols: an odd multiple of 64 bytes. Of rows that are a power of
    two apart, what is written side by side would push each other out of the cache."""
    lines = -(-symbols // 32)
    return 32 * (lines + 1 - lines % 2)


def place(signals: Sequence[Tensor], places: Sequence[slice], block: NDArray[np.float16]) -> None:
    """Put signals, each float32 [time, batch, unit], into `block` [signal · unit, symbol], as many steps of each stream
    as its place has symbols.

    On a CPU the strides of a signal are (batch · n, n, 1) with any n: it may be some columns of another tensor. So a
    value takes 0.6 ns. Put down as it comes and turned later it takes 0.3 and 0.8 (64 units) to 1.4 (3 × 241).
    """
    steps, batch, units = signals[0].shape
    if signals[0].is_cuda:
        turned = torch.cat([signal.half() for signal in signals], dim=-1).permute(1, 2, 0).contiguous()
        for at, values in zip(places, turned.cpu().numpy(), strict=True):
            block[:, at] = values[:, : at.stop - at.start]
        return
    spans = np.array([(at.start, at.stop) for at in places])
    for index, signal in enumerate(signals):
        stride = signal.stride(1)
        flat = signal.as_strided(((steps * batch - 1) * stride + units,), (1,)).numpy()
        rows = block[index * units : (index + 1) * units].view(np.uint16)
        _place(flat, stride, spans, rows)


@compiled("void(float32[::1], int64, int64[:, ::1], uint16[:, ::1])")
def _place(
    flat: NDArray[np.float32], stride: int, spans: NDArray[np.int64], rows: NDArray[np.uint16]
) -> None:
    """Streams lie `stride` apart in `flat`, and steps as many times that as there are `spans`."""
    batch = len(spans)
    units, length = rows.shape
    target = rows.reshape(units * length)
    narrow = np.empty(_STEPS * units, np.uint16)
    for stream in range(batch):
        for start in range(spans[stream, 0], spans[stream, 1], _STEPS):
            steps = min(_STEPS, spans[stream, 1] - start)
            for t in range(steps):
                first = ((start - spans[stream, 0] + t) * batch + stream) * stride
                values, bits = flat[first : first + units], narrow[t * units : (t + 1) * units]
                for unit in range(units):
                    bits[unit] = float16_bits(values[unit])
            turn(narrow, units, units, steps, target[start:], length)
