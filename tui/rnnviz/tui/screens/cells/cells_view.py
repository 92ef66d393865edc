"""The screen of the list of cells: what it draws, and how the numbers come in. It knows no keys."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.timer import Timer
from textual.worker import get_current_worker

from rnnviz.analysis.cell_columns import Order, statistics_columns
from rnnviz.analysis.cell_similarity import compare
from rnnviz.analysis.cells import Cell
from rnnviz.analysis.switching import sample_of, switching
from rnnviz.store.errors import RnnvizError
from rnnviz.store.reader import Capture
from rnnviz.tui.capture_cache.block_cache import Source
from rnnviz.tui.capture_cache.blocks import Block
from rnnviz.tui.paint.lines import Inks
from rnnviz.tui.paint.palette import Palette
from rnnviz.tui.scenes.cells_scene import CellPage, Progress
from rnnviz.tui.scenes.text_scene import Scene
from rnnviz.tui.screens.base.keys import hints_of
from rnnviz.tui.screens.base.message_dialog import MessageScreen
from rnnviz.tui.screens.base.questions import Asking
from rnnviz.tui.view.cell_list import CellList
from rnnviz.tui.view.view import View
from rnnviz.tui.widgets.canvas import Canvas
from rnnviz.tui.widgets.hint_line import HintLine
from rnnviz.tui.widgets.prompt import Prompt

Steps = Iterator[tuple[float, NDArray[np.float64]]]
"""What a pass over the capture finds: the share of it that is done, and a column, float64 [cell]."""
DRAW_EVERY = 0.05
"""Seconds."""
READER = "cells"
"""How this screen names itself to the source."""


class ListedCells(Asking[View | None]):
    """Shows the cells of the view's model, as they are over the stretch of text `span`."""

    DEFAULT_CSS = """
    ListedCells { layout: vertical; background: ansi_default; }
    ListedCells #canvas { height: 1fr; }
    ListedCells #hints { height: 1; }
    """
    AUTO_FOCUS = ""

    class Arrived(Message):
        """The source has read something."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, ListedCells.Arrived)

    class Computed(Message):
        """Pass number `number` knows more of a column: `share` of its windows are done."""

        def __init__(self, order: Order, number: int, share: float, values: NDArray[np.float64]) -> None:
            super().__init__()
            self.order = order
            self.number = number
            self.share = share
            self.values = values

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, ListedCells.Computed) and message.order is self.order

    class Failed(Message):
        """A pass over the capture could not read it."""

        def __init__(self, error: RnnvizError) -> None:
            super().__init__()
            self.error = error

    def __init__(
        self,
        capture: Capture,
        source: Source,
        scene: Scene,
        view: View,
        span: tuple[int, int],
        *,
        alike: bool,
    ) -> None:
        """`alike`: compare all cells with the view's at once."""
        super().__init__()
        self.capture = capture
        self.view = view
        self._source = source
        self._scene = scene
        self._page = CellPage(capture, source, view, span)
        self._model = capture.models[view.model]
        self.cells = CellList(tuple(layer.units for layer in self._model.layers), view.cell)
        self.cells.hides_dead = view.hides_dead
        self._start = view
        self._sample = sample_of(capture.captured, sum(self.cells.units))
        self._reference: Cell | None = view.cell if alike else None
        self._shares: dict[Order, float] = {}
        """How far the passes over the capture have come, of those that have begun."""
        self._numbers: dict[Order, int] = {}
        """The passes that are of interest: what an earlier one still has to tell is not."""
        self._due: Timer | None = None
        """When what has come in will be drawn."""
        self._overtaken = False
        """Whether something has changed since the last frame, which the terminal has not shown yet."""
        self._failed: set[str] = set()

    def compose(self) -> ComposeResult:
        ground = self._inks.plain
        yield Canvas(ground, id="canvas")
        yield HintLine(ground, id="hints")
        yield Prompt(id="prompt")

    def on_mount(self) -> None:
        ground = self._inks.plain.background
        if isinstance(ground, tuple):
            self.styles.background = "rgb({},{},{})".format(*ground)
        self._source.listen(self._tell)
        self._begin()

    def on_unmount(self) -> None:
        self._source.unlisten(self._tell)
        self._source.want([], by=READER)

    def _tell(self) -> None:
        """Called from the source's thread."""
        self.post_message(self.Arrived())

    @property
    def _palette(self) -> Palette:
        return self._scene.palette(self.view.signal)

    @property
    def _inks(self) -> Inks:
        return Inks.of(self._palette)

    @property
    def _height(self) -> int:
        return self.query_one("#canvas", Canvas).size.height

    @property
    def settled(self) -> bool:
        """Whether everything that is looked at is on the screen."""
        if self._overtaken or self._due is not None:
            return False
        computed = all(share >= 1 for share in self._shares.values())
        return computed and Order.DEVIATION in self.cells.columns and self._source.has(self._needed())

    # Numbers that come in

    def _begin(self) -> None:
        """Find out about the view's signal."""
        self._shares.clear()
        if self._sample.windows:
            self._learn_switching(self.view.signal, self._new_pass(Order.SWITCHING))
        if self._reference is not None:
            self._compare_with(self._reference)
        self._learn_statistics()

    def _learn_statistics(self) -> None:
        layers = range(len(self._model.layers))
        found = [self._source.statistics(self.view.model, layer) for layer in layers]
        if any(layer is not None for layer in found):
            self.cells.learn(statistics_columns(found, self.view.signal, self.cells.units))
        self._draw_soon()

    @work(thread=True, exclusive=True, group="switching")
    def _learn_switching(self, signal: str, number: int) -> None:
        def steps() -> Steps:
            for step in switching(self._model, signal, self._sample, self.capture.segments[:, 0]):
                yield step.share, step.rates

        self._follow(Order.SWITCHING, number, steps())

    @work(thread=True, exclusive=True, group="similarity")
    def _learn_similarity(self, cell: Cell, signal: str, number: int) -> None:
        def steps() -> Steps:
            for step in compare(self._model, cell, signal, self._sample):
                yield step.share, step.correlations

        self._follow(Order.SIMILARITY, number, steps())

    def _new_pass(self, order: Order) -> int:
        self._shares[order] = 0.0
        self._numbers[order] = self._numbers.get(order, 0) + 1
        return self._numbers[order]

    def _follow(self, order: Order, number: int, steps: Steps) -> None:
        """Tell what a pass finds, step by step, until it is done or cancelled. Runs in a thread."""
        worker = get_current_worker()
        try:
            for share, values in steps:
                if worker.is_cancelled:
                    return
                self.post_message(self.Computed(order, number, share, values))
        except RnnvizError as error:
            self.post_message(self.Failed(error))

    def _compare_with(self, cell: Cell) -> None:
        self._reference = cell
        self.cells.learn({Order.SIMILARITY: np.full(sum(self.cells.units), np.nan)})
        self.cells.sort_by(Order.SIMILARITY)
        self.cells.mark(cell)
        if self._sample.windows:
            self._learn_similarity(cell, self.view.signal, self._new_pass(Order.SIMILARITY))

    def _stop_comparing(self) -> bool:
        """End the comparison that is running, and say whether there was one."""
        running = self._shares.get(Order.SIMILARITY, 1.0) < 1
        if running:
            self.workers.cancel_group(self, "similarity")
            del self._shares[Order.SIMILARITY]
            self._draw()
        return running

    def on_listed_cells_computed(self, event: Computed) -> None:
        if event.order in self._shares and event.number == self._numbers[event.order]:
            self._shares[event.order] = event.share
            self.cells.learn({event.order: event.values})
            self._draw_soon()

    def on_listed_cells_failed(self, event: Failed) -> None:
        self._shares.clear()
        self._report(event.error)

    def on_listed_cells_arrived(self) -> None:
        self._learn_statistics()

    def _report(self, error: RnnvizError | None) -> None:
        if error is not None and error.message not in self._failed:
            self._failed.add(error.message)
            self.app.push_screen(MessageScreen(error))

    # Drawing

    def on_canvas_resized(self) -> None:
        self._draw()

    def on_canvas_free(self) -> None:
        if self._overtaken:
            self._draw()

    def _draw_soon(self) -> None:
        """What comes in by itself is drawn so often and no more: keys must not wait behind it."""
        if self._due is None:
            self._due = self.set_timer(DRAW_EVERY, self._draw)

    def _needed(self) -> list[Block]:
        return self._page.needed(self.cells, self.view, self._height)

    def _draw(self) -> None:
        if self._due is not None:
            self._due.stop()
            self._due = None
        canvas = self.query_one("#canvas", Canvas)
        width, height = canvas.size
        self._overtaken = not canvas.free
        if width < 1 or height < 1 or self._overtaken:
            return
        needed = self._needed()
        self._source.want(needed, by=READER)
        self._report(self._source.failure(needed))
        progress = Progress(self._shares, self._sample, self._reference)
        canvas.show(self._page.draw(self.cells, self.view, progress, width, height, self._palette))
        keys = (binding for binding in self.BINDINGS if isinstance(binding, Binding))
        self.show_chosen(lambda: hints_of(keys), ("?", "Enter", "Esc", "/", "→"), self._inks)
