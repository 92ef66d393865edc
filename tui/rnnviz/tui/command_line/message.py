"""What a command tells a person outside its results: notes on standard error, and every line wrapped at words.

A terminal breaks a line that is too long for it in the middle of a word. On a terminal, lines are broken between words
instead; in a pipe or a file a message stays one line. A command line inside a message is never broken, because it is
there to be pasted: it gets a line of its own.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from typing import TextIO

_COMMAND = re.compile(r"""(?<=: )rnnviz (?:'[^']*'|"[^"]*"|[^'"])*?(?=(?<=\S)\. [A-Z]|$)""")
"""A command line after a colon, up to the next sentence or the end. Quoted words may hold anything."""


def say_note(note: str) -> None:
    """Print a line on standard error that is not an error: what was chosen, what is worth knowing."""
    say(note, sys.stderr)


def say_result(line: str, indent: str = "  ") -> None:
    """Print a line on standard output that says what was made or found."""
    say(line, sys.stdout, indent)


def say(line: str, stream: TextIO, indent: str = "") -> None:
    """Print a line on a stream, wrapped where that is a terminal; what goes on is indented."""
    print("\n".join(wrapped(line, columns(stream), indent)), file=stream, flush=True)


def columns(stream: TextIO) -> int | None:
    """How many columns a stream's terminal has; None where it is no terminal, or one that does not say."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or None if stream.isatty() else None
    except (OSError, ValueError):
        return None


def wrapped(line: str, width: int | None, indent: str = "") -> list[str]:
    """A line in as many as it takes in `width` columns, all but the first with an indent. One line where `width` is
    None. A single word that is wider, and a command line, are left whole."""
    if width is None or _cells(line) <= width:
        return [line]
    lines: list[str] = []
    for part, is_command in _parts(line):
        lines += [part] if is_command else _filled(part, width, indent, is_first=not lines)
    return [lines[0], *(indent + line for line in lines[1:])]


def _parts(line: str) -> Iterator[tuple[str, bool]]:
    """The prose of a line and the command lines in it, in turn, and whether it is a command line."""
    stop = 0
    for command in _COMMAND.finditer(line):
        yield line[stop : command.start()].rstrip(" "), False
        yield command[0], True
        stop = command.end() + len(". ") if command.end() < len(line) else len(line)
    if stop < len(line):
        yield line[stop:], False


def _filled(part: str, width: int, indent: str, *, is_first: bool) -> list[str]:
    """Prose in lines of at most `width` columns, the indent counted from the second on."""
    lead = len(part) - len(part.lstrip(" "))
    lines: list[str] = []
    line = part[:lead]
    for word in part[lead:].split(" "):
        room = width if is_first and not lines else width - len(indent)
        longer = f"{line} {word}" if line.strip(" ") else line + word
        if line.strip(" ") and _cells(longer) > room:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]


def _cells(text: str) -> int:
    """Columns that a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
