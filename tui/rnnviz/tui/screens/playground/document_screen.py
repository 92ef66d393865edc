"""A page of the person's own text on the screen: what it shows, what it asks the models, and how keys reach it.

It knows no keys of its own. As in an editor with two modes, every key that writes something writes it while one is
typing; Esc leaves that for commands. A *group of keys* is a class that derives from `PageScreen`, with a `GROUP` name,
the `KEYS` it adds, in which `MODES` they count, and the actions behind them; `TypingScreen` lists the groups. Keys are
looked at here one after the other, so that what a fast typist or a paste sends after an Esc meets the mode it was meant
for.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Final

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.timer import Timer

from rnnviz.store.errors import RnnvizError
from rnnviz.tui.command_line.home_path import home_path
from rnnviz.tui.playground.document import Page
from rnnviz.tui.playground.model_client import Question
from rnnviz.tui.playground.model_locations import (
    FoundNgrams,
    FoundRun,
    TrainedOn,
    find_ngrams,
    find_run,
    find_trained_on,
    run_at,
)
from rnnviz.tui.playground.session import Session
from rnnviz.tui.scenes.text_scene import Scene
from rnnviz.tui.screens.base.keys import hints_of
from rnnviz.tui.screens.base.questions import Asking
from rnnviz.tui.screens.playground.scene import Sheet, draw, sheet, window_of
from rnnviz.tui.text.glyphs import visible
from rnnviz.tui.text.rows import Row, TextWindow
from rnnviz.tui.view import view as moves
from rnnviz.tui.view.user_state import keep_model_path
from rnnviz.tui.view.view import View
from rnnviz.tui.widgets.canvas import Canvas
from rnnviz.tui.widgets.hint_line import HintLine
from rnnviz.tui.widgets.prompt import Prompt
from rnnviz.tui.widgets.prompt import Question as Prompted

PACE: Final = 0.03
"""Seconds between two symbols that a model writes: fast, but to be followed by eye."""
LOOK: Final = 0.5
"""Seconds between two looks at how long a model has been loading, or has not answered."""

WRITTEN: Final = {"enter": "\n", "ctrl+j": "\n", "tab": "\t"}
"""What keys write that are no characters of their own."""


def do_nothing() -> None:
    """What a session calls while no screen shows it."""


class PageScreen(Asking[View | None]):
    """The page of a session. Dismissed with the view, which may have another cell and signal by then."""

    GROUP: ClassVar[str] = ""
    """The heading of this class's keys in the help."""
    KEYS: ClassVar[list[Binding]] = []
    MODES: ClassVar[tuple[bool, ...]] = (True, False)
    """Whether the keys count while typing (True), as commands (False), or both."""

    DEFAULT_CSS = """
    PageScreen { layout: vertical; background: ansi_default; }
    PageScreen #canvas { height: 1fr; }
    PageScreen #hints { height: 1; }
    """
    AUTO_FOCUS = ""
    ctrl_z_undoes: ClassVar[bool] = True
    """Elsewhere Ctrl-Z suspends the program."""

    class Changed(Message):
        """A model has said something."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, PageScreen.Changed)

    class Found(Message):
        """The search for the models has ended."""

        def __init__(self, run: FoundRun | TrainedOn | None, ngrams: FoundNgrams | None) -> None:
            super().__init__()
            self.run = run
            self.ngrams = ngrams

    def __init__(self, session: Session, scene: Scene, view: View, run: Path | None) -> None:
        """`view` is where the text screen is; `run` a path that was given for the recurrent model."""
        super().__init__()
        self.session = session
        self.view = replace(view, top=0, cursor=session.page.cursor, shade=session.shade)
        self.came_from = view
        self.scene = scene
        self._run = run
        self.typing = True
        """Whether keys write; if not, they are commands."""
        self.writing = False
        """Whether a model goes on writing."""
        self.one_symbol = False
        """Whether it stops after one."""
        self.panels = True
        self._rows: list[Row] = []
        """Those of the page that are on the screen."""
        self._overtaken = False
        """Whether the page was not shown because the terminal was not ready for it."""
        self._timer: Timer | None = None
        self._searching = True
        """Whether the models are still being looked for."""
        self._lacking = ""
        """Why the recurrent model is not there, if it was looked for and not found."""

    # What it is made of

    def compose(self) -> ComposeResult:
        ground = self.scene.inks(self.view.signal).plain
        yield Canvas(ground, id="canvas")
        yield HintLine(ground, id="hints")
        yield Prompt(id="prompt")

    def on_mount(self) -> None:
        ground = self.scene.inks(self.view.signal).plain.background
        if isinstance(ground, tuple):
            self.styles.background = "rgb({},{},{})".format(*ground)
        self.session.changed = self._tell
        self.set_interval(LOOK, self._look_at_models)
        self._find()

    def on_unmount(self) -> None:
        self.session.changed = do_nothing

    def _tell(self) -> None:
        """Called from the models' threads."""
        self.post_message(self.Changed())

    def on_canvas_free(self) -> None:
        if self._overtaken:
            self.show_page()

    def on_canvas_resized(self) -> None:
        self.turned()

    @property
    def settled(self) -> bool:
        """Whether the models have said all they have to say."""
        return not self._searching and not self.writing and self.session.settled

    # The models

    @work(thread=True)
    def _find(self) -> None:
        """Look where the models are, unless they are there already."""
        session, capture, here = self.session, self.session.capture, Path.cwd()
        run: FoundRun | TrainedOn | None = None
        ngrams = None
        if session.readers["recurrent"].model is None and self._run is None:
            run = find_run(capture, session.name, here) or find_trained_on(capture, session.name, here)
        names, ngram = session.ngram_names, session.readers.get("ngram")
        if ngram is not None and ngram.model is None and names:
            ngrams = find_ngrams(capture, names[max(names)], here)
        self.post_message(self.Found(run, ngrams))

    def on_page_screen_found(self, event: Found) -> None:
        self._searching = False
        recurrent, ngram = self.session.readers["recurrent"], self.session.readers.get("ngram")
        if event.ngrams is not None:
            self.session.open_ngrams(event.ngrams)
        elif ngram is not None and ngram.model is None and self.session.ngram_names:
            ngram.says = "its directory is not to be found from here: Esc and then N take its path"
        if isinstance(event.run, FoundRun):
            self.session.open_run(event.run)
        elif recurrent.model is None:
            self._lacking = "The run of the capture is not to be found from here."
            if self._run is not None:
                try:
                    self.open_run(self._run)
                except RnnvizError as error:
                    self.ask_run(str(self._run), error)
            elif event.run is not None:
                self._lacking = visible(event.run.told(self.session.capture.path))
                self.ask_run(str(event.run.path))
            elif not self.asking:
                self.ask_run()
        self.turned()

    def put_question(
        self, question: Prompted, value: str, mistake: RnnvizError | None = None, *, kept: bool = False
    ) -> None:
        """Ask a question, which what is said of a missing run may point to."""
        super().put_question(question, value, mistake, kept=kept)
        self.show_page()

    def on_prompt_closed(self) -> None:
        self.show_page()

    def _say_how_to_give_a_run(self) -> None:
        way = "Esc and then R take its path." if self.typing else "R takes its path."
        if self._lacking:
            way = "Enter takes the path that is typed below." if self.asking else way
            self.session.readers["recurrent"].says = f"{self._lacking} {way}"

    def ask_run(self, path: str = "", mistake: RnnvizError | None = None) -> None:
        """Ask where the run is; `mistake` is what is wrong with the path that was given."""
        label = f"path of the run {visible(self.session.readers['recurrent'].name)}"
        self.ask(label, path, lambda answer: self.open_run(home_path(answer)), mistake=mistake, kept=True)

    def open_run(self, path: Path) -> None:
        """Read with the run at a path, and remember it. Raises NotFound and InvalidRun."""
        capture, name = self.session.capture, self.session.name
        self.session.open_run(run_at(path, capture, name))
        keep_model_path(capture.path, name, path)
        self.turned()

    def _look_at_models(self) -> None:
        if not self.session.settled:
            self.show_page()

    def on_page_screen_changed(self) -> None:
        self.session.check()
        written = self.session.drawn()
        if self.writing and written is not None and self._timer is None:
            if not written:
                self.writing = False
                self.notify(self.obstacle or "the model cannot go on from here", timeout=3, markup=False)
            elif self.one_symbol:
                self._write(written)
            else:
                self._timer = self.set_timer(PACE, self._write_drawn)
        self.show_page()

    def _write_drawn(self) -> None:
        self._timer = None
        written = self.session.drawn()
        if self.writing and written:
            self._write(written)

    def _write(self, written: bytes) -> None:
        page = self.session.page
        self.session.change(Page(page.text, len(page.text)).typed(written))
        self.writing = self.writing and not self.one_symbol
        self.turned()

    @property
    def obstacle(self) -> str:
        """Why the writer cannot go on from the page, as far as it is known; empty where it can."""
        reader = self.session.readers[self.session.writer]
        model = reader.model
        if model is None or model.failure is not None:
            return f"{reader.name} is not there to write"
        if not self.session.page.text:
            return "type something first: a model goes on from what it has read"
        answer = model.answer
        if answer is not None and model.opened is not None and answer.question.text == self.session.page.text:
            if answer.refused is not None:
                return f"{reader.name} cannot read all of the page"
            if answer.of >= model.opened.longest:
                return "the page is as long as the model reads"
        return ""

    def _ask_models(self) -> None:
        """Ask for everything on the screen."""
        page, cell, rows = self.session.page, self.view.cell, self._rows
        start, stop = (rows[0].start, rows[-1].stop) if rows else (0, 0)
        question = Question(
            page.text,
            page.cursor,
            start,
            stop,
            unfinished=self.typing and not self.writing,
            layer=cell.layer,
            unit=cell.unit,
            signal=self.view.signal,
        )
        self.session.ask(question, draw=self.writing)

    # Drawing

    @property
    def sheet(self) -> Sheet:
        """Where things stand on the screen now."""
        columns = len(self.session.readers) if self.panels else 0
        return sheet(*self.query_one("#canvas", Canvas).size, columns)

    @property
    def window(self) -> TextWindow:
        """The page, laid out."""
        return window_of(self.session.page)

    def turned(self) -> None:
        """The page, its cursor or the cell is another one: ask, and show what is known already."""
        text = self.sheet.text
        self.view = replace(self.view, cursor=self.session.page.cursor, shade=self.session.shade)
        if text.width > 0 and text.height > 0:
            window = self.window
            top = min(self.view.top, len(window.data) - 1)
            self.view = moves.scrolled_to_cursor(replace(self.view, top=top), window, text.width, text.height)
            self._rows = window.rows_from(self.view.top, text.width, text.height)
        self._ask_models()
        self.show_page()

    def show_page(self) -> None:
        """Draw what is known now, unless the terminal is still busy with the last frame."""
        canvas = self.query_one("#canvas", Canvas)
        self._overtaken = not canvas.free
        if self._overtaken or self.sheet.text.width < 1 or self.sheet.text.height < 1:
            return
        self._say_how_to_give_a_run()
        palette = self.scene.shades(self.view)
        at = self.sheet
        canvas.show(
            draw(self.session, self.view, self.window, self._rows, palette, at, *canvas.size, self._mode)
        )
        self._show_hints()

    @property
    def _mode(self) -> str:
        return "writing" if self.writing else "typing" if self.typing else "commands"

    def _show_hints(self) -> None:
        inks = self.scene.inks(self.view.signal)
        self.show_chosen(lambda: hints_of(self._keys), ("?", "Esc", "i"), inks, self.typing)

    # Keys

    @classmethod
    def key_groups(cls) -> list[tuple[str, list[Binding]]]:
        """Every group's name and keys, in the order in which the class lists the groups."""
        return [(group.GROUP, group.KEYS) for group in cls._groups()]

    @classmethod
    def _groups(cls) -> list[type[PageScreen]]:
        return [
            base
            for base in cls.__mro__
            if issubclass(base, PageScreen) and "KEYS" in base.__dict__ and base.GROUP
        ]

    @property
    def _keys(self) -> list[Binding]:
        """Those that count in the mode that is on."""
        return [binding for group in self._groups() if self.typing in group.MODES for binding in group.KEYS]

    def takes_key(self, key: str, character: str | None) -> bool:
        if self.typing and (character is not None or key in WRITTEN):
            return True
        return any(self._is_for(binding, key, character) for binding in self._keys)

    @staticmethod
    def _is_for(binding: Binding, key: str, character: str | None) -> bool:
        names = binding.key.split(",") if len(binding.key) > 1 else [binding.key]
        return key in names or character in names

    async def on_key(self, event: events.Key) -> None:
        """Write what is typed, or do what the key is for."""
        if not self.is_current:
            return  # left already: a key that was on its way is for the screen that is there now
        if self.asking:
            if event.is_printable and event.character is not None:
                # It was on its way when the question was opened: it belongs to the answer.
                event.stop()
                self.type(event.character)
            return
        event.stop()
        event.prevent_default()
        character = event.character if event.is_printable else WRITTEN.get(event.key)
        if self.typing and event.key.startswith("alt+"):
            # A terminal sends Esc and a key that follows at once in the same way as a key with Alt.
            self.typing = self.writing = False
        if self.typing and character is not None:
            self._type(character)
            return
        for binding in self._keys:
            if self._is_for(binding, event.key, character):
                await self.run_action(binding.action)
                return
        self.turned()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        if self.typing:
            self._type(event.text.replace("\r\n", "\n").replace("\r", "\n"))
        else:
            self.notify("i goes back to typing", timeout=2)

    def _type(self, characters: str) -> None:
        self.writing = False
        self.edit(self.session.page.typed(characters.encode("utf-8", "surrogatepass")))

    def edit(self, page: Page) -> None:
        """Show another page, or another place in it."""
        self.session.change(page)
        self.turned()
