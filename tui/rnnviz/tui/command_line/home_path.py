"""A leading `~` in the paths that a person gives.

A shell replaces it at the start of a word only: `--out=~/x`, a quoted path and an answer to a question in the explorer
reach the program as they were typed, and would name a folder called `~`.
"""

from __future__ import annotations

from os.path import expanduser
from pathlib import Path

from rnnviz.store.errors import InvalidRequest


def home_path(given: str | Path) -> Path:
    """The path that was given, with `~` and `~user` at its start replaced by that user's home directory. The name of
    an unknown user stays as it is, as in a shell."""
    return Path(home_text(str(given)))


def home_text(given: str) -> str:
    """The same for what may be a path and something else: the name of a text as `python:stdlib`, a file and the
    dataset in it. Raises InvalidRequest for an empty one, which would be the current directory."""
    if not given:
        raise InvalidRequest("the name of a file or directory is empty", "Give a path.")
    return expanduser(given)  # noqa: PTH111 (Path.expanduser raises where there is no such user)
