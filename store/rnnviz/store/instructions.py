"""What compiled functions need of the processor and Numba does not offer: float16, and turning values by vectors."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any, Final, cast

import numba
import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from rnnviz.store.compiled import inlined

Patterns = NDArray[np.uint16]
"""The bits of float16."""

EIGHT: Final = 8
"""Patterns of a vector of 128 bits."""

_SIXTEEN: Final = ir.IntType(16)
_VECTOR: Final = ir.VectorType(_SIXTEEN, EIGHT)


def data_of(array: int, context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """While an instruction is generated: where the values of an argument, an array by its number, begin."""
    return context.make_array(signature.args[array])(context, builder, arguments[array]).data


def _float16_bits(context: Any, value: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(builder.fptrunc(arguments[0], ir.HalfType()), _SIXTEEN)

    return types.uint16(types.float32), generate


def _float16_bits_by_integers(value: np.float32) -> np.uint16:
    """By the float32's own bits: its sign, 8 bits of exponent (bias 127) and 23 of mantissa become 1, 5 (15) and 10."""
    bits = np.float32(value).view(np.uint32)
    sign = np.uint32((bits >> np.uint32(16)) & np.uint32(0x8000))
    size = np.uint32(bits & np.uint32(0x7FFFFFFF))
    if size >= np.uint32(0x47800000):  # 65536 and more, infinity, NaN
        narrow = np.uint32(0x7C00) if size <= np.uint32(0x7F800000) else np.uint32(0x7E00)
    elif size < np.uint32(0x38800000):  # below 2^-14: adding a half rounds to multiples of 2^-24
        moved = np.float32(size.view(np.float32) + np.float32(0.5))
        narrow = np.uint32(moved.view(np.uint32) - np.uint32(0x3F000000))
    else:
        odd = np.uint32((size >> np.uint32(13)) & np.uint32(1))
        narrow = np.uint32((size + np.uint32(0xFFF) + odd - np.uint32(0x38000000)) >> np.uint32(13))
    return np.uint16(sign | narrow)


def _float16_value(context: Any, bits: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.fpext(builder.bitcast(arguments[0], ir.HalfType()), ir.FloatType())

    return types.float32(types.uint16), generate


def _float16_value_by_integers(bits: np.uint16) -> np.float32:
    """The exponent and the mantissa moved to where float32 has them, and 112 added to the exponent by a product, which
    is right below 2^-14 too."""
    size = np.uint32((np.uint32(bits) & np.uint32(0x7FFF)) << np.uint32(13))
    sign = np.uint32((np.uint32(bits) & np.uint32(0x8000)) << np.uint32(16))
    if size >= np.uint32(0x0F800000):  # infinity, NaN
        wide = np.uint32(size | np.uint32(0x7F800000))
    else:
        wide = np.float32(size.view(np.float32) * np.float32(2.0**112)).view(np.uint32)
    return np.uint32(wide | sign).view(np.float32)


def processor_has(feature: str) -> bool:
    """Whether the processor that is compiled for has a feature, by LLVM's name of it. Of others than x86-64 nothing is
    known: False."""
    features = getattr(numba.config, "CPU_FEATURES", None)
    return (
        bool(get_host_cpu_features().get(feature))
        if features is None
        else f"+{feature}" in features.split(",")
    )


_CONVERTS: Final = platform.machine() not in ("x86_64", "AMD64") or processor_has("f16c")
"""Whether the processor converts float16 itself. Where it does not, as some virtual machines pretend, LLVM calls a
function that nobody provides."""

float16_bits: Final = cast(
    "Callable[[np.float32], np.uint16]",
    intrinsic(_float16_bits) if _CONVERTS else inlined(_float16_bits_by_integers),
)
"""Within a compiled function: the bits of the float16 nearest to a float32. Ties go to even; what is too large
becomes infinity. By the processor's instruction a value takes 0.1 ns, without it five times that."""

float16_value: Final = cast(
    "Callable[[np.uint16], np.float32]",
    intrinsic(_float16_value) if _CONVERTS else inlined(_float16_value_by_integers),
)
"""Within a compiled function: the float32 that equals a float16, given by its bits."""


def _turn_eight(
    context: Any, source: Any, begin: Any, stride: Any, target: Any, place: Any, leap: Any
) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def vector(array: int, index: Any) -> Any:
            data = data_of(array, context, builder, signature, arguments)
            return builder.bitcast(builder.gep(data, [index]), _VECTOR.as_pointer())

        rows = []
        index = arguments[1]
        for _ in range(EIGHT):
            row = builder.load(vector(0, index))
            row.align = 2
            rows.append(row)
            index = builder.add(index, arguments[2])
        # Rows four apart interleaved, three times over: each time every pattern's row and place, six bits together,
        # are rotated by one bit.
        halves = [
            ir.Constant(
                ir.VectorType(ir.IntType(32), EIGHT), [start + k // 2 + k % 2 * EIGHT for k in range(EIGHT)]
            )
            for start in (0, EIGHT // 2)
        ]
        for _ in range(3):
            rows = [
                builder.shuffle_vector(rows[k], rows[k + EIGHT // 2], half)
                for k in range(EIGHT // 2)
                for half in halves
            ]
        index = arguments[4]
        for row in rows:
            builder.store(row, vector(3, index)).align = 2
            index = builder.add(index, arguments[5])
        return context.get_dummy_value()

    types_of = (source, types.int64, types.int64, target, types.int64, types.int64)
    return types.void(*types_of), generate


turn_eight: Final = cast("Callable[[Patterns, int, int, Patterns, int, int], None]", intrinsic(_turn_eight))
"""Within a compiled function, `turn_eight(source, begin, stride, target, place, leap)`: the eight patterns from
`begin` on, from `begin + stride` on and so on, eight times, go to `target`, where those that were side by side come to
lie `leap` apart from `place` on, and the others side by side. 0.2 ns a pattern in cache; one after the other 1.0."""
