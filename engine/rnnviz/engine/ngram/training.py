"""Making a directory of n-gram models of the train part of a text.

The rows of the train part are joined into one sentence. Our own estimator works in memory and serves all orders in
one go; `lmplz`, KenLM's, works on disk with a bounded amount of memory, one order after the other.
"""

from __future__ import annotations

import gzip
import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Generator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.ngram.arpa import GZIP_LEVEL, render, write_arpa
from rnnviz.engine.ngram.counting import Sentence
from rnnviz.engine.ngram.directory import EstimatorName, NgramModels, clear, refuse_taken
from rnnviz.engine.ngram.kneser_ney import estimate
from rnnviz.engine.ngram.memory_bounds import most_grams, refuse_too_large
from rnnviz.engine.ngram.scorers.scorer import scorer_of
from rnnviz.engine.progress import Progress
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.engine.text.split import PartName, Split, spans
from rnnviz.engine.text.text import PIECE, Text
from rnnviz.engine.text.text_record import TextRecord
from rnnviz.store.disk import make_directory, storage_errors
from rnnviz.store.errors import InvalidText, Unavailable

Result = TypeVar("Result")

LMPLZ_MEMORY: Final = "2G"
"""What `lmplz` sorts in; it takes little more."""

STAGE: Final = re.compile(rb"^=== (\d)/(\d) ([ -~]+) ===$", re.MULTILINE)
"""A heading of `lmplz`."""

MOST_SAID: Final = 1 << 16
"""Bytes that are looked at of what KenLM's programs say: they print a few thousand."""


def start_ngrams(
    path: Path,
    text: Text,
    orders: tuple[int, ...],
    split: Split,
    *,
    estimator: EstimatorName = "own",
    compressed: bool = False,
    seed: int = 0,
    command: str,
    spec: str | None,
    glob: str,
    force: bool,
) -> NgramModels:
    """Make the directory that `train_ngrams` fills. `spec`, `glob` and `seed` say how to open the text again.

    Raises, before anything is written: Unavailable when `lmplz` is to be used and not there, AlreadyExists when the
    path is taken, InvalidText when the train part is shorter than the greatest n,
    InvalidRequest when estimating would take more memory than the machine has whatever the text; StorageFailure.
    """
    if estimator == "lmplz" and shutil.which("lmplz") is None:
        raise Unavailable(
            "lmplz, KenLM's estimator, is not on the PATH",
            "Build KenLM's programs and add their folder to PATH, or leave --estimator out.",
        )
    refuse_taken(path, force)
    train = spans(text.length, split, "train")
    symbols = len(train) * train[0].length
    if symbols < orders[-1]:
        raise InvalidText(
            f"the train part has {symbols:,} symbols: nothing looks back n = {orders[-1]} of them",
            "Give a longer text, or a smaller --n.",
        )
    vocabulary = Vocabulary.of(text)
    if estimator == "own":
        refuse_too_large(symbols, len(vocabulary), orders[-1] + 1)
    models = NgramModels(
        path=path,
        orders=orders,
        text=TextRecord.of(text, path, spec, glob),
        split=split,
        seed=seed,
        vocabulary=vocabulary,
        estimator=estimator,
        compressed=compressed,
        versions={
            "rnnviz": version("rnnviz"),
            "numpy": version("numpy"),
            "python": platform.python_version(),
        },
        command=command,
    )
    make_directory(path)
    with storage_errors(path, "Choose another place with --out."):
        clear(path)
    models.save()
    return models


def train_ngrams(models: NgramModels, text: Text) -> Generator[Progress, None, tuple[str, ...]]:
    """Estimate and write the models. Returns what else there is to say, a sentence each.

    Raises InvalidRequest where the text turns out to have more distinct grams than the machine's memory holds.
    """
    if models.estimator == "own":
        yield from _estimate(models, part_of(text, models.split, "train"))
    else:
        yield from _run_lmplz(models, text)
    notes = yield from _build_binaries(models, text.length)
    replace(models, complete=True).save()
    return notes


def part_of(text: Text, split: Split, part: PartName) -> NDArray[np.uint8]:
    """The rows of a part, joined: uint8 [symbols]."""
    found = spans(text.length, split, part)
    data = np.empty(sum(span.length for span in found), np.uint8)
    filled = 0
    for span in found:
        data[filled : filled + span.length] = text.read(span.start, span.start + span.length)
        filled += span.length
    return data


def _estimate(models: NgramModels, data: NDArray[np.uint8]) -> Generator[Progress, None, None]:
    orders = [n + 1 for n in models.orders]
    # Each model writes about as many symbols' worth as each of its orders took to estimate.
    estimating = estimate(Sentence.of(data), orders, most_grams(len(data), orders[-1]))
    estimated = yield from _scaled(estimating, len(data), 0, 1 + len(orders))
    for index, order in enumerate(orders, 1):
        writing = write_arpa(models.arpa(order - 1), estimated, order)
        yield from _scaled(writing, len(data), index, 1 + len(orders))


