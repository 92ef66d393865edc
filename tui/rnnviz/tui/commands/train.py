"""`rnnviz train`: train a recurrent model on a text."""

from __future__ import annotations

import shlex
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rnnviz.store.disk import free_name
from rnnviz.store.errors import InvalidRequest
from rnnviz.tui.command_line.capture_notes import note_text, open_own_text
from rnnviz.tui.command_line.help_page import choices
from rnnviz.tui.command_line.home_path import home_path
from rnnviz.tui.command_line.message import say_note, say_result
from rnnviz.tui.command_line.next_command import say_next
from rnnviz.tui.command_line.options import (
    DeviceOption,
    EpochsOption,
    GlobOption,
    SeedOption,
    SharesOption,
    TrainedTextArgument,
    is_given,
)
from rnnviz.tui.command_line.update_notice import notice

if TYPE_CHECKING:
    import torch

    from rnnviz.engine.runs.run import Run, RunConfig
    from rnnviz.engine.text.text import Text
    from rnnviz.engine.training.train import EpochDone

ModelChoice = Literal["lstm", "gru", "rnn", "n-nn"]


def train(
    context: typer.Context,
    out: Annotated[Path, typer.Option(metavar="RUN", parser=home_path, help="The run directory to write.")],
    text: TrainedTextArgument = None,
    model: Annotated[
        ModelChoice,
        typer.Option(
            metavar=choices(ModelChoice),
            help="The kind of layers; `gru` is the paper's. `n-nn` is no recurrent model.",
        ),
    ] = "lstm",
    n: Annotated[
        int | None,
        typer.Option("--n", metavar="N", help="How many symbols back an n-NN looks.", show_default=False),
    ] = None,
    layers: Annotated[int, typer.Option(metavar="N", help="Layers of cells.")] = 1,
    hidden: Annotated[int, typer.Option(metavar="N", help="Units in each layer.")] = 128,
    epochs: EpochsOption = 50,
    split: SharesOption = "80/10/10",
    streams: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Streams read side by side (the batch) [default: 24, or fewer that leave 200 updates an epoch, "
            "but 4 at least; the paper's 100 for a train part of 2 million symbols or more].",
            show_default=False,
        ),
    ] = None,
    unroll: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Steps that gradients reach back [default: 50; the paper's 100 for a train part of 2 million "
            "symbols or more].",
            show_default=False,
        ),
    ] = None,
    dropout: Annotated[
        float, typer.Option(metavar="P", help="Share of units dropped between layers and at the top.")
    ] = 0,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    threads: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=4096,
            help="CPU threads [default: as many cores as this process may keep busy].",
            show_default=False,
        ),
    ] = None,
    glob: GlobOption = "*",
    force: Annotated[bool, typer.Option("--force", help="Replace an older run at --out.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run at --out.")] = False,
) -> None:
    """Train a recurrent model on a text, as in Karpathy, Johnson & Li (2015), or their n-NN: one tanh layer over n
    symbols.

    The weights that validate best are kept in the run directory. Ctrl-C saves; `--resume` goes on from there, and,
    with more `--epochs`, beyond the last one.

    Examples:

        rnnviz train war_and_peace.txt --out runs/wp --layers 2 --hidden 84

        rnnviz train linux/kernel --glob '*.[ch]' --split 90/5/5 --out runs/lk

        rnnviz train python:stdlib --out runs/python --epochs 3

        rnnviz train war_and_peace.txt --model n-nn --n 3 --hidden 512 --out runs/wp-3nn

        rnnviz train --resume --epochs 20 --out runs/python
    """
    from rnnviz.engine.runs.device import resolve
    from rnnviz.engine.runs.run import RunConfig, load_run
    from rnnviz.engine.text.text import open_text, portable_spec
    from rnnviz.engine.training.mini_batch import suited
    from rnnviz.engine.training.train import refuse_other_text, start_run

    if resume:
        if force:
            raise InvalidRequest(
                "--resume and --force exclude each other", "Go on with --resume, or begin anew with --force."
            )
        run = load_run(out)
        _refuse_other_options(context, run)
        goes_on = is_given(context, "epochs") and epochs != run.config.epochs
        if run.complete and not goes_on:
            say_note(
                f"{out} is complete with its {run.config.epochs} epochs; "
                f"give --epochs above {run.config.epochs} to train on"
            )
            _report(run)
            return
        opened = open_own_text(run, text, None)
        device = device if is_given(context, "device") else run.config.device
        computing = resolve(device, threads or run.config.threads)
        refuse_other_text(run, opened)
        if goes_on:
            run = _with_epochs(run, opened, epochs)
        chosen = False
    else:
        if text is None:
            raise InvalidRequest(
                "there is no TEXT to train on",
                "Give a file, a directory or python:stdlib: rnnviz train TEXT --out RUN",
            )
        opened = open_text(text, glob=glob, seed=seed)
        chosen = streams is None and unroll is None
        config = RunConfig(
            kind=model,
            n=n,
            layers=layers,
            hidden=hidden,
            dropout=dropout,
            epochs=epochs,
            split=suited(split, opened.length, streams, unroll),
            seed=seed,
            device=device,
            threads=threads,
        )
        computing = resolve(device, threads)
        spec = portable_spec(text)
        command = train_command(spec or opened.name, out.resolve().name, glob, config)
        run = start_run(out, opened, config, command=command, spec=spec, glob=glob, force=force)
        note_text(opened)
    for line in notice(
        run.config.split, opened.length, chosen=chosen, done=len(run.history), epochs=run.config.epochs
    ):
        say_note(line)
    stopped_by = _train(run, opened, computing)
    if stopped_by is None:
        _report(load_run(out))
        return
    say_note("rnnviz: stopped, and all is saved")
    say_next(["rnnviz", "train", "--resume", "--out", str(out)])
    raise typer.Exit(128 + stopped_by)


