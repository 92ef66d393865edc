"""`rnnviz capture`: keep every signal of a run over a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from rnnviz.store.errors import InvalidRequest, NotFound
from rnnviz.tui.command_line.added_models import Additions
from rnnviz.tui.command_line.help_page import choices
from rnnviz.tui.command_line.home_path import home_path, home_text
from rnnviz.tui.command_line.message import say_note, say_result
from rnnviz.tui.command_line.next_command import say_next
from rnnviz.tui.command_line.options import CapturedPartChoice, DeviceOption, TrainedGlobOption, is_given
from rnnviz.tui.command_line.wanted_capture import PredictionsChoice, UnknownChoice, Wanted, make, size_note

OF_RUNS = {"signals", "predictions", "unknown", "device"}
"""What says how a run reads a text."""


def capture(
    context: typer.Context,
    path: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", parser=home_path, help="A run directory.", show_default=False),
    ] = None,
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="TEXT",
            parser=home_text,
            help="A file, a directory or `python:stdlib`; by default the text of the run.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="X.zarr", parser=home_path, help="The capture to write.", show_default=False),
    ] = None,
    add: Annotated[
        Path | None,
        typer.Option(
            metavar="X.zarr",
            parser=home_path,
            help="Add --run and --ngram to this finished capture.",
            show_default=False,
        ),
    ] = None,
    runs: Annotated[
        list[Path] | None,
        typer.Option(
            "--run",
            metavar="RUN",
            parser=home_path,
            help="A further run to read the text too; can be given many times.",
            show_default=False,
        ),
    ] = None,
    ngram: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            parser=home_path,
            help="N-gram models to read the text too (`rnnviz ngram train`).",
            show_default=False,
        ),
    ] = None,
    predict: Annotated[
        str | None,
        typer.Option(
            "--next",
            metavar="N,…",
            help="The n of the n-gram models that keep full distributions: by default the largest.",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        CapturedPartChoice | None,
        typer.Option(
            metavar=choices(CapturedPartChoice),
            help="The part of the text: by default `test` of a run's own text where that is large, `all` otherwise.",
            show_default=False,
        ),
    ] = None,
    first: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Read only the first N symbols; of a directory, the files that fit in.",
            show_default=False,
        ),
    ] = None,
    signals: Annotated[
        str | None,
        typer.Option(help="Signals to keep, by default all: c,h,i,f,o,g.", metavar="S,…", show_default=False),
    ] = None,
    predictions: Annotated[
        PredictionsChoice,
        typer.Option(
            metavar=choices(PredictionsChoice),
            help="Of what runs predict: `all` distributions, only the `surprisal` of what came, or `none`.",
        ),
    ] = "all",
    streams: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Cut the whole text into this many rows, read side by side.",
            show_default=False,
        ),
    ] = None,
    unknown: Annotated[
        UnknownChoice,
        typer.Option(
            metavar=choices(UnknownChoice),
            help="What to do with what a model has never seen: `replace` reads it as a space, or `<unk>`.",
        ),
    ] = "refuse",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the capture at --out.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an older capture at --out.")] = False,
    device: DeviceOption = "auto",
    glob: TrainedGlobOption = None,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="The files' order, by default as in training.", show_default=False),
    ] = None,
) -> None:
    """Keep what every unit of a run does over a text, to browse it.

    Of the run's own text it reads the test part, if that is large. Where it is small, or cut into many short stretches,
    it reads the text from its beginning on, and marks what the model was trained on: its probabilities there say
    little about other texts. It says what it chose.

    A model reads fastest many segments side by side: the streams of the split, the files of a directory, or
    the rows of --streams. Interrupted, `rnnviz capture --resume --out X.zarr` goes on.

    Every --run becomes a further model of the capture, with its own signals and predictions; so does, with --ngram,
    every n-gram model: the surprisal of each symbol, and for the n in --next the distributions. They are added one
    by one when the rest is whole, each wholly or not at all; interrupted, `--resume` adds those still missing.

    Examples:

        rnnviz capture runs/wp war_and_peace.txt --out wp.zarr

        rnnviz capture runs/python ~/src/project --glob '*.py' --unknown replace --out project.zarr

        rnnviz capture runs/wp other.txt --signals c --streams 100 --out other.zarr

        rnnviz capture runs/wp war_and_peace.txt --ngram ngrams/wp --out wp.zarr

        rnnviz capture --resume --out wp.zarr

        rnnviz capture --add wp.zarr --run runs/wp-gru --signals h

        rnnviz capture --add wp.zarr --ngram ngrams/wp --next 5,20
    """
    if add is not None:
        _refuse_with_add(context)
    wanted = Wanted(
        path=path,
        text=text,
        glob=glob,
        seed=seed,
        split=split,
        first=first,
        streams=streams,
        signals=signals,
        predictions=predictions,
        unknown=unknown,
        device=device,
        runs=tuple(runs or ()),
        ngram=ngram,
        predict=predict,
    )
    if add is not None:
        additions = wanted.additions()
        if not additions:
            raise InvalidRequest(
                "there is nothing to add",
                "Give a run or n-gram models: rnnviz capture --add X.zarr --run RUN --ngram DIR",
            )
        _note_size_of_additions(additions, add)
        additions.add_to(add)
        _report(add)
        return
    if resume and force:
        raise InvalidRequest("--resume and --force exclude each other", "Give one of them.")
    if out is None or (path is None and not resume):
        raise InvalidRequest(
            "there is no --out to write the capture to" if out is None else "there is no RUN to capture",
            "Give both: rnnviz capture RUN [TEXT] --out X.zarr",
        )
    goes_on = resume and out.exists()
    if path is None and not goes_on:
        raise NotFound(
            f"there is no capture {out} to go on with",
            f"Look for a mistyped name, or begin one: rnnviz capture RUN --out {quote(str(out))}",
        )
    if goes_on:
        _go_on(context, wanted, out)
    else:
        make(wanted, out, None, force=force, again=lambda: _again(context, out))
    _report(out)


def _go_on(context: typer.Context, given: Wanted, out: Path) -> None:
    """Go on with the capture at a path, by what it says of itself where nothing else is given."""
    from rnnviz.store.reader import open_capture
    from rnnviz.tui.command_line.capture_recipe import further_of, options_of, run_of, text_of

    def completed(wanted: Wanted, found: Mapping[str, Any]) -> Wanted:
        return replace(
            wanted, **{name: value for name, value in found.items() if not is_given(context, name)}
        )

    capture = open_capture(out)
    wanted = completed(given, options_of(capture))
    if not (given.runs or given.ngram):
        wanted = completed(wanted, further_of(capture))
    if capture.complete and (wanted.path is None or given.runs or given.ngram):
        additions = wanted.additions()
        if not additions:
            say_note(f"{out} was complete: there was nothing to resume")
        additions.add_to(out)
        return
    run = run_of(capture) if wanted.path is None else wanted.path
    wanted = replace(wanted, path=run)
    if given.text is None:
        wanted = completed(wanted, text_of(capture, run))
    recipe = capture.schema.recipe if given.text is None else None
    make(wanted, out, recipe, resume=True, again=lambda: _again(context, out))
    if capture.complete:
        say_note(f"{out} was complete: there was nothing to resume")


def _note_size_of_additions(additions: Additions, path: Path) -> None:
    """Say how much the models that a capture does not have yet will add to it, where that is much."""
    from rnnviz.store.addition import open_to_add

    capture = open_to_add(path)
    models = [model for model in additions.schemas() if model.name not in capture.models]
    note = size_note(capture.symbols, models)
    if note is not None:
        say_note(note)


def _refuse_with_add(context: typer.Context) -> None:
    """Raise InvalidRequest if something was given that --add has no use for."""
    useful = {"add", "runs", "ngram", "predict"}
    if is_given(context, "runs"):
        useful |= OF_RUNS
    for name in context.params:
        if name not in useful and is_given(context, name):
            word = {"path": "RUN", "text": "TEXT"}.get(name, f"--{name}")
            raise InvalidRequest(
                f"{word} does not go with --add" + (" without --run" if name in OF_RUNS else ""),
                "Give the capture and what to add: rnnviz capture --add X.zarr --run RUN --ngram DIR",
            )


def _again(context: typer.Context, out: Path) -> list[str]:
    """The words of the command line that goes on with this one."""
    if out.exists():
        return ["rnnviz", "capture", "--resume", "--out", str(out)]
    given = {
        name: value
        for name, value in context.params.items()
        if name not in ("path", "text", "resume", "force") and is_given(context, name)
    }
    words = ["rnnviz", "capture", str(context.params["path"])]
    if context.params["text"] is not None:
        words.append(context.params["text"])
    for name, value in given.items():
        option = {"predict": "--next", "runs": "--run"}.get(name, f"--{name}")
        words += [word for each in (value if name == "runs" else [value]) for word in (option, str(each))]
    return words


def _report(path: Path) -> None:
    from rnnviz.store.reader import open_capture
    from rnnviz.store.summary import size_on_disk
    from rnnviz.tui.command_line.facts.unknown_symbols import unknown_notes
    from rnnviz.tui.commands.info import counted, model_facts, size_words, surprisal_words

    capture = open_capture(path)
    model, *added = (model_facts(capture, each) for each in capture.models.values())
    words = surprisal_words(model)
    say_result(
        f"{path}: {capture.symbols:,} symbols in {counted(len(capture.segments), 'segment')}, "
        f"{size_words(size_on_disk(path))}" + (f", mean surprisal {words}" if words else "")
    )
    for other in added:
        say_result(f"  {other['name']}: mean surprisal {surprisal_words(other) or 'not kept'}")
    for note in unknown_notes(capture):
        say_note(note)
    if "held out" in model["parts"] and len(model["parts"]) > 1:
        say_note(
            "rnnviz eval reads the held-out stretches alone, each from zero state; here what comes before them in "
            "their segment was read, too, so their mean surprisal differs from its loss"
        )
    say_next(["rnnviz", "browse", str(path)])
