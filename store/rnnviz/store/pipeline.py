"""Which code encodes and decodes chunks: `zarrs` (Rust) where it is importable, zarr-python's own otherwise.

Both write the same format. zarr takes the choice from its global configuration when an array is opened, so
arrays are opened inside `codecs()`, and the configuration of a program that uses zarr itself stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from threading import Lock
from typing import Final

_ZARRS: Final = "zarrs.ZarrsCodecPipeline"
_configuring = Lock()


def zarrs_available() -> bool:
    """Whether the Rust pipeline is used."""
    return find_spec("zarrs") is not None


@contextmanager
def codecs(*, reproducible: bool = False) -> Iterator[None]:
    """Arrays opened inside use the fastest pipeline there is.

    With several threads, zarrs puts the chunks of a shard on disk in the order in which they happen to be
    ready. `reproducible` arrays encode a shard in one thread, so that equal values give equal files.
    """
    import zarr

    if not zarrs_available():
        yield
        return
    settings: dict[str, object] = {"codec_pipeline.path": _ZARRS}
    if reproducible:
        settings["threading.max_workers"] = 1
    with _configuring, zarr.config.set(settings):
        yield
