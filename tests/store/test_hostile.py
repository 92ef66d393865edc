"""Captures that are damaged, of another format, or made to do harm: one line, a hint, and no memory taken."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pickle
import shutil
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.store.errors import InvalidCapture
from rnnviz.store.reader import Capture, open_capture
from support.captures import HandMade, hand_made, make_capture, several_columns, write_capture

TEXT = b"to be or not to be\n" * 1000
LAYER = "models/model/layers/0"

Change = Callable[[Path], None]


@pytest.fixture(scope="module", name="whole")
def _whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_capture(tmp_path_factory.mktemp("whole") / "a.zarr", TEXT).path


@pytest.fixture(scope="module", name="half")
def _half(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An incomplete one."""
    return write_capture(several_columns(tmp_path_factory.mktemp("half") / "a.zarr"), captured=65_536).path


@pytest.fixture(name="path")
def _path(tmp_path: Path, whole: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "a.zarr"))


@pytest.fixture(name="incomplete")
def _incomplete(tmp_path: Path, half: Path) -> HandMade:
    return several_columns(Path(shutil.copytree(half, tmp_path / "a.zarr")))


@contextmanager
def little_memory() -> Iterator[None]:
    """Whatever is claimed, Python and numpy allocate no more than 100 MB at any moment inside."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()


def edited(path: Path, change: Callable[[Any], None]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def setting(place: str, value: object) -> Change:
    """Set a field: `file:key.key.0`."""
    name, _, keys = place.partition(":")

    def change(directory: Path) -> None:
        def put(document: Any) -> None:
            *outer, last = [int(key) if key.isdigit() else key for key in keys.split(".")]
            for key in outer:
                document = document[key]
            document[last] = value

        edited(directory / name, put)

    return change


def writing(name: str, content: bytes) -> Change:
    def change(directory: Path) -> None:
        (directory / name).write_bytes(content)

    return change


def removing(name: str) -> Change:
    def change(directory: Path) -> None:
        path = directory / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return change


def making_a_directory(name: str) -> Change:
    def change(directory: Path) -> None:
        (directory / name).unlink()
        (directory / name).mkdir()

    return change


def read_everything(path: Path) -> None:
    """All that `info` and the explorer ask of a capture."""
    capture = open_capture(path)
    assert len(capture.segments) == len(capture.after)
    capture.text(0, capture.captured)
    for model in capture.models.values():
        model.next(0, min(100, capture.captured))
        model.surprisal(0, capture.captured)
        for layer in model.layers:
            layer.statistics()
            for signal in layer.signals:
                layer.read(signal, 0, 0, capture.captured)


ROOT = "zarr.json:attributes.rnnviz"
MODEL = "models/model/zarr.json:attributes"
C = f"{LAYER}/c/zarr.json"
SHARDING = f"{C}:codecs.0.configuration"

DAMAGES: dict[str, Change] = {
    "root is no JSON": writing("zarr.json", b"{"),
    "root is not UTF-8": writing("zarr.json", b"\xff\xfe\x00"),
    "root is a list": writing("zarr.json", b"[]"),
    "root is nested deeply": writing("zarr.json", b"[" * 200_000),
    "root is empty": writing("zarr.json", b""),
    "root is huge": writing("zarr.json", b" " * (17 << 20)),
    "root is an array": setting("zarr.json:node_type", "array"),
    "root is of Zarr 2": setting("zarr.json:zarr_format", 2),
    "attributes are a list": setting("zarr.json:attributes", []),
    "about is a string": setting("zarr.json:attributes.rnnviz", "1"),
    "format is a string": setting(f"{ROOT}.format", "1"),
    "format is true": setting(f"{ROOT}.format", True),
    "format is 0": setting(f"{ROOT}.format", 0),
    "complete is 1": setting(f"{ROOT}.complete", 1),
    "symbols is negative": setting(f"{ROOT}.symbols", -1),
    "symbols is a float": setting(f"{ROOT}.symbols", 19000.0),
    "symbols does not fit the arrays": setting(f"{ROOT}.symbols", 19001),
    "symbols is gigantic": setting(f"{ROOT}.symbols", 10**15),
    "no models": setting(f"{ROOT}.models", []),
    "models is a name": setting(f"{ROOT}.models", "model"),
    "a model outside": setting(f"{ROOT}.models", ["../../../etc"]),
    "a model twice": setting(f"{ROOT}.models", ["model", "model"]),
    "a model that is not there": setting(f"{ROOT}.models", ["other"]),
    "a text name with an escape": setting(f"{ROOT}.text.name", "\x1b[2Jtext"),
    "a text name that turns round": setting(f"{ROOT}.text.name", "a\u202etxt"),
    "a text name of lines": setting(f"{ROOT}.text.name", "a\nb"),
    "a part with a bell": setting(f"{ROOT}.text.part", "\x07"),
    "a generator with an escape": setting(f"{ROOT}.generator", "\x1b]0;x\x07"),
    "options is a list": setting(f"{ROOT}.options", []),
    "vocabulary of 300": setting(f"{MODEL}.vocabulary", list(range(300))),
    "vocabulary of no bytes": setting(f"{MODEL}.vocabulary", ["a", "b"]),
    "vocabulary of large numbers": setting(f"{MODEL}.vocabulary", [1, 256]),
    "vocabulary with a byte twice": setting(f"{MODEL}.vocabulary", [1, 1]),
    "vocabulary is empty": setting(f"{MODEL}.vocabulary", []),
    "vocabulary is shorter than next": setting(f"{MODEL}.vocabulary", [1, 2]),
    "kind with an escape": setting(f"{MODEL}.kind", "\x1b[31m"),
    "unknown signals": setting(f"{MODEL}.signals", ["c", "x"]),
    "signals outside": setting(f"{MODEL}.signals", ["../c"]),
    "a signal twice": setting(f"{MODEL}.signals", ["c", "c"]),
    "signals of numbers": setting(f"{MODEL}.signals", [1]),
    "layers is gigantic": setting(f"{MODEL}.layers", 10**9),
    "layers is one too many": setting(f"{MODEL}.layers", 2),
    "no layers but signals": setting(f"{MODEL}.layers", 0),
    "hidden is gigantic": setting(f"{MODEL}.hidden", 10**12),
    "hidden is zero": setting(f"{MODEL}.hidden", 0),
    "rows are too many": setting(f"{MODEL}.hidden", 1 << 16),
    "next is not said": setting(f"{MODEL}.next", None),
    "run is a string": setting(f"{MODEL}.run", "x"),
    "model group is gone": removing("models/model/zarr.json"),
    "segments are gone": removing("segments"),
    "segments of a gigantic number": setting("segments/zarr.json:shape.0", 10**12),
    "segments of one dimension": setting("segments/zarr.json:shape", [3]),
    "segments' file is gone": removing("segments/c"),
    "a signal is gone": removing(f"{LAYER}/c"),
    "a signal of another shape": setting(f"{C}:shape.0", 5),
    "a signal of another type": setting(f"{C}:data_type", "float32"),
    "a signal of an unknown type": setting(f"{C}:data_type", {"name": "evil"}),
    "a signal of other dimensions": setting(f"{C}:dimension_names", ["time", "unit"]),
    "chunks of no grid": setting(f"{C}:chunk_grid.name", "rectilinear"),
    "chunks of zero": setting(f"{C}:chunk_grid.configuration.chunk_shape", [0, 0]),
    "chunks of one dimension": setting(f"{C}:chunk_grid.configuration.chunk_shape", [64]),
    "shards are gigantic": setting(f"{C}:chunk_grid.configuration.chunk_shape", [64, 1 << 40]),
    "chunks are gigantic": setting(f"{SHARDING}.chunk_shape", [1 << 20, 1 << 20]),
    "chunks are tiny": setting(f"{SHARDING}.chunk_shape", [1, 1]),
    "chunks do not make a shard": setting(f"{SHARDING}.chunk_shape", [16, 8191]),
    "chunks are strings": setting(f"{SHARDING}.chunk_shape", ["16", "8192"]),
    "an unknown codec": setting(f"{SHARDING}.codecs.1.name", "evil"),
    "a codec without a name": setting(f"{SHARDING}.codecs.1", {}),
    "an unknown index codec": setting(f"{SHARDING}.index_codecs.1.name", "evil"),
    "no codecs": setting(f"{C}:codecs", []),
    "codecs are strings": setting(f"{C}:codecs", ["bytes"]),
    "an unknown outer codec": setting(f"{C}:codecs.0.name", "evil"),
    "storage transformers": setting(f"{C}:storage_transformers", [{"name": "evil"}]),
    "another key encoding": setting(f"{C}:chunk_key_encoding", {"name": "v2"}),
    "statistics of too many bins": setting(f"{LAYER}/statistics/histogram/zarr.json:shape.2", 10**9),
    "statistics' file is gone": removing(f"{LAYER}/statistics/summary/c"),
    "a shard is gone": removing(f"{LAYER}/c/c/0/0"),
    "a shard is empty": writing(f"{LAYER}/c/c/0/0", b""),
    "a shard is rubbish": writing(f"{LAYER}/c/c/0/0", os.urandom(5000)),
    "a shard is a directory": making_a_directory(f"{LAYER}/c/c/0/0"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_capture_is_refused_in_one_printable_line(path: Path, damage: Change) -> None:
    damage(path)
    with pytest.raises(InvalidCapture) as caught:
        read_everything(path)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 300
    assert caught.value.hint.isprintable()
    assert caught.value.hint


@pytest.mark.parametrize("damage", [name for name in DAMAGES if "gigantic" in name or "too many" in name])
def test_what_is_claimed_takes_no_memory(path: Path, damage: str) -> None:
    DAMAGES[damage](path)
    with little_memory(), pytest.raises(InvalidCapture):
        read_everything(path)


def test_a_newer_format_is_named_with_what_to_do(path: Path) -> None:
    setting(f"{ROOT}.format", 2)(path)
    with pytest.raises(InvalidCapture, match="capture format 2; this rnnviz reads format 1") as caught:
        open_capture(path)
    assert "Update" in caught.value.hint


def test_a_truncated_shard_does_not_harm_what_others_hold(path: Path) -> None:
    shard = path / LAYER / "c/c/0/0"
    os.truncate(shard, shard.stat().st_size - 3)
    layer = open_capture(path).models["model"].layers[0]
    with pytest.raises(InvalidCapture, match="damaged"):
        layer.read("c", 0, 0, 10)
    assert layer.read("h", 0, 0, 10).shape == (10,)


@pytest.mark.parametrize(
    "name", ["text", "after", f"{LAYER}/c", "models/model/surprisal", "models/model/next"]
)
def test_a_changed_byte_is_found(path: Path, name: str) -> None:
    """Every chunk has a checksum."""
    assert sum(open_capture(path).verify()) > len(TEXT)
    file = next(file for file in (path / name / "c").rglob("*") if file.is_file())
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 0x10
    file.write_bytes(content)
    with pytest.raises(InvalidCapture, match=f"{name} cannot be read"):
        list(open_capture(path).verify())


def test_a_capture_killed_before_its_statistics_are_written_is_whole(tmp_path: Path) -> None:
    made = several_columns(tmp_path / "a.zarr")
    with made.create() as writer:
        writer.append(made.cut(0, made.schema.symbols))
    capture = open_capture(made.path)
    assert (capture.complete, capture.captured) == (False, capture.symbols)
    assert sum(capture.verify()) > capture.symbols


def test_what_is_written_of_an_incomplete_capture_is_found_whole(incomplete: HandMade) -> None:
    (incomplete.path / "models/model/next/c/1").mkdir()
    assert sum(open_capture(incomplete.path).verify()) > 65_536
    (incomplete.path / "models/model/next/c/0/0").unlink()
    with pytest.raises(InvalidCapture, match="is missing"):
        list(open_capture(incomplete.path).verify())


@pytest.mark.parametrize(
    "table",
    [
        [[0, 5, 0], [6, 18_994, 6]],
        [[0, 19_001, 0]],
        [[1, 18_999, 0]],
        [[0, 20_000, 0], [20_000, -1000, 0]],
        [[0, 19_000, -4]],
    ],
)
def test_segments_that_do_not_cover_the_text(tmp_path: Path, table: list[list[int]]) -> None:
    made = hand_made(tmp_path / "a.zarr", TEXT, lengths=[1] * (len(table) - 1) + [len(TEXT) - len(table) + 1])
    write_capture(dataclasses.replace(made, segments=np.array(table, np.int64)))
    with pytest.raises(InvalidCapture, match="do not cover"):
        _ = open_capture(made.path).segments


def archive(**arrays: Any) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def claiming(shape: tuple[int, ...]) -> bytes:
    """A whole archive whose `captured` claims a shape that nobody has memory for."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<i8", "fortran_order": False, "shape": shape})
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("captured.npy", header.getvalue() + b"\0" * 8)
    return content.getvalue()


