"""`rnnviz sweep`: train the paper's grid of models on a text, and print its Figure 1 (left)."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, TypeVar

import typer

from rnnviz.store.disk import free_name
from rnnviz.store.errors import InvalidRequest
from rnnviz.tui.command_line.capture_notes import note_text
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
    StreamsOption,
    TrainedTextArgument,
    UnrollOption,
)

if TYPE_CHECKING:
    from rnnviz.engine.runs.device import DeviceName
    from rnnviz.engine.runs.run import Run, RunConfig
    from rnnviz.engine.sweep.job import Job, Report
    from rnnviz.engine.sweep.plan import Sweep
    from rnnviz.engine.text.text import Text

PaperChoice = Literal["auto", "wp", "lk", "none"]

Item = TypeVar("Item")

FAILED = 1
"""The exit code where a run failed."""


def sweep(
    out: Annotated[
        Path,
        typer.Option(
            metavar="DIR", parser=home_path, help="The directory of runs to write, or to go on with."
        ),
    ],
    text: TrainedTextArgument = None,
    models: Annotated[str, typer.Option(help="Kinds of layers.", metavar="KIND,…")] = "lstm,rnn,gru",
    layers: Annotated[str, typer.Option(help="Numbers of layers.", metavar="N,…")] = "1,2,3",
    sizes: Annotated[
        str | None,
        typer.Option(
            help="Hidden sizes of the 1-layer LSTM, which the other models match in parameters "
            "[default: 64,128,256,512, but no RNN at 512, as in the paper; sizes you name hold for all].",
            metavar="N,…",
            show_default=False,
        ),
    ] = None,
    dropout: Annotated[
        str, typer.Option(help="Dropouts to train each model with; the best validated counts.", metavar="P,…")
    ] = "0",
    epochs: EpochsOption = 50,
    split: SharesOption = "80/10/10",
    streams: StreamsOption = 100,
    unroll: UnrollOption = 100,
    seed: SeedOption = 0,
    glob: GlobOption = "*",
    device: DeviceOption = "auto",
    at_once: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            metavar="N",
            min=1,
            max=4096,
            help="Runs at once [default: as many as there are CPU cores and memory for, or 8 on each GPU].",
            show_default=False,
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=4096,
            help="CPU threads of each run [default: 1, or more of large runs and where cores would lie idle; always 1 "
            "with dropout or --scheduler]. A run already begun keeps its own.",
            show_default=False,
        ),
    ] = None,
    paper: Annotated[
        PaperChoice,
        typer.Option(
            metavar=choices(PaperChoice),
            help="Compare to the paper's War and Peace or Linux kernel; `auto` knows these two texts.",
        ),
    ] = "auto",
    table: Annotated[
        bool, typer.Option("--table", help="Train nothing: print the table of what is at --out.")
    ] = False,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Train on the workers of this Dask scheduler. They must see --out and TEXT, or add --unshared.",
            metavar="ADDRESS",
            show_default=False,
        ),
    ] = None,
    unshared: Annotated[
        bool,
        typer.Option("--unshared", help="Workers share no disk: text and runs go through the scheduler."),
    ] = False,
    resources: Annotated[
        str | None,
        typer.Option(
            help="What each run takes of a Dask worker's resources [default: GPU=1 with --device cuda].",
            metavar="NAME=N,…",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Train a grid of models on a text and print their test losses, as in the paper's Figure 1 (left).

    Each model is a run of its own below --out, as `rnnviz train` makes it. Finished ones are skipped and others go on
    from their checkpoint, so after Ctrl-C, a crash or a power cut, give the same command again. The table is also
    written to figure1.csv and figure1.json there.

    Examples:

        rnnviz sweep war_and_peace.txt --out sweeps/wp

        rnnviz sweep linux/kernel --glob '*.[ch]' --split 90/5/5 --out sweeps/lk --dropout 0,0.25,0.5

        rnnviz sweep notes.txt --out sweeps/notes --models lstm,gru --layers 1,2 --sizes 64,128 --epochs 10

        rnnviz sweep --table --out sweeps/wp

        rnnviz sweep war_and_peace.txt --out /shared/wp --device cuda --scheduler tcp://head:8786
    """
    from rnnviz.engine.sweep.plan import Protocol, held_sweep, load_sweep, plan
    from rnnviz.engine.text.split import Split
    from rnnviz.engine.text.text import open_text, portable_spec

    if table:
        _report(load_sweep(out), paper, None)
        return
    if text is None:
        raise InvalidRequest(
            "there is no TEXT to train on",
            "Give a file, a directory or python:stdlib: rnnviz sweep TEXT --out DIR",
        )
    protocol = Protocol(epochs, Split.parse(split, streams=streams, unroll=unroll), seed)
    for option, given in (("--resources", resources is not None), ("--unshared", unshared)):
        if given and scheduler is None:
            raise InvalidRequest(
                f"{option} is for --scheduler", "Leave it out, or give a scheduler's address."
            )
    opened = open_text(text, glob=glob, seed=seed)
    wanted = plan(
        out,
        opened,
        portable_spec(text),
        glob,
        protocol,
        kinds=_items("--models", models, str),
        layers=_items("--layers", layers, int),
        sizes=None if sizes is None else _items("--sizes", sizes, int),
        dropouts=_items("--dropout", dropout, float),
    )
    with ExitStack() as stack:
        if scheduler is None:
            crew = _here(wanted, device, at_once, threads)
        else:
            sent = opened if unshared else None
            crew = _on_cluster(stack, scheduler, resources, sent, device, at_once, threads)
        whole = stack.enter_context(held_sweep(wanted))
        note_text(opened)
        stopped_by, others = _train(whole, wanted, crew, text, device)
    again = ["rnnviz", *sys.argv[1:]]
    if stopped_by is not None:
        kept = "each run is kept as its worker last sent it" if unshared else "all is saved"
        say_note(f"rnnviz: stopped, and {kept}")
    _report(whole, paper, again if stopped_by is not None or others else None)
    if stopped_by is not None:
        raise typer.Exit(128 + stopped_by)
    if others:
        say_note(f"rnnviz: {len(others)} of {len(wanted.entries)} runs did not come to their end:")
        for report in others:
            say_note(f"  {report.name}: {report.message or 'it was stopped'}")
            if report.hint:
                say_note(f"    {report.hint}")
        raise typer.Exit(FAILED)


