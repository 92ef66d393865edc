"""The explorer's end of a model in a process of its own.

Nothing here waits for the process: questions go out from one thread and answers come in on another, so a model that
takes minutes to load, hangs or dies costs no key. Of questions that were not sent yet only the last is sent; of those
sent, the process drops what was overtaken.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.errors import RnnvizError, Unavailable
from rnnviz.store.schema import SymbolUnit
from rnnviz.tui.playground.protocol import BrokenStream, Message, receive, send

Symbol = int | str
"""A byte, a character or a word."""
Value = TypeVar("Value", bound=np.generic)

_ERRORS: Final = {cls.__name__: cls for cls in RnnvizError.__subclasses__()}
_PATIENCE: Final = 5.0
"""Seconds to wait for a process that was killed."""


@dataclass(frozen=True)
class Wanted:
    """Which model a process is to open."""

    model: Literal["recurrent", "ngram"]
    path: Path
    n: int = 0
    """How many symbols an n-gram model looks back."""


@dataclass(frozen=True)
class Opened:
    """What the process says of the model it has loaded."""

    layers: int
    hidden: int
    signals: tuple[str, ...]
    symbols: SymbolUnit
    """What a symbol is to the model."""
    longest: int
    """Symbols of a text that are read at most."""
    read_as: Symbol | None
    """The symbol as which a recurrent model reads unknown ones; None where it reads none."""


@dataclass(frozen=True)
class Question:
    """What is asked of a text: everything at its cursor, and one cell over its bytes start…stop."""

    text: bytes
    cursor: int
    start: int = 0
    stop: int = 0
    unfinished: bool = False
    """Whether a word at the end of the text may still grow, and is not to be read yet."""
    layer: int = 0
    unit: int = 0
    signal: str = ""
    """Empty for none."""
    draw: tuple[float, int] | None = None
    """Temperature and seed, where the model is to say how it would go on."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What a model made of a question's text so far. Its symbols are bytes, characters or words of it."""

    question: Question
    of: int
    """Symbols of the text."""
    read: int
    """Symbols that were read."""
    complete: bool
    nats: float
    """The sum of the surprisals of `counted` symbols."""
    counted: int
    before: int
    """Symbols before the cursor; where it stands inside a symbol, those before that one."""
    first: int
    """The symbol that `question.start` is in."""
    strange: int
    """How many symbols the vocabulary does not have."""
    refused: int | None
    """The first symbol that the model cannot read."""
    expected: tuple[tuple[Symbol, float], ...]
    """The ten likeliest symbols after those before the cursor and their log p; none where they are not known yet."""
    came: int | None
    """Which of them stands in the text."""
    edges: NDArray[np.int32]
    """Where each symbol begins in the text, and where the last one ends; empty where symbols are bytes."""
    shade: NDArray[np.float16]
    """The cell's signal from symbol `first` on, as far as it is read."""
    surprises: NDArray[np.float32]
    """How surprising each symbol was itself, likewise; NaN where that is not known."""
    unknown: NDArray[np.uint8]
    """From symbol `first` on, 1 where the vocabulary does not have it."""
    surprisal_before: float
    surprisal_after: float
    """Of the symbols before and after the cursor; NaN where there is none or it is unknown."""
    drawn: bytes
    """What the text goes on with at its end; empty where that was not asked."""

    def span(self, symbol: int) -> tuple[int, int]:
        """The bytes, (start, stop), that a symbol is."""
        return (
            (symbol, symbol + 1) if not len(self.edges) else tuple(self.edges[symbol : symbol + 2].tolist())
        )

    def symbol(self, number: int) -> Symbol:
        """What a symbol of the text is: a byte, or the string that stands there."""
        start, stop = self.span(number)
        data = self.question.text[start:stop]
        return data.decode(errors="replace") if len(self.edges) else data[0]

    def alike(self, text: bytes) -> int:
        """Up to which byte it holds for a text: it may be about an earlier one, which was the same so far."""
        asked = self.question.text
        if asked is text:
            return len(text)
        shorter = min(len(asked), len(text))
        a, b = (np.frombuffer(data, np.uint8)[:shorter] for data in (asked, text))
        differ = np.flatnonzero(a != b)
        return int(differ[0]) if len(differ) else shorter

    def by_byte(self, values: NDArray[Value]) -> tuple[int, NDArray[Value]]:
        """One value a symbol from `first` on, as one value a byte, and the byte that the first of them is for."""
        if not len(self.edges):
            return self.first, values
        edges = self.edges[self.first : self.first + len(values) + 1]
        return int(edges[0]), np.repeat(values, np.diff(edges))