def _scaled(
    events: Generator[Progress, None, Result], symbols: int, step: int, steps: int
) -> Generator[Progress, None, Result]:
    """The progress of one of several steps over the same symbols."""
    while True:
        try:
            event = next(events)
        except StopIteration as stop:
            result: Result = stop.value
            return result
        share = event.done / event.total if event.total else 1
        yield Progress(int((step + share) * symbols), steps * symbols, event.detail)


def _run_lmplz(models: NgramModels, text: Text) -> Generator[Progress, None, None]:
    """Neither the text nor what is counted is held in memory."""
    words = models.path / "words.new"
    train = spans(text.length, models.split, "train")
    symbols = len(train) * train[0].length
    total = len(models.orders) * symbols
    try:
        with words.open("wb") as file:
            for span in train:
                yield Progress(0, total, "writing the train part for lmplz")
                for start in range(span.start, span.start + span.length, PIECE):
                    file.write(render(text.read(start, min(start + PIECE, span.start + span.length))).data)
            file.write(b"\n")
        for index, n in enumerate(models.orders):
            target = models.arpa(n)
            new = target.with_name(f".{target.name}.new")
            command = ["lmplz", "-o", str(n + 1), "--discount_fallback", "-S", LMPLZ_MEMORY]
            command += ["-T", str(models.path), "--text", str(words), "--arpa", str(new)]
            try:
                complaint = yield from _run(command, symbols, index, len(models.orders), f"lmplz, n = {n}")
                if complaint is not None:
                    raise Unavailable(
                        f"lmplz failed: {complaint}", "Leave --estimator out, or see its manual."
                    )
                _put(new, target, compressed=models.compressed)
            finally:
                new.unlink(missing_ok=True)
    finally:
        words.unlink(missing_ok=True)


def _put(new: Path, target: Path, *, compressed: bool) -> None:
    if not compressed:
        new.replace(target)
        return
    packed = new.with_name(f"{new.name}.packed")
    try:
        with new.open("rb") as plain, gzip.open(packed, "wb", GZIP_LEVEL) as file:
            shutil.copyfileobj(plain, file, 1 << 20)
        packed.replace(target)
    finally:
        packed.unlink(missing_ok=True)


def _build_binaries(models: NgramModels, symbols: int) -> Generator[Progress, None, tuple[str, ...]]:
    """KenLM's binaries load at once where ARPA files are parsed. Nothing is missing without them."""
    if shutil.which("build_binary") is None:
        if all(scorer_of(n) == "own" for n in models.orders):
            return ()  # KenLM would not read them
        return (
            "build_binary is not on the PATH, so KenLM parses the ARPA files each time, which is slower and no "
            "less right; KenLM (https://github.com/kpu/kenlm) makes it: with it on the PATH, train again with --force",
        )
    notes = []
    for index, n in enumerate(models.orders):
        target = models.binary(n)
        new = target.with_name(f".{target.name}.new")
        try:
            complaint = yield from _run(
                ["build_binary", "-T", str(models.path), str(models.arpa(n)), str(new)],
                symbols,
                index,
                len(models.orders),
                f"build_binary, n = {n}",
            )
            if complaint is None:
                new.replace(target)
            else:
                notes.append(f"no binary for n = {n}: {complaint}")
        finally:
            new.unlink(missing_ok=True)
    return tuple(notes)


def _run(
    command: list[str], symbols: int, step: int, steps: int, detail: str
) -> Generator[Progress, None, str | None]:
    """Run one of KenLM's programs as a step of several over the same symbols, yielding now and then how far it says
    it is. The last line of its complaint, if it failed. It is ended when the iterator is closed.
    """
    complaints = Path(command[-1] + ".log")
    with complaints.open("w+b") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        complaints.unlink()
        try:
            while process.poll() is None:
                stage, share = _progress(os.pread(log.fileno(), MOST_SAID, 0))
                done = int((step + share) * symbols)
                yield Progress(done, steps * symbols, ": ".join(filter(None, (detail, stage))))
                time.sleep(0.1)
        finally:
            process.kill()
        log.seek(0)
        lines = log.read()[-4096:].decode("utf-8", "replace").split("\n")
    if process.returncode == 0:
        return None
    said = [line.strip() for line in lines if line.strip()]
    return "".join(c for c in said[-1] if c.isprintable()) if said else f"exit code {process.returncode}"


def _progress(said: bytes) -> tuple[str, float]:
    """What KenLM's programs are at and how much of it all is done: they print a heading for each of their stages, and
    below it a hundred asterisks as it goes on."""
    headings = list(STAGE.finditer(said))
    if not headings:
        return "", min(said.count(b"*"), 100) / 100
    stage, stages, name = headings[-1].groups()
    stars = said.count(b"*", headings[-1].end())
    return name.decode("ascii", "replace").lower(), (int(stage) - 1 + min(stars, 100) / 100) / int(stages)
