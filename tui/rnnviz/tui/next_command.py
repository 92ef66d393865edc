"""How a command ends: the line that says what to do next, in one form for all commands."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import typer


def say_next(words: Sequence[str]) -> None:
    """Print `next: …` on standard error: a command line that works when it is pasted into a shell."""
    typer.echo(f"next: {shlex.join(words)}", err=True)
