"""The commands of the program and their parameters, as the command line's own parser has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from rnnviz.tui.typer_app import app


def commands() -> dict[str, Any]:
    """Every command by the words that call it, `ngram train`, without the groups."""
    return dict(_below(get_command(app), ()))


def _below(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name, child in getattr(command, "commands", {}).items():
        yield from _below(child, (*words, name))
    if not hasattr(command, "commands"):
        yield " ".join(words), command


def parse(words: list[str]) -> dict[str, Any]:
    """The values of a command line's parameters, without the program's name; nothing is run.

    Raises what the parser raises where the line is wrong.
    """
    known = commands()
    name = next(name for name in (" ".join(words[:2]), words[0]) if name in known)
    context = known[name].make_context(name, words[len(name.split()) :])
    return dict(context.params)
