"""The command line: one Typer application.

Importing this module must stay cheap: `rnnviz --help` loads neither textual nor torch nor zarr.
"""

from __future__ import annotations

import os
from typing import Annotated

import typer
from typer.main import get_command

from rnnviz.store.errors import InvalidRequest
from rnnviz.tui.command_line.help_page import USAGE_ERROR, Command, Group, sentence
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

WHAT_IT_IS = """See inside recurrent language models from a terminal.

`rnnviz demo` is the quickest way to see what it shows. With a text of your own begin with `rnnviz train`, which ends by
naming the command that comes next.
"""

app = typer.Typer(
    cls=Group,
    name="rnnviz",
    help=WHAT_IT_IS,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="markdown",
)

app.command("train", cls=Command)(train)
app.command("eval", cls=Command)(evaluate)
app.command("import", cls=Command)(import_)
app.command("sweep", cls=Command)(sweep)
app.add_typer(ngram, name="ngram")
app.command("capture", cls=Command)(capture)
app.command("info", cls=Command)(info)
app.command("browse", cls=Command)(browse)
app.command("snapshot", cls=Command)(snapshot)
app.command("demo", cls=Command)(demo)
app.command("doctor", cls=Command)(doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"rnnviz {version('rnnviz')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """See inside recurrent language models from a terminal."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(InvalidRequest.exit_code)


def run(arguments: list[str]) -> int:
    """Parse a command line and do what it says. Returns the exit code.

    Raises what the commands raise, and InvalidRequest for a line that cannot be parsed. Typer's own way of running an
    application would print that as a box, and answer Ctrl-C and a closed pipe by itself.
    """
    if "_RNNVIZ_COMPLETE" in os.environ:  # the shell asks how a word may go on
        app(prog_name="rnnviz")
    try:
        with get_command(app).make_context("rnnviz", arguments) as context:
            context.command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except USAGE_ERROR as error:
        raise refusal(error) from error
    return 0


def refusal(error: Exception) -> InvalidRequest:
    """What Typer says of a line that it cannot parse, in one line, with the command whose help says how it goes."""
    context = getattr(error, "ctx", None)
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    if context is None:
        return InvalidRequest(sentence(message), "See rnnviz --help.")
    usage = " ".join([context.command_path, *context.command.collect_usage_pieces(context)])
    return InvalidRequest(sentence(message), f"Usage: {usage}   ({context.command_path} --help says more)")
