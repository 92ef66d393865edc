"""The screen that shows the shaded text: what it draws, what it waits for, and how other screens come from it.

It knows no keys. A *group of keys* is a class of its own that derives from `ShadedText`, with a `GROUP` name, the
`BINDINGS` it adds (see `screens.bindings.key`) and the actions behind them; `TextScreen` lists the groups. An action
has these to work with:

- `view` and `look(view)`: what is looked at, and another cell, signal, model or shading; `lay_out(view)`, one that
  leaves the text another place on the screen;
- `go_to(symbol)`: the cursor to a place; `on_screen`: the stretch of text on the screen;
- `ask(label, value, answered)`: a question in the bottom line; `say(text, about=…)`: a few words there, for a moment
  and no longer than they are true;
- `errand(what, work, then)`: any longer work in a thread, with progress; Esc stops it;
- `visit(screen)`: another screen, which may come back with another view;
- `source`: what is in memory of the capture, and how to ask for more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.screen import Screen

from rnnviz.store.reader import Capture
from rnnviz.tui.capture_cache.block_cache import Source
from rnnviz.tui.capture_cache.blocks import Block, ByteBlock
from rnnviz.tui.capture_cache.wanted_blocks import reading_list, text_needed, values_needed, window_at
from rnnviz.tui.paint.lines import Inks, Line, ellipsed
from rnnviz.tui.paint.palette import Depth, base_of
from rnnviz.tui.scenes.layout import NARROW, Places
from rnnviz.tui.scenes.text_scene import Scene
from rnnviz.tui.screens.base.background_work import Errands
from rnnviz.tui.screens.base.hints import Hint
from rnnviz.tui.screens.base.keys import hints_of
from rnnviz.tui.text.glyphs import visible
from rnnviz.tui.text.rows import TextWindow
from rnnviz.tui.view import view as moves
from rnnviz.tui.view.view import Panel, View
from rnnviz.tui.widgets.canvas import Canvas
from rnnviz.tui.widgets.hint_line import HintLine
from rnnviz.tui.widgets.lines import Lines
from rnnviz.tui.widgets.prompt import Prompt
from rnnviz.tui.widgets.remark_lines import RemarkLines, wrapped

if TYPE_CHECKING:
    from rnnviz.analysis.events import Tally

Move = Callable[[View, TextWindow, int, int], View]
"""A step through the text: (view, window, width, height) → view."""

STAY = ("?", "c", "h", "t", "/", "i", "q")
"""The keys that matter most, and how to leave: they have room in 61 columns."""
QUEUE = 32
"""Steps remembered while a slow disk is being read; a held key that runs further ahead is not."""


class ShadedText(Errands):
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

    def __init__(self, capture: Capture, start: View, depth: Depth, theme: str, source: Source) -> None:
        super().__init__()
        self.capture = capture
        self.view = start
        self.depth = depth
        self.theme_name = theme
        self.source = source
        self.scene = Scene(capture, self.source, depth, theme)
        self.tally: Tally | None = None
        """How often the condition in force holds in the whole text, as far as that is counted."""
        self._shown = start
        self._moves: deque[tuple[Move, int | None, Callable[[], None] | None]] = deque()
        self._whole = False
        """Whether all that the view needs was in memory when it was drawn."""
        self._awaited: list[Block] = []
        """What the next of the moves waits for: to be wanted before anything that is only to be drawn."""
        self._overtaken = False
        """Whether the view has changed since the last frame, which the terminal has not shown yet."""

    def _tell(self) -> None:
        """Called from the source's thread."""
        self.post_message(self.Arrived())

    # What it is made of

    def compose(self) -> ComposeResult:
        ground = self.scene.inks(self.view.signal).plain
        yield Canvas(ground, id="canvas")
        yield HintLine(ground, id="hints")
        yield RemarkLines(ground, id="remark")
        yield Prompt(id="prompt")

    def on_mount(self) -> None:
        self.source.listen(self._tell)
        self.call_after_refresh(lambda: self.post_message(self.Stands()))
        self._take_colours()

    def on_unmount(self) -> None:
        self.source.close()

    def on_canvas_free(self) -> None:
        if self._overtaken and self.is_current:
            self.draw()

    def on_canvas_resized(self) -> None:
        self.move(moves.scrolled_to_cursor)

    def on_shaded_text_arrived(self) -> None:
        if self.is_current:  # else the screen over this one says what is wanted
            self.go_on()

    def on_screen_resume(self) -> None:
        """What came while another screen was over this one has not been drawn."""
        self.go_on()

    @property
    def settled(self) -> bool:
        """Whether everything the view needs is on the screen."""
        if self.capture.captured == 0:
            return True
        if self._overtaken:
            return False
        if self.errand_line is not None or self.runs_errand:
            return False
        window = None if self._moves else self._window(self.view.top)
        if window is None:
            return False
        text = self.places.text
        rows = window.rows_from(self.view.top, text.width, text.height)
        needed = values_needed(self.capture, self.view, *window.span(rows))
        return self._shown == self.view and self._whole and self.source.has(needed)

    # What is looked at

    @property
    def units(self) -> tuple[int, ...]:
        """Units of each layer of the model that is looked at."""
        return tuple(layer.units for layer in self.capture.models[self.view.model].layers)

    @property
    def signals(self) -> tuple[str, ...]:
        """The signals of the cell that is looked at."""
        return self.capture.models[self.view.model].layers[self.view.cell.layer].signals

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

    def lay_out(self, view: View) -> None:
        """Look at a view with other things around the text, which may move it."""
        self.view = view
        self.move(moves.scrolled_to_cursor)

    def put_above(self, panel: Panel | None) -> None:
        """Have a panel above the text, or none."""
        self.lay_out(moves.with_above(self.view, panel, self.signals))

    def go_to(self, symbol: int, arrived: Callable[[], None] | None = None) -> None:
        """Move the cursor to a symbol of the text. `arrived` is called once it is there."""
        step: Move = lambda v, window, w, h: moves.moved_to(v, symbol, window, w, h)  # noqa: E731
        self.move(step, target=symbol, arrived=arrived)

    def move(
        self, step: Move, *, target: int | None = None, arrived: Callable[[], None] | None = None
    ) -> None:
        """Take a step as soon as the text it needs is in memory (at once, unless the disk is slow)."""
        if len(self._moves) < QUEUE:
            self._moves.append((step, target, arrived))
        self.go_on()

    def go_on(self) -> None:
        text = self.places.text
        if text.width < 1 or text.height < 1:
            return
        if self.capture.captured == 0:
            self._moves.clear()
        self._awaited = []
        while self._moves:
            step, target, arrived = self._moves[0]
            place = self.view.top if target is None else self._byte_of(target)
            window = None if place is None else self._window(place)
            if window is None:
                break
            self._moves.popleft()
            self.view = step(self.view, window, text.width, text.height)
            if arrived is not None:
                arrived()
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
        self._awaited = blocks
        self.source.want(blocks)
        self.report(self.source.failure(blocks))

    # Drawing

    @property
    def places(self) -> Places:
        """Where things stand on the screen now."""
        return self.scene.places(self.view, *self.query_one("#canvas", Canvas).size)

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
        self.show_hints()
        window = self._window(self.view.top) if self.capture.captured else None
        if window is None:
            needed = text_needed(self.capture, self.view.top) if self.capture.captured else []
            failure = self.source.failure(needed)
            canvas.show(self.scene.without_text(self.view, *canvas.size, failure))
            return
        rows = window.rows_from(self.view.top, at.text.width, at.text.height)
        start, stop = window.span(rows)
        self.source.want([*self._awaited, *reading_list(self.capture, self.view, start, stop)])
        needed = values_needed(self.capture, self.view, start, stop)
        self._whole = self.source.has(needed)
        self.report(self.source.failure(needed))
        if self.scene.shade(self.view, start, stop) is not None:
            self._shown = self.view
        canvas.show(self.scene.draw(self.view, self._shown, window, rows, at, *canvas.size, tally=self.tally))

    def retheme(self, theme: str) -> None:
        """Draw everything in another theme from now on."""
        self.theme_name = theme
        self.scene.retheme(theme)
        self.app.theme = f"rnnviz-{base_of(theme)}"
        self._take_colours()
        self.draw()
        self.query_one("#canvas", Canvas).forget()
        self.refresh()

    def _take_colours(self) -> None:
        paint = self.scene.inks(self.view.signal).plain
        self.query_one("#canvas", Canvas).ground = paint
        for lines in self.query(Lines):
            lines.ground = paint
        if isinstance(paint.background, tuple):
            self.styles.background = "rgb({},{},{})".format(*paint.background)

    def show_hints(self) -> None:
        inks, width = self.scene.inks(self.view.signal), self.size.width
        more: list[Line] = []
        line: Line | None = None
        if self.errand_line is not None:
            line = [(f" {self.errand_line} ", inks.accent), (" Esc stops it", inks.faint)]
        elif (other := self.bottom_line(inks)) is not None:
            line = other
        elif (remark := self.remark) is not None:
            lines = wrapped(visible(remark.text), width, inks.wrong if remark.wrong else inks.accent)
            line = lines[-1] if lines else []
            more = lines if len(lines) > 1 and not self.asking else []
        self.query_one(RemarkLines).tell(more)
        if line is None:
            self.show_chosen(self.hints, self.stay, inks, self.view.above)
        else:
            self.query_one("#hints", Lines).show([ellipsed(line, width)])

    def bottom_line(self, inks: Inks) -> Line | None:
        """What the line at the bottom shows instead of the hints, if anything."""
        return None

    @property
    def stay(self) -> tuple[str, ...]:
        """The keys that the line at the bottom names before any other. On a narrow screen the panels break the lines of
        most texts: p takes them away."""
        return (*STAY, "p") if self.size.width < NARROW else STAY

    def hints(self) -> list[Hint]:
        """The keys that the line at the bottom may name."""
        return hints_of(binding for _, bindings in self.key_groups() for binding in bindings)

    @classmethod
    def key_groups(cls) -> list[tuple[str, list[Binding]]]:
        """Every group's name and keys, in the order in which the class lists the groups."""
        groups = [base for base in cls.__mro__ if issubclass(base, ShadedText) and "GROUP" in base.__dict__]
        return [
            (
                base.GROUP,
                [b for b in base.__dict__.get("BINDINGS", []) if isinstance(b, Binding) and b.tooltip],
            )
            for base in groups
            if base.GROUP
        ]

    # Keys

    def key_comes(self, action: str) -> None:
        if not self.asking:
            super().key_comes(action)

    # Longer work

    def action_stop(self) -> None:
        """End the errand that is running; if none is, take away what was put on the screen: what stands above the
        text, the condition's marks, those of a search."""
        view = self.view
        if self.runs_errand:
            super().action_stop()
        elif view.above is not None:
            self.put_above(None)
        elif view.condition is not None:
            self.lay_out(replace(view, condition=None))
        elif view.search is not None:
            self.look(replace(view, search=None))

    # Other screens

    def visit(self, screen: Screen[View | None]) -> None:
        """Open another screen. A view it is dismissed with is looked at; None leaves all as it was."""

        def back(view: View | None) -> None:
            self.lay_out(self.view if view is None else view)

        self.app.push_screen(screen, back)
