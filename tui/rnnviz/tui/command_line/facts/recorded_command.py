"""The command line that a run or n-gram models say they were made by, as it works on this machine today.

What is recorded holds no path of a machine, only the names of files: pasted anywhere but where it was first typed, it
would read and write somewhere else.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from rnnviz.tui.view.user_state import known_places

if TYPE_CHECKING:
    from rnnviz.engine.text.text_record import TextRecord


def recorded_command(command: str, path: Path, text: TextRecord | None) -> str:
    """The recorded command with the whole path of what it made, which is at `path`, and that of its text where that can
    be found. A command that is not rnnviz's own stays as it is."""
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    if words[:1] != ["rnnviz"] or "--out" not in words[:-1]:
        return command
    out = words.index("--out") + 1
    words[out] = str(path.absolute())
    named = None if text is None else text.spec or text.name
    if text is None or named not in words[2:out]:
        return shlex.join(words)
    found = next(text.candidates(path, known_places(text.sha256)), None)
    if found is None:
        return f"{shlex.join(words)} (where {text.name} is)"
    if Path(found).exists():  # `python:stdlib` is no path
        words[words.index(named, 2)] = str(Path(found).absolute())
    return shlex.join(words)
