"""How a command ends: the line that says what to do next, in one form for all commands."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rnnviz.tui.command_line.message import say_result

if TYPE_CHECKING:
    from rnnviz.store.reader import Capture
    from rnnviz.tui.view.view import View


def say_next(words: Sequence[str]) -> None:
    """Print `next: …` on standard error: a command line that works when it is pasted into a shell."""
    typer.echo(f"next: {shlex.join(words)}", err=True)


def say_drawn(path: Path, capture: Capture, view: View, size: str) -> None:
    """End a command that has written a view of a capture to a file: say of what it is, and how to go on from there."""
    from rnnviz.tui.commands.info import size_words
    from rnnviz.tui.view.address import address_of

    say_result(
        f"{path}: cell {view.cell}, signal {view.signal}, over {capture.text_name}, {size}, "
        f"{size_words(path.stat().st_size)}"
    )
    say_next(["rnnviz", "browse", str(capture.path), "--view", address_of(view)])
