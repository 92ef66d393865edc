"""A capture that is still being written: what is added appears, without a key."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rnnviz.store.signals import SIGNALS
from support.captures import SEVERAL_COLUMNS, several_columns
from support.terminal import Terminal


def test_new_text_appears_and_can_be_gone_to(tmp_path: Path) -> None:
    made = several_columns(tmp_path / "growing.zarr")
    column = made.schema.column
    with made.create() as writer, Terminal(["browse", str(made.path)], columns=110, rows=30) as terminal:
        terminal.wait_for_text("nothing is captured yet")
        writer.append(made.cut(0, column))
        terminal.wait_for_text(f"incomplete: {column:,} symbols")
        terminal.wait_for(lambda: terminal.row(1).startswith("and so on"), "the text")
        terminal.press("G")
        terminal.wait_for_text(f" {column - 1:,}/{made.schema.symbols:,}")
        writer.append(made.cut(column, 2 * column))
        terminal.wait_for_text(f"incomplete: {2 * column:,} symbols")
        terminal.press("pagedown", "right")
        terminal.wait_for_text("tanh(c) ")
        writer.append(made.cut(2 * column, made.schema.symbols))
        writer.finish()
        terminal.wait_for_text("segment 1/2")
        terminal.press("G")
        terminal.wait_for_text(f" {len(SEVERAL_COLUMNS) - 1:,}/{made.schema.symbols:,}  line 20,000")
        value = float(made.signal(0, "c")[0, -1])
        terminal.wait_for_text(f"(c {value:+.3f})")
        terminal.press("q")
        assert terminal.wait_for_exit() == 0


def test_a_capture_whose_process_is_gone_does_not_look_as_if_it_grew(tmp_path: Path) -> None:
    made = several_columns(tmp_path / "killed.zarr")
    column = made.schema.column
    said = "rnnviz info killed.zarr says how to go on"
    with made.create():
        pass  # as the system does for a process that is killed
    with Terminal(["browse", str(made.path)], columns=110, rows=30) as terminal:
        terminal.wait_for_text(f"No process writes it any more: {said}")
        with made.resume() as writer:
            terminal.wait_for_text("What is written into it will appear here")
            writer.append(made.cut(0, column))
            terminal.wait_for_text(f"incomplete: {column:,} symbols")
        terminal.wait_for_text(f"no process writes this any more: {said}")
        terminal.press("q")
        assert terminal.wait_for_exit() == 0


def test_a_condition_is_counted_on_as_the_text_grows(tmp_path: Path) -> None:
    made = several_columns(tmp_path / "counted.zarr")
    column = made.schema.column
    holds = SIGNALS["c"].view(made.signal(0, "c")[1]) > 0
    with made.create() as writer:
        writer.append(made.cut(0, column))
        with Terminal(["browse", str(made.path)], columns=110, rows=30) as terminal:
            terminal.wait_for_text(f"incomplete: {column:,} symbols")
            terminal.press("f", "0:1 > 5", "enter")
            terminal.wait_for_text("nowhere: 0:1.c > 5 (c is compared as tanh(c), −1 to 1)")
            terminal.press("escape")
            terminal.wait_for(lambda: "underlined" not in terminal.row(27), "no condition")
            terminal.press("f", "0:1 > 0", "enter")
            terminal.wait_for_text(f", {np.count_nonzero(holds[:column]):,} of {column:,} in all")
            writer.append(made.cut(column, 2 * column))
            terminal.wait_for_text(f", {np.count_nonzero(holds[: 2 * column]):,} of {2 * column:,} in all")
            terminal.press("q")
            assert terminal.wait_for_exit() == 0
