"""Captures that were interrupted, refused by the disk, or in the way of another."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.store.errors import AlreadyExists, InvalidCapture, InvalidRequest, NotFound, StorageFailure
from rnnviz.store.reader import open_capture
from rnnviz.store.writer import create_capture
from support.captures import (
    SEVERAL_COLUMNS as TEXT,
)
from support.captures import (
    hand_made,
    make_capture,
    model_schema,
    several_columns,
    write_capture,
)
from support.files import contents
from support.fresh_python import with_support

COLUMN = 65_536


@pytest.fixture(scope="module", name="whole")
def _whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Every file of the capture that was never interrupted."""
    return contents(write_capture(several_columns(tmp_path_factory.mktemp("whole") / "a.zarr")).path)


@given(st.lists(st.integers(1, len(TEXT)), max_size=6), st.lists(st.integers(0, len(TEXT)), max_size=3))
@settings(max_examples=8, deadline=None)
def test_any_pieces_and_any_interruptions_give_the_same_files(
    whole: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, cuts: list[int], stops: list[int]
) -> None:
    made = several_columns(tmp_path_factory.mktemp("resumed") / "a.zarr")
    made.create().__exit__(None, None, None)
    for stop in [*sorted(stops), len(TEXT)]:
        with made.resume() as writer:
            edges = sorted({writer.position, stop, *(cut for cut in cuts if writer.position < cut < stop)})
            for start, end in pairwise(edges):
                if start >= writer.position:
                    writer.append(made.cut(start, end))
        capture = open_capture(made.path)
        assert not capture.complete
        assert capture.captured % COLUMN == 0 or capture.captured == len(TEXT)
        found = capture.models["model"].layers[1].read("c", 2, 0, capture.captured)
        np.testing.assert_array_equal(found, made.signal(1, "c")[2, : capture.captured])
    with made.resume() as writer:
        writer.finish()
    assert contents(made.path) == whole
    shutil.rmtree(made.path)


def test_leftovers_of_a_killed_process_are_cleared_away(tmp_path: Path, whole: dict[str, bytes]) -> None:
    made = write_capture(several_columns(tmp_path / "a.zarr"), captured=COLUMN)
    signal_files = made.path / "models/model/layers/0/c/c/0"
    for column in ("1", "2"):  # columns that were written but not noted, half of them
        shutil.copy(signal_files / "0", signal_files / column)
        os.truncate(signal_files / column, 1000)
    (signal_files / "2.1234.partial").write_bytes(b"x")
    (made.path / "progress.npz.new").write_bytes(b"half")
    (made.path / "zarr.json.new").write_bytes(b"{")
    half = made.path / "models/model/layers/0/statistics/histogram/c/0/0"
    half.mkdir(parents=True)
    (half / "0").write_bytes(b"half")
    with made.resume() as writer:
        assert writer.captured == COLUMN
        writer.append(made.cut(COLUMN, len(TEXT)))
        writer.finish()
    assert contents(made.path) == whole


@pytest.mark.parametrize(
    "array", ["models/model/layers/0/c", "models/model/layers/0/statistics/summary", "text"]
)
def test_a_capture_whose_files_are_cut_otherwise_is_not_gone_on_with(tmp_path: Path, array: str) -> None:
    made = write_capture(several_columns(tmp_path / "a.zarr"), captured=COLUMN)
    before = contents(made.path)
    document = json.loads((made.path / array / "zarr.json").read_text())
    document["chunk_grid"]["configuration"]["chunk_shape"][0] *= 2
    (made.path / array / "zarr.json").write_text(json.dumps(document))
    with pytest.raises(InvalidRequest, match=f"another layout of {array}"):
        made.resume()
    changed = {name: data for name, data in contents(made.path).items() if before[name] != data}
    assert list(changed) == [f"{array}/zarr.json"]


def test_a_capture_whose_statistics_are_in_shards_is_not_gone_on_with(tmp_path: Path) -> None:
    made = write_capture(several_columns(tmp_path / "a.zarr"), captured=COLUMN)
    place = made.path / "models/model/layers/0/statistics/histogram/zarr.json"
    document = json.loads(place.read_text())
    inner = {
        "chunk_shape": document["chunk_grid"]["configuration"]["chunk_shape"],
        "codecs": document["codecs"],
        "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
    }
    document["codecs"] = [{"name": "sharding_indexed", "configuration": inner}]
    place.write_text(json.dumps(document))
    with pytest.raises(InvalidRequest, match="another layout"):
        made.resume()


def test_a_complete_capture_has_nothing_to_resume(tmp_path: Path, whole: dict[str, bytes]) -> None:
    made = write_capture(several_columns(tmp_path / "a.zarr"))
    (made.path / "progress.npz").write_bytes(b"left by a process killed at the very end")
    with made.resume() as writer:
        assert (writer.complete, writer.captured) == (True, len(TEXT))
        writer.finish()
    assert contents(made.path) == whole


def test_finishing_before_the_end_is_a_mistake_of_the_program(tmp_path: Path) -> None:
    made = several_columns(tmp_path / "a.zarr")
    with made.create() as writer:
        writer.append(made.cut(0, COLUMN + 1))
        with pytest.raises(ValueError, match="65536 of 200000"):
            writer.finish()
    assert not open_capture(made.path).complete


