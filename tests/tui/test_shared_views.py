"""Snapshots and views carry all that is on the screen: what is written, or opened elsewhere, is what was seen."""

from __future__ import annotations

import base64
import html
import re
from pathlib import Path

import pyte
import pytest

from rnnviz.store.reader import Capture, open_capture
from rnnviz.tui.launch.app import Explorer
from rnnviz.tui.launch.headless_picture import screen_lines
from rnnviz.tui.launch.open_view import open_view
from rnnviz.tui.paint.palette import Depth, Paint
from rnnviz.tui.scenes.snapshot import Sheet, picture
from rnnviz.tui.view.address import address_of, size_of, view_at
from support.captures import HandMade, hand_made_tokens, make_capture, model_schema, write_capture
from support.command import Command
from support.explored import Explored, by_column
from support.terminal import Terminal

TEXT = "".join(
    f"line {number}: " + "wide 漢\t"[: number % 9] + "x" * (number % 50) + "\n" for number in range(300)
)
MODELS = [
    model_schema(TEXT.encode(), layers=2, hidden=20),
    model_schema(TEXT.encode(), name="ngram-3", kind="n-gram", layers=0),
    model_schema(TEXT.encode(), name="ngram-5", kind="n-gram", layers=0, next=False),
]
KEYS = {
    "the cell alone": ("j", "s", "right", "down"),
    "pins": ("*", "j", "*", "k", "s", "s", "*", "]", "*", "pagedown"),
    "gates and the other model": ("h", "minus", "down", "right"),
    "a layer": ("v", "up", "right"),
    "who knew better": ("t", "t", "t", "end"),
    "a condition and a search": ("f", *"0:3 > 0.1 and 1:4.f < 0.8", "enter", "/", *"line 1", "enter"),
    "all of it": (
        "f",
        *"abs(1:7) > .5",
        "enter",
        "*",
        "j",
        "*",
        "h",
        "plus",
        "/",
        *"x",
        "enter",
        "z",
        "p",
        "down",
    ),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    return make_capture(tmp_path_factory.mktemp("shared") / "hand.zarr", TEXT.encode(), models=MODELS)


async def seen_and_written(
    capture: Capture, app: Explorer, size: tuple[int, int], keys: tuple[str, ...], depth: Depth
) -> tuple[str, str]:
    """Check that a picture of the view and one of the view's line are what the screen shows; both as text."""
    async with app.run_test(size=size) as pilot:
        ui = Explored(app, pilot)
        for key in keys:
            await ui.press(key)
        await ui.until(lambda: not ui.text.runs_errand and app.settled, "all keys were done with")
        await ui.press()
        seen = [by_column(line) for line in screen_lines(app)[:-1]]
        address = address_of(ui.view, size)
        view = ui.view
    assert view_at(address, capture) == view
    assert size_of(address) == size
    drawn = picture(capture, view, Sheet(size[0], size[1] - 1), depth, "dark")
    columns = [by_column(line) for line in drawn]
    if depth in (Depth.TRUE, Depth.NONE):
        assert columns == seen
    else:  # in these Textual tells the colours of a theme, not the numbers of the terminal's
        assert [*map(without_colours, columns)] == [*map(without_colours, seen)]
    return "\n".join("".join(text for text, _ in line) for line in drawn), address


def without_colours(line: list[tuple[str, Paint]]) -> list[tuple[str, bool, bool, bool]]:
    return [(character, paint.bold, paint.underline, paint.reverse) for character, paint in line]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50), (50, 12)])
@pytest.mark.parametrize("what", list(KEYS))
async def test_a_snapshot_is_the_screen(made: HandMade, what: str, size: tuple[int, int]) -> None:
    capture, view = open_view(made.path, "0:3", None, 700)
    app = Explorer(capture, view, Depth.TRUE, "dark")
    await seen_and_written(open_capture(made.path), app, size, KEYS[what], Depth.TRUE)


@pytest.mark.parametrize("depth", list(Depth))
async def test_a_snapshot_is_the_screen_in_every_depth(made: HandMade, depth: Depth, rnnviz: Command) -> None:
    capture, view = open_view(made.path, "0:3", None, 700)
    app = Explorer(capture, view, depth, "dark")
    shown, address = await seen_and_written(capture, app, (120, 40), KEYS["all of it"], depth)
    done = rnnviz("snapshot", str(made.path), "--view", address, "--color", depth.value)
    assert done.code == 0
    printed = pyte.Screen(120, 39)
    pyte.Stream(printed).feed(done.out.replace("\n", "\r\n").removesuffix("\r\n"))
    bare = [re.sub("(?<=[漢字])", "", line).rstrip() for line in shown.split("\n")]
    assert ["".join(line.split()) for line in printed.display] == ["".join(line.split()) for line in bare]


async def test_views_of_symbols_that_are_words(tmp_path: Path) -> None:
    words = ["Zwei ", "Wörter", "\n", "🙂 ", "zwei ", "🙂\n"] * 60
    made = write_capture(hand_made_tokens(tmp_path / "words.zarr", words, lengths=[200, 160]))
    capture, view = open_view(made.path, "0:1", None, 120)
    keys = ("*", "f", *"0:2 > 0.3", "enter", "down", "down", "h")
    app = Explorer(capture, view, Depth.TRUE, "dark")
    await seen_and_written(open_capture(made.path), app, (80, 24), keys, Depth.TRUE)


