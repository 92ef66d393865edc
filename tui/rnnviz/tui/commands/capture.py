"""`rnnviz capture`: keep every signal of a run over a text."""

from __future__ import annotations

import shlex
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from rnnviz.engine.ngram.directory import NgramModels
    from rnnviz.engine.progress import Progress
    from rnnviz.engine.run import Run
    from rnnviz.engine.text import Text


def capture(
    context: typer.Context,
    path: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="A run directory.", show_default=False)
    ] = None,
    text: Annotated[
        str | None,
        typer.Argument(
            help="A file, a directory or `python:stdlib`; by default the text of the run.", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The capture to write, X.zarr.", show_default=False)
    ] = None,
    add: Annotated[
        Path | None,
        typer.Option(metavar="X.zarr", help="Add --ngram to this finished capture.", show_default=False),
    ] = None,
    ngram: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="N-gram models to read the text too (`rnnviz ngram train`).",
            show_default=False,
        ),
    ] = None,
    predict: Annotated[
        str | None,
        typer.Option(
            "--next",
            metavar="N,N…",
            help="The n of the n-gram models that keep full distributions: by default the largest.",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        Literal["test", "val", "train", "all"] | None,
        typer.Option(
            help="The part of the text: by default test for the run's own text, all for any other.",
            show_default=False,
        ),
    ] = None,
    signals: Annotated[
        str | None,
        typer.Option(
            help="Signals to keep, by default all: c,h,i,f,o,g.", metavar="S,S…", show_default=False
        ),
    ] = None,
    streams: Annotated[
        int | None,
        typer.Option(help="Cut the whole text into this many rows, read side by side.", show_default=False),
    ] = None,
    unknown: Annotated[
        Literal["refuse", "replace"],
        typer.Option(help="What to do with bytes the model has never seen: `replace` reads them as a space."),
    ] = "refuse",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the capture at --out.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an older capture at --out.")] = False,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to compute.")] = "auto",
    glob: Annotated[
        str | None,
        typer.Option(help="Which files of a directory, by default as in training.", show_default=False),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The files' order, by default as in training.", show_default=False)
    ] = None,
) -> None:
    """Keep what every unit of a run does over a text, to browse it.

    A model reads fastest many segments side by side: the streams of the split, the files of a directory, or
    the rows of --streams. Interrupted, `--resume` goes on.

    With --ngram, every n-gram model becomes a further model of the capture: the surprisal of each symbol, and for the
    n in --next the distributions. They are added one by one when the rest is whole; interrupted, `--add` adds those
    still missing.

    Examples:

        rnnviz capture runs/wp war_and_peace.txt --out wp.zarr

        rnnviz capture runs/python ~/src/project --glob '*.py' --unknown replace --out project.zarr

        rnnviz capture runs/wp other.txt --signals c --streams 100 --out other.zarr

        rnnviz capture runs/wp war_and_peace.txt --ngram ngrams/wp --out wp.zarr

        rnnviz capture --add wp.zarr --ngram ngrams/wp --next 5,20
    """
    from rnnviz.engine.capture import capture as computation
    from rnnviz.engine.capture import default_part
    from rnnviz.engine.device import resolve
    from rnnviz.engine.run import load_run
    from rnnviz.store.errors import InvalidRequest
    from rnnviz.store.reader import open_capture

    models, predicting = _ngrams(ngram, predict)
    if add is not None:
        _refuse_with_add(context)
        if models is None:
            raise InvalidRequest(
                "there is nothing to add", "Give n-gram models: rnnviz capture --add X.zarr --ngram DIR"
            )
        _add(add, models, predicting)
        return
    if path is None or out is None:
        raise InvalidRequest(
            "a capture needs a run and a place", "Give both: rnnviz capture RUN [TEXT] --out X.zarr"
        )
    if resume and force:
        raise InvalidRequest("--resume and --force exclude each other", "Give one of them.")
    was_complete = resume and out.exists() and open_capture(out).complete
    if was_complete and models is not None:
        _add(out, models, predicting)
        return
    run = load_run(path)
    opened = _open_text(run, text, glob, seed)
    part = split or ("all" if streams is not None else default_part(run, opened))
    if split is None:
        typer.echo(f"reading {_part_words(part)} of {opened.name}", err=True)
    events = computation(
        run,
        opened,
        out,
        part=part,
        signals=None if signals is None else [name.strip() for name in signals.split(",")],
        streams=streams,
        replace_unknown=unknown == "replace",
        force=force,
        resume=resume,
        device=resolve(device),
    )
    _run("capturing", events, _again(context))
    if was_complete:
        typer.echo(f"{out} was complete: there was nothing to resume", err=True)
    if models is not None:
        _add(out, models, predicting)
    else:
        _report(out)


