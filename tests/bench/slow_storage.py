"""The explorer on a disk that takes 20 ms for every read: python tests/bench/slow_storage.py browse X.zarr"""

from __future__ import annotations

import time
from typing import Any

from rnnviz.store import reader
from rnnviz.tui.cli import main

LATENCY = 0.020

_read = reader._Store.read


def _slow_read(store: Any, array: Any, index: Any = None) -> Any:
    time.sleep(LATENCY)
    return _read(store, array, index)


if __name__ == "__main__":
    reader._Store.read = _slow_read  # type: ignore[method-assign, assignment]
    main()
