"""Notes on cells: kept beside the capture, and told above the text while one of the cells is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnviz.store.reader import Capture, open_capture
from rnnviz.tui.launch.open_view import open_view
from rnnviz.tui.paint.palette import Depth
from rnnviz.tui.scenes.snapshot import Sheet, render
from rnnviz.tui.text.glyphs import visible
from rnnviz.tui.view.user_state import CellNote, read_marks, read_notes, write_marks, write_notes
from support.captures import make_capture, model_schema
from support.terminal import Terminal

TEXT = "\n".join(f"line {number}: " + "x" * (number % 40) for number in range(200)).encode() + b"\n"
NOTES = [CellNote("model", "0:3", "counts the x’s, r = −0.71\x1b[31m"), CellNote("other", "0:4", "elsewhere")]


@pytest.fixture
def capture(tmp_path: Path) -> Capture:
    models = [model_schema(TEXT, layers=2, hidden=20)]
    return open_capture(make_capture(tmp_path / "hand.zarr", TEXT, models=models).path)


def whole_screen(capture: Capture, cell: str, width: int, height: int) -> list[str]:
    opened, view = open_view(capture.path, cell, None, 0)
    sheet = Sheet(width, height)
    return render(opened, view, "txt", sheet, theme="dark", depth=Depth.NONE).splitlines()


def test_notes_come_back_and_leave_marks_alone(capture: Capture) -> None:
    write_marks(capture.path, [])
    beside = write_notes(capture.path, NOTES)
    assert beside == capture.path.with_name("hand.zarr.notes.json")
    assert read_notes(capture.path) == NOTES
    assert read_marks(capture.path) == []


@pytest.mark.parametrize("content", ["[]", "{", '{"notes": 3}', '{"notes": [{"cell": "0:1"}, 7]}'])
def test_a_file_that_holds_no_notes_is_no_obstacle(capture: Capture, content: str) -> None:
    capture.path.with_name("hand.zarr.notes.json").write_text(content)
    assert read_notes(capture.path) == []
    assert whole_screen(capture, "0:3", 80, 23)[1].startswith("line 0: ")


def test_a_note_stands_with_its_cell_and_other_cells_say_where_there_are_some(capture: Capture) -> None:
    write_notes(capture.path, NOTES)
    rows = whole_screen(capture, "0:3", 80, 23)
    assert rows[1].startswith(f" 0:3 counts the x’s, r = −0.71{visible(chr(27))}[31m ")
    assert "\x1b" not in rows[1]
    assert rows[1].rstrip().endswith(" M marks  j next cell  ? keys")
    assert rows[2].startswith("line 0: ")
    assert len(rows) == 23
    other = whole_screen(capture, "1:3", 80, 23)
    assert other[1].startswith(" no note on 1:3; there are notes on 0:3 ")  # and not on another model's
    assert [row[:30] for row in other[2:21]] == [row[:30] for row in rows[2:21]]


@pytest.mark.parametrize("height", [3, 4, 5, 8])
@pytest.mark.parametrize("width", [12, 30, 60, 100])
def test_a_row_of_text_is_always_left(capture: Capture, width: int, height: int) -> None:
    write_notes(capture.path, NOTES)
    rows = whole_screen(capture, "0:3", width, height)
    assert len(rows) == height
    assert any(row.startswith("line 0: "[:width]) for row in rows)


def test_the_explorer_shows_it_from_the_first_and_the_text_stays_where_it_is(capture: Capture) -> None:
    write_notes(capture.path, NOTES)
    with Terminal(["browse", str(capture.path), "--cell", "0:3"], columns=80, rows=24) as terminal:
        terminal.wait_for_text(" 0:3 counts the x’s")
        terminal.wait_for_text("mean")
        terminal.press("j")
        terminal.wait_for_text("no note on 0:4")
        assert terminal.row(2).startswith("line 0: ")
        terminal.press("v")
        terminal.wait_for_text("i input")
        assert terminal.row(1).startswith(" no note on 0:4")
        terminal.press("v", "k")
        terminal.wait_for(lambda: terminal.row(1).startswith(" 0:3 counts"), "the note")
        terminal.press("right", "down")
        terminal.wait_for_text("  line 2:2 ")
