"""What is kept and shared: views as lines of text, the last view of a capture, marks with notes."""

from __future__ import annotations

import base64
import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.analysis.cells import Cell, Reading
from rnnviz.analysis.conditions import parse_condition
from rnnviz.analysis.pattern_search import pattern_of
from rnnviz.store.errors import InvalidRequest
from rnnviz.store.reader import Capture, open_capture
from rnnviz.tui.launch.app import Explorer
from rnnviz.tui.launch.browse import Wishes, open_wished, plain_wishes
from rnnviz.tui.paint.palette import Depth
from rnnviz.tui.paint.shading import Shade
from rnnviz.tui.screens.text.bookmarks_dialog import MarksScreen
from rnnviz.tui.view.address import NAMES, address_of, size_of, view_at
from rnnviz.tui.view.user_state import Mark, keep_view, marks_files, read_marks, write_marks
from rnnviz.tui.view.view import Panel, View
from support.captures import make_capture, model_schema
from support.explored import Explored
from support.terminal import Terminal

TEXT = b"".join(b"%d lines of text\n" % number for number in range(200))
MODELS = [
    model_schema(TEXT, layers=2, hidden=9),
    model_schema(TEXT, name="ngram-3", kind="n-gram", layers=0),
    model_schema(TEXT, name="ngram-20", kind="n-gram", layers=0),
]


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    path = tmp_path_factory.mktemp("keeping") / "a.zarr"
    return open_capture(make_capture(path, TEXT, models=MODELS).path)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


CELLS = st.builds(Cell, st.integers(0, 1), st.integers(0, 8))
SIGNALS = st.sampled_from(["c", "h", "i", "f", "o", "g"])
COMPARED = st.tuples(CELLS, SIGNALS, st.sampled_from(["<", ">=", "≠", "!="]), st.floats(-2, 2, width=16))
CONDITIONS = st.lists(
    COMPARED.map(lambda part: f"{part[0]}.{part[1]} {part[2]} abs({part[3]:f})"), min_size=1, max_size=4
).map(" or not  ".join)
SEARCHES = st.text(st.characters(exclude_categories=["C", "Zl", "Zp", "Zs"]), min_size=1, max_size=20)
SIZES = st.none() | st.tuples(st.integers(4, 1000), st.integers(4, 1000))


@given(
    CELLS,
    SIGNALS,
    st.integers(0, len(TEXT) - 1),
    st.integers(0, len(TEXT) - 1),
    st.sampled_from(list(Shade)),
    st.lists(st.builds(Reading, CELLS, SIGNALS), max_size=4),
    st.permutations(["model", "ngram-3", "ngram-20"]),
    st.sampled_from([None, *Panel]),
    st.sampled_from([None, True, False]),
    st.booleans(),
    st.none() | CONDITIONS,
    st.none() | SEARCHES,
    SIZES,
)
def test_every_view_comes_back_from_its_line(
    capture: Capture,
    cell: Cell,
    signal: str,
    top: int,
    cursor: int,
    shade: Shade,
    pins: list[Reading],
    models: list[str],
    above: Panel | None,
    panels: bool | None,
    hides_dead: bool,
    condition: str | None,
    search: str | None,
    size: tuple[int, int] | None,
) -> None:
    view = View(
        "model",
        cell,
        signal,
        top,
        cursor,
        tuple(pins),
        models[0],
        models[1],
        shade,
        above=above,
        panels=panels,
        hides_dead=hides_dead,
        condition=None if condition is None else parse_condition(condition, capture.models["model"]),
        search=None if search is None else pattern_of(re.escape(search)),
    )
    address = address_of(view, size)
    assert view_at(address, capture) == view
    assert size_of(address) == size
    assert shlex.split(f"rnnviz browse --view {address}")[-1] == address  # one word, whatever the shell
    assert not set(address) & set("<>|&;()$`!#*?[]{}~'\" \\\n")


def test_lines_of_earlier_versions_mean_what_they_meant(capture: Capture) -> None:
    line = "1:3.f,top=40,cursor=41,shade=difference,left=model,right=ngram-3,pin=0:1.c,pin=1:2.h,model=model"
    pins = (Reading(Cell(0, 1), "c"), Reading(Cell(1, 2), "h"))
    before = View("model", Cell(1, 3), "f", 40, 41, pins, "model", "ngram-3", Shade.DIFFERENCE)
    assert view_at(line, capture) == before
    assert (before.above, before.panels, before.hides_dead, before.condition) == (None, None, False, None)
    assert size_of(line) is None


