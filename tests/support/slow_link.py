"""A program on a pseudo-terminal whose reader takes everything at once, or as a slow link delivers it.

It answers the question where the cursor is, as terminals do. Of what came it keeps when, so that the screen at any
moment can be made afterwards by a terminal emulator, which is too slow to keep up.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyte

_MOVE_OR_QUESTION = re.compile(rb"\r|\t|\x1b\[6n")
_BEGUN = re.compile(rb"\x1b(\[6?)?$")
_TAB, _QUESTIONED_ROW = 8, 2
SILENCE = 0.12
"""Seconds without a byte after which a step counts as drawn."""
PATIENCE = 2.0
"""Seconds to wait for a step's first byte."""
IN_FLIGHT = 131_072
"""Bytes that a slow link takes in before the program has to wait: what sockets hold on the way."""


@dataclass(frozen=True)
class Step:
    """What one key caused: milliseconds to the first and the last byte, and bytes."""

    first: float
    last: float
    size: int


class Answers:
    """What a terminal with a tab stop every eight columns answers when it is asked where its cursor is. It knows of
    carriage returns and tabs only: the column after those is all that is ever asked for."""

    def __init__(self) -> None:
        self._column = 1
        self._rest = b""

    def to(self, data: bytes) -> list[bytes]:
        """The answers to the questions in what came next."""
        data = self._rest + data
        found = []
        for token in _MOVE_OR_QUESTION.findall(data):
            if token == b"\r":
                self._column = 1
            elif token == b"\t":
                self._column += _TAB
            else:
                found.append(b"\x1b[%d;%dR" % (_QUESTIONED_ROW, self._column))
        begun = _BEGUN.search(data[-3:])
        self._rest = begun[0] if begun else b""
        return found


@dataclass
class Program:
    """A command on a terminal of `columns` × `rows` with 16 million colours."""

    command: Sequence[str]
    columns: int
    rows: int
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))
        environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environment |= {"XDG_STATE_HOME": os.devnull} | self.environment
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            self.command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)
        self._answers = Answers()
        self.taken = bytearray()
        """What was read at once, without a link between."""

    def until(self, found: Sequence[bytes]) -> float:
        """Milliseconds from the start to the first of these bytes."""
        seen = b""
        while not any(one in seen for one in found):
            seen += self._read()
        return (time.perf_counter() - self.started) * 1000

    def settle(self, seconds: float = 1.0) -> None:
        """Read until nothing has come for so long."""
        while select.select([self.master], [], [], seconds)[0]:
            self._read()

    def step(self, key: str) -> Step:
        start = time.perf_counter()
        os.write(self.master, key.encode())
        first = last = start
        size, patience = 0, PATIENCE
        while select.select([self.master], [], [], patience)[0]:
            count = len(self._read())
            last = time.perf_counter()
            first = first if size else last
            size += count
            patience = SILENCE
        return Step((first - start) * 1000, (last - start) * 1000, size)

    def write(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def take(self, seconds: float) -> None:
        """Read what comes within so long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0 and select.select([self.master], [], [], left)[0]:
            self._read()

    def resident(self) -> float:
        """Megabytes of memory that the program has now."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def _read(self) -> bytes:
        data = os.read(self.master, 1 << 20)
        self.taken += data
        for answer in self._answers.to(data):
            os.write(self.master, answer)
        return data


class SlowLink:
    """Delivers what a program writes at `rate` bytes a second, each byte `delay` seconds later."""

    def __init__(self, program: Program, rate: float, delay: float) -> None:
        self._program = program
        self._rate = rate
        self._delay = delay
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._answers = Answers()
        self.delivered: list[tuple[float, bytes]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _carry(self) -> None:
        held = bytearray()
        free_at = time.perf_counter()
        while not self._over.is_set():
            room = IN_FLIGHT - len(held)
            if room > 0 and select.select([self._program.master], [], [], 0.002)[0]:
                held += os.read(self._program.master, room)
            now = time.perf_counter()
            if not held:
                free_at = max(free_at, now)
            sent = min(len(held), int((now - free_at) * self._rate))
            if sent:
                free_at += sent / self._rate
                self._waiting.append((now + self._delay, bytes(held[:sent])))
                del held[:sent]
            while self._waiting and self._waiting[0][0] <= now:
                at, data = self._waiting.popleft()
                self.delivered.append((at, data))
                # The answer takes its time back, too: the program gets it a delay later.
                if answers := self._answers.to(data):
                    sending = (self._program.master, b"".join(answers))
                    threading.Timer(self._delay, os.write, sending).start()


def screens(program: Program, delivered: list[tuple[float, bytes]], row: int) -> list[tuple[float, str]]:
    """What stood in a row of the screen after each delivery."""
    screen = pyte.Screen(program.columns, program.rows)
    stream = pyte.ByteStream(screen)
    stream.feed(bytes(program.taken))
    found = []
    for at, data in delivered:
        stream.feed(data)
        found.append((at, str(screen.display[row])))
    return found
