"""Where the program starts, and the one place where errors become sentences and exit codes."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import NoReturn

from rnnviz.store.errors import RnnvizError, StorageFailure, Unavailable

INTERRUPTED = 130
"""The exit code of a program ended by Ctrl-C (128 + SIGINT)."""


def fail(error: RnnvizError) -> NoReturn:
    """Print an error and its hint on stderr, one line each except on a terminal, and leave with its exit code."""
    from rnnviz.tui.command_line.message import columns, wrapped

    red, plain = ("\x1b[31m", "\x1b[0m") if sys.stderr.isatty() else ("", "")
    width = columns(sys.stderr)
    print(red + "\n".join(wrapped(f"rnnviz: {error.message}", width)) + plain, file=sys.stderr)  # noqa: T201
    if error.hint:
        print("\n".join(wrapped(f"  {error.hint}", width, "  ")), file=sys.stderr)  # noqa: T201
    sys.exit(error.exit_code)


def _run(arguments: list[str]) -> None:
    """Typer and all commands take 70 ms to load, a fifth of the time in which the explorer is to stand: a plain call
    of it goes around them."""
    if arguments[:1] == ["browse"]:
        from rnnviz.tui.launch.browse import explore, plain_wishes

        wishes = plain_wishes(arguments[1:])
        if wishes is not None:
            explore(wishes)
            return

    from rnnviz.tui.typer_app import run

    sys.exit(run(arguments))


def main() -> None:
    """Run the command line. Never shows a traceback for a mistake of the user's or a fault of the disk's."""
    if sys.stdout is None:  # closed by the shell (`>&-`)
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115
    try:
        _run(sys.argv[1:])
    except RnnvizError as error:
        fail(error)
    except KeyboardInterrupt:
        print("rnnviz: interrupted", file=sys.stderr)  # noqa: T201
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader (`| head`) has left: that is no error. Point stdout elsewhere so that the
        # interpreter's own flush at exit does not fail on the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except ModuleNotFoundError as error:
        # Captures are explored without PyTorch, so an installation may lack it on purpose.
        if error.name != "torch":
            raise
        fail(
            Unavailable(
                "PyTorch is not installed, and this command runs a model",
                "Install it (pip install torch). info, browse and snapshot read captures without it.",
            )
        )
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
