"""Loops compiled to machine code by Numba, for what is done to every value of a capture.

The machine code is kept between processes, beside the source or in the user's cache directory; the first process on
a machine compiles for 2 to 4 seconds. Where neither can be written, or what is kept there is damaged, every process
does. Numba itself takes 0.3 s and 110 MB of a process, so it is loaded where it is needed.
"""

from __future__ import annotations

import pickle
import platform
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.extending import intrinsic

Function = TypeVar("Function", bound=Callable[..., object])

_OPTIONS: Final[dict[str, Any]] = {
    # Sums in any order, so that they are vectorised; infinities and NaN stay what they are.
    "fastmath": {"reassoc", "contract", "nsz"},
    "error_model": "numpy",  # a division by zero gives what IEEE 754 says
    "nogil": True,
}


_NOT_KEPT: Final = (
    OSError,  # a full disk, a file of somebody else's
    RuntimeError,  # no place to keep it; damaged machine code
    # What unpickling a damaged file raises. A function that cannot be compiled raises none of them.
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    TypeError,
    ValueError,
)


def compiled(signature: str) -> Callable[[Function], Function]:
    """Compile a function of these types (Numba's notation). Nothing checks that an index is within its array."""

    def compile_it(function: Function) -> Function:
        try:
            found = numba.njit(signature, cache=True, **_OPTIONS)(function)
        except _NOT_KEPT:
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


def _has_float16() -> bool:
    """Whether the processor that is compiled for converts float16 itself. Where it does not, as some virtual machines
    pretend, LLVM calls a function that nobody provides."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return True
    features = getattr(numba.config, "CPU_FEATURES", None)
    return bool(get_host_cpu_features().get("f16c")) if features is None else "+f16c" in features


float16_bits: Final = cast(
    "Callable[[np.float32], np.uint16]",
    intrinsic(_float16_bits) if _has_float16() else inlined(_float16_bits_by_integers),
)
"""Within a compiled function: the bits of the float16 nearest to a float32. Ties go to even; what is too large
becomes infinity. By the processor's instruction a value takes 0.1 ns, without it five times that."""


def kept_in(function: Callable[..., object]) -> str | None:
    """The directory where a compiled function's machine code is kept between processes; None where it is not."""
    return getattr(getattr(function, "stats", None), "cache_path", None)