class Crew(NamedTuple):
    """Who trains. `train` yields reports, and None in silence; `threads` are those of each run. The time left is
    reckoned with `places`, of which a run at work takes one, or so many as `taken` says."""

    train: Callable[[Sequence[Job]], Generator[Report | None, None, None]]
    threads: int | Mapping[str, int]
    places: int
    taken: Mapping[str, int] | None = None


def _here(wanted: Sweep, device: DeviceName, at_once: int | None, threads: int | None) -> Crew:
    """This machine."""
    from rnnviz.engine.runs.device import resolve
    from rnnviz.engine.sweep.local import capacity, threads_of_each, train_here

    configs = [wanted.config(entry) for entry in wanted.entries]
    suited = capacity(configs, wanted.symbols, resolve(device), at_once, threads)
    each = threads_of_each(configs, wanted.symbols, suited) if threads is None else [threads] * len(configs)
    of_names = {entry.name: count for entry, count in zip(wanted.entries, each, strict=True)}
    train = partial(train_here, capacity=suited)
    if suited.cores is None:
        return Crew(train, of_names, suited.at_once)
    return Crew(train, of_names, min(suited.cores, suited.at_once * max(each)), taken=of_names)


def _on_cluster(
    stack: ExitStack,
    address: str,
    resources: str | None,
    unshared: Text | None,
    device: DeviceName,
    at_once: int | None,
    threads: int | None,
) -> Crew:
    """The workers of a Dask scheduler. Raises InvalidRequest and Unavailable."""
    from rnnviz.engine.sweep.dask_cluster import THREADS, Cluster, parse_resources

    if at_once is not None:
        raise InvalidRequest(
            "--jobs is for this machine alone",
            "A Dask worker trains as many at once as it has threads: --nthreads.",
        )
    taken = parse_resources(resources) if resources else {"GPU": 1.0} if device == "cuda" else {}
    cluster = stack.enter_context(closing(Cluster(address)))
    slots = cluster.slots(taken)
    if not slots:
        offered = " and ".join(f"{name}={count:g}" for name, count in taken.items()) or "a thread"
        say_note(f"no worker of {address} offers {offered} yet; waiting for one")
    train = partial(cluster.train, resources=taken, unshared=unshared)
    return Crew(train, max(1, slots), threads or THREADS)


