"""Loops compiled to machine code by Numba, for what is done to every value of a capture.

The machine code is kept between processes, beside the source or in the user's cache directory; the first process on
a machine compiles for 2 to 4 seconds. Where neither can be written, or what is kept there is damaged, every process
does. Numba itself takes 0.3 s and 110 MB of a process, so it is loaded where it is needed.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba

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
            found = numba.njit(cache=True, **_OPTIONS)(function)
            # Numba keeps the code until the function's own file is another one, and overwrites it then: where that
            # fails, what is there is taken for new.
            digest = _digest(function)
            kept: Any = found._cache._cache_file
            kept._source_stamp = kept._source_stamp, digest
            kept._data_name_pattern = f"{digest[:16]}.{kept._data_name_pattern}"
            found.compile(signature)
            found.disable_compile()
        except _NOT_KEPT:
            found = numba.njit(signature, **_OPTIONS)(function)
        return cast("Function", found)

    return compile_it


def _digest(function: Any) -> str:
    """Of the files of the functions that are compiled into a function, its own, and this one."""
    seen, waiting = {function}, [function]
    while waiting:
        part = waiting.pop()
        used = [part.__globals__.get(name) for name in part.__code__.co_names]
        parts = {getattr(each, "py_func", getattr(each, "_defn", None)) for each in used}
        new = parts - seen - {None}
        seen |= new
        waiting += new
    files = {__file__, *(each.__code__.co_filename for each in seen)}
    return hashlib.sha256(b"".join(Path(file).read_bytes() for file in sorted(files))).hexdigest()


def inlined(function: Function) -> Function:
    """A function for use in compiled ones, of whatever types it is called with there."""
    return cast("Function", numba.njit(**_OPTIONS)(function))


def kept_in(function: Callable[..., object]) -> str | None:
    """The directory where a compiled function's machine code is kept between processes; None where it is not."""
    return getattr(getattr(function, "stats", None), "cache_path", None)
