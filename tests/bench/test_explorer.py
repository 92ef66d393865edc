"""How the explorer feels, in a real pseudo-terminal, beside what one would write first (`naive_explorer.py`).

Prints a table a terminal size, with the figures asked for; asserts nothing about time. The activations are those of
the sample run over this project's own source, once as it is and once without line ends, so that every column of the
screen is filled. How many columns a step changes depends on how long the lines are, so their mean is printed. With
RNNVIZ_BENCH_SOURCE=PATH, a file of program source, the lines are those of its first 200,000 bytes instead.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyte
import pytest

from support.slow_link import Program, SlowLink, Step, screens

ROOT = Path(__file__).parents[2]
RNNVIZ = [sys.executable, "-m", "rnnviz"]
STEPS, PEER_STEPS = 60, 12
SIZES = [(200, 50), (120, 40)]
RATE, DELAY, HELD = 250_000, 0.020, 3.0
"""A link of 250 KB/s with a round trip of 40 ms, and seconds for which a key is held."""
SHADES = [b"48;2;34;", b"48;2;61;", b"48;2;24;", b"48;2;74;", b"48;2;28;", b"48;2;94;"]
"""Backgrounds that only shaded text has."""
SOURCE_BYTES = 200_000
LARGE = 1_000_000
"""Symbols of the large capture: 3 GB of activations."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


def captured(folder: Path, name: str, text: bytes) -> Path:
    source, path = folder / f"{name}.txt", folder / f"{name}.zarr"
    source.write_bytes(text)
    command = [*RNNVIZ, "capture", str(ROOT / "samples/python-lstm"), str(source), "--split", "all"]
    subprocess.run([*command, "--unknown", "replace", "--out", str(path)], check=True, capture_output=True)
    return path


GIVEN = os.environ.get("RNNVIZ_BENCH_SOURCE")
SOURCE = "this project's own source" if GIVEN is None else Path(GIVEN).name


def source() -> bytes:
    if GIVEN is not None:
        return Path(GIVEN).read_bytes()[:SOURCE_BYTES]
    return b"".join(path.read_bytes() for path in sorted((ROOT / "tui").rglob("*.py")))[:SOURCE_BYTES]


@pytest.fixture(scope="module")
def lines(folder: Path) -> Path:
    return captured(folder, "lines", source())


@pytest.fixture(scope="module")
def filled(folder: Path) -> Path:
    return captured(folder, "filled", source().replace(b"\n", b" "))


def browse(path: Path) -> list[str]:
    return [*RNNVIZ, "browse", str(path), "--cell", "1:0", "--start", "2000"]


def naive(path: Path) -> list[str]:
    return [sys.executable, str(ROOT / "tests/bench/naive_explorer.py"), str(path)]


def quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


@dataclass(frozen=True)
class Measured:
    """Milliseconds to the first coloured text, the steps that a key causes, and all bytes up to the last of them."""

    first: float
    steps: list[Step]
    taken: bytes


def measured(
    command: list[str], size: tuple[int, int], key: str, warm: int = 3, steps: int = STEPS
) -> Measured:
    program = Program(command, *size)
    try:
        first = program.until(SHADES)
        program.settle()
        for _ in range(warm):
            program.step(key)
        return Measured(first, [program.step(key) for _ in range(steps)], bytes(program.taken))
    finally:
        program.close()


def changed(found: Measured, size: tuple[int, int]) -> float:
    """Columns of the screen that a step changes, in the mean."""
    screen = pyte.Screen(*size)
    stream = pyte.ByteStream(screen)
    at = len(found.taken) - sum(step.size for step in found.steps)
    stream.feed(found.taken[:at])
    counts, before = [], columns(screen)
    for step in found.steps:
        stream.feed(found.taken[at : at + step.size])
        at += step.size
        after = columns(screen)
        counts.append(sum(a != b for a, b in zip(before, after, strict=True)))
        before = after
    return statistics.mean(counts)


