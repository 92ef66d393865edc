"""The process in which one model reads what is typed: `python -m rnnviz.tui.playground.model_process PARENT`.

The explorer starts it and speaks `rnnviz.tui.playground.protocol` with it. It ends with the explorer: when the pipe
closes, and on Linux, whatever it is doing, when its parent dies.
"""

from __future__ import annotations

import ctypes
import math
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.errors import RnnvizError
from rnnviz.tui.playground.protocol import BrokenStream, Message, receive, send

if TYPE_CHECKING:
    from rnnviz.engine.playground.reading import LiveReading

ANSWER_EVERY: Final = 0.1
"""Seconds between two answers while a long text is being read."""

EXPECTED: Final = 10
"""Symbols that are named of those a model expects."""
LONGEST_NAME: Final = 60
"""Characters of such a name."""

_PR_SET_PDEATHSIG: Final = 1


class Inbox:
    """What the explorer says, read in a thread: of several questions only the last is worth an answer."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def first(self) -> Message:
        """Wait for the first message."""
        return self._messages.get()

    def latest(self) -> Message:
        """Wait for a message; of those that have come, the last."""
        message = self._messages.get()
        while self.overtaken:
            message = self._messages.get()
        return message

    @property
    def overtaken(self) -> bool:
        """Whether something newer has come."""
        return not self._messages.empty()

    def _read(self) -> None:
        try:
            while (message := receive(self._stream)) is not None:
                self._messages.put(message)
        except BrokenStream:
            os._exit(1)
        # Nobody is there to answer. The main thread may be deep in torch: it is not asked.
        os._exit(0)


def main() -> None:
    """Serve the process that started this one until it is gone."""
    _die_with(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the explorer to understand
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no message
    inbox = Inbox(os.fdopen(os.dup(0), "rb"))
    try:
        serve(inbox, answers)
    except BrokenPipeError:
        os._exit(0)


def serve(inbox: Inbox, answers: BinaryIO) -> None:
    """Open the model that the first message names, and answer what is asked of it from then on."""
    try:
        reading, described = _open(inbox.first())
    except RnnvizError as error:
        failed = {"what": "failed", "kind": type(error).__name__}
        send(answers, Message({**failed, "message": error.message, "hint": error.hint}))
        return
    send(answers, Message({"what": "opened", **described}))
    while True:
        answer(reading, inbox.latest(), inbox, answers)


def answer(reading: LiveReading, question: Message, inbox: Inbox, answers: BinaryIO) -> None:
    """Read the question's text and answer, more than once if it takes long; not to the end if overtaken."""
    due = time.monotonic() + ANSWER_EVERY
    for _ in reading.follow(question.arrays["text"], unfinished=question.header["unfinished"]):
        if inbox.overtaken:
            return
        if time.monotonic() >= due:
            send(answers, _values(reading, question, complete=False))
            due = time.monotonic() + ANSWER_EVERY
    send(answers, _values(reading, question, complete=True))


def _open(message: Message) -> tuple[LiveReading, dict[str, object]]:
    path = Path(message.header["path"])
    described: dict[str, object] = {"layers": 0, "hidden": 0, "read_as": None}
    if message.header["model"] == "ngram":
        from rnnviz.engine.playground.ngram_reading import open_ngram

        reading: LiveReading = open_ngram(path, message.header["n"])
    else:
        from rnnviz.engine.playground.recurrent_reading import open_recurrent

        recurrent = reading = open_recurrent(path)
        described["layers"], described["hidden"] = recurrent.model.layers, recurrent.model.hidden
        described["read_as"] = recurrent.typed.read_as
    described["signals"], described["longest"] = list(reading.signals), reading.longest
    return reading, {**described, "symbols": reading.typed.unit}