def _ngrams(directory: Path | None, predict: str | None) -> tuple[NgramModels | None, tuple[int, ...] | None]:
    """The models of --ngram and the n of --next, found fit for use before any work."""
    from rnnviz.store.errors import InvalidRequest

    if directory is None:
        if predict is not None:
            raise InvalidRequest(
                "--next is for n-gram models", "Give them by --ngram DIR, or leave --next out."
            )
        return None, None
    from rnnviz.engine.ngram.capturing import check_addition
    from rnnviz.engine.ngram.directory import load_ngrams, parse_orders

    models = load_ngrams(directory)
    predicting = None if predict is None else parse_orders(predict)
    check_addition(models, predicting)
    return models, predicting


def _add(path: Path, models: NgramModels, predicting: tuple[int, ...] | None) -> None:
    from rnnviz.engine.ngram.capturing import add_ngrams

    words = ["rnnviz", "capture", "--add", str(path), "--ngram", str(models.path)]
    if predicting is not None:
        words += ["--next", ",".join(map(str, predicting))]
    _run("adding", add_ngrams(path, models, predicting), shlex.join(words))
    _report(path)


def _run(description: str, events: Generator[Progress, None, None], again: str) -> None:
    """Run a computation to its end, or to a signal that asks for one; then say how to go on, and leave."""
    from rnnviz.tui.progress import watch
    from rnnviz.tui.stopping import stop_requests

    with stop_requests() as requests, closing(events), closing(watch(description, events)) as shown:
        for _ in shown:
            if requests:
                break
    if requests:
        typer.echo(f"rnnviz: stopped; go on with\n  {again}", err=True)
        raise typer.Exit(128 + requests[0])


def _refuse_with_add(context: typer.Context) -> None:
    """Raise InvalidRequest if something was given that --add has no use for."""
    from rnnviz.store.errors import InvalidRequest

    for name in context.params:
        if name not in ("add", "ngram", "predict") and _is_given(context, name):
            word = {"path": "RUN", "text": "TEXT"}.get(name, f"--{name}")
            raise InvalidRequest(
                f"{word} does not go with --add",
                "Give the capture and what to add: rnnviz capture --add X.zarr --ngram DIR",
            )


def _open_text(run: Run, text: str | None, glob: str | None, seed: int | None) -> Text:
    from rnnviz.engine.text import open_text

    if text is None or seed is None:
        return run.open_text(text, glob)
    trained = run.text.glob if run.text else "*"
    return open_text(text, glob=trained if glob is None else glob, seed=seed)


def _part_words(part: str) -> str:
    return "all" if part == "all" else f"the {part} part"


def _again(context: typer.Context) -> str:
    """The command line that goes on with this one."""
    given = {
        name: value
        for name, value in context.params.items()
        if name not in ("path", "text", "resume", "force") and _is_given(context, name)
    }
    words = ["rnnviz", "capture", str(context.params["path"])]
    if context.params["text"] is not None:
        words.append(context.params["text"])
    for name, value in given.items():
        words += ["--next" if name == "predict" else f"--{name}", str(value)]
    return shlex.join([*words, "--resume"])


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


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
    typer.echo(f"look at it: rnnviz browse {shlex.quote(str(path))}", err=True)
