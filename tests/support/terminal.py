"""A program in a real pseudo-terminal, its output read by a terminal emulator."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import pyte

PATIENCE = 30.0
"""Seconds to wait for the screen to show something before a test fails: a bound, not a measure."""


STROKE = 0.03
"""Seconds between two keys."""


class Terminal:
    """`rnnviz` (or another command) on a screen of `columns` × `rows`.

    What it writes is fed to `screen`, a pyte screen whose `buffer[y][x]` has data, fg, bg, bold, reverse…
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        environment: dict[str, str] | None = None,
        cwd: Path | None = None,
        answers: bool = True,
        slow: bool = False,
    ) -> None:
        """`answers`: whether it tells a program that asks where its cursor is, as most terminals do. `slow`: whether it
        takes what it is sent in small pieces with pauses between."""
        self._piece, self._pause = (1024, 0.004) if slow else (65536, 0.0)
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.output = bytearray()
        self._master, slave = pty.openpty()
        self._set_size(columns, rows)
        if answers:
            self.screen.write_process_input = self._answer  # type: ignore[method-assign]
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in ("NO_COLOR", "COLORTERM", "TMUX", "COLUMNS", "LINES")
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rnnviz", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=inherited
            | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "TZ": "UTC"}
            | {"XDG_STATE_HOME": os.devnull}  # what one session leaves must not meet the next
            | (environment or {}),
            cwd=cwd,
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._master)

    def press(self, *keys: str) -> None:
        """Send keys at a fast typist's pace: characters one by one, or the escape sequences of `KEYS`."""
        for key in keys:
            for stroke in [KEYS[key]] if key in KEYS else key:
                os.write(self._master, stroke.encode())
                self._drain(STROKE)

    def paste(self, text: str) -> None:
        """Send a text at once, as a terminal sends what is pasted (bracketed)."""
        os.write(self._master, f"\x1b[200~{text}\x1b[201~".encode())
        self._drain(STROKE)

    def watch(self, seconds: float) -> None:
        """Read what is written for a while, quiet or not."""
        self._drain(seconds)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def modes(self) -> list[object]:
        """How the terminal treats what is typed and written: what `tcgetattr` returns."""
        return termios.tcgetattr(self._master)

    @property
    def painted(self) -> list[list[pyte.screens.Char]]:
        """Every column of the screen with its colours."""
        rows, columns = self.screen.lines, self.screen.columns
        return [[self.screen.buffer[y][x] for x in range(columns)] for y in range(rows)]

    def send(self, data: str) -> None:
        """Send all of it at once, as a terminal does what a mouse did."""
        os.write(self._master, data.encode())

    def _answer(self, data: str) -> None:
        os.write(self._master, data.encode())

    def _drain(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._read(left)

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(rows, columns)
        self.screen.tabstops |= set(range(8, columns, 8))  # as terminals do with columns that are new
        self._set_size(columns, rows)
        self._process.send_signal(signal.SIGWINCH)

    def wait_for(self, shown: Callable[[], object], what: str) -> None:
        """Read until `shown()` is true of the screen and nothing more is being written."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            wrote = self._read(0.05)
            if not wrote and shown():
                return
            if not wrote and self._process.poll() is not None:
                break
        raise AssertionError(f"the screen never showed {what}:\n" + "\n".join(self.screen.display))

    def wait_for_text(self, text: str) -> None:
        self.wait_for(lambda: text in "\n".join(self.screen.display), repr(text))

    def hang_up(self) -> int:
        """Take the terminal away without a word, and wait until the program ends. Its exit code."""
        os.close(self._master)
        self._master = os.open(os.devnull, os.O_RDONLY)
        return self._process.wait(PATIENCE)

    def wait_for_exit(self) -> int:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            self._read(0.05)
        while self._read(0.05):
            pass
        code = self._process.poll()
        assert code is not None, "the program did not end:\n" + "\n".join(self.screen.display)
        return code

    def row(self, y: int) -> str:
        return str(self.screen.display[y])

    def background(self, x: int, y: int) -> str:
        """The background of a column: six hexadecimal digits, a colour's name, or `default`."""
        return str(self.screen.buffer[y][x].bg)

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self._master, self._piece)
            time.sleep(self._pause)
        except OSError:  # the slave side is closed: the program has ended
            return False
        self.output += data
        self._stream.feed(data)
        return bool(data)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "pagedown": "\x1b[6~",
    "pageup": "\x1b[5~",
    "home": "\x1b[H",
    "end": "\x1b[F",
}
