"""Compiling, where the machine code can be kept and where it cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from rnnviz.store.compiled import compiled


def test_a_function_whose_code_can_be_kept_nowhere_is_compiled_all_the_same() -> None:
    namespace: dict[str, object] = {}
    exec(compile("def add(a, b):\n    return a + b", "<no file>", "exec"), namespace)
    add = compiled("int64(int64, int64)")(cast("Callable[[int, int], int]", namespace["add"]))
    assert add(2, 3) == 5
    assert type(add).__module__.startswith("numba")
