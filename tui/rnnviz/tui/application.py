"""The command line: one Typer application.

Importing this module must stay cheap: `rnnviz --help` loads neither textual nor torch nor zarr.
"""

from __future__ import annotations

from typing import Annotated

import typer

from rnnviz.tui.commands.browse import browse
from rnnviz.tui.commands.capture import capture
from rnnviz.tui.commands.demo import demo
from rnnviz.tui.commands.doctor import doctor
from rnnviz.tui.commands.eval import evaluate
from rnnviz.tui.commands.import_ import import_
from rnnviz.tui.commands.info import info
from rnnviz.tui.commands.ngram import ngram
from rnnviz.tui.commands.snapshot import snapshot
from rnnviz.tui.commands.sweep import sweep
from rnnviz.tui.commands.train import train

app = typer.Typer(
    name="rnnviz",
    help="See inside recurrent language models from a terminal.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="markdown",
)

app.command("train")(train)
app.command("eval")(evaluate)
app.command("import")(import_)
app.command("sweep")(sweep)
app.add_typer(ngram, name="ngram")
app.command("capture")(capture)
app.command("info")(info)
app.command("browse")(browse)
app.command("snapshot")(snapshot)
app.command("demo")(demo)
app.command("doctor")(doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"rnnviz {version('rnnviz')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """See inside recurrent language models from a terminal."""
