"""Files of hidden states that another program wrote: HDF5 as LSTMVis reads it, or NumPy's .npy.

In HDF5, each layer is a dataset [time, unit], by default all that are called `states0`, `states1`…, and the number of
each time step's word or character is in a dataset [time] called `word_ids`, `words`, `ids` or `target`. In .npy, each
layer is a file [time, unit].

The files may be a stranger's: nothing outside of them is read (links, virtual and external datasets are refused), no
pickle is opened, and values are read in pieces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.text.text import is_there, printable
from rnnviz.store.errors import InvalidRequest, NotFound, Unavailable

if TYPE_CHECKING:
    import h5py

HDF5_SUFFIXES: Final = (".h5", ".hdf5", ".hdf")
LAYER_NAME: Final = re.compile(r"states(\d{1,4})")
ID_NAMES: Final = ("word_ids", "words", "ids", "target")
FILTERS: Final = frozenset({None, "gzip", "lzf", "szip"})
LARGEST_CHUNK: Final = 256 << 20
"""Bytes that are unpacked at once."""
MOST_LISTED: Final = 20


@dataclass(frozen=True)
class Values:
    """An array on disk whose first axis is time. `read` gives the values start … stop of it."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read: Callable[[int, int], NDArray[Any]]

    def __str__(self) -> str:
        return f"{self.name} {list(self.shape)} {self.dtype}"


@contextmanager
def open_states(paths: Sequence[Path], names: Sequence[str] | None = None) -> Iterator[tuple[Values, ...]]:
    """The layers, first to last: of one HDF5 file those called `names` (where None, `LAYER_NAME` in the order of their
    numbers), or each of several .npy files one.

    Raises NotFound, InvalidRequest where they are no layers of equal length and width, Unavailable without h5py.
    """
    with ExitStack() as stack:
        if _is_hdf5(paths[0]):
            if len(paths) > 1:
                _refuse(
                    f"{_shown(paths[0])} holds all layers there are, and {_shown(paths[1])} is one file too many",
                    "Give one HDF5 file, or one .npy file for each layer.",
                )
            layers = _hdf5_layers(stack.enter_context(_opened(paths[0])), paths[0], names)
        else:
            if names is not None:
                _refuse("--layers names datasets of an HDF5 file", "Of .npy files, give those of the layers.")
            layers = [_npy(path) for path in paths]
        for layer in layers:
            if len(layer.shape) != 2 or layer.dtype.kind not in "fiu" or 0 in layer.shape:
                _refuse(
                    f"{layer} is no layer of states",
                    "A layer is a matrix of numbers [time, unit]; --layers names the datasets that are.",
                )
            if layer.shape != layers[0].shape:
                _refuse(
                    f"{layers[0]} and {layer} are not equally long and wide",
                    "Import layers of different sizes one by one: --layers NAME, or one .npy file.",
                )
        yield tuple(layers)


@contextmanager
def open_ids(spec: str) -> Iterator[Values]:
    """The number of each time step's token: `FILE`, or `FILE:DATASET` in an HDF5 file.

    Raises NotFound, InvalidRequest where it is no list of whole numbers, Unavailable without h5py.
    """
    path, name = Path(spec), ""
    if not is_there(path) and ":" in spec:
        before, _, name = spec.rpartition(":")
        path = Path(before)
    with ExitStack() as stack:
        ids = _hdf5_ids(stack.enter_context(_opened(path)), path, name) if _is_hdf5(path) else _npy(path)
        flat = len(ids.shape) == 1 or (len(ids.shape) == 2 and ids.shape[1] == 1)
        if not flat or ids.dtype.kind not in "iu" or not ids.shape[0]:
            _refuse(f"{ids} is no list of whole numbers [time]", "Name the dataset: --word-ids FILE:DATASET.")
        yield ids


def has_ids(path: Path) -> bool:
    """Whether a file of states is one that has numbers of tokens too."""
    if not _is_hdf5(path):
        return False
    with _opened(path) as file:
        return any(name in file for name in ID_NAMES)


def _hdf5_layers(file: h5py.File, path: Path, names: Sequence[str] | None) -> list[Values]:
    if names is None:
        numbers = sorted(int(found[1]) for key in file if (found := LAYER_NAME.fullmatch(key)))
        names = [f"states{number}" for number in numbers]
        if not names:
            _refuse(
                f"{_shown(path)} has no dataset states0, states1…: {_contents(file)}",
                "Name those that are layers: --layers NAME,NAME…",
            )
    return [_dataset(file, path, name) for name in names]


