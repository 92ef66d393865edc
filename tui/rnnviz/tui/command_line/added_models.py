"""What `rnnviz capture` adds to a capture: further runs, and n-gram models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rnnviz.store.errors import InvalidRequest
from rnnviz.store.schema import ModelSchema
from rnnviz.tui.command_line.capture_notes import note_ngrams, note_run
from rnnviz.tui.command_line.message import say_note
from rnnviz.tui.command_line.stop_requests import run_to_end

if TYPE_CHECKING:
    from rnnviz.engine.capture.capture import Predictions
    from rnnviz.engine.ngram.directory import NgramModels
    from rnnviz.engine.runs.run import Run
    from rnnviz.engine.text.segments import CapturedPart
    from rnnviz.engine.text.text import Text
    from rnnviz.tui.command_line.options import DeviceChoice


@dataclass(frozen=True)
class Additions:
    """What is to be added, found fit for use. `runs` are read with `signals`, `replace_unknown`, `device` and
    `predictions`;
    `ngrams` keep distributions for the n in `predicting`."""

    runs: tuple[Run, ...]
    signals: tuple[str, ...] | None
    replace_unknown: bool
    device: DeviceChoice
    predictions: Predictions
    ngrams: NgramModels | None
    predicting: tuple[int, ...] | None

    def __bool__(self) -> bool:
        return bool(self.runs) or self.ngrams is not None

    def schemas(self) -> tuple[ModelSchema, ...]:
        """The models as the capture will describe them, as far as their size depends on it."""
        from rnnviz.engine.capture.capture import model_schema

        found = [model_schema(run, self.signals, self.predictions) for run in self.runs]
        if self.ngrams is not None:
            full = self.ngrams.orders[-1:] if self.predicting is None else self.predicting
            known = self.ngrams.vocabulary.symbols
            found += [ModelSchema(f"ngram-{n}", "n-gram", known, next=n in full) for n in self.ngrams.orders]
        return tuple(found)

    def check(
        self, main: Run, text: Text, part: CapturedPart, streams: int | None, first: int | None
    ) -> None:
        """Raise for what could not be added to a capture that `main` is to make of a part of a text."""
        from rnnviz.engine.capture.further_runs import check_readable, check_runs
        from rnnviz.engine.ngram.captured_ngrams import refuse_tokens
        from rnnviz.tui.command_line.progress_bar import show

        if self.ngrams is not None:
            refuse_tokens(main)
        if self.runs:
            check_runs((main, *self.runs), self.signals)
            checks = check_readable(
                main, self.runs, text, part, streams, first, replace_unknown=self.replace_unknown
            )
            show("checking", checks)

    def add_to(self, path: Path) -> None:
        """Add them to the complete capture at `path`. Raises typer.Exit where a signal asks for an end."""
        from rnnviz.engine.capture.further_runs import add_runs
        from rnnviz.engine.ngram.captured_ngrams import add_ngrams, refuse_capture_of_tokens
        from rnnviz.engine.ngram.scorers.scorer import scorer_note
        from rnnviz.engine.runs.device import resolve
        from rnnviz.store.addition import open_to_add

        if self.ngrams is not None:
            refuse_capture_of_tokens(open_to_add(path))
        self.note()
        again = ["rnnviz", "capture", "--add", str(path), *self._words()]
        if self.runs:
            events = add_runs(
                path,
                self.runs,
                signals=self.signals,
                replace_unknown=self.replace_unknown,
                device=resolve(self.device),
                predictions=self.predictions,
            )
            run_to_end("adding", events, lambda: again)
        if self.ngrams is not None:
            note = scorer_note(self.ngrams.orders)
            if note is not None:
                say_note(note)
            run_to_end("adding", add_ngrams(path, self.ngrams, self.predicting), lambda: again)

    def note(self) -> None:
        """Note in this user's state where they lie."""
        for run in self.runs:
            note_run(run)
        if self.ngrams is not None:
            note_ngrams(self.ngrams)

    def _words(self) -> list[str]:
        """As options of the command line."""
        words = [word for run in self.runs for word in ("--run", str(run.path))]
        if self.runs and self.signals is not None:
            words += ["--signals", ",".join(self.signals)]
        if self.runs and self.replace_unknown:
            words += ["--unknown", "replace"]
        if self.runs and self.predictions != "all":
            words += ["--predictions", self.predictions]
        if self.runs and self.device != "auto":
            words += ["--device", self.device]
        if self.ngrams is not None:
            words += ["--ngram", str(self.ngrams.path)]
        if self.predicting is not None:
            words += ["--next", ",".join(map(str, self.predicting))]
        return words


def read_additions(
    runs: Sequence[Path],
    ngram: Path | None,
    predict: str | None,
    *,
    signals: tuple[str, ...] | None,
    replace_unknown: bool,
    device: DeviceChoice,
    predictions: Predictions,
) -> Additions:
    """The runs of --run, the models of --ngram and the n of --next. Raises for what no capture could take."""
    loaded: tuple[Run, ...] = ()
    if runs:
        from rnnviz.engine.capture.further_runs import check_runs
        from rnnviz.engine.runs.run import load_run

        loaded = tuple(map(load_run, runs))
        check_runs(loaded, signals)
    models, predicting = _read_ngrams(ngram, predict)
    return Additions(loaded, signals, replace_unknown, device, predictions, models, predicting)


def _read_ngrams(
    directory: Path | None, predict: str | None
) -> tuple[NgramModels | None, tuple[int, ...] | None]:
    if directory is None:
        if predict is not None:
            raise InvalidRequest(
                "--next is for n-gram models", "Give them by --ngram DIR, or leave --next out."
            )
        return None, None
    from rnnviz.engine.ngram.captured_ngrams import check_addition
    from rnnviz.engine.ngram.directory import load_ngrams, parse_orders

    models = load_ngrams(directory)
    predicting = None if predict is None else parse_orders(predict)
    check_addition(models, predicting)
    return models, predicting
