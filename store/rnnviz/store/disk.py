"""The disk as a writer needs it: files replaced in one step, one writer at a time, refusals as sentences."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path

from rnnviz.store.errors import InvalidRequest, RnnvizError, StorageFailure


def replace_file(path: Path, content: bytes | memoryview, *, sync: bool = True) -> None:
    """Put `content` at `path` in one step: readers and a killed process see the old or the new, never a part. With
    `sync` so does who comes after a power cut; on a disk that is busy writing that takes a while."""
    new = path.with_name(path.name + ".new")
    try:
        with new.open("wb") as file:
            file.write(content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def make_directory(path: Path, hint: str = "Choose another place with --out.") -> None:
    """Make a directory, and those above it, where it is not there. Raises `StorageFailure` where it cannot be made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or "it cannot be made").lower()
        raise StorageFailure(f"cannot make {path}: {reason}", hint) from error


class DirectoryLock:
    """Held by the process that writes in a directory. The system lets go of it when the process dies, and it
    stays with the directory when that is renamed."""

    def __init__(self, directory: Path) -> None:
        """Raises `InvalidRequest` where another process holds it."""
        self._descriptor: int | None = None
        if sys.platform == "win32":
            return
        import fcntl

        descriptor = os.open(directory, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # perhaps only `is_locked` of somebody, which takes microseconds
                time.sleep(0.02)
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise InvalidRequest(
                f"another process is writing {directory}", "Wait until it is done, or end it first."
            ) from error
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_locked(directory: Path) -> bool:
    """Whether a process writes in a directory, as far as this machine can tell: True where the system has no such
    locks, or the directory's disk does not take them."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


@contextmanager
def storage_errors(path: Path, hint: str) -> Iterator[None]:
    """Turn what the disk refuses inside into a `StorageFailure` about `path`."""
    try:
        yield
    except RnnvizError:
        raise
    except OSError as error:
        raise StorageFailure(_sentence(error.errno, path), hint) from error


def _sentence(number: int | None, path: Path) -> str:
    if number in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full: cannot write {path}"
    reason = os.strerror(number).lower() if number else "the disk refused"
    return f"cannot write {path}: {reason}"


def free_name(name: str) -> str:
    """The name of a capture in the current directory that nothing has yet: `notes.zarr`, or else `notes-2.zarr`."""
    names = chain([f"{name}.zarr"], (f"{name}-{number}.zarr" for number in count(2)))
    return next(name for name in names if not os.path.lexists(name))
