"""Turning values from [time, unit], as models give them, to [unit, time], as they are stored, and counting them.

Every value of a capture passes here. Turning takes 0.3 ns a value in cache and 0.8 to 1.4 out of a large block (NumPy
2.6 for a model of 241 units), counting 0.7.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.compiled import compiled
from rnnviz.store.instructions import EIGHT, float16_value, turn_eight

_STEPS: Final = 32
"""Of which all units are done before the next: as many patterns as a line of the cache holds."""
_TABLES: Final = 4


@compiled("void(uint16[::1], int64, int64, int64, uint16[::1], int64)")
def turn(
    values: NDArray[np.uint16],
    stride: int,
    units: int,
    steps: int,
    turned: NDArray[np.uint16],
    leap: int,
) -> None:
    """Copy `units` values of each of some steps, bit patterns that lie `stride` apart from step to step, to `turned`,
    where a unit's values lie side by side and the units `leap` apart."""
    for start in range(0, steps - steps % EIGHT, _STEPS):
        stop = min(start + _STEPS, steps - steps % EIGHT)
        for unit in range(0, units - units % EIGHT, EIGHT):
            for t in range(start, stop, EIGHT):
                turn_eight(values, t * stride + unit, stride, turned, unit * leap + t, leap)
        for unit in range(units - units % EIGHT, units):
            for t in range(start, stop):
                turned[unit * leap + t] = values[t * stride + unit]
    for t in range(steps - steps % EIGHT, steps):
        for unit in range(units):
            turned[unit * leap + t] = values[t * stride + unit]


@compiled(
    "void(uint16[:, ::1], uint8[::1], int64[::1], boolean[:, ::1], float32[::1], boolean,"
    " int64[:, ::1], float64[:, ::1])"
)
def count(
    values: NDArray[np.uint16],
    classes: NDArray[np.uint8],
    bins: NDArray[np.int64],
    saturated: NDArray[np.bool_],
    views: NDArray[np.float32],
    plain: bool,
    histogram: NDArray[np.int64],
    sums: NDArray[np.float64],
) -> None:
    """Add values [unit, time], bit patterns of float16, to the `histogram` [unit, bin] and the `sums` [unit, 6] of a
    `Tally`.

    `classes` [65536] says of a pattern which class it is counted in, `views` [65536] what number it stands for: itself
    where `plain`. `bins` [class] is the bin of a class, `saturated` [2, class] whether it is saturated low and high.

    Neighbours are counted in tables of their own, so that one does not wait for the other to be stored.
    """
    steps = values.shape[1]
    tables = np.empty((_TABLES, len(bins)), np.uint32)
    first, second, third, fourth = tables[0], tables[1], tables[2], tables[3]
    for unit in range(len(values)):
        row, known = values[unit], sums[unit]
        tables[:] = 0
        for t in range(0, steps - steps % _TABLES, _TABLES):
            first[classes[row[t]]] += np.uint32(1)
            second[classes[row[t + 1]]] += np.uint32(1)
            third[classes[row[t + 2]]] += np.uint32(1)
            fourth[classes[row[t + 3]]] += np.uint32(1)
        for t in range(steps - steps % _TABLES, steps):
            first[classes[row[t]]] += np.uint32(1)
        for index in range(len(bins)):
            amount = np.int64(first[index]) + second[index] + third[index] + fourth[index]
            histogram[unit, bins[index]] += amount
            known[4] += amount * saturated[0, index]
            known[5] += amount * saturated[1, index]

        total = squares = 0.0
        if plain:
            for t in range(steps):
                number = np.float64(float16_value(row[t]))
                total += number
                squares += number * number
        else:
            for t in range(steps):
                number = np.float64(views[row[t]])
                total += number
                squares += number * number
        known[0] += total
        known[1] += squares

        # Positive patterns ascend with their value; negative ones, which are above all others, descend.
        least, most, most_turned = np.uint16(0xFFFF), np.uint16(0), np.uint16(0)
        for t in range(steps):
            pattern = row[t]
            least = min(least, pattern)
            most = max(most, pattern)
            most_turned = max(most_turned, np.uint16(pattern ^ np.uint16(0x8000)))
        minimum = most if most >= np.uint16(0x8000) else least
        maximum = np.uint16(most_turned ^ np.uint16(0x8000)) if most_turned >= np.uint16(0x8000) else least
        known[2] = min(known[2], np.float64(views[minimum]))
        known[3] = max(known[3], np.float64(views[maximum]))
