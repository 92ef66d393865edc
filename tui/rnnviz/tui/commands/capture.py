"""`rnnviz capture`: keep every signal of a run over a text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rnnviz.store.errors import InvalidRequest
from rnnviz.tui.command_help import choices
from rnnviz.tui.commands.additions import read_additions
from rnnviz.tui.commands.noting import note_models, noting, text_words
from rnnviz.tui.home_path import home_path, home_text
from rnnviz.tui.keeping import keep_text
from rnnviz.tui.next_command import say_next
from rnnviz.tui.options import CapturedPartChoice, DeviceOption, TrainedGlobOption, is_given
from rnnviz.tui.stopping import run_to_end

if TYPE_CHECKING:
    from rnnviz.engine.run import Run
    from rnnviz.engine.text import Text

PredictionsChoice = Literal["all", "surprisal", "none"]
UnknownChoice = Literal["refuse", "replace"]

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
            help="The part of the text: by default test for the run's own text, all for any other.",
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

    A model reads fastest many segments side by side: the streams of the split, the files of a directory, or
    the rows of --streams. Interrupted, `--resume` goes on.

    Every --run becomes a further model of the capture, with its own signals and predictions; so does, with --ngram,
    every n-gram model: the surprisal of each symbol, and for the n in --next the distributions. They are added one
    by one when the rest is whole, each wholly or not at all; interrupted, `--add` adds those still missing.

    Examples:

        rnnviz capture runs/wp war_and_peace.txt --out wp.zarr

        rnnviz capture runs/python ~/src/project --glob '*.py' --unknown replace --out project.zarr

        rnnviz capture runs/wp other.txt --signals c --streams 100 --out other.zarr

        rnnviz capture runs/wp war_and_peace.txt --ngram ngrams/wp --out wp.zarr

        rnnviz capture --add wp.zarr --run runs/wp-gru --signals h

        rnnviz capture --add wp.zarr --ngram ngrams/wp --next 5,20
    """
    from rnnviz.engine.capture import capture as computation
    from rnnviz.engine.capture import default_part
    from rnnviz.engine.device import resolve
    from rnnviz.engine.run import load_run
    from rnnviz.store.reader import open_capture

    kept = None if signals is None else tuple(name.strip() for name in signals.split(","))
    replace = unknown == "replace"
    if add is not None:
        _refuse_with_add(context)
    additions = read_additions(
        runs or (),
        ngram,
        predict,
        signals=kept,
        replace_unknown=replace,
        device=device,
        predictions=predictions,
    )
    if add is not None:
        if not additions:
            raise InvalidRequest(
                "there is nothing to add",
                "Give a run or n-gram models: rnnviz capture --add X.zarr --run RUN2 --ngram DIR",
            )
        additions.add_to(add)
        _report(add)
        return
    if path is None or out is None:
        raise InvalidRequest(
            "a capture needs a run and a place", "Give both: rnnviz capture RUN [TEXT] --out X.zarr"
        )
    if resume and force:
        raise InvalidRequest("--resume and --force exclude each other", "Give one of them.")
    was_complete = resume and out.exists() and open_capture(out).complete
    if was_complete and additions:
        additions.add_to(out)
        _report(out)
        return
    run = load_run(path)
    opened = _open_text(run, text, glob, seed)
    part = split or ("all" if streams is not None else default_part(run, opened))
    additions.check(run, opened, part, streams)
    if split is None:
        typer.echo(f"reading {_part_words(part)} of {opened.name}", err=True)
    events = computation(
        run,
        opened,
        out,
        part=part,
        signals=kept,
        streams=streams,
        replace_unknown=replace,
        force=force,
        resume=resume,
        device=resolve(device),
        predictions=predictions,
    )

    def note() -> bool:
        noted = note_models(out, [path])
        if noted:
            keep_text(out, text_words(text, glob, seed))
        return noted

    run_to_end("capturing", noting(events, note), _again(context))
    if was_complete:
        typer.echo(f"{out} was complete: there was nothing to resume", err=True)
    additions.add_to(out)
    _report(out)


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
                "Give the capture and what to add: rnnviz capture --add X.zarr --run RUN2 --ngram DIR",
            )


def _open_text(run: Run, text: str | None, glob: str | None, seed: int | None) -> Text:
    from rnnviz.engine.text import open_text

    if text is None or seed is None:
        return run.open_text(text, glob)
    trained = run.text.glob if run.text else "*"
    return open_text(text, glob=trained if glob is None else glob, seed=seed)


def _part_words(part: str) -> str:
    return "all" if part == "all" else f"the {part} part"


def _again(context: typer.Context) -> list[str]:
    """The words of the command line that goes on with this one."""
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
    return [*words, "--resume"]


def _report(path: Path) -> None:
    from rnnviz.store.reader import open_capture
    from rnnviz.store.summary import mean_surprisal, size_on_disk
    from rnnviz.tui.commands.info import size_words

    capture = open_capture(path)
    model, *added = capture.models.values()
    mean = mean_surprisal(model)
    typer.echo(
        f"{path}: {capture.symbols:,} symbols in {len(capture.segments):,} segments, "
        f"{size_words(size_on_disk(path))}"
        + (f", mean surprisal {mean:.4f} nats" if mean is not None else "")
    )
    for other in added:
        typer.echo(f"  {other.name}: mean surprisal {mean_surprisal(other) or 0:.4f} nats")
    say_next(["rnnviz", "browse", str(path)])
