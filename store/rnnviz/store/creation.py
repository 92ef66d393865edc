"""The beginning of a capture: everything but the values, put under its name in one step.

A capture is built in a directory beside its place and renamed when the metadata of every array, the text and
the segments are in it. So whatever is found under a capture's name is one, even if its making was cut short.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.abc.buffer import Buffer
from zarr.codecs import BloscCodec, Crc32cCodec
from zarr.storage import MemoryStore

from rnnviz.store.codec import COMPRESSOR, LEVEL
from rnnviz.store.disk import DirectoryLock
from rnnviz.store.errors import AlreadyExists
from rnnviz.store.files import write_values
from rnnviz.store.metadata import DOCUMENT, is_capture
from rnnviz.store.schema import ATTRIBUTE, FILL, ArraySchema, CaptureSchema


@dataclass(frozen=True)
class Skeleton:
    """A capture without values, not yet under its name. `lock` is this process's hold on `directory`."""

    directory: Path
    lock: DirectoryLock

    def discard(self) -> None:
        self.lock.release()
        shutil.rmtree(self.directory, ignore_errors=True)


def refuse_existing(path: Path, *, force: bool) -> None:
    """Raise `AlreadyExists` where something lies at `path`, unless `force` is given and it is a capture or an
    empty directory, which may be replaced."""
    if not path.exists() and not path.is_symlink():
        return
    replaceable = path.is_dir() and (is_capture(path) or not any(path.iterdir()))
    if not replaceable:
        raise AlreadyExists(
            f"{path} is in the way and is no capture", "Choose another --out; rnnviz does not remove it."
        )
    if not force:
        raise AlreadyExists(
            f"{path} exists already",
            "Choose another --out, go on with it by --resume, or replace it with --force.",
        )


def build_skeleton(
    path: Path,
    schema: CaptureSchema,
    text: Iterable[NDArray[np.uint8]],
    segments: NDArray[np.int64],
    after: NDArray[np.int32],
    ends: Iterable[NDArray[np.int64]],
) -> Skeleton:
    """Build the capture for `path` beside it. Raises `InvalidRequest` where another process is at it."""
    place = path.resolve()
    directory = place.with_name(f".{place.name}.new")
    directory.mkdir(parents=True, exist_ok=True)
    lock = DirectoryLock(directory)
    skeleton = Skeleton(directory, lock)
    try:
        for leftover in directory.iterdir():
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        _build(directory, schema, text, segments, after, ends)
    except BaseException:
        skeleton.discard()
        raise
    return skeleton


def put_in_place(skeleton: Skeleton, path: Path, *, force: bool) -> None:
    """Give the skeleton its name, removing what `force` allows to remove.

    Raises `AlreadyExists` as `refuse_existing` does, `InvalidRequest` where another process writes at `path`.
    """
    refuse_existing(path, force=force)
    if path.exists():
        old = DirectoryLock(path)
        try:
            shutil.rmtree(path.resolve())
        finally:
            old.release()
    skeleton.directory.rename(path.resolve())


def _build(
    directory: Path,
    schema: CaptureSchema,
    text: Iterable[NDArray[np.uint8]],
    segments: NDArray[np.int64],
    after: NDArray[np.int32],
    ends: Iterable[NDArray[np.int64]],
) -> None:
    _describe(directory, schema)
    table, following = schema.segment_arrays()
    with ThreadPoolExecutor(1, "rnnviz-creation") as thread:  # chunks are not to be encoded by the main one
        _fill(thread, directory, schema.text(), text)
        if schema.has_tokens:
            _fill(thread, directory, schema.ends(), ends)
        _write(thread, directory, table, 0, segments)
        _write(thread, directory, following, 0, after)


def _describe(directory: Path, schema: CaptureSchema) -> None:
    """Write the metadata of every group and array: made in memory, because zarr takes 5 ms for one on a disk."""
    attributes = {model.path: model.attributes() for model in schema.models}
    documents: dict[str, Buffer] = {}
    store = MemoryStore(documents)
    root_attributes = {ATTRIBUTE: schema.root(complete=False)}
    root = zarr.create_group(store, zarr_format=3, attributes=cast("Any", root_attributes))
    for group in schema.groups():
        root.create_group(group, attributes=attributes.get(group, {}))
    # Most arrays differ in nothing but their paths, and a model may have hundreds, each of which takes zarr 1 ms.
    described: dict[str, Buffer] = {}
    for array in schema.arrays():
        kind = repr(replace(array, path=""))
        if kind not in described:
            _create_array(root, array)
            described[kind] = documents[f"{array.path}/{DOCUMENT}"]
        documents[f"{array.path}/{DOCUMENT}"] = described[kind]
    for name, document in documents.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(document.to_bytes())


def _create_array(root: zarr.Group, array: ArraySchema) -> None:
    root.create_array(
        array.path,
        shape=array.shape,
        dtype=array.dtype,
        chunks=array.chunks,
        shards=array.shards,
        compressors=(BloscCodec(cname=COMPRESSOR, clevel=LEVEL, shuffle="bitshuffle"), Crc32cCodec()),
        fill_value=FILL[array.dtype],
        dimension_names=array.dimensions,
        attributes=cast("Any", dict(array.attributes)),
    )


def _fill(thread: Executor, directory: Path, array: ArraySchema, pieces: Iterable[NDArray[Any]]) -> None:
    """Write an array of one dimension, a shard at a time."""
    assert array.shards
    start = 0
    for shard in _cut_anew(pieces, array.shards[0]):
        _write(thread, directory, array, start, shard)
        start += len(shard)
    if start != array.shape[0]:
        raise ValueError(f"{array.path} has {start} values, the schema says {array.shape[0]}")


def _write(thread: Executor, directory: Path, array: ArraySchema, start: int, values: NDArray[Any]) -> None:
    begin = (start, *(0 for _ in array.shape[1:]))
    for job in write_values(thread, directory, array, begin, values):
        job.result()


def _cut_anew(pieces: Iterable[NDArray[Any]], length: int) -> Iterable[NDArray[Any]]:
    """The pieces cut to `length` values each; the last one may be shorter."""
    waiting: NDArray[Any] = np.empty(0, np.uint8)
    for piece in pieces:
        waiting = np.concatenate([waiting, piece]) if len(waiting) else piece
        while len(waiting) >= length:
            yield waiting[:length]
            waiting = waiting[length:]
    if len(waiting):
        yield waiting
