"""Regular expressions searched for in a process of its own, which can be ended.

`re` holds the interpreter's lock while it searches, and some patterns (`(\\w+\\s*)+@@`) take longer than anybody lives:
here they would stop every key, Esc and Ctrl-C among them.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path

from rnnviz.analysis import pattern_process as matcher_process
from rnnviz.analysis.pattern_process import ALL, COUNT, REQUEST, SPAN, TOO_LONG
from rnnviz.store.errors import Unavailable

ASK_EVERY = 0.05
"""Seconds between two questions whether to go on."""


class Matcher:
    """One search at a time. The process is started by the first, and ends with this object."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._end: Callable[[], object] = lambda: None

    def matches(
        self,
        pattern: re.Pattern[bytes],
        data: bytes,
        start: int,
        stop: int,
        which: bytes = ALL,
        *,
        seconds: float = 0.0,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> list[tuple[int, int]] | None:
        """What `matcher_process.matches` finds; None if it was cancelled or took more processor time than `seconds`
        (0: it may take any). Raises Unavailable where the process ends of itself."""
        process = self._running()
        assert process.stdin is not None
        request = REQUEST.pack(which, pattern.flags, seconds, len(pattern.pattern), len(data), start, stop)
        try:
            process.stdin.write(request + pattern.pattern + data)
            process.stdin.flush()
            answer = self._read(process, COUNT.size, cancelled)
            if answer is None:
                self.close()
                return None
            (count,) = COUNT.unpack(answer)
            if count == TOO_LONG:
                return None
            spans = self._read(process, count * SPAN.size, lambda: False)
        except (BrokenPipeError, EOFError) as error:
            self.close()
            raise Unavailable("the process that searches has ended", "n searches again.") from error
        return [] if spans is None else [(first, last) for first, last in SPAN.iter_unpack(spans)]

    def close(self) -> None:
        """End the process, whatever it does. The next search starts another."""
        self._end()
        self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            # -I, -S: nothing that lies in the directory, the environment or site-packages is looked at.
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(Path(matcher_process.__file__)), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            self._end = weakref.finalize(self, _end, self._process)
        return self._process

    @staticmethod
    def _read(process: subprocess.Popen[bytes], size: int, cancelled: Callable[[], bool]) -> bytes | None:
        """So many bytes of its answer; None if that was cancelled."""
        assert process.stdout is not None
        found = bytearray()
        while len(found) < size:
            if not select.select([process.stdout], [], [], ASK_EVERY)[0]:
                if cancelled():
                    return None
                continue
            piece = os.read(process.stdout.fileno(), size - len(found))
            if not piece:
                raise EOFError
            found += piece
        return bytes(found)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        with contextlib.suppress(BrokenPipeError):
            stream.close()
