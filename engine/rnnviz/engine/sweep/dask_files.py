"""Runs and their text on the way through a Dask scheduler, to workers that share no disk with the sweep.

The scheduler keeps one parcel for the text and one for each run, which every checkpoint replaces: so its memory holds
each run once, and a run whose worker is lost goes on from there on another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rnnviz.engine.runs.run import CHECKPOINT_FILE, MODEL_FILE, RUN_FILE
from rnnviz.store.disk import DirectoryLock, replace_file

if TYPE_CHECKING:
    from distributed import Client, Variable

GREATEST_PARCEL: Final = 256 << 20
"""Bytes of a text or a run that may go through a scheduler."""

WAIT_SECONDS: Final = 30
"""For a parcel that is there."""

Parcel = Mapping[str, bytes]
"""Files by name."""

TEXT: Final = "text"
"""The name of the text's parcel, and of the one file in it."""


def pack(run: Path) -> dict[str, bytes]:
    """The files of a run, which may be written meanwhile.

    The checkpoint is read first: files that are newer than it are what a process that was killed leaves, too.
    """
    parcel: dict[str, bytes] = {}
    for name in (CHECKPOINT_FILE, RUN_FILE, MODEL_FILE):
        file = run / name
        if file.is_file():
            parcel[name] = file.read_bytes()
    return parcel


def unpack(parcel: Parcel, run: Path) -> None:
    """Put a run's files in their place; nothing else that a parcel may hold. Raises InvalidRequest while another
    process writes the run."""
    run.mkdir(parents=True, exist_ok=True)
    lock = DirectoryLock(run)
    try:
        for name in (MODEL_FILE, RUN_FILE, CHECKPOINT_FILE):
            if name in parcel:
                replace_file(run / name, parcel[name])
        if CHECKPOINT_FILE not in parcel:
            (run / CHECKPOINT_FILE).unlink(missing_ok=True)
    finally:
        lock.release()


class Shelf:
    """The parcels of one sweep on the scheduler."""

    def __init__(self, topic: str, client: Client) -> None:
        """`topic` is the sweep's name there."""
        self._topic = topic
        self._client = client

    def put(self, name: str, parcel: Parcel) -> None:
        self._variable(name).set(dict(parcel))

    def get(self, name: str) -> Parcel:
        """Raises TimeoutError where there is none."""
        parcel: Parcel = self._variable(name).get(timeout=WAIT_SECONDS)
        return parcel

    def clear(self, names: Iterable[str]) -> None:
        """Whatever the scheduler still takes: one that is gone has cleared it all."""
        for name in names:
            with suppress(OSError, RuntimeError):  # of a client that is closed
                self._variable(name).delete()

    def _variable(self, name: str) -> Variable:
        from distributed import Variable

        return Variable(f"{self._topic}-{name}", client=self._client)
