"""Every key of the typing screen, pressed without a terminal: none is without effect or ends the explorer."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.pilot import Pilot

from rnnviz.store.errors import NotFound
from rnnviz.tui.launch.app import Explorer
from rnnviz.tui.launch.open_view import open_view
from rnnviz.tui.paint.palette import Depth
from rnnviz.tui.playground.document import Page
from rnnviz.tui.playground.model_locations import refuse_no_run
from rnnviz.tui.playground.undo_history import History
from rnnviz.tui.screens.base.message_dialog import MessageScreen
from rnnviz.tui.screens.playground.playground_screen import TypingScreen
from rnnviz.tui.screens.text.text_screen import TextScreen
from rnnviz.tui.widgets.canvas import Canvas
from support.captures import make_capture, model_schema
from support.explored import remark_of
from support.lively import Typed, over_tokens, wordy
from support.token_runs import WORDS

TEXT = b"the war is over, \nsaid the prince\n" * 20


@pytest.fixture(scope="module", name="path")
def _path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wordy(tmp_path_factory.mktemp("keys"), hidden=7).path


@pytest.fixture(scope="module", name="words")
def _words(tmp_path_factory: pytest.TempPathFactory) -> Typed:
    return over_tokens(tmp_path_factory.mktemp("words"), WORDS, "der Hund schläft .\n" * 20, hidden=7)


def explorer(path: Path, run: Path | None = None) -> Explorer:
    capture, view = open_view(path, "0:0", None, 0)
    return Explorer(capture, view, Depth.TRUE, "dark", run=run)


async def opened(pilot: Pilot[None]) -> TypingScreen:
    """Press `i` and wait for the models."""
    await pilot.press("i")
    screen = pilot.app.screen
    assert isinstance(screen, TypingScreen)
    while not screen.settled:
        await asyncio.sleep(0.02)
    return screen


def pressed(binding: Binding) -> list[str]:
    """The keys of a binding as a pilot presses them."""
    return binding.key.split(",") if len(binding.key) > 1 else [binding.key]


@pytest.mark.parametrize("unit", ["byte", "word"])
async def test_every_key_of_the_help_does_something(path: Path, words: Typed, unit: str) -> None:
    app = explorer(path if unit == "byte" else words.path)
    # Nothing to see: no other model, the same screen, only words.
    unseen = {"redraw", "way_out", "ngram(1)", "ngram(-1)"} | (
        {"other_writer", "ask_ngrams"} if unit == "word" else set()
    )
    async with app.run_test(size=(90, 30)) as pilot:
        screen = await opened(pilot)
        session = screen.session
        reader = session.readers["recurrent"]
        tried = 0
        for name, bindings in screen.key_groups():
            for binding in bindings:
                for key in pressed(binding):
                    screen.typing = name in ("While typing", "Editing")
                    screen.writing = False
                    session.temperature, session.writer = 1.0, "recurrent"
                    session.page, session.history = Page(), History()
                    for page in (Page(TEXT, 300), Page(TEXT[:-1], 300)):
                        session.change(page)
                    session.page = session.history.back(session.page)
                    screen.turned()
                    before = described(screen)
                    await pilot.press(key)
                    if binding.action == "restart":
                        await pilot.pause()
                        assert reader.model is not None
                        assert not reader.lost
                    elif binding.action == "leave":
                        assert app.screen is not screen
                        await pilot.press("i")
                        assert isinstance(app.screen, TypingScreen)
                        screen = app.screen
                    elif binding.action in unseen:
                        assert app.screen is screen
                    else:
                        assert described(screen) != before, (key, binding.action)
                    if app.screen is not screen or screen.query_one("#prompt").display:
                        await pilot.press("escape")
                    assert app.screen is screen
                    tried += 1
        assert tried > 40
        assert reader.model is not None
        assert reader.model.failure is None


def described(screen: TypingScreen) -> tuple[object, ...]:
    """All that a key may change."""
    session = screen.session
    return (
        session.page,
        session.temperature,
        session.seed,
        session.writer,
        session.shade,
        screen.view.cell,
        screen.view.signal,
        screen.typing,
        screen.writing,
        screen.panels,
        screen.query_one("#prompt").display,
        type(screen.app.screen),
    )


async def test_writing_goes_on_by_itself_until_it_is_stopped(path: Path) -> None:
    app = explorer(path)
    async with app.run_test(size=(90, 30)) as pilot:
        screen = await opened(pilot)
        await pilot.press("escape", "space")
        assert not screen.writing  # there is nothing to go on from
        await pilot.press("i", *"war", "escape", "space")
        while len(screen.session.page.text) < 20:
            await asyncio.sleep(0.02)
        await pilot.press("escape")
        assert not screen.writing
        written = screen.session.page.text
        await asyncio.sleep(0.2)
        assert screen.session.page.text == written
        for _ in range(10):
            await pilot.press("backspace")
        assert screen.session.page.text == written[:-10]
        while len(screen.session.page.text) < len(written):
            await pilot.press(".")
            while screen.writing:
                await asyncio.sleep(0.02)
        assert screen.session.page.text == written  # the same dice
        await pilot.press(",")
        for _ in range(10):
            await pilot.press("backspace")
        while len(screen.session.page.text) < len(written):
            await pilot.press(".")
            while screen.writing:
                await asyncio.sleep(0.02)
        assert screen.session.page.text != written


async def test_words_are_taken_back_faster_than_a_model_answers(words: Typed) -> None:
    app = explorer(words.path)
    async with app.run_test(size=(90, 30)) as pilot:
        screen = await opened(pilot)
        text = "der Hund\n schläft  . der Hund . ".encode()
        screen.edit(Page(text, 3))
        await pilot.press("escape")
        while not screen.settled:
            await asyncio.sleep(0.02)
        left = []
        for _ in range(9):
            screen.action_unwrite()  # without a moment in between
            left.append(screen.session.page.text)
            assert screen.session.page.cursor == len(left[-1])
        assert left[:3] == [text[:-2], text[:-7], text[:-11]]
        assert left[3:] == [b"der Hund\n schl\xc3\xa4ft  ", b"der Hund\n ", b"der Hund", b"der ", b"", b""]


async def test_without_a_model_one_types_and_takes_words_back(
    words: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(words.path, tmp_path / "a" / "x.zarr")
    monkeypatch.chdir(tmp_path)
    app = explorer(tmp_path / "a" / "x.zarr")
    async with app.run_test(size=(90, 30)) as pilot:
        screen = await opened(pilot)
        await pilot.press("escape")  # the question for the run
        screen.edit(Page("der Hund 🙂".encode(), 0))
        await pilot.press("escape", "space")
        assert not screen.writing
        await pilot.press("backspace")
        assert screen.session.page.text == b"der Hund "
        await pilot.press("i", "a", "backspace", "backspace")
        assert screen.session.page.text == b"der Hund"


async def test_a_line_taken_away_by_mistake_comes_back(path: Path) -> None:
    app = explorer(path)
    async with app.run_test(size=(90, 30)) as pilot:
        screen = await opened(pilot)
        await pilot.press(*"the", "space", *"war", "enter", *"no", "left", "ctrl+u")
        assert screen.session.page == Page(b"the war\no", 8)
        await pilot.press("ctrl+z")
        assert screen.session.page == Page(b"the war\nno", 9)
        await pilot.press("escape", "ctrl+z", "ctrl+z", "ctrl+z")
        assert screen.session.page == Page(b"the ", 4)
        await pilot.press("ctrl+y", "ctrl+y", "ctrl+y", "ctrl+y", "ctrl+y")
        assert screen.session.page == Page(b"the war\no", 8)


async def test_a_small_screen_keeps_the_page(path: Path) -> None:
    app = explorer(path)
    async with app.run_test(size=(90, 30)) as pilot:
        screen = await opened(pilot)
        await pilot.press(*"one two three")
        for size in ((20, 5), (40, 10), (1, 2), (200, 50)):
            await pilot.resize_terminal(*size)
            await pilot.press("x")
        assert screen.session.page.text == b"one two threexxxx"


async def test_the_mouse_and_the_palette_of_commands(path: Path) -> None:
    app = explorer(path)
    async with app.run_test(size=(90, 30)) as pilot:
        screen = await opened(pilot)
        screen.edit(Page(TEXT, len(TEXT)))
        await pilot.press("escape", "g")
        await pilot.click("#canvas", offset=(5, 2))
        assert screen.session.page.cursor == TEXT.index(b"prince") - 4
        for _ in range(9):
            screen.query_one("#canvas", Canvas).post_message(Canvas.Wheeled(down=True))
            await pilot.pause()
        assert screen.view.top > 0
        assert screen.session.page.cursor >= screen.view.top
        offered = {command.title: command for command in app.get_system_commands(app.screen)}
        await offered["Next layer, same unit (])"].callback()
        assert app.screen is screen
        assert screen.view.cell.layer == 1


async def test_a_capture_without_a_model_says_so(tmp_path: Path) -> None:
    schema = model_schema(TEXT, kind="states", signals=("h",), next=False)
    made = make_capture(tmp_path / "states.zarr", TEXT, models=[schema])
    app = explorer(made.path)
    async with app.run_test(size=(90, 30)) as pilot:
        await pilot.press("i")
        assert isinstance(app.screen, MessageScreen)
        await pilot.press("escape")
        assert isinstance(app.screen, TextScreen)


async def test_a_hand_made_capture_asks_for_its_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = make_capture(tmp_path / "a" / "hand.zarr", TEXT)
    app = explorer(made.path)
    async with app.run_test(size=(90, 30)) as pilot:
        screen = await opened(pilot)
        assert screen.query_one("#prompt").display
        assert screen.session.readers["recurrent"].model is None


def test_a_named_run_that_is_none_is_refused_before_anything_is_opened(path: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        refuse_no_run(tmp_path / "nowhere")
    refuse_no_run(path.parent / "runs" / "wordy")


async def test_nothing_that_is_typed_ends_the_explorer_and_the_page_can_be_emptied(path: Path) -> None:
    app = explorer(path)
    async with app.run_test(size=(90, 30)) as pilot:
        screen = await opened(pilot)
        await pilot.press(*"war", "ctrl+q", "ctrl+c", "s")
        assert screen.session.page.text == b"wars"
        assert app.is_running
        await pilot.press("ctrl+x")
        assert screen.session.page == Page()
        await pilot.press("ctrl+z", "escape", "q", "slash", "a", "ctrl+q", "b")
        assert screen.session.page.text == b"wars"
        assert app.is_running
        await pilot.press("escape", "ctrl+c")
        assert remark_of(app.screen) == "q quits"
        await pilot.press("ctrl+q")
    assert not app.is_running