class LiveModel:
    """One model in a process of its own. `arrived` is called from a thread whenever something here has changed.

    To be made in the program's main thread: on Linux the process ends when the thread that started it does.
    """

    def __init__(self, wanted: Wanted, arrived: Callable[[], None]) -> None:
        self.wanted = wanted
        self.opened: Opened | None = None
        self.failure: RnnvizError | None = None
        """Why there is no model: it could not be opened, or its process has ended."""
        self.answer: Answer | None = None
        """The latest."""
        self.since = time.monotonic()
        """When it was started, or the oldest question that waits for an answer was asked."""
        self._arrived = arrived
        self._changed = threading.Condition()
        self._next: Question | None = None
        self._asked: dict[int, Question] = {}
        self._number = 0
        self._closed = False
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115
        # -P: what lies in the directory the explorer was started in is no module of the process.
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "rnnviz.tui.playground.model_process", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            start_new_session=True,
        )
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._listen, self._speak)]
        for thread in self._threads:
            thread.start()

    @property
    def loading(self) -> bool:
        return self.opened is None and self.failure is None

    @property
    def waiting(self) -> float:
        """Seconds for which a question, or the opening, has had no answer; 0 where none is waited for."""
        with self._changed:
            idle = self.failure is not None or (self.opened and not self._asked and self._next is None)
            return 0.0 if idle else time.monotonic() - self.since

    def ask(self, question: Question) -> None:
        """Ask as soon as the model is there. Takes the place of what was asked and not sent."""
        with self._changed:
            if not self._asked and self._next is None and self.opened is not None:
                self.since = time.monotonic()
            self._next = question
            self._changed.notify()

    def close(self) -> None:
        """End the process and forget it."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self.process.kill()
        self.process.wait(_PATIENCE)
        for thread in self._threads:
            thread.join(_PATIENCE)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):  # what was not sent yet has no reader
                stream.close()
        self._complaints.close()

    # In the speaking thread

    def _speak(self) -> None:
        stream = self.process.stdin
        assert stream is not None
        wanted = {**asdict(self.wanted), "path": str(self.wanted.path.absolute())}
        try:
            send(stream, Message({"what": "open", **wanted}))
            while (message := self._next_message()) is not None:
                send(stream, message)
        except OSError:
            pass  # the process has ended, which the listening thread finds out too

    def _next_message(self) -> Message | None:
        with self._changed:
            while (self._next is None or self.opened is None) and not self._closed:
                self._changed.wait()
            if self._closed or self._next is None:
                return None
            question, self._next = self._next, None
            self._number += 1
            self._asked[self._number] = question
        header = asdict(question)
        text = np.frombuffer(header.pop("text"), np.uint8)
        return Message({"what": "read", "number": self._number, **header}, {"text": text})

    # In the listening thread

    def _listen(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        try:
            while (message := receive(stream)) is not None:
                self._hear(message)
                self._arrived()
        except BrokenStream as broken:
            self.process.kill()
            self._fail(Unavailable(f"the model's process said what cannot be understood: {broken}"))
        code = self.process.wait()
        with self._changed:
            closed = self._closed
        if not closed and self.failure is None:
            self._fail(self._ending(code))
            self._arrived()

    def _hear(self, message: Message) -> None:
        header = dict(message.header)
        match message.what:
            case "opened":
                opened = Opened(
                    layers=header["layers"],
                    hidden=header["hidden"],
                    signals=tuple(header["signals"]),
                    symbols=header["symbols"],
                    longest=header["longest"],
                    read_as=header["read_as"],
                )
                with self._changed:
                    self.opened, self.since = opened, time.monotonic()
                    self._changed.notify()
            case "failed":
                kind = _ERRORS.get(header["kind"], Unavailable)
                self._fail(kind(header["message"], header["hint"]))
            case "values":
                self._keep(header, message.arrays)

    def _keep(self, header: dict[str, Any], arrays: Any) -> None:
        before, after = arrays["surprisal"].tolist()
        with self._changed:
            question = self._asked[header["number"]]
            over = [number for number in self._asked if number < header["number"] + header["complete"]]
            for number in over:
                del self._asked[number]
            self.since = time.monotonic()
            self.answer = Answer(
                question=question,
                of=header["of"],
                read=header["read"],
                complete=header["complete"],
                nats=header["nats"],
                counted=header["counted"],
                before=header["before"],
                first=header["first"],
                strange=header["strange"],
                refused=header["refused"],
                expected=tuple((symbol, log_p) for symbol, log_p in header["expected"]),
                came=header["came"],
                edges=arrays["edges"],
                shade=arrays["shade"],
                surprises=arrays["surprises"],
                unknown=arrays["unknown"],
                surprisal_before=before,
                surprisal_after=after,
                drawn=arrays["drawn"].tobytes(),
            )

    def _fail(self, failure: RnnvizError) -> None:
        with self._changed:
            self.failure = failure
            self._changed.notify()

    def _ending(self, code: int) -> RnnvizError:
        """Why the process ended, as far as it is known."""
        if code < 0:
            reason = f"was killed by signal {-code}" + (", as for want of memory" if code == -9 else "")
        else:
            reason = f"ended with code {code}"
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return Unavailable(f"the model's process {reason}" + (f": {last[:200]}" if last else ""))
