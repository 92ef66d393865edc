"""`progress.npz`: how far an incomplete capture has come, and its statistics up to there.

One small file beside the Zarr hierarchy, replaced as a whole after some columns, so that a process killed at
any moment leaves the truth behind. It holds

    captured            int64 []            symbols that are written, from 0 on
    LAYER/histogram     int64 [signal, unit, 64]    of the `LayerAccumulator` of each layer, by the path of its
    LAYER/moments       float64 [signal, unit, 6]   group

exactly as they stood after `captured` symbols. It is an uncompressed NumPy archive and never holds pickles.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from rnnviz.store.accumulator import LayerAccumulator
from rnnviz.store.disk import replace_file
from rnnviz.store.metadata import damaged
from rnnviz.store.schema import SIDECAR, CaptureSchema


@dataclass(frozen=True)
class Sidecar:
    """What the file holds."""

    captured: int = 0
    accumulators: Mapping[str, LayerAccumulator] = field(default_factory=dict)
    """By the path of the layer's group."""


def new_accumulators(schema: CaptureSchema) -> dict[str, LayerAccumulator]:
    """Empty statistics for every layer of every model."""
    return {
        model.layer_path(layer): LayerAccumulator(model.signals, model.hidden)
        for model in schema.models
        for layer in range(model.layers)
    }


def write_sidecar(directory: Path, sidecar: Sidecar) -> None:
    """Replace the file as a whole. Raises OSError where the disk refuses; the old file then stays.

    Not forced to the disk, because what it speaks of is not either.
    """
    arrays: dict[str, NDArray[Any]] = {
        "captured": np.array(sidecar.captured, np.int64),
    }
    for path, accumulator in sidecar.accumulators.items():
        arrays[f"{path}/histogram"] = accumulator.histogram
        arrays[f"{path}/moments"] = accumulator.moments
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    replace_file(directory / SIDECAR, content.getbuffer(), sync=False)


def read_captured(directory: Path, schema: CaptureSchema) -> int:
    """How many symbols an incomplete capture holds; 0 where there is no file."""
    try:
        with _open(directory) as archive:
            return _count(archive, "captured", schema.symbols)
    except FileNotFoundError:
        return 0


def read_sidecar(directory: Path, schema: CaptureSchema) -> Sidecar:
    """All of the file; an empty one where there is none.

    Raises `InvalidCapture` where the file is damaged or does not fit the schema.
    """
    accumulators = new_accumulators(schema)
    try:
        with _open(directory) as archive:
            captured = _count(archive, "captured", schema.symbols)
            for path, accumulator in accumulators.items():
                shape = accumulator.histogram.shape
                accumulator.histogram = _member(archive, f"{path}/histogram", np.int64, shape)
                shape = accumulator.moments.shape
                accumulator.moments = _member(archive, f"{path}/moments", np.float64, shape)
    except FileNotFoundError:
        return Sidecar(accumulators=accumulators)
    return Sidecar(captured, accumulators)


def _open(directory: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(directory / SIDECAR)
    except (zipfile.BadZipFile, IsADirectoryError) as error:
        raise damaged(f"{directory / SIDECAR} is not a NumPy archive") from error


def _count(archive: zipfile.ZipFile, name: str, most: int) -> int:
    value = int(_member(archive, name, np.int64, ()))
    if not 0 <= value <= most:
        raise damaged(f"{SIDECAR}: {name} is {value}, not a number from 0 to {most}")
    return value


def _member(archive: zipfile.ZipFile, name: str, dtype: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """One array of the archive, which must be of that type and shape."""
    try:
        entry = archive.getinfo(f"{name}.npy")
        if entry.compress_type != zipfile.ZIP_STORED:  # what is not compressed cannot outgrow the file
            raise ValueError(f"{name} is compressed")
        with archive.open(entry) as file:
            plain = npy.read_magic(file) == (1, 0)
            found = npy.read_array_header_1_0(file)
            content = file.read()
    except (KeyError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile) as error:
        raise damaged(f"{SIDECAR}: {name} cannot be read") from error
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if not plain or found != (shape, False, np.dtype(dtype)) or len(content) != size:
        raise damaged(f"{SIDECAR}: {name} is not the array that fits this capture")
    return np.frombuffer(bytearray(content), dtype).reshape(shape)
