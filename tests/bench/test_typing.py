"""How long a typed key takes, at the size of the paper's models of about 1.3 million parameters: 3×241.

Prints what a key costs in the model's process, there and back, and in the whole explorer in a real pseudo-terminal,
beside one bare step of `torch.nn.LSTM` and what one would write first: the whole text read again at each key. Asserts
nothing about time.
"""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from rnnviz.engine.capture.capture import capture
from rnnviz.engine.models.recurrent import RecurrentModel, initialise
from rnnviz.engine.runs.run import Run, RunConfig
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.engine.text.text import Text, open_text
from rnnviz.engine.training.train import start_run
from rnnviz.store.schema import SymbolUnit
from rnnviz.tui.playground.model_client import LiveModel, Question, Wanted
from support.token_runs import imported_run

ROOT = Path(__file__).parents[2]
KEYS = 60
BEFORE = 1000
"""Symbols on the page before the keys that are measured."""
LONG = 10_000
SILENCE = 0.15
"""Seconds without a byte after which a key counts as drawn."""


@pytest.fixture(scope="module")
def text() -> Text:
    return open_text(str(ROOT / "tui"), glob="*.py")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, text: Text) -> Run:
    """A run of the right size; what its weights are makes no difference to time."""
    config = RunConfig(layers=3, hidden=241, device="cpu")
    path = tmp_path_factory.mktemp("typing") / "run"
    made = start_run(path, text, config, command="rnnviz train", spec=None, glob="*.py", force=False)
    model = made.build()
    initialise(model, 0, 0.08)
    made.save_model(model)
    return made


def milliseconds(work: Callable[[], object], times: int = KEYS) -> list[float]:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append((time.perf_counter() - start) * 1000)
    return sorted(found)


def row(name: str, found: list[float]) -> None:
    print(f"{name:58} {statistics.median(found):8.1f} {found[int(0.95 * len(found))]:8.1f} ms")


class Asker:
    """A live model, and a wait for each answer."""

    def __init__(self, wanted: Wanted) -> None:
        self.model = LiveModel(wanted, lambda: None)

    def ask(self, text: bytes) -> None:
        start = max(0, len(text) - 4000)
        question = Question(text, len(text), start, len(text), layer=1, unit=3, signal="c")
        self.model.ask(question)
        answer = self.model.answer
        while answer is None or answer.question is not question or not answer.complete:
            assert self.model.failure is None, self.model.failure
            time.sleep(0.0002)
            answer = self.model.answer


