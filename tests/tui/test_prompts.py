"""Answers that are mistyped, and what the bottom line says: in place, in red, and no longer than it is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.widgets import Input

from rnnviz.analysis.cells import Cell
from rnnviz.store.reader import open_capture
from rnnviz.tui.launch.app import Explorer
from rnnviz.tui.launch.headless_picture import screen_lines
from rnnviz.tui.launch.open_view import open_view
from rnnviz.tui.paint.palette import THEMES, Depth
from rnnviz.tui.screens.text.text_screen import TextScreen
from rnnviz.tui.view.view import View
from rnnviz.tui.widgets.prompt import Prompt
from support.captures import HandMade, make_capture, model_schema
from support.explored import Explored, remark_of
from support.terminal import Terminal

TEXT = "\n".join(f"line {number}: " + "x" * (number % 40) for number in range(200)).encode() + b"\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    """A recurrent model beside an n-gram model, so that they can be compared."""
    path = tmp_path_factory.mktemp("prompts") / "hand.zarr"
    ngram = model_schema(TEXT, name="ngram-2", kind="n-gram", layers=0)
    return make_capture(path, TEXT, models=[model_schema(TEXT, layers=2, hidden=20), ngram])


def explorer(made: HandMade) -> Explorer:
    return Explorer(open_capture(made.path), View("model", Cell(0, 3), "c"), Depth.TRUE, "dark")


MISTYPED = {
    "search": (["slash"], "ab(c", "'ab(c' is no regular expression", "(c"),
    "a repetition of nothing": (["slash"], "*", "'*' is no regular expression", "*"),
    "a cell": ([":"], "7:3", "there is no layer 7. The model has layers 0 to 1", "7:3"),
    "no cell": ([":"], "1:x", "'1:x' is no cell", "1:x"),
    "a place": (["number_sign"], "here", "'here' is no place. Write 4000, l120", "here"),
    "an offset": (["number_sign"], "999999", "offset 999,999 lies outside the text", "999999"),
    "a line": (["number_sign"], "l9999", "the text has fewer than 9,999 lines", "l9999"),
    "a segment": (["number_sign"], "s9", "there is no segment 9", "s9"),
    "a condition": (["f"], "1:3 > 0.5 and 1:77 < 0.1", "there is no unit 77 in layer 1", "1:77"),
    "a signal": (["f"], "not 1:3.q > 0.5", "the capture has no signal 'q'", "q"),
    "half a condition": (["f"], "1:3 > ", "a number or a cell, as in 1:37, is expected after >", ""),
    "a file's suffix": (["w", "ctrl+u"], "x.png", "x.png does not say by its suffix how to draw it", "x.png"),
    "a file's folder": (["w", "ctrl+u"], "/nowhere/x.txt", "there is no folder /nowhere", "/nowhere/x.txt"),
    "a filter": (["c", "slash"], "1: dev>", "'dev>' is no filter. Type 1: or 1:3", "1: dev>"),
    "a filter by a digit": (["c"], "3x", "'3x' is no filter", "3x"),
}


async def test_what_is_mistyped_is_told_in_red_below_it_and_can_be_gone_on_with(made: HandMade) -> None:
    app = explorer(made)
    async with app.run_test(size=(80, 24)) as pilot:
        ui = Explored(app, pilot)
        for which, (keys, typed, told, selected) in MISTYPED.items():
            await ui.press(*keys)
            screen, before = app.screen, ui.view
            await pilot.press(*typed, "enter")
            await ui.until(lambda told=told: ui.shown.count(told) == 1, told)  # type: ignore[misc]
            assert app.screen is screen, "no dialog"
            line = app.screen.query_one("#prompt-input", Input)
            assert line.value == typed, which
            start, stop = sorted(line.selection)
            assert typed[start:stop] == selected, which
            rows = ui.rows
            wrong = next(y for y, row in enumerate(rows) if row.startswith(f" {told}"))
            assert rows[wrong - 1].rstrip().endswith(typed.rstrip())
            assert all(paint.bold for text, paint in screen_lines(app)[wrong] if text.strip())

            await pilot.press("y")  # a key that means something else where nothing is asked
            await ui.until(lambda told=told: told not in ui.shown, "the message gone")  # type: ignore[misc]
            assert line.value == f"{typed[:start]}y{typed[stop:]}", which

            await pilot.press("escape")
            assert not app.screen.query_one(Prompt).display
            assert app.screen is screen
            assert ui.view == before, which
            if app.screen is not ui.text:
                await ui.press("escape")
                assert app.screen is ui.text


@pytest.mark.parametrize(
    ("key", "left"),
    [
        ("ctrl+u", ""),
        ("ctrl+w", "0:3 > 0.5 and  < 0.1"),
        ("ctrl+k", "0:3 > 0.5 and 1:77"),
        ("backspace", "0:3 > 0.5 and  < 0.1"),
    ],
)
async def test_keys_that_take_away_words_and_lines_do_so_after_a_mistake(
    made: HandMade, key: str, left: str
) -> None:
    """There the wrong part, 1:77, is selected, and the cursor stands behind it."""
    app = explorer(made)
    async with app.run_test(size=(80, 24)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("f", *"0:3 > 0.5 and 1:77 < 0.1", "enter")
        await ui.until(lambda: "there is no unit 77" in ui.shown, "the mistake")
        await pilot.press(key)
        assert app.screen.query_one("#prompt-input", Input).value == left


OLD_ANSWERS = {
    "a filter": (["c", "slash", *"1:", "enter", "slash"], "1:"),
    "a condition": (["f", *"1:3.c > 0", "enter", "f"], "1:3.c > 0"),
    "a note": (["m", "ctrl+u", *"here", "enter", "m"], "here"),
    "a file": (["w"], "hand-0_3-c-0.ans"),
}


@pytest.mark.parametrize("which", OLD_ANSWERS)
async def test_an_old_answer_is_typed_over_or_gone_into(made: HandMade, which: str) -> None:
    keys, old = OLD_ANSWERS[which]
    app = explorer(made)
    async with app.run_test(size=(80, 24)) as pilot:
        ui = Explored(app, pilot)
        await ui.press(*keys)
        line = app.screen.query_one("#prompt-input", Input)
        assert (line.value, line.selected_text) == (old, old)
        await pilot.press("right", "x")
        assert line.value == f"{old}x"
        await pilot.press("escape", keys[-1], "y")
        line = app.screen.query_one("#prompt-input", Input)
        assert line.value == "y"


LONG_REMARKS = {
    "the command that adds a model": (
        ["l"],
        "this capture has one model with cells: rnnviz capture --add X.zarr --run RUN adds another",
    ),
    "a condition that was counted": (
        ["f", *"0:3 > 0.25 and 0:12.f < 0.125", "enter", "F"],
        "symbols (PP%), comes true N times: 0:3.c > 0.25 and 0:12.f < 0.125",
    ),
}


@pytest.mark.parametrize("which", LONG_REMARKS)
async def test_what_is_said_is_never_cut(made: HandMade, which: str) -> None:
    """Where it is longer than the bottom line, it stands on more lines, which then go."""
    app = explorer(made)
    keys, told = LONG_REMARKS[which]
    async with app.run_test(size=(60, 24)) as pilot:
        ui = Explored(app, pilot)
        for key in keys:
            await ui.press(key)
        shown = re.sub(r"\d+\.\d\d%", "PP%", " ".join(" ".join(ui.rows).split()))
        shown = re.sub(r"true [\d,]+ times", "true N times", shown)
        assert told in shown
        await ui.press("escape", "slash")
        assert told not in " ".join(" ".join(ui.rows).split())
        assert ui.rows[-1].strip().startswith("search")
        await pilot.press("escape")
        ui.text.hush()
        await ui.until(lambda: " ? keys" in ui.rows[-1], "the hints")
        assert re.match(r" [\d,]+/5,990 ", ui.rows[-2]), "what stood under the remark"


async def test_the_way_out_of_a_question_takes_nothing_else_away(made: HandMade) -> None:
    app = explorer(made)
    async with app.run_test(size=(80, 24)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("slash", *"line", "enter", "f", *"1:3 > 0", "enter", "v")
        await ui.press("f", "end", *" and", "enter")
        await ui.until(lambda: "a cell, as in 1:37" in ui.shown, "the mistake")
        before = ui.view
        await pilot.press("escape")
        assert ui.view == before
        assert before.above is not None
        assert before.condition is not None
        assert before.search is not None


async def test_the_run_to_type_with_is_asked_for_until_it_is_one(
    made: HandMade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = explorer(made)
    async with app.run_test(size=(80, 24)) as pilot:
        ui = Explored(app, pilot)
        await pilot.press("i")
        await ui.until(lambda: "path of the run model" in ui.shown, "the question")
        page = app.screen
        assert "that is typed below." in ui.shown
        await pilot.press(*str(tmp_path / "none"), "enter")
        await ui.until(lambda: "is no run" in ui.shown or "there is no" in ui.shown, "what is wrong")
        assert app.screen is page
        assert app.screen.query_one("#prompt-input", Input).value == str(tmp_path / "none")
        await pilot.press("escape")
        assert not app.screen.query_one(Prompt).display
        assert app.screen is page
        await ui.until(lambda: "from here. Esc and then R" in ui.shown, "the way to it")


async def test_a_run_that_was_given_and_is_none_of_the_capture_is_asked_for_again(
    made: HandMade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    app = Explorer(*open_view(made.path, "0:0", None, 0), Depth.TRUE, "dark", run=tmp_path / "other")
    async with app.run_test(size=(80, 24)) as pilot:
        ui = Explored(app, pilot)
        await pilot.press("i")
        await ui.until(lambda: "path of the run model" in ui.shown, "the question")
        line = app.screen.query_one("#prompt-input", Input)
        assert line.value == str(tmp_path / "other")
        assert sorted(line.selection) == [0, len(line.value)]
        await ui.until(lambda: "is no run" in ui.shown.replace("\n", ""), "what is wrong")


def test_no_key_of_a_burst_is_lost_or_comes_too_early(made: HandMade) -> None:
    """What a paste or a fast typist sends at once: a refused answer, another typed over it, keys that follow."""
    with Terminal(["browse", str(made.path), "--cell", "0:0"], columns=80, rows=24) as terminal:
        terminal.wait_for_text("mean")
        terminal.send(":9:9\r0:1x\x7f1\rj]")
        terminal.wait_for(
            lambda: terminal.row(0).startswith(" 1:12 "), "the cell after 0:11, a layer further"
        )
        terminal.send("#l9\x7f\x7f40\r")
        terminal.wait_for_text(f" 40/{len(TEXT):,}")
        terminal.send("c1:3\r\r")
        terminal.wait_for(lambda: terminal.row(0).startswith(" 1:3 "), "the cell of the list")


SAID = {
    "an advantage, elsewhere": (["a"], r"ahead by \d+\.\d\d nats", "right"),
    "an advantage, of other models": (["a"], r"ahead by \d+\.\d\d nats", "backslash"),
    "a match, elsewhere": (["slash", *"line", "enter"], r"match 2 of 200 of line", "left"),
    "a match, no longer sought": (["slash", *"line", "enter"], r"match 2 of 200 of line", "escape"),
    "no match": (["slash", *"zzz", "enter"], r"no match: zzz", "escape"),
    "a mark": (["m", "enter"], r"marked, in", "down"),
    "a count, of no condition": (["f", *"0:1 > 0", "enter", "F"], r"true at [\d,]+ of", "escape"),
    "nowhere, of another cell": (["f", *"0:1 > 5", "enter"], r"nowhere: .*tanh", "escape"),
    "the way of stepping": (["z"], r"step over dead cells", "z"),
}


async def test_what_is_said_goes_when_it_is_no_longer_so(made: HandMade) -> None:
    app = Explorer(*open_view(made.path, "0:0", None, 0), Depth.TRUE, "dark")
    async with app.run_test(size=(120, 30)) as pilot:
        ui = Explored(app, pilot)
        start = ui.view
        for which, (keys, told, then) in SAID.items():
            ui.text.lay_out(start)
            await ui.press(*keys)
            await ui.until(lambda told=told: re.search(told, ui.rows[-1]) is not None, told)  # type: ignore[misc]
            await ui.press(then)
            assert re.search(told, ui.rows[-1]) is None, which


async def test_what_is_said_stays_while_it_is_so(made: HandMade) -> None:
    app = Explorer(*open_view(made.path, "0:0", None, 0), Depth.TRUE, "dark")
    async with app.run_test(size=(120, 30)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("a")
        said = remark_of(ui.text)
        assert said.startswith("model ahead by ")
        await ui.press("j", "s", "h")  # other cells and panels: the models are ahead as they were
        assert remark_of(ui.text) == said
        await ui.press("slash", *"zzz", "enter")
        await ui.until(lambda: remark_of(ui.text) == "no match: zzz", "no match")
        (text, paint), *_ = screen_lines(app)[-1]
        assert text.strip().startswith("no match")
        assert paint.foreground == THEMES["dark"].wrong
        assert isinstance(app.screen, TextScreen)