def test_every_format_has_the_pins_the_panels_and_the_marks(made: HandMade, rnnviz: Command) -> None:
    view = (
        "1:4.f,top=700,cursor=730,pin=0:3.c,above=gates,condition=1:4.f%20%3E%200.5,right=ngram-3,size=120x40"
    )
    for form in ("ansi", "html", "svg", "txt"):
        done = rnnviz("snapshot", str(made.path), "--view", view, "--format", form)
        assert done.code == 0
        words = re.sub(r"\x1b\[[0-9;]*m|<[^>]*>|\s", "", done.out)
        for expected in ("undereachrow0:3.c", "▸fforget", "3-gram", "where1:4.f", "here,", "came", "730/"):
            if form == "svg":
                expected = expected.removeprefix("▸")  # which is a shape there
            assert expected in words, f"{expected} in {form}"
        assert ("text-decoration:underline" in done.out) == (form == "html")
        assert ("\x1b[4;38" in done.out) == (form == "ansi")
        assert ("▔" in done.out) == (form == "txt")


def test_a_snapshot_is_as_large_as_the_screen_was_or_as_it_is_told(made: HandMade, rnnviz: Command) -> None:
    def size(*options: str) -> tuple[int, int]:
        done = rnnviz("snapshot", str(made.path), "--format", "svg", *options)
        found = re.search(r'width="([0-9.]+)" height="([0-9.]+)"', done.out)
        assert found is not None, done.err
        return round(float(found[1]) / 8.4) - 2, round(float(found[2]) / 17) - 1

    assert size("--view", "0:0,size=80x24") == (80, 23)
    assert size("--view", "0:0") == (120, 39)
    assert size("--view", "0:0,size=80x24", "--lines", "50", "--width", "90") == (90, 50)
    assert size("--cell", "0:0", "--lines", "5", "--width", "70") == (70, 7)


def test_a_picture_is_the_snapshot_with_the_keys_below(
    made: HandMade, rnnviz: Command, tmp_path: Path
) -> None:
    view = "1:4.f,top=700,cursor=730,pin=0:3.c,above=layer,condition=1:4.f%20%3E%200.5,size=90x30"
    assert rnnviz("browse", str(made.path), "--view", view, "--picture", "screen.svg").code == 0
    drawn = rnnviz("snapshot", str(made.path), "--view", view, "--format", "svg").out

    def words(svg: str) -> list[str]:
        return [html.unescape(word) for word in re.findall("<text[^>]*>([^<]*)</text>", svg)]

    seen = "".join("".join(words((tmp_path / "screen.svg").read_text())).split())
    assert seen.startswith("".join("".join(words(drawn)).split()))
    assert 'width="772.8"' in drawn
    assert 'width="772.8"' in (tmp_path / "screen.svg").read_text()


def test_what_is_copied_in_a_terminal_opens_and_prints_the_same_screen(
    made: HandMade, tmp_path: Path
) -> None:
    with Terminal(
        ["browse", str(made.path), "--cell", "1:4"], columns=100, rows=30, cwd=tmp_path
    ) as terminal:
        terminal.wait_for_text("0/")
        terminal.press("*", "h", "-", "f")
        terminal.wait_for_text("condition")
        terminal.press("1:4.f > 0.7", "enter")
        terminal.wait_for_text("in all")
        terminal.press("w")
        terminal.wait_for_text("write (")
        terminal.press("\x15", "seen.ans", "enter")
        terminal.wait_for_text("written: seen.ans")
        terminal.wait_for(lambda: "written" not in terminal.row(29), "the keys again")
        before = terminal.screen.display[:29]
        terminal.press("y")
        terminal.wait_for_text("Esc closes")

        def copied() -> str:
            sent = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]+)", bytes(terminal.output))
            return base64.b64decode(sent[-1]).decode() if sent else ""

        def boxed() -> str:
            lines = [line.split("│")[1].strip() for line in terminal.screen.display if line.count("│") > 1]
            return "".join(lines)

        terminal.wait_for(
            lambda: "--view" in boxed() and boxed() == copied().replace(" ", ""), "the copy in the box"
        )
        option, address = copied().split(" ")
    assert option == "--view"
    assert "size=100x30" in address
    assert "condition=1:4.f%20%3E%200.7" in address

    with Terminal(["browse", str(made.path), "--view", address], columns=100, rows=30) as terminal:
        terminal.wait_for_text("in all")
        terminal.wait_for(lambda: terminal.screen.display[:29] == before, "the same screen")

    with Terminal(
        ["snapshot", str(made.path), "--view", address], columns=100, rows=30, cwd=tmp_path
    ) as terminal:
        assert terminal.wait_for_exit() == 0
        assert terminal.screen.display[:29] == before
    printed = pyte.Screen(100, 30)
    pyte.Stream(printed).feed((tmp_path / "seen.ans").read_text().replace("\n", "\r\n"))
    assert printed.display[:29] == before
