"""Whether the files of a capture are there and hold what was written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from rnnviz.store.metadata import damaged, file_shape
from rnnviz.store.pipeline import open_to_verify
from rnnviz.store.schema import ArraySchema, CaptureSchema


def check_files(path: Path, array: ArraySchema, file: tuple[int, ...], index: tuple[slice, ...]) -> None:
    """Raise `InvalidCapture` unless all files are there that hold the values of an array at `index`.

    `file` is the shape of one. zarr takes a file that is not there for fill values; a capture has no such files.
    """
    spans = [range(part.start // size, -(-part.stop // size)) for part, size in zip(index, file, strict=True)]
    for place in product(*spans):
        name = path.joinpath(array.path, "c", *map(str, place))
        if not name.is_file():
            raise damaged(f"{name} is missing")


@contextmanager
def decoding(path: Path, array: ArraySchema) -> Iterator[None]:
    """Turn what the decoders inside raise into `InvalidCapture`."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        raise damaged(f"{path / array.path} cannot be read: its data is damaged") from error


def verify(path: Path, schema: CaptureSchema, captured: int, complete: bool) -> Iterator[int]:
    """Read every file of a capture's first `captured` symbols and compare all checksums.

    Yields the numbers of values as they are found whole. Raises `InvalidCapture` for the first file that is
    missing or damaged. The arrays' metadata must have been checked, as `open_capture` does.
    """
    # The statistics of an incomplete capture are not in their arrays yet.
    models = () if complete else schema.models
    missing = {array.path for model in models for array in schema.statistics_arrays(model)}
    for array in schema.arrays():
        if array.path in missing:
            continue
        shape = array.cut(captured)
        file = file_shape(path, array)
        opened = open_to_verify(path, array)
        for place in product(*(range(0, size, step) for size, step in zip(shape, file, strict=True))):
            ends = [min(start + step, size) for start, step, size in zip(place, file, shape, strict=True)]
            index = tuple(slice(start, end) for start, end in zip(place, ends, strict=True))
            check_files(path, array, file, index)
            with decoding(path, array):
                values = opened[index]
            yield int(getattr(values, "size", 1))