def columns(screen: pyte.Screen) -> list[pyte.screens.Char]:
    return [screen.buffer[y][x] for y in range(screen.lines) for x in range(screen.columns)]


def row(what: str, ours: str, peer: str, asked: str) -> None:
    print(f"  {what:42} {ours:>24} {peer:>22} {asked:>14}")


def times(steps: list[Step]) -> str:
    last = [step.last for step in steps]
    return f"{statistics.median(last):.1f} / {quantile(last, 0.95):.1f} ms"


def size(steps: list[Step]) -> str:
    return f"{statistics.mean(step.size for step in steps) / 1000:.1f} KB"


@pytest.mark.parametrize("terminal", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_steps(lines: Path, filled: Path, terminal: tuple[int, int]) -> None:
    print(f"\n{terminal[0]}×{terminal[1]}, {SOURCE}")
    row("", "rnnviz", "naive Textual", "asked")
    peer = measured(naive(lines), terminal, "j", steps=PEER_STEPS)
    peer_filled = measured(naive(filled), terminal, "j", steps=PEER_STEPS).steps
    firsts = []
    for _ in range(5):
        program = Program(browse(lines), *terminal)
        firsts.append(program.until(SHADES))
        program.close()
    some = measured(browse(lines), terminal, "j")
    full = measured(browse(filled), terminal, "j")
    down = measured(browse(lines), terminal, "\x1b[B", warm=terminal[1]).steps
    row("next cell, source lines: p50 / p95", times(some.steps), times(peer.steps), "p95 15 ms")
    row("next cell, every column: p50 / p95", times(full.steps), times(peer_filled), "p95 15 ms")
    row("columns a step changes, source lines", f"{changed(some, terminal):.0f}", "", "")
    row("columns a step changes, every column", f"{changed(full, terminal):.0f}", "", "")
    row("bytes a step, source lines", size(some.steps), size(peer.steps), "5 KB")
    row("bytes a step, every column", size(full.steps), size(peer_filled), "30 KB")
    row("scroll a line: p50 / p95", times(down), "(none)", "")
    row("bytes a line scrolled", size(down), "(all of it)", "3 KB")
    row(
        "start to first coloured text, p50 of 5",
        f"{statistics.median(firsts):.0f} ms",
        f"{peer.first:.0f} ms",
        "350 ms",
    )


def test_a_scroll_beside_two_models(folder: Path) -> None:
    path = captured(folder, "compared", source())
    text, ngrams = str(folder / "compared.txt"), str(folder / "ngrams")
    train = ["ngram", "train", text, "--n", "5", "--out", ngrams]
    add = ["capture", "--add", str(path), "--ngram", ngrams]
    for command in (train, add):
        subprocess.run([*RNNVIZ, *command], check=True, capture_output=True)
    print(f"\ntwo models compared, 200×50, {SOURCE}")
    row("", "rnnviz", "", "asked")
    down = measured(browse(path), SIZES[0], "\x1b[B", warm=SIZES[0][1]).steps
    row("scroll a line: p50 / p95", times(down), "", "")
    row("bytes a line scrolled", size(down), "", "3 KB")


def held(command: list[str], terminal: tuple[int, int], pattern: str, top: int) -> tuple[float, float]:
    """Seconds by which the screen lags behind a key held for HELD seconds at 30 a second (p50), and seconds from its
    release until the screen stands."""
    program = Program(command, *terminal)
    try:
        program.until(SHADES)
        program.settle()
        link = SlowLink(program, RATE, DELAY)
        pressed = []
        start = time.perf_counter()
        for stroke in range(int(30 * HELD)):
            time.sleep(max(0.0, start + stroke / 30 - time.perf_counter()))
            pressed.append(time.perf_counter())
            program.write("j")
        released, silent_since = time.perf_counter(), 0
        while len(link.delivered) != silent_since or time.perf_counter() < released + 1.0:
            silent_since = len(link.delivered)
            time.sleep(2.5)
        link.close()
        shown = screens(program, link.delivered, top)
    finally:
        program.close()
    lags = []
    for number, at in enumerate(pressed, start=1):
        after = [
            when
            for when, text in shown
            if (found := re.search(pattern, text)) is not None and int(found[1]) >= number
        ]
        lags.append((after[0] if after else shown[-1][0]) - at)
    return statistics.median(lags), shown[-1][0] - released


def test_a_held_key_over_a_slow_link(lines: Path) -> None:
    print(f"\n{RATE // 1000} KB/s, {2000 * DELAY:.0f} ms round trip, j held at 30/s for {HELD:.0f} s, 200×50")
    row("", "rnnviz", "naive Textual", "asked")
    lag, rest = held(browse(lines), SIZES[0], r"^ 1:(\d+) ", 0)
    peer_lag, peer_rest = held(naive(lines), SIZES[0], r"^cell (\d+)", 0)
    row("lag p50", f"{lag:.2f} s", f"{peer_lag:.2f} s", "0.3 s")
    row("released, until the screen stands", f"{rest:.2f} s", f"{peer_rest:.2f} s", "0.5 s")


def test_memory_stays_flat(folder: Path) -> None:
    text = source()
    text = (text * (LARGE // len(text) + 1))[:LARGE]
    path = captured(folder, "large", text)
    program = Program([*RNNVIZ, "browse", str(path), "--cell", "0:0", "--start", "0"], *SIZES[0])
    keys = ["j", "j", "J", "s", "\x1b[6~", "j", "]"]
    try:
        program.until(SHADES)
        program.settle()
        found = {}
        for number in range(1, 10_001):
            program.write(keys[number % len(keys)])
            program.take(0.004)
            if number in (1_000, 10_000):
                program.settle(0.5)
                found[number] = program.resident()
    finally:
        program.close()
        shutil.rmtree(path)
    print()
    row("", "rnnviz", "", "asked")
    for number, megabytes in found.items():
        row(f"memory after {number:,} steps, 3 GB capture", f"{megabytes:.0f} MB", "", "120 MB, flat")


def test_a_slow_disk(lines: Path) -> None:
    slow = [sys.executable, str(ROOT / "tests/bench/slow_storage.py"), *browse(lines)[3:]]
    steps = measured(slow, SIZES[0], "J").steps
    first = [step.first for step in steps]
    print()
    row("", "rnnviz", "", "asked")
    row(
        "20 ms a read: key to first byte, p50 / p95",
        f"{statistics.median(first):.1f} / {quantile(first, 0.95):.1f} ms",
        "",
        "20 ms",
    )
    row("20 ms a read: key to last byte, p50 / p95", times(steps), "", "")


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_inside_tmux(lines: Path, folder: Path) -> None:
    config = folder / "tmux.conf"
    config.write_text(
        "set -g default-terminal tmux-256color\nset -as terminal-features ',*:RGB'\nset -g status off\n"
    )
    print(f"\ninside tmux, 200×50, {SOURCE}")
    row("", "rnnviz", "naive Textual", "asked")
    found = {}
    for name, command in (("ours", browse(lines)), ("naive", naive(lines))):
        inside = ["tmux", "-f", str(config), "-S", str(folder / name), "new-session", *command]
        found[name] = {
            key: measured(inside, SIZES[0], key, warm, STEPS if name == "ours" else PEER_STEPS).steps
            for key, warm in (("j", 3), ("\x1b[B", 50 if name == "ours" else 0))
            if name == "ours" or key == "j"
        }
        subprocess.run(["tmux", "-S", str(folder / name), "kill-server"], check=False, capture_output=True)
    row("next cell: p50 / p95", times(found["ours"]["j"]), times(found["naive"]["j"]), "p95 15 ms")
    row("bytes a step that tmux sends", size(found["ours"]["j"]), size(found["naive"]["j"]), "")
    row("scroll a line: p50 / p95", times(found["ours"]["\x1b[B"]), "", "")