def _values(reading: LiveReading, question: Message, *, complete: bool) -> Message:
    asked, typed, length = question.header, reading.typed, reading.length
    surprisal = reading.surprisal(0, length)
    known = surprisal[~np.isnan(surprisal)]
    before, count = typed.before(asked["cursor"]), len(typed.codes)
    first, last = (typed.before(asked["start"]), typed.before(asked["stop"] - 1) + 1)
    stretch = slice(first, max(first, last))
    refused = len(typed.readable)
    expected, came, after = _expected(reading, before)
    return Message(
        {
            "what": "values",
            "number": asked["number"],
            "of": count,
            "read": length,
            "complete": complete,
            "nats": float(known.sum(dtype=np.float64)),
            "counted": len(known),
            "before": before,
            "first": first,
            "strange": int(np.count_nonzero(typed.strange)),
            "refused": refused if refused < count else None,
            "expected": expected,
            "came": came,
        },
        {
            "edges": typed.edges,
            "shade": _shade(reading, asked, stretch),
            "surprises": _surprises(reading, stretch.start, stretch.stop),
            "unknown": typed.strange[stretch].astype(np.uint8),
            "surprisal": np.array([_surprise(reading, before - 1), after], np.float32),
            "drawn": _drawn(reading, asked) if complete else np.empty(0, np.uint8),
        },
    )


def _surprises(reading: LiveReading, start: int, stop: int) -> NDArray[np.float32]:
    """How surprising the symbols start…stop were themselves, as far as they are read; NaN where that is not known."""
    stop = min(stop, reading.length)
    if start >= stop:
        return np.empty(0, np.float32)
    found = reading.surprisal(max(0, start - 1), stop - 1)
    return found if start else np.append(np.float32(np.nan), found)


def _surprise(reading: LiveReading, symbol: int) -> float:
    """How surprising one symbol was; NaN where that is not known."""
    return float(_surprises(reading, symbol, symbol + 1)[0]) if 0 <= symbol < reading.length else math.nan


def _expected(reading: LiveReading, before: int) -> tuple[list[tuple[int | str, float]], int | None, float]:
    """The likeliest symbols after the first `before` ones, which of them came, and how surprising what came was.

    Where that is a word that may still grow, it is taken as it stands.
    """
    from rnnviz.engine.playground.reading import likeliest

    typed, after = reading.typed, _surprise(reading, before)
    if not 0 < before <= reading.length:
        return [], None, after
    log_p = reading.next(before)
    symbols = likeliest(log_p, EXPECTED)
    code = int(typed.codes[before]) if before < len(typed.codes) else typed.begun
    if before == len(typed.codes) and code >= 0:
        after = -float(log_p[code])
    named = [(_short(typed.name(symbol)), float(log_p[symbol])) for symbol in symbols]
    return named, symbols.index(code) if code in symbols else None, after


def _short(name: int | str) -> int | str:
    """A token may be thousands of characters long; a screen shows few."""
    return name if isinstance(name, int) else name[:LONGEST_NAME]


def _drawn(reading: LiveReading, asked: Mapping[str, Any]) -> NDArray[np.uint8]:
    """What the text goes on with, if that is asked and all of it is read."""
    from rnnviz.engine.playground.reading import drawn

    typed, length = reading.typed, reading.length
    is_whole = 0 < length == len(typed.codes) < reading.longest
    if asked["draw"] is None or not is_whole or not typed.speakable.any():
        return np.empty(0, np.uint8)
    temperature, seed = asked["draw"]
    log_p = np.where(typed.speakable, reading.next(length), np.float32(-np.inf))
    return np.frombuffer(typed.written(drawn(log_p, temperature, seed, length)), np.uint8)


def _shade(reading: LiveReading, asked: Mapping[str, Any], stretch: slice) -> NDArray[np.float16]:
    """The cell's signal over the stretch that is on the screen, as far as it is read; nothing where none is asked."""
    if asked["signal"] not in reading.signals:
        return np.empty(0, np.float16)
    start, stop = min(stretch.start, reading.length), min(stretch.stop, reading.length)
    return reading.values(asked["layer"], asked["signal"], asked["unit"], start, stop)


def _die_with(parent: int) -> None:
    """Have the kernel end this process when its parent ends, where it can (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it has ended already
        os._exit(0)


if __name__ == "__main__":
    main()
