"""Paths that runs and captures keep of one another, so that they find each other after they were moved together.

A run and a capture are passed on to other people. So they hold no absolute path, which would tell where somebody keeps
files, and no path that climbs to the root of the file system, which is an absolute one in other words.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_LONGEST: Final = 4096


def portable_path(target: Path, folder: Path) -> str | None:
    """The path of `target` relative to `folder`, with slashes.

    None where both have no directory in common but the root, and where the path has characters that do not print.
    """
    place, start = target.parent.resolve() / target.name, folder.resolve()
    if target.name in ("", ".."):
        place = target.resolve()
    try:
        shared = Path(os.path.commonpath([place, start]))
    except ValueError:  # on different drives
        return None
    if shared == Path(shared.anchor):
        return None
    relative = Path(os.path.relpath(place, start)).as_posix()
    return relative if is_portable(relative) else None


def is_portable(path: object) -> bool:
    """Whether something read from a file may be taken for a path that `portable_path` made."""
    return (
        isinstance(path, str)
        and 0 < len(path) <= _LONGEST
        and path.isprintable()
        and not Path(path).is_absolute()
    )
