"""A text: bytes that can be read in pieces, from one file or from many joined.

The paper made its kernel text by shuffling the source files and joining them (section 4.1); a directory is
read the same way here. Nothing is decoded, so no encoding can be wrong.
"""

from __future__ import annotations

import errno
import hashlib
import os
import random
import sysconfig
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from stat import S_ISREG

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.errors import InvalidRequest, InvalidText, NotFound

STANDARD_LIBRARY = "python:stdlib"
"""The spec of the text that every machine has: the .py files of the running interpreter."""

NOT_STANDARD_LIBRARY = {
    "__pycache__", "dist-packages", "idle_test", "lib2to3", "site-packages", "test", "tests",
}  # fmt: skip
"""Folders below the library's that are other people's packages, generated, or tests."""

PIECE = 1 << 20
"""Bytes read at a time when a whole text is gone through."""


@dataclass(frozen=True)
class Part:
    """One file of a text: its bytes are `start` … `start + length` of the text."""

    name: str
    start: int
    length: int


class Text:
    """Bytes in order, read from files on demand.

    `name` is printable and says nothing about where on this machine the files are. `parts` has one entry per
    file, in order, none of them empty. `origin` is the file or the directory that the text was opened from, None
    where it has no place of its own.
    """

    def __init__(self, name: str, files: Sequence[tuple[str, Path]], origin: Path | None = None) -> None:
        """`files` are (name, path) pairs. Raises InvalidText when they hold nothing or cannot be read."""
        self.name = printable(name)
        self.origin = origin
        parts: list[Part] = []
        paths: list[Path] = []
        length = 0
        for part_name, path in files:
            size = _regular_size(path)
            if size:
                parts.append(Part(printable(part_name), length, size))
                paths.append(path)
                length += size
        if not length:
            raise InvalidText(f"{self.name} is empty", "Give a file or a directory that holds some text.")
        self.length = length
        self.parts = tuple(parts)
        self._paths = tuple(paths)
        self._starts = [part.start for part in parts]
        self._sha256: str | None = None

    def __repr__(self) -> str:
        return f"Text({self.name!r}, {self.length} bytes in {len(self.parts)} files)"

    def part_at(self, offset: int) -> Part:
        """The file that holds the byte at `offset`."""
        return self.parts[bisect_right(self._starts, offset) - 1]

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """The bytes start … stop, uint8 of shape [stop - start].

        Raises ValueError outside 0 ≤ start ≤ stop ≤ length, InvalidText when a file is gone or has changed
        its size since the text was opened.
        """
        if not 0 <= start <= stop <= self.length:
            raise ValueError(f"bytes {start} to {stop} are not all within a text of {self.length}")
        data = np.empty(stop - start, dtype=np.uint8)
        index = bisect_right(self._starts, start) - 1
        filled = 0
        while filled < data.size:
            part = self.parts[index]
            offset = start + filled - part.start
            count = min(part.length - offset, data.size - filled)
            self._read_part(index, offset, data[filled : filled + count])
            filled += count
            index += 1
        return data

    def pieces(self, start: int = 0, size: int = PIECE) -> Iterator[NDArray[np.uint8]]:
        """The bytes from `start` to the end, in order, `size` at a time."""
        for position in range(start, self.length, size):
            yield self.read(position, min(position + size, self.length))

    def sha256(self) -> str:
        """The SHA-256 of all bytes, in hex. Reads the whole text once, in pieces."""
        if self._sha256 is None:
            digest = hashlib.sha256()
            for piece in self.pieces():
                digest.update(piece.data)
            self._sha256 = digest.hexdigest()
        return self._sha256

    def _read_part(self, index: int, offset: int, into: NDArray[np.uint8]) -> None:
        part = self.parts[index]
        try:
            with self._paths[index].open("rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                file.seek(offset)
                filled = 0
                while filled < into.size and (count := file.readinto(into.data[filled:])):
                    filled += count
        except OSError as error:
            raise _unreadable(part.name, error) from error
        if size != part.length or filled < into.size:
            raise InvalidText(
                f"{part.name} changed while it was read: {part.length:,} bytes before, {size:,} now",
                "Run the command again once nothing writes to the file any more.",
            )


def open_text(spec: str, *, glob: str = "*", seed: int = 0) -> Text:
    """The text that `spec` names: a file, a directory, or `python:stdlib`.

    Of a directory, the files below it that match `glob` are sorted by relative name, shuffled with `seed` and
    joined; hidden files and folders (a leading dot) are left out. A glob without a slash is matched against
    the file's name, one with a slash against its relative path; `*` also matches slashes.

    Raises NotFound for a path that is not there, InvalidText for what is empty or cannot be read,
    InvalidRequest for a glob that a run could not record.
    """
    if not glob.isprintable():
        raise InvalidRequest(
            f"--glob {printable(glob)} has characters that do not print", "Use ? or * for them."
        )
    if spec == STANDARD_LIBRARY:
        return _joined(STANDARD_LIBRARY, _standard_library(), seed, None)
    path = Path(spec)
    if not spec or not is_there(path):
        raise NotFound(
            f"there is no file or directory {printable(spec)}",
            f"Give a file, a directory of files, or {STANDARD_LIBRARY} for the Python library's own source.",
        )
    name = path.name or path.resolve().name or spec
    if not path.is_dir():
        return Text(name, [(name, path)], path)
    files = [(relative, file) for relative, file in _files_below(path) if _matches(relative, glob)]
    if not files:
        if glob == "*":
            raise InvalidText(
                f"there is no file in {printable(spec)}", "Give a file, or a directory with files to read."
            )
        raise InvalidText(
            f"there is no file in {printable(spec)} whose name matches {printable(glob)}",
            "Give another pattern with --glob.",
        )
    return _joined(name, files, seed, path)


def text_of_files(name: str, paths: Sequence[Path]) -> Text:
    """The files joined in the order given, each part named as its file."""
    return Text(name, [(path.name, path) for path in paths])


def portable_spec(spec: str) -> str | None:
    """The spec if it means something away from this machine too, None for an absolute path."""
    return None if Path(spec).is_absolute() or spec != printable(spec) else spec


def is_there(path: Path) -> bool:
    """Whether the path exists. One that no file system takes (`Path.exists` raises on it) does not."""
    try:
        return path.exists()
    except ValueError:
        return False
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return False


def printable(name: str) -> str:
    """The name with every unprintable character replaced, so that showing it is safe on any terminal."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name
    )


def _joined(name: str, files: list[tuple[str, Path]], seed: int, origin: Path | None) -> Text:
    ordered = sorted(files)
    # The standard library's generator keeps its sequence across Python versions; NumPy's does not.
    random.Random(seed).shuffle(ordered)
    return Text(name, ordered, origin)


def _standard_library() -> list[tuple[str, Path]]:
    root = Path(sysconfig.get_path("stdlib"))
    return [
        (relative, file)
        for relative, file in _files_below(root)
        if relative.endswith(".py") and not NOT_STANDARD_LIBRARY.intersection(relative.split("/"))
    ]


def _files_below(root: Path) -> list[tuple[str, Path]]:
    """(relative name with slashes, path) of the regular files below `root` that are not hidden."""
    found: list[tuple[str, Path]] = []

    def refuse(error: OSError) -> None:
        raise _unreadable(error.filename or root.name, error) from error

    for folder, folders, files in os.walk(root, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            file = Path(folder, name)
            if not name.startswith(".") and file.is_file():
                found.append((file.relative_to(root).as_posix(), file))
    return found


def _matches(relative: str, glob: str) -> bool:
    return fnmatchcase(relative if "/" in glob else relative.rpartition("/")[2], glob)


def _regular_size(path: Path) -> int:
    """The size of a file that can be read. A pipe is refused unopened: opening one may wait for ever."""
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):
            raise InvalidText(
                f"{printable(str(path))} is not a regular file", "Save the text in a file and give that."
            )
        with path.open("rb"):
            return status.st_size
    except OSError as error:
        raise _unreadable(str(path), error) from error


def _unreadable(name: str, error: OSError) -> InvalidText:
    reason = (error.strerror or "it cannot be read").lower()
    return InvalidText(f"cannot read {printable(name)}: {reason}", "Check the path and its permissions.")
