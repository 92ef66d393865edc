"""Keys that compare what two models expected, and shade the text by it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import ClassVar

from textual.binding import BindingType

from rnnviz.analysis.model_comparison import (
    Advantage,
    comparable,
    erring,
    next_largest,
    parting,
    spoken,
    stepped,
)
from rnnviz.store.reader import CapturedModel
from rnnviz.tui.paint.shading import Shade
from rnnviz.tui.screens.base.keys import key
from rnnviz.tui.screens.text.keys.event_jumps import Seeking
from rnnviz.tui.text.glyphs import visible


class Predicting(Seeking):
    GROUP = "Predictions"
    BINDINGS: ClassVar[list[BindingType]] = [
        key(
            "t",
            "shade(1)",
            "shade",
            "Shade by the cell, by either model's surprisal, by their difference: the strip under the text shows "
            "it too, high (◂) where the left model knew more of what came and low (▸) where the right one did",
            show=True,
        ),
        key("T", "shade(-1)", "shade back", "The shading before"),
        key(
            "plus",
            "right(1)",
            "larger n",
            "Compare with the n-gram model of the next larger n, to the largest",
        ),
        key(
            "minus",
            "right(-1)",
            "smaller n",
            "Compare with the one of the next smaller n; then with other runs",
        ),
        key("backslash", "swap", "swap", "Swap the two models; + and - change the right one"),
        key(
            "e",
            "error(False)",
            "error",
            "Next error of the left model (p < 0.5 for what came), or of the only one",
            show=True,
        ),
        key("E", "error(True)", "previous error", "Previous error of the left model"),
        key(
            "d",
            "parting(False)",
            "disagreement",
            "Next place where one model is right and the other wrong",
            show=True,
        ),
        key("D", "parting(True)", "disagreement before", "Previous place where only one model is right"),
        key(
            "a",
            "advantage(False)",
            "advantage",
            "Largest advantage of the left model, then the next largest",
        ),
        key(
            "A",
            "advantage(True)",
            "right advantage",
            "Largest advantage of the right model, then the next largest",
        ),
    ]

    _ranked: tuple[str, str, Advantage] | None = None
    """The models and the place of the last jump to a largest advantage."""

    @property
    def _adding(self) -> str:
        """The command that adds models to compare with."""
        models = "--run RUN" if self.capture.has_tokens else "--ngram DIR"  # n-grams are over bytes
        return f"rnnviz capture --add {visible(self.capture.path.name)} {models}"

    def _compared(self) -> tuple[CapturedModel, CapturedModel] | None:
        """The two models that are compared; where there are not two, that is said."""
        pair = self.view.pair
        if pair is None:
            self.say(f"no second model: {self._adding} adds some")
            return None
        return self.capture.models[pair[0]], self.capture.models[pair[1]]

    def action_shade(self, by: int) -> None:
        shades = [Shade.CELL]
        if self.view.left is not None:
            shades.append(Shade.LEFT)
        if self.view.right is not None:
            shades.append(Shade.RIGHT)
        if self.view.pair is not None:
            shades.append(Shade.DIFFERENCE)
        if len(shades) == 1:
            self.say(f"no surprisals to shade by: {self._adding} adds some")
            return
        at = shades.index(self.view.shade)
        self.look(replace(self.view, shade=shades[(at + by) % len(shades)]))

    def action_right(self, by: int) -> None:
        if self._compared() is not None:
            names, view = comparable(self.capture), self.view
            right = stepped(names, view.right, view.left, by)
            if right is None:
                self._tell_of_end(view.right or "", by)
            else:
                self.look(replace(view, right=right))
                self._tell_of_surprisals(self.capture.models[right])

    def _tell_of_end(self, name: str, by: int) -> None:
        """That there is no model beyond the one on the right."""
        if spoken(name) == name:
            told = f"{visible(name)} is the {'last' if by > 0 else 'first'} model to compare with"
        else:
            told = f"{spoken(name)}: that is the {'largest' if by > 0 else 'smallest'} n in this capture"
        self.say(told, about=lambda: self.view.pair)

    def _tell_of_surprisals(self, model: CapturedModel) -> None:
        """How a model whose surprisals alone were captured would have had its predictions kept."""
        number = re.search(r"\d+$", model.name)
        if not model.has_next and not model.layers and number:
            told = (
                f"of n = {number[0]} only surprisal is kept: a capture made with --next {number[0]} keeps all"
            )
            self.say(told, about=lambda: self.view.pair, seconds=6.0)

    def action_swap(self) -> None:
        if self._compared() is not None:
            view = self.view
            shade = {Shade.LEFT: Shade.RIGHT, Shade.RIGHT: Shade.LEFT}.get(view.shade, view.shade)
            self.look(replace(view, left=view.right, right=view.left, shade=shade))

    def action_error(self, backwards: bool) -> None:
        name = self.view.left or self.view.right
        if name is None:
            self.say(f"no surprisals, so no errors: {self._adding} adds some")
        else:
            self.seek(erring(self.capture.models[name]), backwards=backwards)

    def action_parting(self, backwards: bool) -> None:
        pair = self._compared()
        if pair is not None:
            self.seek(parting(*pair), backwards=backwards)

    def action_advantage(self, of_right: bool) -> None:
        pair = self._compared()
        if pair is None:
            return
        left, right = pair
        better, worse = (right, left) if of_right else (left, right)
        last = None
        if self._ranked is not None and self._ranked[:2] == (better.name, worse.name):
            last = self._ranked[2]
        length = self.capture.captured

        def compared_here() -> object:
            return self.view.pair, self.view.cursor

        def then(found: Advantage | None) -> None:
            if found is None:
                self._ranked = None
                self.say(
                    f"no smaller advantage of {visible(spoken(better.name))} is left: the next is the largest again",
                    about=compared_here,
                )
                return
            self._ranked = better.name, worse.name, found
            told = f"{visible(spoken(better.name))} ahead by {found.nats:.2f} nats"
            self.go_to(found.symbol, lambda: self.say(told, about=compared_here))

        self.errand("comparing", lambda cancelled: next_largest(better, worse, length, last, cancelled), then)