@pytest.mark.parametrize("search", ["(a+)+$", "a*", "a{2,}", "(a|a)b", "x?"])
def test_a_search_that_could_take_for_ever_is_not_shared(capture: Capture, search: str) -> None:
    view = View("model", Cell(0, 0), "c", search=pattern_of(search))
    assert view_at(address_of(view), capture).search is None
    hostile = "".join(f"%{byte:02x}" for byte in search.encode())
    with pytest.raises(InvalidRequest, match="repeat"):
        view_at(f"0:0,search={hostile}", capture)


@given(st.sampled_from(["", "0:0,", *(f"0:0,{name}=" for name in sorted(NAMES))]), st.text(max_size=60))
def test_any_text_is_a_view_or_a_mistake(capture: Capture, beginning: str, text: str) -> None:
    mistakes = []
    try:
        view_at(beginning + text, capture)
    except InvalidRequest as error:
        mistakes.append(error)
    for mistake in mistakes:
        assert mistake.hint
        assert not set(mistake.message) & set(map(chr, [*range(32), *range(127, 160)]))


@pytest.mark.parametrize(
    "address",
    [
        "2:0.c",
        "0:0.x",
        "0:0,top=99999",
        "0:0,cursor=-1",
        "0:0,cursor=٣",
        "0:0,shade=red",
        "0:0,left=nobody",
        "0:0,model=ngram-3",
        "0:0,pin=0:99.c",
        "0:0,colour=1",
        "0:0,above=roof",
        "0:0,panels=1",
        "0:0,dead=alive",
        "0:0,condition=",
        "0:0,condition=0:0",
        "0:0,condition=0:99 > 1",
        "0:0,condition=0:0 > 1%1b[31m",
        "0:0,condition=0:0 > 1%ff",
        "0:0,search=%5B",
        "0:0,search=%00",
        "0:0,size=80",
        "0:0,size=0x0",
        "0:0,size=5000x20",
        "0:0,size=٨0x24",
        "0:0," + ",".join(["pin=0:0.c"] * 2000),
        "0:0,top",
        "",
    ],
)
def test_a_line_that_is_no_view_of_the_capture_is_refused(capture: Capture, address: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        view_at(address, capture)
    assert error.value.hint


def test_a_short_line_is_enough(capture: Capture) -> None:
    view = view_at("1:3", capture)
    assert (view.cell, view.signal, view.pair) == (Cell(1, 3), "c", ("model", "ngram-20"))


def test_the_last_view_is_opened_again_unless_something_is_asked_for(capture: Capture) -> None:
    _, first = open_wished(Wishes(capture.path))
    left = replace(first, cell=Cell(1, 4), top=36, cursor=40)
    keep_view(capture.path, address_of(left))
    assert open_wished(Wishes(capture.path))[1] == left
    assert open_wished(Wishes(capture.path, cell="0:2"))[1].cursor == 0
    assert open_wished(Wishes(capture.path, view="0:1.h,cursor=5"))[1].cursor == 5
    with pytest.raises(InvalidRequest):
        open_wished(Wishes(capture.path, cell="0:2", view="0:1.h"))
    keep_view(capture.path, "9:9.c")  # another capture of that name
    assert open_wished(Wishes(capture.path))[1] == first


def test_marks_are_kept_beside_the_capture_and_come_back_in_order(capture: Capture, state: Path) -> None:
    marks = [Mark(5, "0:0.c,cursor=5", "first “é”\x1b[31m"), Mark(90, "0:1.h,cursor=90", "")]
    beside, _ = marks_files(capture.path)
    assert write_marks(capture.path, marks) == beside
    assert read_marks(capture.path) == marks
    assert not state.exists()
    assert beside.parent == capture.path.parent
    beside.unlink()


def test_marks_are_kept_where_there_is_no_state_directory(
    capture: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    beside, _ = marks_files(capture.path)
    assert write_marks(capture.path, [Mark(3, "0:0.c", "here")]) == beside
    assert read_marks(capture.path) == [Mark(3, "0:0.c", "here")]
    beside.unlink()


def test_marks_of_a_capture_in_a_folder_that_is_not_ours_are_kept_in_the_state_directory(
    capture: Capture, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, kept = marks_files(capture.path)
    beside.mkdir()  # nothing can be put there
    try:
        assert write_marks(capture.path, [Mark(1, "0:0.c", "x")]) == kept
        assert kept.is_relative_to(state)
        assert read_marks(capture.path) == [Mark(1, "0:0.c", "x")]
    finally:
        beside.rmdir()


@pytest.mark.parametrize("content", ["[]", "{", '{"marks": 3}', '{"marks": [{"symbol": "1"}]}'])
def test_a_file_that_holds_no_marks_is_left_alone_and_named(capture: Capture, content: str) -> None:
    beside, _ = marks_files(capture.path)
    beside.write_text(content)
    with pytest.raises(InvalidRequest, match=r"marks\.json"):
        read_marks(capture.path)
    beside.unlink()


def test_a_plain_call_is_understood_and_anything_else_left_to_the_parser() -> None:
    assert plain_wishes(["a.zarr"]) == Wishes(Path("a.zarr"))
    assert plain_wishes(["--cell=1:2", "a.zarr", "--start", "40", "--theme", "light"]) == Wishes(
        Path("a.zarr"), cell="1:2", start=40, theme="light"
    )
    for other in (
        [],
        ["a", "b"],
        ["--help"],
        ["a", "--picture", "x.svg"],
        ["a", "--start", "x"],
        ["a", "--color", "7"],
        ["a", "--cell"],
        ["a", "-h"],
    ):
        assert plain_wishes(other) is None


def test_marking_going_and_coming_back(capture: Capture, tmp_path: Path) -> None:
    environment = {"XDG_STATE_HOME": str(tmp_path / "state")}
    arguments = ["browse", str(capture.path)]
    with Terminal([*arguments, "--cell", "0:0"], columns=100, rows=30, environment=environment) as terminal:
        terminal.wait_for_text("mean")
        terminal.press("#")
        terminal.wait_for_text("go to offset")
        terminal.press("l120", "enter")
        at = len(b"".join(TEXT.splitlines(keepends=True)[:119]))
        terminal.wait_for_text(f" {at:,}/{len(TEXT):,}  line 120")
        terminal.press("m")
        terminal.wait_for_text("note for this place")
        terminal.press("here", "enter")
        terminal.wait_for_text("marked, in a.zarr.marks.json")
        terminal.press("g", "j", "j", "M")
        terminal.wait_for_text("0:0 here")
        terminal.press("enter")
        terminal.wait_for_text(f" {at:,}/{len(TEXT):,}  line 120")
        terminal.press("j", "y")
        terminal.wait_for_text("copied: --view 0:1.c,top=")
        copied = re.findall(rb"\x1b\]52;c;([^\x07\x1b]*)", terminal.output)[-1]
        words = shlex.split(base64.b64decode(copied).decode())
        assert plain_wishes([str(capture.path), *words]) is not None
        terminal.press("q")
        assert terminal.wait_for_exit() == 0
    with Terminal(arguments, columns=100, rows=30, environment=environment) as terminal:
        terminal.wait_for_text(f" {at:,}/{len(TEXT):,}  line 120")
        assert "0:1" in terminal.row(0)
    marks = json.loads(marks_files(capture.path)[0].read_text())["marks"]
    assert [mark["symbol"] for mark in marks] == [at]


async def test_a_mark_taken_away_by_mistake_comes_back(capture: Capture) -> None:
    marks = [Mark(place, f"0:0.c,cursor={place}", f"note {place}") for place in (5, 90, 300)]
    beside = write_marks(capture.path, marks)
    app = Explorer(capture, View("model", Cell(0, 3), "c"), Depth.TRUE, "dark")
    async with app.run_test(size=(100, 30)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("M", "j", "delete", "j", "delete", "j", "backspace")
        assert isinstance(app.screen, MarksScreen)  # none is left
        await ui.press("delete", "G", "delete", "q")
        assert read_marks(capture.path) == [marks[0], marks[2]]
        await ui.press("M", "d", "delete", "delete", "G", "enter")
        assert ui.view.cursor == 300
    assert read_marks(capture.path) == [marks[0], marks[2]]
    beside.unlink()
