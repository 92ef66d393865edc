"""Typing for models over characters and words: what a person presses, and what stands on the screen after it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.store.reader import Capture, CapturedModel, open_capture
from rnnviz.store.signals import SIGNALS
from rnnviz.tui.paint.shading import SURPRISAL
from support.lively import Typed, capture_of, over_tokens
from support.shades import wait_for_shades
from support.terminal import Terminal
from support.token_runs import CHARACTERS

LONG = "Donaudampfschifffahrtsgesellschaft"
WORDS = TokenVocabulary(
    ("<unk>", "<eos>", "der", "Hund", "Hunde", "schläft", "漢字", "e\u0301", "\x1b[31mrot", LONG, "."),
    "word",
    unknown=0,
    line_end=1,
)


@pytest.fixture(scope="module", name="words")
def _words(tmp_path_factory: pytest.TempPathFactory) -> Typed:
    return over_tokens(tmp_path_factory.mktemp("words"), WORDS, "der Hund schläft .\n" * 40)


@pytest.fixture(scope="module", name="characters")
def _characters(tmp_path_factory: pytest.TempPathFactory) -> Typed:
    return over_tokens(tmp_path_factory.mktemp("characters"), CHARACTERS, "aé bc🙂\ncab" * 40)


@contextmanager
def opened(made: Typed, *options: str, columns: int = 100, rows: int = 30) -> Iterator[Terminal]:
    """The typing screen."""
    with Terminal(["browse", str(made.path), *options], columns=columns, rows=rows) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("i")
        terminal.wait_for_text("typing")
        yield terminal


def of_text(made: Typed, text: str, folder: Path) -> tuple[Capture, CapturedModel]:
    """A capture of just what is typed."""
    folder.mkdir(exist_ok=True)
    (folder / "typed.txt").write_text(text)
    capture = open_capture(capture_of(made.run, folder / "typed.txt", folder / "typed.zarr"))
    return capture, capture.models["tokens"]


def by_byte(
    capture: Capture, model: CapturedModel, layer: int, unit: int
) -> np.ndarray[tuple[int], np.dtype[np.float16]]:
    """c as it shades the text: every byte of a symbol as the symbol."""
    edges = np.append(0, capture.ends(0, capture.symbols))
    return np.repeat(model.layers[layer].read("c", unit, 0, capture.symbols), np.diff(edges))


def panel(terminal: Terminal) -> dict[str, str]:
    """The probabilities that stand in the panel, by the names before them."""
    top = next(y for y in range(terminal.screen.lines) if "nats a" in terminal.row(y)) + 1
    rows = [terminal.row(y)[:72] for y in range(top, top + 10)]
    parts = [re.fullmatch(r" [ ▸›](.+?) [█▏▎▍▌▋▊▉ ]*([01][.]\d+) *", row) for row in rows if row.strip()]
    return {part[1].strip(): part[2] for part in parts if part is not None}


def expects(terminal: Terminal, model: CapturedModel, time: int, names: dict[str, str]) -> None:
    """The panel shows what a capture's model expected after the symbol at a time. `names`: of what is not shown as it
    is."""
    log_p = model.next(time, time + 1)[0].astype(np.float64)
    assert model.tokens is not None
    order = np.argsort(-log_p, kind="stable")[:10]
    expected = {names.get(model.tokens[code], model.tokens[code]): math.exp(log_p[code]) for code in order}
    shown = panel(terminal)
    assert shown.keys() == expected.keys()
    for name, probability in expected.items():
        assert float(shown[name]) == pytest.approx(probability, abs=2e-3)


def test_words_are_shaded_and_predicted_as_a_capture_of_them_would_be(words: Typed, tmp_path: Path) -> None:
    names = {"\x1b[31mrot": "\\x1b[31mrot", "e\u0301": "e▯", LONG: LONG[:23] + "…"}
    with opened(words, "--cell", "1:3") as terminal:
        terminal.press(*"der Katze Hund")
        terminal.wait_for_text("typing Hund")
        capture, model = of_text(words, "der Katze ", tmp_path / "a")
        # The last word may still become another one: it is not read yet, and what is shown is expected in its place.
        wait_for_shades(terminal, 1, by_byte(capture, model, 1, 3), SIGNALS["c"])
        assert terminal.background(12, 1) == terminal.background(40, 1)
        expects(terminal, model, 1, names)
        marks = {row[2:].split()[0]: row[1] for row in map(terminal.row, range(17, 27)) if row[1] != " "}
        assert marks == {"Hund": "▸", "Hunde": "›"}
        assert "1 unknown, read as <unk>" in terminal.row(28)
        assert [x for x in range(15) if terminal.screen.buffer[1][x].underscore] == [4, 5, 6, 7, 8]
        came, typing = (
            float(model.surprisal(0, 1)[0]),
            float(-model.next(1, 2)[0][WORDS.tokens.index("Hund")]),
        )
        assert f"came Katze (<unk>) {came:.2f} nats" in terminal.row(27)
        assert f"typing Hund {typing:.2f} nats as it stands" in terminal.row(27)

        # White space makes it a word; so does Esc.
        terminal.press("e", " ")
        terminal.wait_for_text("3/3 words")
        capture, model = of_text(words, "der Katze Hunde schläft", tmp_path / "b")
        expects(terminal, model, 2, names)
        terminal.press(*"schläft")
        terminal.wait_for_text("typing schläft")
        terminal.press("escape")
        terminal.wait_for_text("4/4 words")
        wait_for_shades(terminal, 1, by_byte(capture, model, 1, 3), SIGNALS["c"])
        expects(terminal, model, 3, names)
        mean = float(np.nanmean(model.surprisal(0, 4)))
        assert f"{mean:.2f} nats a word" in terminal.row(16)
        terminal.press("t")
        terminal.wait_for_text("surprisal of tokens")
        own = np.append(np.float32(np.nan), model.surprisal(0, 3))
        edges = np.append(0, capture.ends(0, 4))
        wait_for_shades(terminal, 1, np.repeat(own, np.diff(edges)), SURPRISAL)
        terminal.press("t", "i")
        terminal.wait_for_text("3/3 words")

        # The cursor among the words: what was expected after those before it, and which of them came.
        terminal.press("home", *["right"] * 5)
        terminal.wait_for_text("1/3 words")
        expects(terminal, model, 0, names)
        assert next(row for row in map(terminal.row, range(17, 27)) if row[1] == "▸")[2:].startswith("<unk>")
        assert b"\x1b[31mrot" not in bytes(terminal.output)


def test_a_model_writes_words_and_takes_them_back_one_by_one(words: Typed, tmp_path: Path) -> None:
    with opened(words, "--cell", "0:1", columns=80, rows=24) as terminal:
        terminal.press(*"der Hund", "escape")
        terminal.wait_for_text("2/2 words")
        terminal.press(*"<<<<<<<<<<")
        terminal.wait_for_text("temperature 0.0")
        written = "der Hund"
        for count in range(1, 5):
            terminal.press(".")
            terminal.wait_for_text(f"{2 + count}/{2 + count} words")
            written = gone_on(words, written, tmp_path / str(count))
        capture, model = of_text(words, written, tmp_path / "whole")
        row = by_byte(capture, model, 0, 1)
        first = written.encode().find(b"\n") + 1 or len(row)  # rows end with lines
        wait_for_shades(terminal, 1, row[: min(80, first)], SIGNALS["c"])
        terminal.press("\x7f", "\x7f", "\x7f")
        terminal.wait_for_text("3/3 words")
        terminal.press(".", ".", ".")
        terminal.wait_for_text("6/6 words")
        wait_for_shades(terminal, 1, row[: min(80, first)], SIGNALS["c"])
        assert b"\x1b[31mrot" not in bytes(terminal.output)


def gone_on(made: Typed, text: str, folder: Path) -> str:
    """A text with the likeliest word after it."""
    capture, model = of_text(made, text, folder)
    assert model.tokens is not None
    word = model.tokens[int(model.next(capture.symbols - 1, capture.symbols)[0].argmax())]
    return f"{text}\n" if word == "<eos>" else f"{text}{'' if text.endswith(chr(10)) else ' '}{word}"


def test_characters_are_read_up_to_one_that_the_model_does_not_know(
    characters: Typed, tmp_path: Path
) -> None:
    with opened(characters, "--cell", "0:2") as terminal:
        terminal.press(*"aé")
        terminal.paste("b🙂ß a\u0301c")
        terminal.wait_for_text("the model has never seen the character ß (line 1)")
        capture, model = of_text(characters, "aéb🙂", tmp_path / "a")
        values = by_byte(capture, model, 0, 2)
        wait_for_shades(terminal, 1, values, SIGNALS["c"])
        assert terminal.background(len(values), 1) == terminal.background(60, 1)
        assert terminal.row(1).startswith("aé·b🙂··ß· a▯·c")  # nothing is lost, nothing acts
        assert "ß is unknown: read up to it" in terminal.row(28)
        terminal.press("escape")
        terminal.wait_for_text("1.0  commands")
        terminal.press(" ")
        terminal.wait_for_text("cannot read all of the page")

        # Before it there is something to see; without it, the rest is read up to the next one.
        terminal.press("i", *["left"] * 5)
        terminal.wait_for_text("4/9 characters")
        expects(terminal, model, 3, {" ": "␣", "\n": "↵"})
        terminal.press("\x04")
        terminal.wait_for_text("4/8 characters")
        terminal.wait_for_text("▯ is unknown: read up to it")
        terminal.press("end", "left", "\x7f")
        terminal.wait_for_text("6/7 characters")
        terminal.wait_for(lambda: "unknown" not in terminal.row(28), "all that is read")
        terminal.press("end")
        capture, model = of_text(characters, "aéb🙂 ac", tmp_path / "b")
        wait_for_shades(terminal, 1, by_byte(capture, model, 0, 2), SIGNALS["c"])


def test_ten_thousand_words_pasted_and_one_more(words: Typed, tmp_path: Path) -> None:
    text = "der Hund schläft . " * 2500
    with opened(words, columns=120, rows=40) as terminal:
        terminal.paste(text)
        terminal.wait_for_text("10,000/10,000 words")
        terminal.wait_for_text("nats a word")
        terminal.press(*"Hunde ")
        terminal.wait_for_text("10,001/10,001 words")
        capture, model = of_text(words, text + "Hunde", tmp_path / "a")
        terminal.wait_for_text(f"came Hunde {float(model.surprisal(9999, 10_000)[0]):.2f} nats")
        assert capture.symbols == 10_001


def test_there_are_no_ngrams_over_words(words: Typed) -> None:
    with opened(words) as terminal:
        terminal.press(*"der ", "escape")
        terminal.wait_for_text("1.0  commands")
        terminal.press("N")
        terminal.wait_for_text("n-gram models are over bytes")
        terminal.press("\\")
        terminal.wait_for_text("tokens writes")
