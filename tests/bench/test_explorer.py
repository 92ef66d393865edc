"""How the explorer feels, in a real pseudo-terminal with a reader that takes everything at once.

Prints a table beside what one would write first (`naive_explorer.py`), on activations of the sample run over this
project's own source. Asserts nothing about time.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STEPS = 60
SILENCE = 0.12
"""Seconds without a byte after which a step counts as drawn."""
ANSWER = 2.0
"""Seconds to wait for a step's first byte."""


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "own.zarr"
    command = [
        sys.executable,
        "-m",
        "rnnviz",
        "capture",
        str(ROOT / "samples/python-lstm"),
        str(ROOT / "tui"),
    ]
    subprocess.run([*command, "--glob", "*.py", "--unknown", "replace", "--out", str(path)], check=True)
    return path


class Screen:
    """A program on a pseudo-terminal; measures from a key to the last byte it causes."""

    def __init__(self, command: list[str], columns: int, rows: int) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._started = time.perf_counter()
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)

    def first_colour(self) -> float:
        """Seconds from the start to the first shaded text: a background that no frame of the screen has."""
        seen, found = b"", 0.0
        while not found:
            seen += os.read(self._master, 1 << 20)
            if any(
                shade in seen for shade in (b"48;2;34;", b"48;2;61;", b"48;2;24;", b"48;2;74;", b"48;2;28;")
            ):
                found = time.perf_counter() - self._started
        while select.select([self._master], [], [], 1.0)[0]:
            os.read(self._master, 1 << 20)
        return found

    def step(self, key: str) -> tuple[float, int]:
        """Milliseconds to the last byte and bytes."""
        start = time.perf_counter()
        os.write(self._master, key.encode())
        last, count = self._drain()
        return (last - start) * 1000, count

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def _drain(self) -> tuple[float, int]:
        last, count, patience = time.perf_counter(), 0, ANSWER
        while select.select([self._master], [], [], patience)[0]:
            count += len(os.read(self._master, 1 << 20))
            last, patience = time.perf_counter(), SILENCE
        return last, count


@pytest.mark.parametrize(("columns", "rows"), [(200, 50), (120, 40), (80, 24)])
def test_steps(capture: Path, columns: int, rows: int) -> None:
    naive = [sys.executable, str(ROOT / "tests/bench/naive_explorer.py"), str(capture)]
    ours = [sys.executable, "-m", "rnnviz", "browse", str(capture), "--cell", "1:0"]
    print(f"\n{columns}×{rows}: what                 first colour   p50     p95   bytes a step")
    for name, command, key in (
        ("naive Textual, next cell", naive, "j"),
        ("rnnviz, next cell", ours, "j"),
        ("rnnviz, cursor down", ours, "\x1b[B"),
    ):
        screen = Screen(command, columns, rows)
        first = screen.first_colour()
        steps = [screen.step(key) for _ in range(STEPS)]
        screen.close()
        times = sorted(milliseconds for milliseconds, _ in steps)
        size = statistics.mean(count for _, count in steps)
        p50, p95 = statistics.median(times), times[int(0.95 * STEPS)]
        print(f"{name:28} {first * 1000:8.0f} ms {p50:6.1f} {p95:6.1f} ms {size:10,.0f}")
