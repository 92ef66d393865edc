"""`rnnviz ngram`: train and evaluate n-gram models."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rnnviz.tui.command_line.capture_notes import note_text, open_own_text
from rnnviz.tui.command_line.help_page import Command, Group, choices
from rnnviz.tui.command_line.home_path import home_path, home_text
from rnnviz.tui.command_line.message import say_note, say_result
from rnnviz.tui.command_line.next_command import say_next
from rnnviz.tui.command_line.options import (
    GlobOption,
    JsonOption,
    PartOption,
    SharesOption,
    TrainedGlobOption,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnviz.engine.ngram.evaluation import NgramLoss, PaperLosses

EstimatorChoice = Literal["own", "lmplz"]

ngram = typer.Typer(
    cls=Group,
    help="Train and evaluate n-gram models (modified Kneser-Ney).",
    rich_markup_mode="markdown",
)


@ngram.command("train", cls=Command)
def train(
    text: Annotated[
        str,
        typer.Argument(metavar="TEXT", parser=home_text, help="A file, a directory or `python:stdlib`."),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", parser=home_path, help="The directory to write.")],
    n: Annotated[
        str, typer.Option("--n", metavar="N,…", help="How many symbols back the models look.")
    ] = "1-9,20",
    split: SharesOption = "80/10/10",
    streams: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Streams that the text is split by [default: as `rnnviz train` splits a text of this size].",
            show_default=False,
        ),
    ] = None,
    unroll: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Steps that the split is a multiple of [default: likewise].", show_default=False
        ),
    ] = None,
    estimator: Annotated[
        EstimatorChoice,
        typer.Option(
            metavar=choices(EstimatorChoice),
            help="`own`: fast, in memory. `lmplz`: KenLM's, on disk, in 2 GB.",
        ),
    ] = "own",
    compress: Annotated[bool, typer.Option("--gz", help="Compress the ARPA files.")] = False,
    glob: GlobOption = "*",
    seed: Annotated[int, typer.Option(metavar="N", help="Fixes the order of a directory's files.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace older models at --out.")] = False,
) -> None:
    """Train n-gram models on the train part of a text, as in Karpathy, Johnson & Li (2015).

    They are unpruned interpolated modified Kneser-Ney models over bytes: ARPA files that any toolkit reads (a byte
    is written as two hex digits), and KenLM's binaries where its `build_binary` is on the PATH.

    Up to n = 8 (6, if more than 124 different bytes occur) the own estimator counts the text in parts, and holds only
    it and its distinct n-grams: 0.5 GB for 100 MB of program text at n = 5. Beyond, it sorts the whole text: some 300
    bytes a symbol for n = 1-9,20, 0.8 GB for War and Peace. It refuses what the machine cannot hold. For larger texts
    take `--estimator lmplz`: it works in 2 GB, whatever the text, on the disk at --out.

    A text is split as `rnnviz train` splits it, so that what is held out is the same for both. For models of a sweep
    over a small text, give the sweep's --streams 100 --unroll 100.

    Examples:

        rnnviz ngram train war_and_peace.txt --out ngrams/wp

        rnnviz ngram train ~/src/linux/kernel --glob '*.[ch]' --split 90/5/5 --out ngrams/kernel

        rnnviz ngram train large.txt --n 5 --estimator lmplz --gz --out ngrams/large
    """
    from rnnviz.engine.ngram.directory import parse_orders
    from rnnviz.engine.ngram.training import start_ngrams, train_ngrams
    from rnnviz.engine.progress import Computation
    from rnnviz.engine.text.text import open_text, portable_spec
    from rnnviz.engine.training.mini_batch import suited
    from rnnviz.store.summary import size_on_disk
    from rnnviz.tui.command_line.progress_bar import show
    from rnnviz.tui.commands.info import size_words

    orders = parse_orders(n)
    opened = open_text(text, glob=glob, seed=seed)
    parsed = suited(split, opened.length, streams, unroll)
    spec = portable_spec(text)
    command = ["rnnviz", "ngram", "train", spec or opened.name, "--n", n, "--out", out.name]
    command += ["--split", parsed.shares, "--streams", str(parsed.streams), "--unroll", str(parsed.unroll)]
    command += [
        "--estimator",
        estimator,
        "--glob",
        glob,
        "--seed",
        str(seed),
        *(["--gz"] if compress else []),
    ]
    models = start_ngrams(
        out,
        opened,
        orders,
        parsed,
        estimator=estimator,
        compressed=compress,
        seed=seed,
        command=shlex.join(command),
        spec=spec,
        glob=glob,
        force=force,
    )
    note_text(opened)
    training = Computation(train_ngrams(models, opened))
    show("training", training)
    for note in training.result:
        say_note(note)
    say_result(f"{out}: {len(orders)} models, n = {n}, {size_words(size_on_disk(out))}")
    say_next(["rnnviz", "ngram", "eval", str(out)])


@ngram.command("eval", cls=Command)
def evaluate(
    path: Annotated[
        Path,
        typer.Argument(metavar="DIR", parser=home_path, help="A directory of n-gram models."),
    ],
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="TEXT",
            parser=home_text,
            help="The text; by default the one they were trained on.",
            show_default=False,
        ),
    ] = None,
    split: PartOption = "test",
    as_json: JsonOption = False,
    glob: TrainedGlobOption = None,
) -> None:
    """Measure the loss of n-gram models on a part of a text, beside the paper's where it is one of its texts.

    The text is split as in training, and every symbol of the part counts. `--json` prints a list of objects with
    `n` and `loss`, in nats per symbol. KenLM scores where it is installed and was built for models of the order;
    elsewhere rnnviz does, with the same results, and says so.

    Examples:

        rnnviz ngram eval ngrams/wp war_and_peace.txt

        rnnviz ngram eval ngrams/wp --split val --json
    """
    from rnnviz.engine.ngram.directory import load_ngrams
    from rnnviz.engine.ngram.evaluation import evaluate_ngrams, paper_losses
    from rnnviz.engine.ngram.scorers.scorer import scorer_note
    from rnnviz.engine.progress import Computation
    from rnnviz.engine.symbols.byte_vocabulary import refuse_unknown
    from rnnviz.engine.text.split import TooShort
    from rnnviz.tui.command_line.progress_bar import show

    models = load_ngrams(path)
    opened = open_own_text(models, text, glob)
    refuse_unknown(
        models.vocabulary, opened, "A loss is defined only for a text whose bytes the models know."
    )
    if opened.sha256() != models.text.sha256:
        say_note(f"{opened.name} is not the text that {path} was trained on")
    note = scorer_note(models.orders)
    if note is not None:
        say_note(note)
    measuring = Computation(evaluate_ngrams(models, opened, split))
    try:
        show("evaluating", measuring)
    except TooShort as error:
        raise TooShort(
            error.message, "Give a longer text: it is split as in training, and only a part of it is scored."
        ) from error
    if as_json:
        typer.echo(json.dumps([{"n": each.n, "loss": each.loss} for each in measuring.result]))
        return
    for line in _table(measuring.result, paper_losses(opened.length, models.split, split)):
        typer.echo(line)


def _table(losses: Sequence[NgramLoss], paper: PaperLosses | None) -> list[str]:
    """A line for each n, the paper's value beside it."""
    lines = [" n    loss" + (f"   paper ({paper.text})" if paper else "")]
    for each in losses:
        beside = f"   {paper.losses[each.n]:.3f}" if paper and each.n in paper.losses else ""
        lines.append(f"{each.n:2}  {each.loss:.4f}{beside}")
    return [*lines, "nats per symbol"]
