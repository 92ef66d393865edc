"""Which code reads arrays: `zarrs` (Rust) where it is importable, zarr-python's own otherwise.

Both read the same format. zarr takes the choice from its global configuration when an array is
opened; it is set for just that moment, so that a program which uses zarr itself keeps its own.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from rnnviz.store.schema import ArraySchema

if TYPE_CHECKING:
    import zarr

_ZARRS: Final = "zarrs.ZarrsCodecPipeline"
_configuring = Lock()


def zarrs_available() -> bool:
    """Whether the Rust pipeline is used."""
    return find_spec("zarrs") is not None


def open_to_read(directory: Path, array: ArraySchema) -> zarr.Array[Any]:
    """An array of the capture in `directory`, read by the fastest code there is."""
    import zarr

    settings = {"codec_pipeline.path": _ZARRS} if zarrs_available() else {}
    with _configuring, zarr.config.set(settings):
        return zarr.open_array(directory / array.path, mode="r")


def open_to_verify(directory: Path, array: ArraySchema) -> zarr.Array[Any]:
    """An array of the capture in `directory` whose checksums are compared by every read.

    zarrs compares them only where a whole shard is read at once (0.2.3); zarr-python's own code always does.
    """
    import zarr

    return zarr.open_array(directory / array.path, mode="r")
