"""Compiling, on processors of any kind, where the machine code can be kept and where it cannot."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numba
import pytest

from rnnviz.store.compiled import compiled, kept_in

NARROWED = """
import sys
import numpy as np
from rnnviz.store.compiled import compiled
from rnnviz.store.instructions import float16_bits, float16_value

@compiled("void(float32[::1], uint16[::1])")
def narrow(values, bits):
    for index in range(len(values)):
        bits[index] = float16_bits(values[index])

half = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32).view(np.uint32)
near = np.concatenate([half + np.uint32(off) for off in (0, 1, 0xFFF, 0x1000, 0x1001, 0x1FFF)])
patterns = np.concatenate([near, np.random.default_rng(0).integers(0, 1 << 32, 200_000, dtype=np.uint32)])
values = patterns.view(np.float32)
values = np.ascontiguousarray(values[~np.isnan(values)])
bits = np.empty(len(values), np.uint16)
narrow(values, bits)
with np.errstate(over="ignore"):
    np.testing.assert_array_equal(bits, values.astype(np.float16).view(np.uint16))

@compiled("void(uint16[::1], float32[::1])")
def widen(bits, values):
    for index in range(len(bits)):
        values[index] = float16_value(bits[index])

every = np.arange(1 << 16, dtype=np.uint16)
wide = np.empty(1 << 16, np.float32)
widen(every, wide)
np.testing.assert_array_equal(wide, every.view(np.float16).astype(np.float32))
np.testing.assert_array_equal(np.signbit(wide), every >= 0x8000)
"""

DOUBLED = """
from rnnviz.store.compiled import compiled, kept_in

@compiled("int64(int64)")
def doubled(value):
    return 2 * value

assert doubled(21) == 42
print(kept_in(doubled))
"""


PARTS = {
    "inner.py": """
from numba import types
from numba.extending import intrinsic

def typed(context, value):
    return types.int64(value), lambda context, builder, signature, arguments: builder.add(*(2 * [arguments[0]]))

twice = intrinsic(typed)
""",
    "outer.py": """
from inner import twice
from rnnviz.store.compiled import inlined

@inlined
def within(value):
    return 2 * twice(value)

@inlined
def four_times(value):
    return within(value)
""",
    "main.py": """
from outer import four_times
from rnnviz.store.compiled import compiled

@compiled("int64(int64)")
def result(value):
    return four_times(value) + 1

print(result(10), sum(result.stats.cache_hits.values()))
""",
}


def run(script: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "target",
    [
        {},
        pytest.param(
            {"NUMBA_CPU_NAME": "x86-64-v2", "NUMBA_CPU_FEATURES": ""},
            marks=pytest.mark.skipif(platform.machine() != "x86_64", reason="not an x86-64 processor"),
        ),
    ],
    ids=["this processor", "one without float16"],
)
def test_float16_from_every_kind_of_float32_and_back(target: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "narrowed.py").write_text(NARROWED)
    run(tmp_path / "narrowed.py", target | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")})


def test_a_function_whose_code_can_be_kept_nowhere_is_compiled_all_the_same() -> None:
    namespace: dict[str, object] = {}
    exec(compile("def add(a, b):\n    return a + b", "<no file>", "exec"), namespace)
    add = compiled("int64(int64, int64)")(cast("Callable[[int, int], int]", namespace["add"]))
    assert add(2, 3) == 5
    assert kept_in(add) is None


@pytest.mark.parametrize("left", ["nothing", "half", "rubbish"])
@pytest.mark.parametrize("kind", ["nbi", "nbc"])
def test_damaged_machine_code_is_compiled_anew(kind: str, left: str, tmp_path: Path) -> None:
    (tmp_path / "doubled.py").write_text(DOUBLED)
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert run(tmp_path / "doubled.py", cache).startswith(str(tmp_path / "cache"))
    (kept,) = (tmp_path / "cache").rglob(f"*.{kind}")
    whole = kept.read_bytes()
    kept.write_bytes({"nothing": b"", "half": whole[: len(whole) // 2], "rubbish": b"rubbish"}[left])
    run(tmp_path / "doubled.py", cache)


@pytest.mark.parametrize(
    ("name", "old", "new", "result"), [("inner.py", "add", "mul", 201), ("outer.py", "2 *", "3 *", 61)]
)
def test_code_kept_before_a_part_of_it_changed_is_not_used(
    name: str, old: str, new: str, result: int, tmp_path: Path
) -> None:
    for part, code in PARTS.items():
        (tmp_path / part).write_text(code)
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    assert run(tmp_path / "main.py", cache) == "41 0"
    assert run(tmp_path / "main.py", cache) == "41 1"
    (tmp_path / name).write_text(PARTS[name].replace(old, new))
    assert run(tmp_path / "main.py", cache) == f"{result} 0"


def test_code_that_could_not_be_kept_leaves_no_older_one_in_its_place(tmp_path: Path) -> None:
    full = """
from numba.core.caching import IndexDataCacheFile
def refuse(self, name, data):
    raise OSError(28, "No space left on device")
IndexDataCacheFile._save_data = refuse
import main
"""
    for part, code in PARTS.items():
        (tmp_path / part).write_text(code)
    (tmp_path / "full.py").write_text(full)
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    assert run(tmp_path / "main.py", cache) == "41 0"
    (tmp_path / "outer.py").write_text(PARTS["outer.py"].replace("2 *", "3 *"))
    assert run(tmp_path / "full.py", cache) == "61 0"
    assert run(tmp_path / "main.py", cache) == "61 0"
    assert run(tmp_path / "main.py", cache) == "61 1"


def test_what_cannot_be_compiled_says_so() -> None:
    with pytest.raises(numba.errors.TypingError, match="nowhere"):

        @compiled("int64(int64)")
        def wrong(value: int) -> int:
            return value + nowhere  # type: ignore[name-defined, no-any-return]  # noqa: F821