@pytest.mark.parametrize("length", [5, COLUMN])
def test_a_text_shorter_than_announced_leaves_nothing(tmp_path: Path, length: int) -> None:
    made = several_columns(tmp_path / "a.zarr")
    with pytest.raises(ValueError, match=r"the schema says|are no whole files"):
        create_capture(made.path, made.schema, [np.zeros(length, np.uint8)], made.segments, made.after)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"text_name": "other.txt"}, "options"),
        ({"lengths": [100_000, 100_000]}, "segments"),
        ({"models": [model_schema(TEXT, name="model", hidden=3, signals=("c",))]}, "signals"),
        ({"models": [model_schema(TEXT, name="other", layers=2, hidden=3, signals=("c", "o"))]}, "model"),
    ],
)
def test_a_capture_of_something_else_is_not_resumed(
    tmp_path: Path, change: dict[str, object], word: str
) -> None:
    write_capture(several_columns(tmp_path / "a.zarr"), captured=COLUMN)
    before = contents(tmp_path / "a.zarr")
    options: dict[str, object] = {
        "models": [model_schema(TEXT, layers=2, hidden=3, signals=("c", "o"), vocabulary=b"a on")],
        "lengths": [150_000, 50_000],
    } | change
    other = hand_made(tmp_path / "a.zarr", TEXT, **options)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match=f"begun with .*{word}") as caught:
        other.resume()
    assert "--force" in caught.value.hint
    assert contents(tmp_path / "a.zarr") == before


def test_nothing_to_resume(tmp_path: Path) -> None:
    made = several_columns(tmp_path / "a.zarr")
    with pytest.raises(NotFound):
        made.resume()
    made.path.mkdir()
    with pytest.raises(InvalidCapture):
        made.resume()


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    made = several_columns(tmp_path / "a.zarr")
    with made.create() as writer:
        with pytest.raises(InvalidRequest, match="another process is writing"):
            made.resume()
        with pytest.raises(InvalidRequest, match="another process is writing"):
            made.create(force=True)
        writer.append(made.cut(0, COLUMN))
    with made.resume() as writer:
        assert writer.captured == COLUMN


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    made = make_capture(tmp_path / "a.zarr")
    before = contents(made.path)
    with pytest.raises(AlreadyExists) as caught:
        made.create()
    assert "--force" in caught.value.hint
    assert contents(made.path) == before
    write_capture(hand_made(made.path, b"anew"), force=True)
    assert open_capture(made.path).text(0, 4).tobytes() == b"anew"
    assert not [file for file in tmp_path.iterdir() if file != made.path]


def test_force_replaces_a_damaged_capture_and_an_empty_directory(tmp_path: Path) -> None:
    made = make_capture(tmp_path / "a.zarr")
    shutil.rmtree(made.path / "models")
    write_capture(hand_made(made.path), force=True)
    (tmp_path / "empty").mkdir()
    write_capture(hand_made(tmp_path / "empty"), force=True)
    assert open_capture(tmp_path / "empty").complete


def test_force_removes_nothing_that_is_no_capture(tmp_path: Path) -> None:
    directory = tmp_path / "thesis"
    directory.mkdir()
    (directory / "chapter.tex").write_text("years of work")
    file = tmp_path / "notes.txt"
    file.write_text("more of it")
    dangling = tmp_path / "link"
    dangling.symlink_to(tmp_path / "nowhere")
    for path in (directory, file, dangling):
        with pytest.raises(AlreadyExists, match="no capture"):
            hand_made(path).create(force=True)
    assert (directory / "chapter.tex").read_text() == "years of work"
    assert file.read_text() == "more of it"


def test_a_link_to_a_capture_stays_a_link(tmp_path: Path) -> None:
    made = make_capture(tmp_path / "big-disk.zarr")
    link = tmp_path / "a.zarr"
    link.symlink_to(made.path)
    write_capture(hand_made(link, b"anew"), force=True)
    assert link.is_symlink()
    assert open_capture(made.path).text(0, 4).tobytes() == b"anew"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_that_must_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageFailure, match="permission denied"):
            hand_made(tmp_path / "a.zarr").create()
    finally:
        tmp_path.chmod(0o700)


ON_A_FULL_DISK = """
import resource, sys
from pathlib import Path
from rnnviz.store.errors import StorageFailure
from support.captures import several_columns
made = several_columns(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    with made.resume() as writer:
        writer.append(made.cut(writer.position, made.schema.symbols))
        writer.finish()
except StorageFailure as error:
    print(error.message, "|", error.hint)
"""


def test_a_full_disk_ends_with_a_sentence_and_a_capture_that_goes_on(
    tmp_path: Path, whole: dict[str, bytes]
) -> None:
    """The system refuses larger files to a process that asked for a limit: a refusal by the real disk."""
    made = write_capture(several_columns(tmp_path / "a.zarr"), captured=COLUMN)
    limit = max(len(content) for name, content in whole.items() if "/c/" in name) // 2
    done = subprocess.run(
        [sys.executable, "-c", ON_A_FULL_DISK, made.path, str(limit)],
        env=with_support(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(f"cannot write {made.path}: file too large |")
    assert "--resume" in done.stdout
    assert not done.stderr
    capture = open_capture(made.path)
    assert (capture.complete, capture.captured) == (False, COLUMN)
    with made.resume() as writer:
        writer.append(made.cut(COLUMN, len(TEXT)))
        writer.finish()
    assert contents(made.path) == whole