def _with_epochs(run: Run, text: Text, epochs: int) -> Run:
    """The run with another number of epochs to come to."""
    from rnnviz.engine.training.epoch_goal import change_epochs

    assert run.text is not None, "or its text could not have been opened"
    config = replace(run.config, epochs=epochs)
    command = train_command(run.text.spec or run.text.name, run.name, run.text.glob, config)
    return change_epochs(run, text, epochs, command=command)


def _train(run: Run, text: Text, device: torch.device) -> int | None:
    """Train to the end and print a line per epoch. The number of the signal that ended it before, if any."""
    from rnnviz.engine.training.train import EpochDone, train
    from rnnviz.tui.command_line.progress_bar import watch
    from rnnviz.tui.command_line.stop_requests import stop_requests

    with (
        stop_requests() as requests,
        closing(train(run.path, text, device=device, keep_checkpoint=True)) as events,
        closing(watch("training", events)) as shown,
    ):
        for event in shown:
            if isinstance(event, EpochDone):
                # typer.echo would write past the bar, which stands in for sys.stdout on a terminal.
                print(_epoch_line(event, run.config.epochs), flush=True)  # noqa: T201
            if requests:
                return requests[0]
    return None


def _epoch_line(event: EpochDone, epochs: int) -> str:
    from rnnviz.tui.command_line.progress_bar import compact, duration

    epoch = event.epoch
    return (
        f"epoch {epoch.epoch:{len(str(epochs))}}/{epochs}  train {epoch.train:.4f}  "
        f"validation {epoch.validation:.4f}  {compact(epoch.symbols_per_second)} symbols/s  "
        f"{duration(epoch.seconds)}{'  best' if event.best else ''}"
    )


def _report(run: Run) -> None:
    """Say what was made, and what to do with it."""
    if not (run.test and run.best):
        return
    config = run.config
    kind = (
        f"{config.n}-NN of {config.hidden}"
        if config.n
        else f"{config.kind.upper()} {config.layers}×{config.hidden}"
    )
    say_result(
        f"{run.path}: {kind}, test loss {run.test.loss:.4f} ± {run.test.deviation:.4f} nats per symbol "
        f"({run.test.bits:.4f} bits), best epoch {run.best.epoch} of {len(run.history)}"
    )
    _warn_of_rote(run)
    path = str(run.path)
    # An n-NN has no cells to see.
    say_next(
        ["rnnviz", "eval", path] if config.n else ["rnnviz", "capture", path, "--out", free_name(run.name)]
    )


def _warn_of_rote(run: Run) -> None:
    """Say so where the last epochs taught nothing that holds beyond the text they were taught on."""
    best, last = run.best, run.history[-1]
    if best is None or run.test is None or last.validation - best.validation <= run.test.deviation:
        return
    say_note(
        f"the weights of epoch {best.epoch} are kept: after it the validation loss rose from {best.validation:.4f} to "
        f"{last.validation:.4f} while the train loss went from {best.train:.4f} to {last.train:.4f}"
        + (": the model learns this text by heart" if last.train < best.train else "")
    )


def train_command(text: str, out: str, glob: str, config: RunConfig) -> str:
    """The command line that makes this run again, with every option and no path of this machine."""
    from rnnviz.engine.text.text import printable

    split = config.split
    options: dict[str, object] = {
        "--out": out,
        "--model": config.kind,
        "--n": config.n,
        "--layers": config.layers,
        "--hidden": config.hidden,
        "--epochs": config.epochs,
        "--split": split.shares,
        "--streams": split.streams,
        "--unroll": split.unroll,
        "--dropout": config.dropout,
        "--seed": config.seed,
        "--device": config.device,
        "--threads": config.threads,
        "--glob": glob,
    }
    words = [word for name, value in options.items() if value is not None for word in (name, str(value))]
    return printable(shlex.join(["rnnviz", "train", text, *words]))


def _refuse_other_options(context: typer.Context, run: Run) -> None:
    """Raise InvalidRequest if an option was given that is not what the run was started with."""
    config, split = run.config, run.config.split
    recorded: dict[str, object] = {
        "model": config.kind,
        "n": config.n,
        "layers": config.layers,
        "hidden": config.hidden,
        "split": split.shares,
        "streams": split.streams,
        "unroll": split.unroll,
        "dropout": config.dropout,
        "seed": config.seed,
        "glob": run.text.glob if run.text else "*",
    }
    for name, value in recorded.items():
        if is_given(context, name) and context.params[name] != value:
            raise InvalidRequest(
                f"--{name} cannot change on --resume: the run has {value}",
                f"Leave --{name} out, or train a new run.",
            )