def compressed() -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, captured=np.int64(5))
    return content.getvalue()


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("owned",)


SIDECARS = {
    "rubbish": b"PK\x03\x04 no archive",
    "empty": b"",
    "no entries": archive(),
    "a pickle": archive(captured=np.array(Evil(), dtype=object)),
    "a bare pickle": pickle.dumps(Evil()),
    "a gigantic shape": claiming((1 << 60,)),
    "another type": archive(captured=np.float64(0)),
    "negative": archive(captured=np.int64(-5)),
    "beyond the end": archive(captured=np.int64(10**9)),
    "compressed": compressed(),
}


@pytest.mark.parametrize("content", SIDECARS.values(), ids=SIDECARS.keys())
def test_a_hostile_note_of_progress(
    incomplete: HandMade, tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (incomplete.path / "progress.npz").write_bytes(content)
    for attempt in (lambda: open_capture(incomplete.path), incomplete.resume):
        with little_memory(), pytest.raises(InvalidCapture) as caught:
            attempt()
        assert caught.value.hint
    assert not (tmp_path / "owned").exists()


def test_a_note_without_statistics_or_in_the_middle_of_a_column(incomplete: HandMade) -> None:
    note = incomplete.path / "progress.npz"
    whole = dict(np.load(note))
    note.write_bytes(archive(captured=np.int64(65_536)))
    with pytest.raises(InvalidCapture):
        Capture(incomplete.path).models["model"].layers[0].statistics()
    note.write_bytes(archive(**(whole | {"captured": np.int64(70_000)})))
    with pytest.raises(InvalidCapture, match="whole number of columns"):
        incomplete.resume()


def test_without_a_note_nothing_is_captured(incomplete: HandMade) -> None:
    (incomplete.path / "progress.npz").unlink()
    assert open_capture(incomplete.path).captured == 0


def test_things_that_are_no_captures(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("text")
    empty = tmp_path / "empty"
    empty.mkdir()
    plain = tmp_path / "plain.zarr"
    plain.mkdir()
    (plain / "zarr.json").write_text(json.dumps({"zarr_format": 3, "node_type": "group"}))
    for path in (file, empty, plain):
        with pytest.raises(InvalidCapture, match="capture") as caught:
            open_capture(path)
        assert "rnnviz capture" in caught.value.hint
