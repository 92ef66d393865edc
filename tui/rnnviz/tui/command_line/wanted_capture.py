"""A capture that a command line or the recipe of a capture wants, and the work of making it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from rnnviz.store.schema import CaptureSchema, ModelSchema
from rnnviz.tui.command_line.added_models import Additions, read_additions
from rnnviz.tui.command_line.capture_notes import note_run, note_text, open_own_text
from rnnviz.tui.command_line.message import say_note
from rnnviz.tui.command_line.options import CapturedPartChoice, DeviceChoice
from rnnviz.tui.command_line.stop_requests import run_to_end

if TYPE_CHECKING:
    from rnnviz.engine.capture.extent import Extent
    from rnnviz.engine.runs.run import Run
    from rnnviz.engine.text.text import Text

LARGE: Final = 200e6
"""Bytes from which on the size is worth a line."""
PredictionsChoice = Literal["all", "surprisal", "none"]
UnknownChoice = Literal["refuse", "replace"]


@dataclass(frozen=True)
class Wanted:
    """What a command line, or the recipe of a capture, wants captured: the parameters of `capture`."""

    path: Path | None
    text: str | None
    glob: str | None
    seed: int | None
    split: CapturedPartChoice | None
    first: int | None
    streams: int | None
    signals: str | None
    predictions: PredictionsChoice
    unknown: UnknownChoice
    device: DeviceChoice
    runs: tuple[Path, ...]
    ngram: Path | None
    predict: str | None

    @property
    def kept(self) -> tuple[str, ...] | None:
        """The signals to keep, None for all."""
        if self.signals is None:
            return None
        return tuple(name.strip() for name in self.signals.split(","))

    def additions(self) -> Additions:
        """What is to be added to the capture once it is whole. Raises for what no capture could take."""
        return read_additions(
            self.runs,
            self.ngram,
            self.predict,
            signals=self.kept,
            replace_unknown=self.unknown == "replace",
            device=self.device,
            predictions=self.predictions,
        )


def make(
    wanted: Wanted,
    out: Path,
    recipe: Mapping[str, object] | None,
    *,
    again: Callable[[], list[str]],
    force: bool = False,
    resume: bool = False,
) -> None:
    """Make a capture at a path, or go on with it. A `recipe` that is there already is kept."""
    from rnnviz.engine.capture.capture import capture as computation
    from rnnviz.engine.capture.capture import model_schema
    from rnnviz.engine.capture.extent import Extent, default_extent
    from rnnviz.engine.capture.run_stream import read_segments
    from rnnviz.engine.runs.device import resolve
    from rnnviz.engine.runs.run import load_run
    from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
    from rnnviz.engine.text.segments import refuse_extent
    from rnnviz.store.creation import refuse_existing

    assert wanted.path is not None
    additions = wanted.additions()
    run = load_run(wanted.path)
    opened = _open_text(run, wanted.text, wanted.glob, wanted.seed)
    goes_on = resume and out.exists()
    if not goes_on:
        refuse_existing(out, force=force)
    extent = Extent(wanted.split or "all", wanted.first)
    chosen = wanted.split is None and wanted.first is None and wanted.streams is None
    if chosen:
        extent = default_extent(run, opened)
    # Nothing is announced before what can be refused at once.
    refuse_extent(run.config.split, extent.part, wanted.streams, extent.first)
    has_bytes = isinstance(run.vocabulary, Vocabulary)
    symbols = min(opened.length, extent.first or opened.length)
    if has_bytes:
        symbols = read_segments(run, opened, extent.part, wanted.streams, extent.first).symbols
    main = model_schema(run, wanted.kept, wanted.predictions)
    additions.check(run, opened, extent.part, wanted.streams, extent.first)
    if wanted.split is None:
        say_note(extent_words(run, opened, extent, chosen=chosen))
    note = size_note(
        symbols,
        (main, *additions.schemas()),
        at_most=not has_bytes,
        whole_text=extent.part == "all" and extent.first is None,
    )
    if note is not None and not goes_on:
        say_note(note)
    events = computation(
        run,
        opened,
        out,
        part=extent.part,
        signals=wanted.kept,
        streams=wanted.streams,
        first=extent.first,
        replace_unknown=wanted.unknown == "replace",
        force=force,
        resume=resume,
        device=resolve(wanted.device),
        predictions=wanted.predictions,
        recipe=recipe or _recipe(wanted, run, opened, additions, out),
    )
    note_text(opened)
    note_run(run)
    additions.note()
    run_to_end("capturing", events, again)
    additions.add_to(out)


def _recipe(wanted: Wanted, run: Run, text: Text, additions: Additions, out: Path) -> Mapping[str, object]:
    from rnnviz.engine.text.text import portable_spec
    from rnnviz.tui.command_line.capture_recipe import recipe_of

    own = run.text.spec if run.text else None
    trained = run.text.glob if run.text else "*"
    return recipe_of(
        out,
        text,
        spec=own if wanted.text is None else portable_spec(wanted.text),
        glob=trained if wanted.glob is None else wanted.glob,
        seed=run.config.seed if wanted.seed is None else wanted.seed,
        runs=additions.runs,
        ngrams=additions.ngrams,
        options={
            "device": wanted.device,
            "unknown": wanted.unknown,
            "signals": wanted.signals,
            "predictions": wanted.predictions,
            "next": wanted.predict,
        },
    )


def _open_text(run: Run, text: str | None, glob: str | None, seed: int | None) -> Text:
    from rnnviz.engine.text.text import open_text

    if text is None or seed is None:
        return open_own_text(run, text, glob)
    trained = run.text.glob if run.text else "*"
    return open_text(text, glob=trained if glob is None else glob, seed=seed)


def extent_words(run: Run, text: Text, extent: Extent, *, chosen: bool) -> str:
    """A line about what is captured where nobody said which part; if rnnviz chose it, how to have something else."""
    from rnnviz.engine.text.split import spans

    which = "all" if extent.first is None else f"the first {extent.first:,} symbols"
    reading = f"reading {which} of {text.name}"
    if not run.text or text.sha256() != run.text.sha256:
        changed = run.text is not None and run.text.name == text.name
        return reading + (f", which is not the text that {run.path} was trained on" if changed else "")
    if not chosen:
        return f"{reading}, with what was trained on marked as such"
    stretches = spans(text.length, run.config.split, "test")
    held_out = f"{len(stretches):,} stretches of {stretches[0].length:,} symbols"
    if extent.part == "test":
        return (
            f"reading the test part of {text.name}, {held_out} that were held out; "
            "--split all reads the whole text"
        )
    larger = "" if extent.first is None else "; --split all reads the whole text"
    return (
        f"{reading}, with what was trained on marked as such: the test part is only {held_out}; "
        f"--split test reads it alone{larger}"
    )


def size_note(
    symbols: int, models: Iterable[ModelSchema], *, at_most: bool = False, whole_text: bool = False
) -> str | None:
    """The line about a large capture of these models over so many symbols, with the options that would make it smaller;
    None for one that is not large. `at_most`: there may be fewer symbols. `whole_text`: `--first` may be given."""
    from rnnviz.tui.commands.info import size_words

    kept = tuple(models)
    size = symbols * CaptureSchema(symbols, 1, "", "", "all", kept).bytes_per_symbol
    if size < LARGE:
        return None
    signals = max((model.signals for model in kept), key=len, default=())
    helps = [f"--signals {'c' if 'c' in signals else 'h'}"] if len(signals) > 1 else []
    helps += ["--first N"] if whole_text else []
    helps += ["--predictions surprisal"] if any(model.next and model.layers for model in kept) else []
    smaller = (
        f"; smaller with {', '.join(helps[:-1])}{' or ' if helps[1:] else ''}{helps[-1]}" if helps else ""
    )
    return f"the capture takes {'at most' if at_most else 'about'} {size_words(size)} before compression{smaller}"
