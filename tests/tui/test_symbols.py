"""Captures whose symbols are words or characters: bytes on the screen, values and the cursor by symbols."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.analysis.cells import Cell
from rnnviz.store.reader import open_capture
from rnnviz.tui.text.rows import TextWindow
from rnnviz.tui.text.symbol_edges import Symbols, byte_of, symbols_in
from rnnviz.tui.view import view as moves
from rnnviz.tui.view.view import View
from support.captures import HandMade, hand_made_tokens, write_capture
from support.terminal import Terminal

WORDS = ["the ", "Wörter ", "🙂\n", "cat\n", "extraordinarily  ", "a\t", "\n"]
SYMBOLS = [WORDS[(n * n + n // 3) % len(WORDS)] for n in range(900)]
TOKENS = ("<eos>", "<unk>", "the", "Wörter", "🙂", "cat", "a")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    path = tmp_path_factory.mktemp("symbols") / "words.zarr"
    return write_capture(hand_made_tokens(path, SYMBOLS, tokens=TOKENS, lengths=[400, 500]))


def edges() -> list[int]:
    return [int(edge) for edge in np.cumsum([0, *(len(symbol.encode()) for symbol in SYMBOLS)])]


@given(st.integers(0, 2000), st.integers(1, 500))
def test_symbols_of_any_stretch_stand_where_the_text_says(made: HandMade, start: int, length: int) -> None:
    capture = open_capture(made.path)
    stop = min(start + length, capture.text_bytes)
    found = symbols_in(capture, start, stop)
    assert found is not None
    known = edges()
    for byte in range(start, stop):
        symbol = found.at(byte)
        assert known[symbol] <= byte < known[symbol + 1]
        if known[symbol] >= start:
            assert found.start(symbol) == known[symbol]
    assert byte_of(capture, found.first) == known[found.first]


@settings(max_examples=50)
@given(
    st.lists(st.sampled_from(["right", "left", "down", "up", "page", "back", "end", "home"]), max_size=25),
    st.integers(8, 40),
    st.integers(2, 12),
)
def test_the_cursor_stays_on_the_screen_and_on_symbols(steps: list[str], width: int, height: int) -> None:
    text = "".join(SYMBOLS).encode()
    symbols = Symbols(0, np.array(edges()))
    window = TextWindow(0, np.frombuffer(text, np.uint8), len(text), np.array([0]), symbols)
    view = View("model", Cell(0, 0), "c")
    for step in steps:
        match step:
            case "right" | "left":
                by = 1 if step == "right" else -1
                before = view.cursor
                view = moves.moved_by_symbols(view, by, window, width, height)
                assert view.cursor == min(max(before + by, 0), len(SYMBOLS) - 1)
            case "down" | "up":
                view = moves.moved_by_rows(view, 1 if step == "down" else -1, window, width, height)
            case "page" | "back":
                view = moves.moved_by_pages(view, 1 if step == "page" else -1, window, width, height)
            case _:
                view = moves.moved_in_row(view, step == "end", window, width, height)
        rows = window.rows_from(view.top, width, height)
        assert view.top == rows[0].start
        assert rows[0].start <= window.byte_of(view.cursor) < rows[-1].stop
    values = np.arange(len(SYMBOLS), dtype=np.float32)
    first, last = window.span(rows := window.rows_from(view.top, width, height))
    spread = window.by_byte(values[first:last], rows)
    assert len(spread) == rows[-1].stop - rows[0].start
    assert all(window.symbol_of(rows[0].start + n) == symbol for n, symbol in enumerate(spread.tolist()))


def test_going_down_always_comes_to_the_end() -> None:
    symbols = [("x" * 300 + " "), "short ", ("y" * 200), "\n", "end"]
    ends = np.cumsum([0, *(len(symbol) for symbol in symbols)])
    text = np.frombuffer("".join(symbols).encode(), np.uint8)
    window = TextWindow(0, text, len(text), np.array([0]), Symbols(0, ends))
    view = View("model", Cell(0, 0), "c")
    for _ in range(20):
        view = moves.moved_by_rows(view, 1, window, 40, 5)
    assert view.cursor == len(symbols) - 1


def test_the_screen_shades_whole_symbols_and_names_tokens(made: HandMade) -> None:
    with Terminal(
        ["browse", str(made.path), "--cell", "0:0", "--color", "16m"], columns=110, rows=30
    ) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("right", "right", "right")
        values = made.signal(0, "c")[0]
        terminal.wait_for_text(f"tanh(c) {np.tanh(np.float32(values[3])):+.4f}")
        terminal.wait_for_text(f" 3/{len(SYMBOLS)}")
        colours = [terminal.background(x, 1) for x in range(len("the "))]
        assert len(set(colours)) == 1
        terminal.wait_for_text("<unk>")
        terminal.press("/", "extra", "enter")
        at = next(n for n, symbol in enumerate(SYMBOLS) if symbol.startswith("extra") and n > 3)
        terminal.wait_for_text(f" {at}/{len(SYMBOLS)}")
        terminal.press("G")
        terminal.wait_for_text(f" {len(SYMBOLS) - 1}/{len(SYMBOLS)}")
        terminal.press("q")
        assert terminal.wait_for_exit() == 0


def test_a_capture_without_predictions_or_surprisals_says_what_is_missing(tmp_path: Path) -> None:
    made = write_capture(hand_made_tokens(tmp_path / "states.zarr", next=False, surprisal=False))
    with Terminal(["browse", str(made.path), "--cell", "0:0"], columns=110, rows=30) as terminal:
        terminal.wait_for_text("no predictions captured")
        terminal.press("t")
        terminal.wait_for_text(
            "no surprisals to shade by: rnnviz capture --add states.zarr --run RUN adds some"
        )
        terminal.press("e")
        terminal.wait_for_text(
            "no surprisals, so no errors: rnnviz capture --add states.zarr --run RUN adds some"
        )
        terminal.press("q")
        assert terminal.wait_for_exit() == 0
