"""One sitting of typing: the page, and the models that read it. Lives as long as the explorer, whatever screen is open.

Opening and closing models belongs in the program's main thread (see `LiveModel`); `changed` is called from others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np

from rnnviz.store.errors import InvalidRun
from rnnviz.store.reader import Capture
from rnnviz.tui.paint.shading import Shade
from rnnviz.tui.playground.document import Page
from rnnviz.tui.playground.model_client import Answer, LiveModel, Question, Wanted
from rnnviz.tui.playground.model_locations import FoundNgrams, FoundRun, ngram_models
from rnnviz.tui.playground.undo_history import History
from rnnviz.tui.text.glyphs import in_columns

HOTTEST: Final = 2.0
"""The highest temperature: beyond it every model writes noise."""

STUCK: Final = 3.0
"""Seconds without a word after which a process is taken to hang."""

Place = Literal["recurrent", "ngram"]


@dataclass
class Reader:
    """One of the two models that read the page, or the reason why there is none."""

    name: str
    says: str = ""
    """Why there is no model, if no attempt was made to load one."""
    note: str = ""
    """What is to be said of the model beside its name."""
    model: LiveModel | None = None

    @property
    def lost(self) -> bool:
        """Whether its process has ended, or says nothing any more."""
        model = self.model
        return model is not None and (
            model.failure is not None or bool(model.opened and model.waiting > STUCK)
        )

    def open(self, wanted: Wanted, changed: Callable[[], None]) -> None:
        self.close()
        self.says = ""
        self.model = LiveModel(wanted, changed)

    def close(self) -> None:
        if self.model is not None:
            self.model.close()
            self.model = None


@dataclass
class Session:
    """What is typed, and who reads it: the recurrent model called `name` in the capture, and an n-gram model."""

    capture: Capture
    name: str
    changed: Callable[[], None] = lambda: None
    """Called from a thread whenever a model has something new: the screen that shows them sets it."""
    page: Page = field(default_factory=Page)
    writer: Place = "recurrent"
    """Which of the two goes on writing."""
    shade: Shade = Shade.CELL
    """What shades the page; the left model is the recurrent one, the right one the n-gram model."""
    temperature: float = 1.0
    seed: int = 1
    ngrams: FoundNgrams | None = None

    def __post_init__(self) -> None:
        self.history = History()
        self.readers: dict[Place, Reader] = {
            "recurrent": Reader(in_columns(self.name), "looking for its run…")
        }
        if not self.capture.has_tokens:  # n-gram models are over bytes
            self.readers["ngram"] = Reader("n-gram", "looking for the n-gram models…")
            if not self.ngram_names:
                self.readers["ngram"].says = "none in this capture: Esc and then N take a directory of them"

    @property
    def ngram_names(self) -> dict[int, str]:
        """The capture's n-gram models, by n."""
        return ngram_models(self.capture)

    def open_run(self, found: FoundRun) -> None:
        """Load the recurrent model."""
        reader = self.readers["recurrent"]
        reader.note = "" if found.same else "not the capture's weights"
        reader.open(Wanted("recurrent", found.path), self._tell)

    def open_ngrams(self, found: FoundNgrams, n: int | None = None) -> None:
        """Load the model that looks back n symbols: the largest that the capture has too, where None."""
        self.ngrams = found
        known = [order for order in found.orders if order in self.ngram_names] or list(found.orders)
        n = known[-1] if n is None else n
        reader = self.readers["ngram"]
        reader.name = f"{n}-gram"
        reader.note = "" if found.same else "not of the capture's text"
        reader.open(Wanted("ngram", found.path, n), self._tell)

    def other_ngram(self, by: int) -> bool:
        """Load the n-gram model `by` further in the order of n, if there is one."""
        model = self.readers["ngram"].model if "ngram" in self.readers else None
        if self.ngrams is None or model is None:
            return False
        place = self.ngrams.orders.index(model.wanted.n) + by
        if not 0 <= place < len(self.ngrams.orders):
            return False
        self.open_ngrams(self.ngrams, self.ngrams.orders[place])
        return True

    def restart(self) -> int:
        """Start every process that has ended or hangs once more; how many."""
        lost = [reader for reader in self.readers.values() if reader.lost]
        for reader in lost:
            assert reader.model is not None
            reader.open(reader.model.wanted, self._tell)
        return len(lost)

    def check(self) -> None:
        """Refuse a recurrent model that has not the cells of the capture's."""
        model = self.readers["recurrent"].model
        if model is None or model.opened is None or model.failure is not None:
            return
        layers = self.capture.models[self.name].layers
        expected = len(layers), layers[0].units
        found = model.opened.layers, model.opened.hidden
        if found != expected or not set(layers[0].signals) <= set(model.opened.signals):
            model.failure = InvalidRun(
                f"{model.wanted.path} is another model: it has {found[0]}×{found[1]} cells, "
                f"and the capture's has {expected[0]}×{expected[1]}",
                "Esc and then R take the path of another run.",
            )

    def shades(self) -> list[Shade]:
        """What may shade the page. Models that do not read the same symbols cannot be compared symbol by symbol."""
        found = [Shade.CELL]
        recurrent, ngram = self.readers["recurrent"].model, self.readers.get("ngram")
        if recurrent is not None:
            found.append(Shade.LEFT)
        if ngram is not None and ngram.model is not None:
            found.append(Shade.RIGHT)
            if recurrent is not None and recurrent.opened is not None and recurrent.opened.symbols == "byte":
                found.append(Shade.DIFFERENCE)
        return found

    def ask(self, question: Question, *, draw: bool) -> None:
        """Ask both models; with `draw`, the writer also how it would go on."""
        for place, reader in self.readers.items():
            if reader.model is not None:
                signal = question.signal if place == "recurrent" else ""
                seeded = (self.temperature, self.seed) if draw and place == self.writer else None
                reader.model.ask(replace(question, signal=signal, draw=seeded))

    def answer(self, place: Place) -> Answer | None:
        """What a model says, perhaps of an earlier page."""
        model = self.readers[place].model if place in self.readers else None
        return None if model is None or model.failure is not None else model.answer

    def drawn(self) -> bytes | None:
        """What the writer goes on with after all of the page; empty where it cannot, None while that is not known."""
        model = self.readers[self.writer].model
        answer = None if model is None else model.answer
        if answer is None or not answer.complete or answer.question.text != self.page.text:
            return None
        return answer.drawn if answer.question.draw == (self.temperature, self.seed) else None

    def change(self, page: Page) -> None:
        """Make another page of it, which can be undone."""
        self.history.change(self.page, page)
        self.page = page

    def without_last(self) -> Page:
        """The page without its last symbol, the cursor at its end."""
        page = self.page.moved_to(len(self.page.text))
        model = self.readers["recurrent"].model
        answer = None if model is None else model.answer
        unit = self.capture.unit if model is None or model.opened is None else model.opened.symbols
        if unit == "byte" or not page.text:
            return page.erased(max(0, page.cursor - 1), page.cursor)
        if answer is not None and answer.question.text.startswith(page.text) and len(answer.edges) > 1:
            # What it says of a longer page holds: keys may come faster than answers.
            return page.erased(int(answer.edges[np.searchsorted(answer.edges, page.cursor) - 1]), page.cursor)
        return page.erased_word() if unit == "word" else page.erased_before()

    @property
    def settled(self) -> bool:
        """Whether nothing is waited for."""
        models = [reader.model for reader in self.readers.values()]
        return all(model is None or model.waiting == 0 for model in models)

    def warmer(self, by: float) -> None:
        """Change the temperature of what the writer writes."""
        self.temperature = round(min(max(self.temperature + by, 0.0), HOTTEST), 1)

    def _tell(self) -> None:
        self.changed()

    def close(self) -> None:
        for reader in self.readers.values():
            reader.close()
