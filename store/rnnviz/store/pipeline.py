"""Which code encodes and decodes chunks: `zarrs` (Rust) where it is importable, zarr-python's own otherwise.

Both read and write the same format. zarr takes the choice from its global configuration when an array is
opened; it is set for just that moment, so that a program which uses zarr itself keeps its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from rnnviz.store import limits
from rnnviz.store.schema import ArraySchema

if TYPE_CHECKING:
    import zarr

_ZARRS: Final = "zarrs.ZarrsCodecPipeline"
_configuring = Lock()


def zarrs_available() -> bool:
    """Whether the Rust pipeline is used."""
    return find_spec("zarrs") is not None


@cache
def writing_threads() -> int:
    """How many arrays are encoded at once."""
    return min(16, limits.cores().amount)


def open_to_read(directory: Path, array: ArraySchema) -> zarr.Array[Any]:
    """An array of the capture in `directory`, read by the fastest code there is."""
    import zarr

    with _configured({"codec_pipeline.path": _ZARRS} if zarrs_available() else {}):
        return zarr.open_array(directory / array.path, mode="r")


def open_to_verify(directory: Path, array: ArraySchema) -> zarr.Array[Any]:
    """An array of the capture in `directory` whose checksums are compared by every read.

    zarrs compares them only where a whole shard is read at once (0.2.3); zarr-python's own code always does.
    """
    import zarr

    return zarr.open_array(directory / array.path, mode="r")


def open_to_write(directory: Path, array: ArraySchema) -> zarr.Array[Any]:
    """An array of the capture in `directory`, such that equal values give equal files, and all of them.

    zarrs puts the chunks of a shard on disk in the order in which its threads happen to have them ready, so each
    shard is encoded in one thread. And where all values of a shard are the fill value, zarrs leaves out the file
    whatever it is told (0.2.3), which a reader could not tell from a fault; so it encodes only the float16
    arrays: they are nearly all of a capture, and never NaN.
    """
    import zarr

    _make_pool()
    settings: dict[str, object] = {"array.write_empty_chunks": True}
    if array.dtype == "float16" and zarrs_available():
        settings |= {"codec_pipeline.path": _ZARRS, "threading.max_workers": 1}
    with _configured(settings):
        return zarr.open_array(directory / array.path, mode="r+")


@cache
def _make_pool() -> None:
    """Have zarr make its pool of threads: it keeps that of its first call, and takes the size from the same setting
    that zarrs takes its own number of threads from."""
    import zarr

    with _configured({"threading.max_workers": writing_threads()}):
        zarr.create_group({})


@contextmanager
def _configured(settings: dict[str, object]) -> Iterator[None]:
    import zarr

    with _configuring, zarr.config.set(settings):
        yield
