"""Type and see: the page with all groups of its keys. A new group is a class like these, listed at the end."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding

from rnnviz.analysis.cells import Cell, parse_cell, step, to_layer
from rnnviz.tui.command_line.home_path import home_path
from rnnviz.tui.playground.model_locations import ngrams_at
from rnnviz.tui.screens.base.help_dialog import HelpScreen
from rnnviz.tui.screens.base.keys import key
from rnnviz.tui.screens.playground.document_screen import PageScreen
from rnnviz.tui.screens.playground.editing_keys import Commands, Editing, WhileTyping
from rnnviz.tui.screens.playground.generation_keys import Writing
from rnnviz.tui.view import view as moves
from rnnviz.tui.view.user_state import keep_model_path
from rnnviz.tui.widgets.canvas import Canvas


class PageCells(PageScreen):
    GROUP = "Cells (after Esc)"
    MODES = (False,)
    KEYS: ClassVar[list[Binding]] = [
        key("j", "cell(1)", "next cell", "Next cell", show=True),
        key("k", "cell(-1)", "previous cell", "Previous cell"),
        key("J", "cell(10)", "ten cells on", "Ten cells on"),
        key("K", "cell(-10)", "ten cells back", "Ten cells back"),
        key("]", "layer(1)", "next layer", "Next layer, same unit"),
        key("[", "layer(-1)", "previous layer", "Previous layer, same unit"),
        key("s", "signal(1)", "next signal", "Next signal of this cell", show=True),
        key("S", "signal(-1)", "previous signal", "Previous signal of this cell"),
        key(":", "ask_cell", "go to cell", "Go to a cell by name, as in 1:37"),
    ]

    @property
    def _units(self) -> tuple[int, ...]:
        return tuple(layer.units for layer in self.session.capture.models[self.view.model].layers)

    def action_cell(self, by: int) -> None:
        self._look_at(step(self.view.cell, by, self._units))

    def action_layer(self, by: int) -> None:
        self._look_at(to_layer(self.view.cell, by, self._units))

    def action_signal(self, by: int) -> None:
        signals = self.session.capture.models[self.view.model].layers[self.view.cell.layer].signals
        self.view = moves.next_signal(self.view, by, signals)
        self.turned()

    def action_ask_cell(self) -> None:
        self.ask(
            f"go to cell ({self.view.cell})",
            "",
            lambda answer: self._look_at(parse_cell(answer, self._units, self.view.cell.layer)),
        )

    def _look_at(self, cell: Cell) -> None:
        self.view = replace(self.view, cell=cell)
        self.turned()


class PageModels(PageScreen):
    GROUP = "Models (after Esc)"
    MODES = (False,)
    KEYS: ClassVar[list[Binding]] = [
        key("+", "ngram(1)", "larger n", "The n-gram model of the next larger n"),
        key("-", "ngram(-1)", "smaller n", "The n-gram model of the next smaller n"),
        key("t", "shade(1)", "shade", "Shade by the cell, by either model's surprisal, by their difference"),
        key("T", "shade(-1)", "shade back", "The shading before"),
        key("R", "ask_run", "run", "Give the path of the run to read with"),
        key("N", "ask_ngrams", "n-grams", "Give the path of a directory of n-gram models"),
        key("!", "restart", "start again", "Start a model's process that has ended or hangs once more"),
    ]

    def action_ngram(self, by: int) -> None:
        if not self.session.other_ngram(by):
            ngram = self.session.readers.get("ngram")
            if ngram is None or ngram.model is None:
                self.notify("there is no n-gram model here", timeout=2)
            else:
                self.notify(f"{ngram.name}: that is the {'largest' if by > 0 else 'smallest'} n", timeout=2)
        self.turned()

    def action_shade(self, by: int) -> None:
        shades, shade = self.session.shades(), self.session.shade
        self.session.shade = (
            shades[(shades.index(shade) + by) % len(shades)] if shade in shades else shades[0]
        )
        self.turned()

    def action_restart(self) -> None:
        if not self.session.restart():
            self.notify("every model is running", timeout=2)
        self.turned()

    def action_ask_run(self) -> None:
        self.ask_run()

    def action_ask_ngrams(self) -> None:
        if "ngram" in self.session.readers:
            self.ask("path of the n-gram models", "", self._open_ngrams)
        else:
            unit = self.session.capture.unit
            self.notify(
                f"n-gram models are over bytes, and this capture is over {unit}s: they stand beside a run over bytes "
                "(rnnviz train TEXT --out RUN makes one)",
                timeout=6,
            )

    def _open_ngrams(self, answer: str) -> None:
        names = self.session.ngram_names
        model = names[max(names)] if names else None
        path, capture = home_path(answer), self.session.capture
        self.session.open_ngrams(ngrams_at(path, capture, model))
        if model is not None:
            keep_model_path(capture.path, model, path)
        self.turned()


class PageAppearance(PageScreen):
    GROUP = "Screen (after Esc)"
    MODES = (False,)
    KEYS: ClassVar[list[Binding]] = [
        key("p", "panels", "predictions", "Show or hide what the models expect"),
        key("ctrl+l", "redraw", "redraw", "Draw the whole screen again"),
        key("?", "help", "keys", "This list", show=True),
    ]

    def action_panels(self) -> None:
        self.panels = not self.panels
        self.turned()

    def action_redraw(self) -> None:
        """For a terminal that something else has written into."""
        self.query_one("#canvas", Canvas).forget()
        self.refresh()

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(self.key_groups()))


class TypingScreen(WhileTyping, Editing, Commands, Writing, PageCells, PageModels, PageAppearance):
    """The groups in the order of the help."""