def _hdf5_ids(file: h5py.File, path: Path, name: str) -> Values:
    known = [candidate for candidate in ID_NAMES if candidate in file]
    if not name and not known:
        _refuse(
            f"{_shown(path)} has no dataset {' or '.join(ID_NAMES)}: {_contents(file)}",
            "Name the one with the number of each word: --word-ids FILE:DATASET.",
        )
    return _dataset(file, path, name or known[0])


def _dataset(file: h5py.File, path: Path, name: str) -> Values:
    """Raises InvalidRequest for what is no dataset, or one that lies elsewhere or is packed in an unknown way."""
    import h5py

    parts = [part for part in name.split("/") if part]
    places = ["/".join(parts[: number + 1]) for number in range(len(parts))]
    inside = places and all(isinstance(file.get(place, getlink=True), h5py.HardLink) for place in places)
    if not inside or file.get(name, getclass=True) is not h5py.Dataset:
        _refuse(
            f"{_shown(path)} has no dataset {printable(name)}: {_contents(file)}", "Name one that is there."
        )
    dataset = file[name]
    if dataset.is_virtual or dataset.external:
        _refuse(f"{printable(name)} of {_shown(path)} lies in other files", "Write its values into the file.")
    chunk = int(np.prod(dataset.chunks or (0,), dtype=object)) * dataset.dtype.itemsize
    if dataset.compression not in FILTERS or chunk > LARGEST_CHUNK:
        _refuse(
            f"{printable(name)} of {_shown(path)} is packed in a way that is not read",
            "Write it uncompressed, or by gzip in chunks of a few megabytes.",
        )
    return Values(
        printable(name),
        dataset.shape or (),
        dataset.dtype,
        lambda start, stop: _plain(path, dataset, start, stop),
    )


def _plain(path: Path, dataset: h5py.Dataset, start: int, stop: int) -> NDArray[Any]:
    try:
        values: NDArray[Any] = dataset[start:stop]
    except (OSError, RuntimeError, ValueError) as error:
        raise InvalidRequest(f"{_shown(path)} cannot be read: it is damaged", "Write it again.") from error
    return values


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    try:
        import h5py
    except ImportError as error:
        raise Unavailable(
            "HDF5 files are read by the package h5py, which is not installed",
            "Install it: pip install h5py",
        ) from error
    _check_is_file(path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InvalidRequest(
            f"{_shown(path)} is no HDF5 file, or a damaged one", "Write it again."
        ) from error
    with file:
        yield file


def _npy(path: Path) -> Values:
    _check_is_file(path)
    array = _mapped(path)
    # Mapped anew each time: what was read of a mapping counts as this process's memory as long as it lasts.
    return Values(
        _shown(path),
        array.shape,
        array.dtype,
        lambda start, stop: np.array(_mapped(path)[start:stop]),
    )


def _mapped(path: Path) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OSError, EOFError, SyntaxError) as error:
        raise InvalidRequest(
            f"{_shown(path)} is no array of numbers as numpy.save writes it",
            "Give an HDF5 file (.h5, .hdf5), or a .npy file [time, unit] for each layer.",
        ) from error
    return array


def _check_is_file(path: Path) -> None:
    if not is_there(path):
        raise NotFound(f"there is no file {_shown(path)}", "Look for a mistyped name.")
    if not path.is_file():
        raise InvalidRequest(f"{_shown(path)} is no file", "Give a file of states.")


def _is_hdf5(path: Path) -> bool:
    return path.suffix.lower() in HDF5_SUFFIXES


def _contents(file: h5py.File) -> str:
    """What a file holds, in one line."""
    import h5py

    keys = list(file)
    if not keys:
        return "it is empty"
    hard = [isinstance(file.get(key, getlink=True), h5py.HardLink) for key in keys[:MOST_LISTED]]
    shapes = [
        getattr(file[key], "shape", None) if own else None for key, own in zip(keys, hard, strict=False)
    ]
    shown = [f"{printable(key)} {list(shape or [])}" for key, shape in zip(keys, shapes, strict=False)]
    return f"it has {', '.join(shown)}{' …' if len(keys) > MOST_LISTED else ''}"


def _shown(path: Path) -> str:
    return printable(str(path))


def _refuse(message: str, hint: str) -> NoReturn:
    raise InvalidRequest(message, hint)
