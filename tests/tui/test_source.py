"""The screen never waits for the disk: what is there is there, what is not is read behind, stale reads go."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rnnviz.store.reader import CapturedLayer, open_capture
from rnnviz.tui.capture_cache import block_cache as source_module
from rnnviz.tui.capture_cache.block_cache import Source
from rnnviz.tui.capture_cache.blocks import Block, SignalBlock, TextBlock, signal_blocks, text_blocks
from rnnviz.tui.launch.app import Explorer
from rnnviz.tui.launch.open_view import open_view
from rnnviz.tui.paint.palette import Depth
from rnnviz.tui.screens.text.text_screen import TextScreen
from rnnviz.tui.widgets.canvas import Canvas
from support.captures import HandMade, make_capture, model_schema

TEXT = b"".join(b"%d lines of text\n" % number for number in range(1500))


@pytest.fixture
def made(tmp_path: Path) -> HandMade:
    return make_capture(tmp_path / "a.zarr", TEXT, models=[model_schema(TEXT, hidden=40)])


class Gate:
    """A disk that answers only when it is let: reads of signals wait for `release`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reads: list[tuple[int, int]] = []
        self._open = threading.Event()
        read_units = CapturedLayer.read_units

        def slow(
            layer: CapturedLayer, signal: str, units: slice, start: int, stop: int
        ) -> NDArray[np.float16]:
            self.reads.append((units.start, start))
            self._open.wait(20)
            return read_units(layer, signal, units, start, stop)

        monkeypatch.setattr(CapturedLayer, "read_units", slow)

    def release(self) -> None:
        self._open.set()


def wait_until(condition: object, what: str) -> None:
    assert callable(condition)
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError(f"never happened: {what}")


def test_blocks_give_what_the_capture_holds(made: HandMade) -> None:
    source = Source(open_capture(made.path), lambda: None)
    start, stop = 8000, 9000  # across two blocks of 8192
    blocks: list[Block] = [*text_blocks(start, stop), *signal_blocks("model", 0, "c", 37, start, stop)]
    assert source.values("model", 0, "c", 37, start, stop) is None
    source.want(blocks)
    wait_until(lambda: source.has(blocks), "the blocks are read")
    text, values = source.text(start, stop), source.values("model", 0, "c", 37, start, stop)
    assert text is not None
    assert values is not None
    assert text.tobytes() == TEXT[start:stop]
    np.testing.assert_array_equal(values, made.signal(0, "c")[37, start:stop])
    wait_until(lambda: source.line(start) is not None, "the lines are counted")
    assert source.line(start) == TEXT[:start].count(b"\n") + 1
    source.close()


def test_what_is_no_longer_wanted_is_not_read(made: HandMade, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    source = Source(open_capture(made.path), lambda: None)
    source.want([SignalBlock("model", 0, "c", 0, 0), SignalBlock("model", 0, "c", 1, 0)])
    wait_until(lambda: gate.reads, "the first read has begun")
    source.want([SignalBlock("model", 0, "c", 2, 0)])
    gate.release()
    wanted = [SignalBlock("model", 0, "c", 2, 0)]
    wait_until(lambda: source.has(wanted), "the new block is read")
    assert [units for units, _ in gate.reads] == [0, 32]  # never the second of the old list
    source.close()


def test_memory_is_bounded_and_what_is_wanted_is_kept(
    made: HandMade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        source_module, "CACHE_BYTES", 300_000
    )  # one block of 16 × 8192 float16 is 262,144 bytes
    source = Source(open_capture(made.path), lambda: None)
    for units in range(3):
        wanted: list[Block] = [SignalBlock("model", 0, "c", units, 0)]
        source.want(wanted)
        wait_until(lambda wanted=wanted: source.has(wanted), "the block is read")
    assert not source.has([SignalBlock("model", 0, "c", 0, 0)])
    source.close()


def test_a_damaged_block_is_an_error_once_and_the_rest_can_be_read(made: HandMade) -> None:
    for file in (made.path / "models/model/layers/0/c").rglob("*"):
        if file.is_file() and file.name != "zarr.json":
            file.write_bytes(file.read_bytes()[:100])
    source = Source(open_capture(made.path), lambda: None)
    wanted: list[Block] = [SignalBlock("model", 0, "c", 0, 0), TextBlock(0)]
    source.want(wanted)
    wait_until(lambda: source.has(wanted), "both are settled")
    error = source.failure(wanted)
    assert error is not None
    assert error.hint
    assert source.text(0, 10) is not None
    assert source.values("model", 0, "c", 0, 0, 10) is None
    source.close()


async def test_keys_are_answered_while_a_read_hangs(made: HandMade, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    app = Explorer(*open_view(made.path, "0:0", None, 0), Depth.TRUE, "dark")
    async with app.run_test(size=(100, 30)) as pilot:
        screen = app.screen
        assert isinstance(screen, TextScreen)
        while not gate.reads:
            await pilot.pause(0.02)
        await pilot.press("j", "j", "s", "down", "right")
        assert str(screen.view.cell) == "0:2"
        assert screen.view.signal == "h"
        assert screen.view.cursor == len("0 lines of text\n") + 1
        assert not screen.settled
        gate.release()
        for _ in range(200):
            await pilot.pause(0.02)
            if screen.settled:
                break
        assert screen.settled


async def test_a_capture_cut_short_shows_what_there_is_and_says_so(tmp_path: Path) -> None:
    from support.captures import hand_made, write_capture

    text = TEXT * 3
    made = hand_made(tmp_path / "cut.zarr", text, models=[model_schema(text, hidden=4)])
    column = made.schema.column
    assert column < len(text)
    write_capture(made, captured=column)
    app = Explorer(*open_view(made.path, "0:0", None, 0), Depth.TRUE, "dark")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = app.screen
        assert isinstance(screen, TextScreen)
        await pilot.press("G")
        for _ in range(200):
            await pilot.pause(0.02)
            if screen.settled and screen.view.cursor:
                break
        assert screen.view.cursor == column - 1
        grid = screen.query_one("#canvas", Canvas).grid
        assert grid is not None
        assert f"incomplete: {column:,} symbols" in "".join(text for text, _ in grid.row(grid.height - 1))
        shown = "\n".join("".join(text for text, _ in grid.row(y)) for y in range(grid.height))
        assert "not captured yet" in shown


async def test_a_capture_with_nothing_in_it_yet_opens_and_says_so(tmp_path: Path) -> None:
    from support.captures import hand_made, write_capture

    made = write_capture(hand_made(tmp_path / "empty.zarr", TEXT), captured=0)
    app = Explorer(*open_view(made.path, "0:0", None, 0), Depth.TRUE, "dark")
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("j", "G", "pagedown", "s")
        grid = app.screen.query_one("#canvas", Canvas).grid
        assert grid is not None
        assert "nothing is captured yet" in "".join(text for text, _ in grid.row(0))