def test_keys_in_the_model(run: Run, text: Text, tmp_path: Path) -> None:
    data = text.read(0, LONG + KEYS).tobytes()
    model = run.model(torch.device("cpu"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    print(f"\n3×241, one thread, a page of {BEFORE:,} symbols                     p50      p95")
    row("one step of torch.nn.LSTM, h alone", milliseconds(bare_step(model)))
    row(f"all {BEFORE:,} symbols with torch.nn.LSTM again, h alone", milliseconds(whole_text(model), 5))
    torch.set_num_threads(threads)

    asker = Asker(Wanted("recurrent", run.path))
    asker.ask(data[:BEFORE])
    lengths = iter(range(BEFORE + 1, BEFORE + KEYS + 1))
    row(
        "a key there and back: all signals, predictions, shading",
        milliseconds(lambda: asker.ask(data[: next(lengths)])),
    )
    back = iter(range(BEFORE + KEYS, BEFORE, -1))
    row("a key taken back", milliseconds(lambda: asker.ask(data[: next(back) - 1])))
    asker.ask(b"")
    row(f"a paste of {LONG:,} characters, read to its end", milliseconds(lambda: asker.ask(data[:LONG]), 1))
    lengths = iter(range(LONG + 1, LONG + KEYS + 1))
    row(f"a key after {LONG:,} symbols", milliseconds(lambda: asker.ask(data[: next(lengths)])))
    asker.model.close()

    directory = tmp_path / "ngrams"
    command = [sys.executable, "-m", "rnnviz", "ngram", "train", str(ROOT / "tui"), "--glob", "*.py"]
    subprocess.run([*command, "--n", "20", "--out", str(directory)], check=True, capture_output=True)
    asker = Asker(Wanted("ngram", directory, 20))
    start = time.perf_counter()
    asker.ask(data[:BEFORE])
    print(
        f"{'a 20-gram of 0.4 MB of text, loaded in the background':58} {(time.perf_counter() - start) * 1000:8.0f} ms"
    )
    lengths = iter(range(BEFORE + 1, BEFORE + KEYS + 1))
    row("a key there and back, 20-gram", milliseconds(lambda: asker.ask(data[: next(lengths)])))
    asker.model.close()


@pytest.mark.parametrize(("unit", "count"), [("character", 200), ("word", 10_000), ("word", 50_000)])
def test_keys_over_tokens(tmp_path: Path, unit: SymbolUnit, count: int) -> None:
    tokens = [chr(0x100 + code) for code in range(count)] if unit == "character" else words_of(count)
    run = imported_run(tmp_path / "run", TokenVocabulary(("<unk>", *tokens), unit, 0), layers=3, hidden=241)
    generator, space = random.Random(0), "" if unit == "character" else " "
    typed = [generator.choice(tokens) + space for _ in range(LONG + KEYS)]
    print(f"\n3×241 over {count:,} {unit}s                                       p50      p95")
    asker = Asker(Wanted("recurrent", run.path))
    asker.ask("".join(typed[:BEFORE]).encode())
    lengths = iter(range(BEFORE + 1, BEFORE + KEYS + 1))
    row(
        f"a {unit} there and back, after {BEFORE:,}",
        milliseconds(lambda: asker.ask("".join(typed[: next(lengths)]).encode())),
    )
    asker.ask(b"")
    row(
        f"a paste of {LONG:,} {unit}s, read to its end",
        milliseconds(lambda: asker.ask("".join(typed[:LONG]).encode()), 1),
    )
    lengths = iter(range(LONG + 1, LONG + KEYS + 1))
    row(
        f"a {unit} after {LONG:,}",
        milliseconds(lambda: asker.ask("".join(typed[: next(lengths)]).encode())),
    )
    asker.model.close()


def words_of(count: int) -> list[str]:
    generator = random.Random(1)
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(generator.choices("abcdefghijklmnop", k=generator.randint(2, 9)))] = None
    return list(found)


def bare_step(model: RecurrentModel) -> Callable[[], object]:
    rnn, state = model.rnn, model.zero_state(1)
    one = torch.zeros(1, 1, model.symbols)
    return lambda: _forward(rnn, one, state)


def whole_text(model: RecurrentModel) -> Callable[[], object]:
    rnn, state = model.rnn, model.zero_state(1)
    many = torch.zeros(BEFORE, 1, model.symbols)
    return lambda: _forward(rnn, many, state)


@torch.inference_mode()
def _forward(rnn: torch.nn.Module, x: torch.Tensor, state: tuple[torch.Tensor, ...]) -> None:
    rnn(x, state)


@pytest.mark.parametrize(("columns", "rows"), [(200, 50), (80, 24)])
def test_keys_on_the_screen(run: Run, text: Text, tmp_path: Path, columns: int, rows: int) -> None:
    (tmp_path / "short.py").write_bytes(text.read(0, 5000).tobytes())
    typed = text.read(0, BEFORE + KEYS).tobytes().replace(b"\n", b" ")
    on_the_screen(run, tmp_path, typed[:BEFORE], typed[BEFORE:], columns, rows)


def test_words_on_the_screen(tmp_path: Path) -> None:
    tokens, generator = words_of(10_000), random.Random(0)
    run = imported_run(tmp_path / "run", TokenVocabulary(("<unk>", *tokens), "word", 0), layers=3, hidden=241)
    (tmp_path / "short.py").write_text(" ".join(tokens[:500]))
    typed = " ".join(generator.choices(tokens, k=LONG + KEYS)).encode()
    print(f"\n3×241 over 10,000 words, a page of {LONG:,}")
    on_the_screen(run, tmp_path, typed[: -6 * KEYS], typed[-6 * KEYS :], 200, 50)


def on_the_screen(run: Run, folder: Path, before: bytes, keys: bytes, columns: int, rows: int) -> None:
    """Keys after what is pasted, in a capture of `short.py`."""
    for _ in capture(run, open_text(str(folder / "short.py")), folder / "x.zarr", replace_unknown=True):
        pass
    arguments = ["browse", str(folder / "x.zarr"), "--run", str(run.path)]
    screen = Screen([sys.executable, "-m", "rnnviz", *arguments], columns, rows)
    screen.until(b"mean")
    screen.key(b"i")
    screen.key(b"de de ")
    screen.until(b"nats")  # the model is there
    screen.key(b"\x1b[200~" + before + b"\x1b[201~", silence=5.0)
    found = [screen.key(bytes([byte])) for byte in keys]
    screen.close()
    times = sorted(elapsed * 1000 for elapsed, _ in found)
    size = statistics.mean(count for _, count in found)
    print(
        f"\n{columns}×{rows}: from key to last byte                                p50      p95   (asked: 50 ms)"
    )
    row("a key shaded and predicted, in a terminal", times)
    print(f"{'bytes a key':58} {size:8,.0f}")


class Screen:
    """A program on a pseudo-terminal that answers where its cursor is, as terminals do."""

    def __init__(self, command: list[str], columns: int, rows: int) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)

    def until(self, shown: bytes) -> None:
        """Read until something is shown, and then until all is quiet."""
        seen = b""
        deadline = time.monotonic() + 60
        while shown not in seen:
            assert time.monotonic() < deadline, seen[-2000:]
            if select.select([self._master], [], [], 0.1)[0]:
                seen += self._read()
        self._quiet(0.5)

    def key(self, data: bytes, silence: float = SILENCE) -> tuple[float, int]:
        """Seconds from a key to the last byte it causes, and bytes."""
        start = time.perf_counter()
        os.write(self._master, data)
        last, count = self._quiet(silence)
        return last - start, count

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def _quiet(self, silence: float) -> tuple[float, int]:
        last, count = time.perf_counter(), 0
        while select.select([self._master], [], [], silence)[0]:
            count += len(self._read())
            last = time.perf_counter()
        return last, count

    def _read(self) -> bytes:
        data = os.read(self._master, 1 << 20)
        for _ in range(data.count(b"\x1b[6n")):
            os.write(self._master, b"\x1b[5;5R")
        return data