def _train(
    whole: Sweep, wanted: Sweep, crew: Crew, text: str, device: DeviceName
) -> tuple[int | None, list[Report]]:
    """Train what is left, and show it. The number of the signal that ended it before, if any, and the last
    reports of the runs that did not come to their end."""
    from rnnviz.engine.sweep.schedule import Forecast, jobs_of
    from rnnviz.tui.command_line.stop_requests import stop_requests
    from rnnviz.tui.command_line.sweep_table import SweepState, sweep_display
    from rnnviz.tui.commands.train import train_command

    def command(name: str, config: RunConfig) -> str:
        return train_command(whole.text.spec or whole.text.name, name, whole.text.glob, config)

    jobs, reports = jobs_of(whole, wanted.entries, text, device=device, threads=crew.threads, command=command)
    parameters = {entry.name: entry.model.parameters for entry in wanted.entries}
    forecast = Forecast(parameters, reports, crew.places, crew.taken)
    state = SweepState(reports, parameters, wanted.protocol.epochs, forecast)
    others = [report for report in reports if report.phase == "failed"]
    with (
        stop_requests() as requests,
        sweep_display(state) as update,
        closing(crew.train(jobs)) as events,
    ):
        for report in events:
            if report is not None:
                forecast.note(report)
                if report.phase in ("failed", "stopped"):
                    others.append(report)
            update(report, _line(whole, report) if report else "")
            if requests:
                update(None, "stopping: each run at work writes a checkpoint")
                return requests[0], []
    return None, others


def _line(sweep: Sweep, report: Report) -> str:
    """What is worth a line that stays: an end, or something that went wrong on the way."""
    from rnnviz.engine.runs.run import load_run

    if report.phase == "failed":
        return f"{report.name}: failed: {report.message}"
    if report.phase != "complete":
        return f"{report.name}: {report.message}" if report.message else ""
    run = load_run(sweep.path / report.name)
    assert run.best is not None
    assert run.test is not None
    return (
        f"{report.name}: test loss {run.test.loss:.4f} ± {run.test.deviation:.4f}, "
        f"validation {run.best.validation:.4f}, best epoch {run.best.epoch}"
    )


def _report(sweep: Sweep, paper: str, again: Sequence[str] | None) -> None:
    """Print the table of what is there, and write it beside the runs, where that can be. Next comes `again`, the
    command that goes on, or a capture of the best model."""
    from rnnviz.engine.sweep.figure import figure, save, table
    from rnnviz.engine.sweep.paper import SHORT_NAMES, recognise

    known = recognise(sweep.text.length, sweep.protocol.split) if paper == "auto" else SHORT_NAMES.get(paper)
    drawn = figure(sweep, known)
    for line in table(drawn):
        typer.echo(line)
    try:
        save(drawn)
    except OSError as error:
        reason = (error.strerror or "the disk refused").lower()
        say_note(f"rnnviz: the table is not written to {sweep.path}: {reason}")
    trained = [point.run for point in drawn.points if point.run is not None and point.run.test is not None]
    said = f"{sweep.path}: {len(trained)} of {len(drawn.points)} models trained"
    best = min(trained, key=_test_loss, default=None)
    if best is not None and best.test is not None:
        said += f", lowest test loss {best.test.loss:.4f} ± {best.test.deviation:.4f} nats per symbol ({best.name})"
    say_result(said)
    if again is not None:
        say_next(again)
    elif best is not None:
        say_next(["rnnviz", "capture", str(best.path), "--out", free_name(best.name)])


def _test_loss(run: Run) -> float:
    return run.test.loss if run.test is not None else math.inf


def _items(option: str, written: str, read: Callable[[str], Item]) -> list[Item]:
    """A list as it is written, with commas between. Raises InvalidRequest where an item cannot be read."""
    try:
        return [read(item.strip()) for item in written.split(",")]
    except ValueError as error:
        raise InvalidRequest(
            f"{option} {written} is no list of numbers",
            f"Give {option} with commas between, for example 1,2.",
        ) from error
