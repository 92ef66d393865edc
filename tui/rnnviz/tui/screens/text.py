"""The text view: the text shaded by one cell, with what is known of that cell and of the symbol under the cursor."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.worker import get_current_worker

from rnnviz.store.errors import RnnvizError
from rnnviz.store.reader import Capture
from rnnviz.tui import view as moves
from rnnviz.tui.cells import Cell, parse_cell, step, to_layer
from rnnviz.tui.layout import TextWindow
from rnnviz.tui.painting import Line, width_of
from rnnviz.tui.palette import Depth
from rnnviz.tui.places import Places, places
from rnnviz.tui.reading_list import reading_list, text_needed, values_needed, window_span
from rnnviz.tui.scene import Scene
from rnnviz.tui.screens.help import HelpScreen, keys_of
from rnnviz.tui.screens.message import MessageScreen
from rnnviz.tui.search import find, pattern_of
from rnnviz.tui.snapshot import default_name, format_of, write_snapshot
from rnnviz.tui.source import Source
from rnnviz.tui.view import View
from rnnviz.tui.widgets.canvas import Canvas
from rnnviz.tui.widgets.lines import Lines
from rnnviz.tui.widgets.prompt import Prompt

Move = Callable[[View, TextWindow, int, int], View]
"""A step through the text: (view, window, width, height) → view."""

QUEUE = 32
"""Steps remembered while a slow disk is being read; a held key that runs further ahead is not."""


def _key(keys: str, action: str, what: str, tooltip: str, *, show: bool = False) -> Binding:
    # Questions have priority: their keys are acted on before the next key is looked at, so that what a fast typist
    # or a paste sends after them finds the prompt open. Any other key may wait its turn in the screen's queue.
    asks = action.startswith("ask_")
    return Binding(keys, action, what, show=show, tooltip=tooltip, id=f"{action}-{keys}", priority=asks)


class TextScreen(Screen[None]):
    """One capture, one cell, one place in the text."""

    DEFAULT_CSS = """
    TextScreen { layout: vertical; background: ansi_default; }
    TextScreen #canvas { height: 1fr; }
    TextScreen #hints { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        _key("j", "cell(1)", "next cell", "Next cell", show=True),
        _key("k", "cell(-1)", "previous cell", "Previous cell"),
        _key("J", "cell(10)", "ten cells on", "Ten cells on"),
        _key("K", "cell(-10)", "ten cells back", "Ten cells back"),
        _key("]", "layer(1)", "next layer", "Next layer, same unit", show=True),
        _key("[", "layer(-1)", "previous layer", "Previous layer, same unit"),
        _key("s", "signal(1)", "next signal", "Next signal of this cell", show=True),
        _key("S", "signal(-1)", "previous signal", "Previous signal of this cell"),
        _key(":", "ask_cell", "go to cell", "Go to a cell by name, as in 1:37", show=True),
        _key("left", "symbols(-1)", "left", "Cursor one symbol back"),
        _key("right", "symbols(1)", "right", "Cursor one symbol on"),
        _key("up", "rows(-1)", "up", "Cursor one row up"),
        _key("down", "rows(1)", "down", "Cursor one row down"),
        _key("pageup", "pages(-1)", "page up", "One screen up"),
        _key("pagedown,space", "pages(1)", "page down", "One screen down"),
        _key("home", "row_end(False)", "row start", "Cursor to the start of its row"),
        _key("end", "row_end(True)", "row end", "Cursor to the end of its row"),
        _key("g", "edge(False)", "start", "To the start of the text"),
        _key("G", "edge(True)", "end", "To the end of the text"),
        _key(
            "/",
            "ask_search",
            "search",
            "Search for a regular expression; lower case finds both cases",
            show=True,
        ),
        _key("n", "search(False)", "next match", "Next match"),
        _key("N", "search(True)", "previous match", "Previous match"),
        _key("p", "panels", "panels", "Show or hide the panels"),
        _key("w", "ask_snapshot", "snapshot", "Write what is on the screen to a file", show=True),
        _key("ctrl+l", "redraw", "redraw", "Draw the whole screen again"),
        _key("question_mark", "help", "keys", "This list", show=True),
        _key("q", "app.quit", "quit", "Quit", show=True),
    ]

    AUTO_FOCUS = ""
    """Keys are the screen's own until a prompt is opened."""

    class Arrived(Message):
        """The source has read something the screen wants."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, TextScreen.Arrived)

    def __init__(self, capture: Capture, start: View, depth: Depth, theme: str) -> None:
        super().__init__()
        self.capture = capture
        self.view = start
        self._shown = start
        self._depth = depth
        self._theme = theme
        self._source = Source(capture, self._tell)
        self._scene = Scene(capture, self._source, depth, theme)
        self._moves: deque[tuple[Move, int | None]] = deque()
        self._pattern: re.Pattern[bytes] | None = None
        self._failed: set[str] = set()
        self._panels: bool | None = None
        """Whether the person wants the panels; None while the width decides."""

    def _tell(self) -> None:
        """Called from the source's thread."""
        self.post_message(self.Arrived())

    # What it is made of

    def compose(self) -> ComposeResult:
        ground = self._scene.inks(self.view.signal).plain
        yield Canvas(ground, id="canvas")
        yield Lines(ground, id="hints")
        yield Prompt(id="prompt")

    def on_mount(self) -> None:
        ground = self._scene.inks(self.view.signal).plain.background
        if isinstance(ground, tuple):
            self.styles.background = "rgb({},{},{})".format(*ground)

    def on_unmount(self) -> None:
        self._source.close()

    def on_canvas_resized(self) -> None:
        self._move(moves.scrolled_to_cursor)

    def on_text_screen_arrived(self) -> None:
        self._go_on()

    @property
    def settled(self) -> bool:
        """Whether everything the view needs is on the screen."""
        if self.capture.captured == 0:
            return True
        text = self._places.text
        window = None if self._moves else self._window(self.view.top)
        if window is None:
            return False
        rows = window.rows_from(self.view.top, text.width, text.height)
        return self._shown == self.view and self._source.has(
            values_needed(self.capture, self.view, rows[0].start, rows[-1].stop)
        )

    # Cells and signals

    @property
    def _units(self) -> tuple[int, ...]:
        return tuple(layer.units for layer in self.capture.models[self.view.model].layers)

    def _look_at(self, cell: Cell) -> None:
        self.view = replace(self.view, cell=cell)
        self._draw()

    def action_cell(self, by: int) -> None:
        self._look_at(step(self.view.cell, by, self._units))

    def action_layer(self, by: int) -> None:
        self._look_at(to_layer(self.view.cell, by, self._units))

    def action_signal(self, by: int) -> None:
        signals = self.capture.models[self.view.model].layers[self.view.cell.layer].signals
        self.view = moves.next_signal(self.view, by, signals)
        self._draw()

    # Moving through the text

    def action_symbols(self, by: int) -> None:
        self._move(lambda v, window, w, h: moves.moved_by_symbols(v, by, window, w, h))

    def action_rows(self, by: int) -> None:
        self._move(lambda v, window, w, h: moves.moved_by_rows(v, by, window, w, h))

    def action_pages(self, by: int) -> None:
        self._move(lambda v, window, w, h: moves.moved_by_pages(v, by, window, w, h))

    def action_row_end(self, to_end: bool) -> None:
        self._move(lambda v, window, w, h: moves.moved_in_row(v, to_end, window, w, h))

    def action_edge(self, to_end: bool) -> None:
        self._go_to(self.capture.captured - 1 if to_end else 0)

    def _go_to(self, position: int) -> None:
        self._move(lambda v, window, w, h: moves.moved_to(v, position, window, w, h), target=position)

    def _move(self, move: Move, *, target: int | None = None) -> None:
        """Take a step as soon as the text it needs is in memory (at once, unless the disk is slow)."""
        if len(self._moves) < QUEUE:
            self._moves.append((move, target))
        self._go_on()

    def _go_on(self) -> None:
        text = self._places.text
        if text.width < 1 or text.height < 1:
            return
        if self.capture.captured == 0:
            self._moves.clear()
        while self._moves:
            move, target = self._moves[0]
            window = self._window(self.view.top if target is None else target)
            if window is None:
                break
            self._moves.popleft()
            self.view = move(self.view, window, text.width, text.height)
        self._draw()

    def _window(self, position: int) -> TextWindow | None:
        """The text around a place, or None (and wanted) while it is not in memory."""
        start, stop = window_span(position, self.capture.captured)
        data, segments = self._source.text(start, stop), self._source.segments()
        if data is None or segments is None:
            blocks = text_needed(position, self.capture.captured)
            self._source.want(blocks)
            self._report(self._source.failure(blocks))
            return None
        return TextWindow(start, data, self.capture.captured, segments.starts)

    # Drawing

    @property
    def _places(self) -> Places:
        return places(*self.query_one("#canvas", Canvas).size, self._panels)

    def _draw(self) -> None:
        """Show the current view with what is in memory, and want what is not."""
        canvas, at = self.query_one("#canvas", Canvas), self._places
        if at.text.width < 1 or at.text.height < 1:
            return
        self._show_hints()
        window = self._window(self.view.top) if self.capture.captured else None
        if window is None:
            canvas.show(self._scene.without_text(self.view, *canvas.size))
            return
        rows = window.rows_from(self.view.top, at.text.width, at.text.height)
        start, stop = rows[0].start, rows[-1].stop
        self._source.want(reading_list(self.capture, self.view, start, stop))
        self._report(self._source.failure(values_needed(self.capture, self.view, start, stop)))
        if self._scene.values(self.view, start, stop) is not None:
            self._shown = self.view
        canvas.show(self._scene.draw(self.view, self._shown, window, rows, at, *canvas.size, self._pattern))

    def _show_hints(self) -> None:
        inks = self._scene.inks(self.view.signal)
        hints: list[Line] = [
            [(f" {keys_of(binding)} ", inks.accent), (f"{binding.description} ", inks.faint)]
            for binding in self.BINDINGS
            if isinstance(binding, Binding) and binding.show
        ]
        while len(hints) > 2 and sum(map(width_of, hints)) > self.size.width:
            del hints[-3]  # the last two, how to get help and how to leave, stay
        self.query_one("#hints", Lines).show([[piece for hint in hints for piece in hint]])

    # Questions and answers

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a question is open, keys belong to its answer."""
        return not self.query_one("#prompt", Prompt).display

    def action_ask_cell(self) -> None:
        self._ask("cell", f"go to cell ({self.view.cell})")

    def action_ask_search(self) -> None:
        self._ask("search", "search")

    def action_ask_snapshot(self) -> None:
        name = default_name(self.capture.path, self.view.cell, self.view.signal, self.view.top)
        self._ask("snapshot", "write (.ans .html .svg .txt)", name)

    def _ask(self, question: str, label: str, value: str = "") -> None:
        self.query_one("#hints").display = False
        self.query_one("#prompt", Prompt).ask(question, label, value)

    def on_prompt_closed(self) -> None:
        self.query_one("#hints").display = True
        self.set_focus(None)

    def on_prompt_answered(self, event: Prompt.Answered) -> None:
        answer = event.answer
        if not answer.strip():
            return
        try:
            match event.question:
                case "cell":
                    self._look_at(parse_cell(answer, self._units, self.view.cell.layer))
                case "search":
                    self._pattern = pattern_of(answer)
                    self._search(self._pattern, backwards=False)
                case "snapshot":
                    self._write(Path(answer).expanduser())
        except RnnvizError as error:
            # The answer stays in the prompt, to be mended when the message is closed.
            self._ask(event.question, event.label, answer)
            self.app.push_screen(MessageScreen(error))

    def action_search(self, backwards: bool) -> None:
        if self._pattern is None:
            self.notify("nothing to look for yet: press /", timeout=2)
        else:
            self._search(self._pattern, backwards=backwards)

    @work(thread=True, exclusive=True, group="search")
    def _search(self, pattern: re.Pattern[bytes], *, backwards: bool) -> None:
        worker = get_current_worker()
        capture = self.capture
        try:
            span = find(
                pattern,
                capture.text,
                capture.captured,
                self.view.cursor,
                backwards=backwards,
                cancelled=lambda: worker.is_cancelled,
            )
        except RnnvizError as error:
            self.app.call_from_thread(self._report, error)
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._found, span)

    def _found(self, span: tuple[int, int] | None) -> None:
        if span is None:
            self.notify("no match", timeout=2)
            self._draw()
        else:
            self._go_to(span[0])

    @work(thread=True, group="snapshot")
    def _write(self, path: Path) -> None:
        text = self._places.text
        try:
            write_snapshot(
                self.capture,
                self.view,
                path,
                lines=text.height,
                width=text.width,
                theme=self._theme,
                depth=self._depth,
                form=format_of(path),
                replace=False,
            )
        except RnnvizError as error:
            self.app.call_from_thread(self._report, error)
            return
        self.app.call_from_thread(self.notify, f"written: {path}", timeout=3, markup=False)

    # The rest

    def action_panels(self) -> None:
        self._panels = self._places.panels is None
        self._move(moves.scrolled_to_cursor)

    def action_redraw(self) -> None:
        """For a terminal that something else has written into."""
        self.query_one("#canvas", Canvas).forget()
        self.refresh()

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen([b for b in self.BINDINGS if isinstance(b, Binding)]))

    def _report(self, error: RnnvizError | None) -> None:
        """Show an error once, however often a damaged block is met."""
        if error is not None and error.message not in self._failed:
            self._failed.add(error.message)
            self.app.push_screen(MessageScreen(error))
