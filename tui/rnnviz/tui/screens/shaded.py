"""The screen that shows the shaded text: what it draws, what it waits for, and how other screens come from it.

It knows no keys. A *group of keys* is a class of its own that derives from `ShadedText`, with a `GROUP` name, the
`BINDINGS` it adds (see `screens.bindings.key`) and the actions behind them; `TextScreen` lists the groups. An action
has these to work with:

- `view` and `look(view)`: what is looked at, and another cell, signal, model or shading;
- `go_to(symbol)`: the cursor to a place; `on_screen`: the stretch of text on the screen;
- `ask(label, value, answered)`: a question in the bottom line; `say(text)`: a few words there, for a moment;
- `jump(what, find)`: a search through the capture in a thread, with progress, that ends with the cursor moved;
- `errand(what, work, then)`: any longer work in a thread, with progress; Esc stops it;
- `visit(screen)`: another screen, which may come back with another view;
- `source`: what is in memory of the capture, and how to ask for more.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from typing import ClassVar, TypeVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.worker import get_current_worker

from rnnviz.store.errors import InvalidCapture, RnnvizError
from rnnviz.store.reader import Capture, open_capture
from rnnviz.tui import view as moves
from rnnviz.tui.errand import Cancelled, Jump
from rnnviz.tui.layout import TextWindow
from rnnviz.tui.overhead import Overhead
from rnnviz.tui.painting import Line, width_of
from rnnviz.tui.palette import Depth
from rnnviz.tui.places import Places, places
from rnnviz.tui.reading_list import reading_list, text_needed, values_needed, window_at
from rnnviz.tui.scene import Scene
from rnnviz.tui.screens.help import keys_of
from rnnviz.tui.screens.message import MessageScreen
from rnnviz.tui.source import Block, ByteBlock, Source
from rnnviz.tui.view import View
from rnnviz.tui.widgets.canvas import Canvas
from rnnviz.tui.widgets.lines import Lines
from rnnviz.tui.widgets.prompt import Prompt

Move = Callable[[View, TextWindow, int, int], View]
"""A step through the text: (view, window, width, height) → view."""
Found = TypeVar("Found")

QUEUE = 32
"""Steps remembered while a slow disk is being read; a held key that runs further ahead is not."""
GROWTH_EVERY = 1.0
"""Seconds between two looks at a capture that is still being written."""
PROGRESS_AFTER, PROGRESS_EVERY = 0.3, 0.1
"""Seconds after which an errand shows how far it is, and how often from then on."""


class ShadedText(Screen[None]):
    """One capture, one cell, one place in the text."""

    GROUP: ClassVar[str] = ""
    """The heading of this class's keys in the help."""

    DEFAULT_CSS = """
    ShadedText { layout: vertical; background: ansi_default; }
    ShadedText #canvas { height: 1fr; }
    ShadedText #hints { height: 1; }
    """

    AUTO_FOCUS = ""
    """Keys are the screen's own until a prompt is opened."""

    class Stands(Message):
        """The screen is laid out: it can be asked and moved."""

    class Arrived(Message):
        """The source has read something the screen wants."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, ShadedText.Arrived)

    class Grown(Message):
        """The capture as it is now."""

        def __init__(self, now: Capture) -> None:
            super().__init__()
            self.now = now

    class Progressed(Message):
        """An errand has come further."""

        def __init__(self, what: str, share: float) -> None:
            super().__init__()
            self.what = what
            self.share = share

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, ShadedText.Progressed)

    class Returned(Message):
        """An errand has ended; `then` is what is left to do with what it found."""

        def __init__(self, then: Callable[[], None]) -> None:
            super().__init__()
            self.then = then

    def __init__(self, capture: Capture, start: View, depth: Depth, theme: str, source: Source) -> None:
        super().__init__()
        self.capture = capture
        self.view = start
        self.depth = depth
        self.theme_name = theme
        self.source = source
        self.scene = Scene(capture, self.source, depth, theme)
        self.pattern: re.Pattern[bytes] | None = None
        """What was searched for last."""
        self.panels_wanted: bool | None = None
        """Whether the person wants the panels; None while the width decides."""
        self.overhead: Overhead | None = None
        """What stands above the text, if anything."""
        self._shown = start
        self._moves: deque[tuple[Move, int | None]] = deque()
        self._overtaken = False
        """Whether the view has changed since the last frame, which the terminal has not shown yet."""
        self._failed: set[str] = set()
        self._answered: Callable[[str], None] | None = None
        self._growth: Timer | None = None
        """Looks again and again at a capture that is not complete."""
        self.said: str | None = None
        """What the line at the bottom says for a moment."""
        self._errand_line: str | None = None
        """What the line at the bottom says of an errand."""

    def _tell(self) -> None:
        """Called from the source's thread."""
        self.post_message(self.Arrived())

    # What it is made of

    def compose(self) -> ComposeResult:
        ground = self.scene.inks(self.view.signal).plain
        yield Canvas(ground, id="canvas")
        yield Lines(ground, id="hints")
        yield Prompt(id="prompt")

    def on_mount(self) -> None:
        self.source.listen(self._tell)
        self.call_after_refresh(lambda: self.post_message(self.Stands()))
        if not self.capture.complete:
            self._growth = self.set_interval(GROWTH_EVERY, self._look_for_growth)
        self._take_colours()

    @work(thread=True, exclusive=True, group="growth")
    def _look_for_growth(self) -> None:
        """See how far the process has come that writes the capture; never on the screen's own thread."""
        try:
            now = open_capture(self.capture.path)
        except RnnvizError as error:
            failure = error  # the name is gone when what follows runs
            self.post_message(self.Returned(lambda: self._grow_no_more(failure)))
            return
        self.post_message(self.Grown(now))

    def on_shaded_text_grown(self, event: Grown) -> None:
        now, capture = event.now, self.capture
        if now.schema != capture.schema:
            self._grow_no_more(
                InvalidCapture(f"{capture.path} was replaced by another capture", "Open it again.")
            )
        elif (now.captured, now.complete) != (capture.captured, capture.complete):
            self.source.grow(now.captured, now.complete)
            if now.complete:
                self._grow_no_more(None)
            if self.is_current:
                self._go_on()

    def _grow_no_more(self, why: RnnvizError | None) -> None:
        if self._growth is not None:
            self._growth.stop()
        self.report(why)

    def on_unmount(self) -> None:
        self.source.close()

    def on_canvas_free(self) -> None:
        if self._overtaken and self.is_current:
            self.draw()

    def on_canvas_resized(self) -> None:
        self.move(moves.scrolled_to_cursor)

    def on_shaded_text_arrived(self) -> None:
        if self.is_current:  # else the screen over this one says what is wanted
            self._go_on()

    @property
    def settled(self) -> bool:
        """Whether everything the view needs is on the screen."""
        if self.capture.captured == 0:
            return True
        if self._overtaken:
            return False
        if self._errand_line is not None:
            return False
        window = None if self._moves else self._window(self.view.top)
        if window is None:
            return False
        text = self.places.text
        rows = window.rows_from(self.view.top, text.width, text.height)
        needed = values_needed(self.capture, self.view, *window.span(rows))
        if self.overhead is not None and self.places.overhead is not None:
            needed += self.overhead.needed(self.view)
        return self._shown == self.view and self.source.has(needed)

    # What is looked at

    @property
    def units(self) -> tuple[int, ...]:
        """Units of each layer of the model that is looked at."""
        return tuple(layer.units for layer in self.capture.models[self.view.model].layers)

    @property
    def on_screen(self) -> tuple[int, int]:
        """The symbols on the screen, (start, stop); none while the text is being read."""
        text = self.places.text
        window = self._window(self.view.top) if self.capture.captured and text.height > 0 else None
        if window is None:
            return self.view.cursor, self.view.cursor
        return window.span(window.rows_from(self.view.top, text.width, text.height))

    def look(self, view: View) -> None:
        """Look at another cell, signal or model, at the same place."""
        self.view = view
        self.draw()

    def go_to(self, symbol: int) -> None:
        """Move the cursor to a symbol of the text."""
        self.move(lambda v, window, w, h: moves.moved_to(v, symbol, window, w, h), target=symbol)

    def move(self, step: Move, *, target: int | None = None) -> None:
        """Take a step as soon as the text it needs is in memory (at once, unless the disk is slow)."""
        if len(self._moves) < QUEUE:
            self._moves.append((step, target))
        self._go_on()

    def _go_on(self) -> None:
        text = self.places.text
        if text.width < 1 or text.height < 1:
            return
        if self.capture.captured == 0:
            self._moves.clear()
        while self._moves:
            step, target = self._moves[0]
            place = self.view.top if target is None else self._byte_of(target)
            window = None if place is None else self._window(place)
            if window is None:
                break
            self._moves.popleft()
            self.view = step(self.view, window, text.width, text.height)
        self.draw()

    def _window(self, byte: int) -> TextWindow | None:
        """The text around a place, or None (and wanted) while it is not in memory."""
        window = window_at(self.source, byte)
        if window is None:
            self._await(text_needed(self.capture, byte))
        return window

    def _byte_of(self, symbol: int) -> int | None:
        """The byte that a symbol starts with, or None (and wanted) while that is not known."""
        byte = self.source.byte_of(symbol)
        if byte is None:
            self._await([ByteBlock(symbol)])
        return byte

    def _await(self, blocks: list[Block]) -> None:
        self.source.want(blocks)
        self.report(self.source.failure(blocks))

    # Drawing

    @property
    def places(self) -> Places:
        """Where things stand on the screen now."""
        width, height = self.query_one("#canvas", Canvas).size
        overhead = 0 if self.overhead is None else self.overhead.height(width, height)
        compared = self.view.pair is not None
        return places(width, height, self.panels_wanted, overhead, len(self.view.pins), compared=compared)

    def draw(self) -> None:
        """Show the current view with what is in memory, and want what is not.

        While the terminal is still busy with the frame before, that waits until it has shown it.
        """
        canvas, at = self.query_one("#canvas", Canvas), self.places
        if at.text.width < 1 or at.text.height < 1:
            return
        self._overtaken = not canvas.free
        if self._overtaken:
            return
        self._show_hints()
        window = self._window(self.view.top) if self.capture.captured else None
        if window is None:
            needed = text_needed(self.capture, self.view.top) if self.capture.captured else []
            failure = self.source.failure(needed)
            canvas.show(self.scene.without_text(self.view, *canvas.size, failure))
            return
        rows = window.rows_from(self.view.top, at.text.width, at.text.height)
        start, stop = window.span(rows)
        wanted = reading_list(self.capture, self.view, start, stop)
        over: list[Line] = []
        if self.overhead is not None and at.overhead is not None:
            wanted += self.overhead.needed(self.view)
            over = self.overhead.lines(self.view, at.overhead.width, at.overhead.height)
        self.source.want(wanted)
        self.report(self.source.failure(values_needed(self.capture, self.view, start, stop)))
        if self.scene.shade(self.view, start, stop) is not None:
            self._shown = self.view
        canvas.show(
            self.scene.draw(self.view, self._shown, window, rows, at, *canvas.size, self.pattern, over)
        )

    def retheme(self, theme: str) -> None:
        """Draw everything in another theme from now on."""
        self.theme_name = theme
        self.scene.retheme(theme)
        self._take_colours()
        self.draw()
        self.query_one("#canvas", Canvas).forget()
        self.refresh()

    def _take_colours(self) -> None:
        paint = self.scene.inks(self.view.signal).plain
        self.query_one("#canvas", Canvas).ground = paint
        self.query_one("#hints", Lines).ground = paint
        if isinstance(paint.background, tuple):
            self.styles.background = "rgb({},{},{})".format(*paint.background)

    def _show_hints(self) -> None:
        inks = self.scene.inks(self.view.signal)
        if self._errand_line is not None:
            line: Line = [(f" {self._errand_line} ", inks.accent), (" Esc stops it", inks.faint)]
            self.query_one("#hints", Lines).show([line])
            return
        if self.said is not None:
            self.query_one("#hints", Lines).show([[(f" {self.said}", inks.accent)]])
            return
        hints: list[Line] = [
            [(f" {keys_of(binding)} ", inks.accent), (f"{binding.description} ", inks.faint)]
            for _, bindings in self.key_groups()
            for binding in bindings
            if binding.show
        ]
        while len(hints) > 2 and sum(map(width_of, hints)) > self.size.width:
            del hints[-3]  # the last two, how to get help and how to leave, stay
        self.query_one("#hints", Lines).show([[piece for hint in hints for piece in hint]])

    def say(self, text: str, seconds: float = 3.0) -> None:
        """Say something in the bottom line for a moment. `text` is shown as it is: mind what a capture brings."""
        self.said = text

        def silence() -> None:
            if self.said == text:
                self.said = None
                self._show_hints()

        self.set_timer(seconds, silence)
        self._show_hints()

    @classmethod
    def key_groups(cls) -> list[tuple[str, list[Binding]]]:
        """Every group's name and keys, in the order in which the class lists the groups."""
        groups = [base for base in cls.__mro__ if issubclass(base, ShadedText) and "GROUP" in base.__dict__]
        return [
            (base.GROUP, [b for b in base.__dict__.get("BINDINGS", []) if isinstance(b, Binding)])
            for base in groups
            if base.GROUP
        ]

    # Questions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a question is open, keys belong to its answer."""
        return not self.query_one("#prompt", Prompt).display

    def ask(self, label: str, value: str, answered: Callable[[str], None]) -> None:
        """Ask something in the bottom line. An RnnvizError of `answered` is shown, and the question asked again
        with the answer in it, to be mended. A blank answer is none."""
        self._answered = answered
        self.query_one("#hints").display = False
        self.query_one("#prompt", Prompt).ask(label, value)

    def on_prompt_closed(self) -> None:
        self.query_one("#hints").display = True
        self.set_focus(None)

    def on_prompt_answered(self, event: Prompt.Answered) -> None:
        answered = self._answered
        if answered is None or not event.answer.strip():
            return
        try:
            answered(event.answer)
        except RnnvizError as error:
            self.ask(event.label, event.answer, answered)
            self.app.push_screen(MessageScreen(error))

    # Longer work

    def jump(self, what: str, find: Jump, *, missing: str = "no such place") -> None:
        """Run `find` in a thread and move the cursor to the symbol it returns, or say `missing` for None."""
        capture, view = self.capture, self.view

        def then(symbol: int | None) -> None:
            if symbol is None:
                self.say(missing)
                self.draw()
            else:
                self.go_to(symbol)

        self.errand(what, lambda cancelled: find(capture, view, cancelled), then)

    def errand(self, what: str, work: Callable[[Cancelled], Found], then: Callable[[Found], None]) -> None:
        """Run `work` in a thread and `then` with its result on the screen's own. `what` names it in the bottom line.

        A second errand takes the place of the first; one that was stopped has no `then`. An RnnvizError is shown.
        """

        def run(cancelled: Cancelled) -> Callable[[], None]:
            found = work(cancelled)
            return lambda: then(found)

        self._run(what, run)

    @work(thread=True, exclusive=True, group="errand")
    def _run(self, what: str, run: Callable[[Cancelled], Callable[[], None]]) -> None:
        worker = get_current_worker()
        due = time.monotonic() + PROGRESS_AFTER

        def cancelled(share: float | None = None) -> bool:
            nonlocal due
            if share is not None and time.monotonic() >= due:
                due = time.monotonic() + PROGRESS_EVERY
                self.post_message(self.Progressed(what, share))
            return worker.is_cancelled

        try:
            then = run(cancelled)
        except RnnvizError as error:
            failure = error
            then = lambda: self.report(failure)  # noqa: E731
        if not worker.is_cancelled:
            self.post_message(self.Returned(then))

    def on_shaded_text_progressed(self, event: Progressed) -> None:
        if any(worker.group == "errand" and worker.is_running for worker in self.workers):
            self._errand_line = f"{event.what}: {event.share:.0%}"
            self._show_hints()

    def on_shaded_text_returned(self, event: Returned) -> None:
        self._errand_line = None
        event.then()
        self._show_hints()

    def action_stop(self) -> None:
        """End the errand that is running."""
        self.workers.cancel_group(self, "errand")
        self._errand_line = None
        self._show_hints()

    # Other screens

    def visit(self, screen: Screen[View | None]) -> None:
        """Open another screen. A view it is dismissed with is looked at; None leaves all as it was."""

        def back(view: View | None) -> None:
            if view is not None:
                self.view = view
            self.move(moves.scrolled_to_cursor)

        self.app.push_screen(screen, back)

    def report(self, error: RnnvizError | None) -> None:
        """Show an error once, however often a damaged block is met."""
        if error is not None and error.message not in self._failed:
            self._failed.add(error.message)
            self.app.push_screen(MessageScreen(error))
