"""Loops compiled to machine code by Numba, for what is done to every value of a capture.

The machine code is kept between processes, beside the source or in the user's cache directory; the first process on
a machine compiles for a second or two. Where neither can be written, every process does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

Function = TypeVar("Function", bound=Callable[..., object])

_OPTIONS: Final[dict[str, Any]] = {
    # Sums in any order, so that they are vectorised; infinities and NaN stay what they are.
    "fastmath": {"reassoc", "contract", "nsz"},
    "error_model": "numpy",  # a division by zero gives what IEEE 754 says
    "nogil": True,
}


def compiled(signature: str) -> Callable[[Function], Function]:
    """Compile a function of these types (Numba's notation). Nothing checks that an index is within its array."""

    def compile_it(function: Function) -> Function:
        try:
            found = numba.njit(signature, cache=True, **_OPTIONS)(function)
        except RuntimeError:  # no place to keep it
            found = numba.njit(signature, **_OPTIONS)(function)
        return cast("Function", found)

    return compile_it


def inlined(function: Function) -> Function:
    """A function for use in compiled ones, of whatever types it is called with there."""
    return cast("Function", numba.njit(**_OPTIONS)(function))


def _float16_bits(context: Any, value: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(builder.fptrunc(arguments[0], ir.HalfType()), ir.IntType(16))

    return types.uint16(types.float32), generate


float16_bits: Final = cast("Callable[[np.float32], np.uint16]", intrinsic(_float16_bits))
"""Within a compiled function: the bits of the float16 nearest to a float32. Ties go to even; what is too large
becomes infinity. One instruction for several values, where the processor has it."""
