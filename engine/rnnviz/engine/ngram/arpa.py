"""Writing ARPA files, the text format of n-gram models that every toolkit reads.

A symbol is written as two hex digits, so that space and newline are ordinary words; `<unk>`, `<s>` and `</s>` keep
their names. A line is then as long as any other of its order: lines are built side by side as the columns of a byte
matrix, at some 100 ns each, where formatting them one by one would take ten times as long.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Generator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from rnnviz.engine.ngram.counting import BEGIN, END, FIRST, Sentence
from rnnviz.engine.ngram.kneser_ney import Estimate, Log10
from rnnviz.engine.progress import Progress

WORDS: Final = tuple(f"{byte:02x}" for byte in range(256))
"""How each byte is written."""

LINES: Final = 1 << 16
"""Lines that are built at a time."""

DECIMALS: Final = 8
_SCALE: Final = 10**DECIMALS
_RENDERED: Final = np.frombuffer((" ".join(WORDS) + " ").encode(), np.uint8).reshape(-1, 3)
_FOURS: Final = np.frombuffer("".join(f"{n:04}" for n in range(10_000)).encode(), np.uint8).reshape(-1, 4)

GZIP_LEVEL: Final = 1
"""The files are read once or twice and are large."""

SHORTEST_LINE: Final = 4
"""Bytes of a line that readers accept: a digit, a tab, a letter, a newline."""
GREATEST_RATIO: Final = 1032
"""What gzip can make of a byte."""
LONGEST_HEADER: Final = 128
"""Lines of a header that are looked at, and bytes of each."""

Bytes = NDArray[np.uint8]


def render(data: Bytes) -> Bytes:
    """Every byte as its word and a space: uint8 [3 · bytes]."""
    return _RENDERED.take(data, axis=0).reshape(-1)


def write_arpa(path: Path, estimate: Estimate, model: int) -> Generator[Progress, None, None]:
    """Write the model of order `model`; compressed if the name ends in `.gz`. Progress counts lines.

    The file appears under its name when it is whole.
    """
    temporary = path.with_name(f".{path.name}.new")
    counts = [int(estimate.inner[order].real.sum()) for order in range(model)]
    counts[0] += 1
    total = sum(counts)
    try:
        with temporary.open("wb") as plain:
            file = gzip.GzipFile("", "wb", GZIP_LEVEL, plain, 0) if path.suffix == ".gz" else plain
            done = 0
            yield Progress(done, total, path.name)
            file.write(_header(counts))
            for order in range(1, model + 1):
                file.write(f"\n\\{order}-grams:\n".encode())
                if order == 1:
                    file.write(f"{estimate.unknown:.{DECIMALS}f}\t<unk>\t0\n".encode())
                for lines, count in _lines(estimate, order, model):
                    file.write(lines)
                    done += count
                    yield Progress(done, total, path.name)
            file.write(b"\n\\end\\\n")
            if file is not plain:
                file.close()
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def claims_too_much(path: Path) -> bool:
    """Whether a file's header announces more n-grams than its bytes could hold: a reader would take memory for them.

    False for what is no ARPA file or cannot be read, which readers refuse by themselves.
    """
    packed = path.suffix == ".gz"
    claimed = 0
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            for _ in range(LONGEST_HEADER):
                line = file.readline(LONGEST_HEADER)
                name, _, count = line.partition(b"=")
                if name.startswith(b"ngram ") and count.strip().isdigit():
                    claimed += int(count)
                elif line.startswith(b"\\1-grams"):
                    break
    except (OSError, EOFError, zlib.error):
        return False
    return claimed * SHORTEST_LINE > path.stat().st_size * (GREATEST_RATIO if packed else 1)


def _header(counts: list[int]) -> bytes:
    lines = ["\\data\\", *(f"ngram {order}={count}" for order, count in enumerate(counts, 1))]
    return ("\n".join(lines) + "\n").encode()


def _lines(estimate: Estimate, order: int, model: int) -> Generator[tuple[bytes, int], None, None]:
    """The lines of an order, in pieces, and how many there are in each."""
    inner = estimate.inner[order - 1]
    probabilities = estimate.probabilities(order, model)
    backoffs = estimate.backoffs(order, model) if order < model else None
    end = len(estimate.sentence) - 1
    plain = (inner.ends >= order) & (inner.ends < end)
    # The gram that begins with <s>, if it is real, and the one that ends with </s>.
    odd = np.flatnonzero(~plain & inner.real)
    if len(odd):
        yield b"".join(_line(estimate, order, row, probabilities, backoffs) for row in odd.tolist()), len(odd)
    rows = np.flatnonzero(plain)
    data = estimate.sentence.data
    grams = sliding_window_view(data, order) if len(rows) else data
    for start in range(0, len(rows), LINES):
        piece = rows[start : start + LINES]
        words = render(grams[inner.ends[piece] - order]).reshape(len(piece), -1)[:, :-1]
        columns = [_digits(probabilities[piece]), _column(b"\t", len(piece)), words]
        if backoffs is not None:
            columns += [_column(b"\t", len(piece)), _digits(backoffs[piece])]
        columns.append(_column(b"\n", len(piece)))
        yield np.concatenate(columns, axis=1).tobytes(), len(piece)


def _line(estimate: Estimate, order: int, row: int, probabilities: Log10, backoffs: Log10 | None) -> bytes:
    """One line, of a gram with `<s>` or `</s>` in it."""
    end = int(estimate.inner[order - 1].ends[row])
    codes = estimate.sentence.codes(end - order + 1, end + 1)
    words = " ".join(_word(estimate.sentence, code) for code in codes.tolist())
    fields = [f"{probabilities[row]:.{DECIMALS}f}", words]
    if backoffs is not None:
        fields.append(f"{backoffs[row]:.{DECIMALS}f}")
    return ("\t".join(fields) + "\n").encode()


def _word(sentence: Sentence, code: int) -> str:
    return {BEGIN: "<s>", END: "</s>"}.get(code) or WORDS[sentence.symbols[code - FIRST]]


def _column(byte: bytes, lines: int) -> Bytes:
    return np.full((lines, 1), byte[0], np.uint8)


def _digits(values: Log10) -> Bytes:
    """Numbers from -99 to 0 as text of one width: uint8 [value, width]."""
    scaled = np.rint(values.astype(np.float64) * -_SCALE).astype(np.int64)
    whole, fraction = np.divmod(scaled, _SCALE)
    width = 1 if int(whole.max()) < 10 else 2
    text = np.empty((len(values), 2 + width + DECIMALS), np.uint8)
    text[:, 0] = ord("-")
    text[:, 1 : 1 + width] = _FOURS[whole, 4 - width :]
    text[:, 1 + width] = ord(".")
    text[:, 2 + width : 6 + width] = _FOURS[fraction // 10_000]
    text[:, 6 + width :] = _FOURS[fraction % 10_000]
    return text
