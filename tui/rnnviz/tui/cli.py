"""The command line: one Typer application, and the one place where errors become sentences and exit codes.

Importing this module must stay cheap: `rnnviz --help` loads neither textual nor torch nor zarr.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from rnnviz.store.errors import RnnvizError, StorageFailure
from rnnviz.tui.commands.browse import browse
from rnnviz.tui.commands.capture import capture
from rnnviz.tui.commands.demo import demo
from rnnviz.tui.commands.doctor import doctor
from rnnviz.tui.commands.eval import evaluate
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
app.command("sweep")(sweep)
app.add_typer(ngram, name="ngram")
app.command("capture")(capture)
app.command("info")(info)
app.command("browse")(browse)
app.command("snapshot")(snapshot)
app.command("demo")(demo)
app.command("doctor")(doctor)

INTERRUPTED = 130
"""The exit code of a program ended by Ctrl-C (128 + SIGINT)."""


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


def fail(error: RnnvizError) -> NoReturn:
    """Print an error as one line and its hint on stderr and leave with the error's exit code."""
    typer.secho(f"rnnviz: {error.message}", fg=typer.colors.RED, err=True)
    if error.hint:
        typer.echo(f"  {error.hint}", err=True)
    sys.exit(error.exit_code)


def main() -> None:
    """Run the command line. Never shows a traceback for a mistake of the user's or a fault of the disk's."""
    if sys.stdout is None:  # closed by the shell (`>&-`)
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115
    try:
        app()
    except RnnvizError as error:
        fail(error)
    except KeyboardInterrupt:
        typer.echo("rnnviz: interrupted", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader (`| head`) has left: that is no error. Point stdout elsewhere so that the
        # interpreter's own flush at exit does not fail on the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        where = f": {error.filename}" if error.filename else ""
        fail(
            StorageFailure(
                f"{(error.strerror or 'the disk refused').lower()}{where}",
                "Free some space or choose another place with --out.",
            )
        )
