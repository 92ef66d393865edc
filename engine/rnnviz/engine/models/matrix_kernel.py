"""The product of a step: what some streams gave before, times the recurrent weights, compiled.

With 12 to 50 streams of 64 or 241 units it runs at 100 to 113 GFLOP/s on a core that MKL gets 60 (12 streams) to 92 out
of: MKL arranges the weights anew at every call, and each call costs Python 3 µs, for which threads wait for each other.

A *tile* is some rows of the sums by two vectors of a row, which stay in registers while the products are added. The
weights of all tiles of the same columns lie one after the other: a *panel*, which stays in the nearest cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.cgutils import for_range
from numba.extending import intrinsic
from numpy.typing import NDArray

from rnnviz.store.compiled import inlined
from rnnviz.store.instructions import data_of, processor_has

Values = NDArray[np.float32]

_LANES: Final = 16 if processor_has("avx512f") else 8
_VECTORS: Final = 2
WIDTH: Final = _LANES * _VECTORS
"""Columns of a panel."""

_INDEX: Final = ir.IntType(64)
_VECTOR: Final = ir.VectorType(ir.FloatType(), _LANES)


def panels(weights: Values) -> Values:
    """The weights [depth, columns] panel by panel: [panel · depth · WIDTH]; as they are where that is not one panel.

    The last panel ends with the last column. What it shares with the one before has weights of zero in it.
    """
    columns = weights.shape[1]
    if columns < WIDTH:
        return weights.reshape(-1)
    found = []
    for start in range(0, columns, WIDTH):
        begin = min(start, columns - WIDTH)
        panel = weights[:, begin : begin + WIDTH].copy()
        panel[:, : start - begin] = 0
        found.append(panel.reshape(-1))
    return np.concatenate(found)


def _tile(rows: int) -> Callable[..., None]:
    """`tile(sums, place, stride, values, begin, leap, panels, panel, depth)` adds to the sums of `rows` rows, `stride`
    apart from `place` on, the products of the `depth` values of each, `leap` apart from `begin` on, with a panel."""

    def typed(
        _: Any,
        sums: Any,
        place: Any,
        stride: Any,
        values: Any,
        begin: Any,
        leap: Any,
        panels: Any,
        panel: Any,
        depth: Any,
    ) -> Any:
        index = types.int64
        return types.void(sums, index, index, values, index, index, panels, index, index), generate

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def data(array: int) -> Any:
            return data_of(array, context, builder, signature, arguments)

        def vector(pointer: Any, offset: int) -> Any:
            return builder.bitcast(builder.gep(pointer, [_INDEX(offset)]), _VECTOR.as_pointer())

        def load(pointer: Any) -> Any:
            found = builder.load(pointer)
            found.align = 4
            return found

        place, stride, begin, leap = (arguments[number] for number in (1, 2, 4, 5))
        own = [
            builder.gep(data(3), [builder.add(begin, builder.mul(leap, _INDEX(row)))]) for row in range(rows)
        ]
        sums = []
        for row in range(rows):
            start = builder.gep(data(0), [builder.add(place, builder.mul(stride, _INDEX(row)))])
            for number in range(_VECTORS):
                target = vector(start, number * _LANES)
                with builder.goto_entry_block():
                    register = builder.alloca(_VECTOR)
                builder.store(load(target), register)
                sums.append((register, target))
        panel = builder.gep(data(6), [arguments[7]])
        with for_range(builder, arguments[8]) as loop:
            line = builder.gep(panel, [builder.mul(loop.index, _INDEX(WIDTH))])
            weights = [load(vector(line, number * _LANES)) for number in range(_VECTORS)]
            for row in range(rows):
                value = load(builder.gep(own[row], [loop.index]))
                empty = ir.Constant(_VECTOR, ir.Undefined)
                first = builder.insert_element(empty, value, ir.IntType(32)(0))
                same = ir.Constant(ir.VectorType(ir.IntType(32), _LANES), [0] * _LANES)
                values = builder.shuffle_vector(first, empty, same)
                for number in range(_VECTORS):
                    register, _ = sums[row * _VECTORS + number]
                    product = builder.fmul(values, weights[number], flags=("contract",))
                    builder.store(
                        builder.fadd(builder.load(register), product, flags=("contract",)), register
                    )
        for register, target in sums:
            builder.store(builder.load(register), target).align = 4
        return context.get_dummy_value()

    return cast("Callable[..., None]", intrinsic(typed))


_six, _three, _two, _one = _tile(6), _tile(3), _tile(2), _tile(1)
"""Six rows with two vectors each are as many registers as hide how long a multiplication takes, and as AVX2 has."""


@inlined
def add_products(sums: Values, values: Values, panels: Values) -> None:
    """Add to `sums` [row, column] the products of `values` [row, depth], all finite, with the weights that `panels` was
    made of."""
    rows, columns = sums.shape
    depth = values.shape[1]
    if columns < WIDTH:
        for row in range(rows):
            for k in range(depth):
                for column in range(columns):
                    sums[row, column] += values[row, k] * panels[k * columns + column]
        return
    into, of = sums.reshape(rows * columns), values.reshape(rows * depth)
    for start in range(0, columns, WIDTH):
        place, panel = min(start, columns - WIDTH), start * depth
        row = 0
        while rows - row >= 6:
            _six(into, row * columns + place, columns, of, row * depth, depth, panels, panel, depth)
            row += 6
        if rows - row >= 3:
            _three(into, row * columns + place, columns, of, row * depth, depth, panels, panel, depth)
            row += 3
        if rows - row == 2:
            _two(into, row * columns + place, columns, of, row * depth, depth, panels, panel, depth)
        elif rows - row == 1:
            _one(into, row * columns + place, columns, of, row * depth, depth, panels, panel, depth)
