"""A few chunks read without zarr are what zarr reads, or the damage is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, ShardingCodec, ZstdCodec

from rnnviz.store.errors import InvalidCapture
from rnnviz.store.pieces import Pieces, pieces_of
from rnnviz.store.reader import open_capture
from rnnviz.store.schema import ArraySchema
from support.captures import make_capture

BLOSC = BloscCodec(cname="lz4", clevel=1, shuffle="bitshuffle")
SHAPE = (13, 29)
ARRAY = ArraySchema("a", ("unit", "time"), SHAPE, "float32", (2, 4), (4, 12))
VALUES = np.random.default_rng(2).normal(size=SHAPE).astype(np.float32)


def written(directory: Path, **options: object) -> Pieces | None:
    """An array as zarr writes it, and how it is read here."""
    array = zarr.create_array(directory / "a", shape=SHAPE, dtype="float32", **options)  # type: ignore[arg-type]
    array[:] = VALUES
    return pieces_of(directory, ARRAY)


def ours(*, sharded: bool) -> dict[str, object]:
    shards = {"shards": (4, 12)} if sharded else {}
    return {"chunks": (2, 4), "compressors": (BLOSC, Crc32cCodec()), **shards}


@pytest.fixture(scope="module", params=[True, False], ids=["sharded", "plain"])
def pieces(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pieces:
    found = written(tmp_path_factory.mktemp("arrays"), **ours(sharded=request.param))
    assert found is not None
    assert found.sharded is request.param
    return found


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 13), st.integers(0, 13), st.integers(0, 29), st.integers(0, 29))
def test_any_rectangle_is_what_was_written(
    pieces: Pieces, top: int, bottom: int, left: int, right: int
) -> None:
    index = slice(top, bottom), slice(left, right)
    np.testing.assert_array_equal(pieces.read(index), VALUES[index])


def test_few_chunks_are_counted_by_what_is_touched(pieces: Pieces) -> None:
    assert pieces.few((slice(2, 10), slice(3, 16)))  # 4 × 4 of them
    assert pieces.few((slice(0, 0), slice(0, 29)))
    assert not pieces.few((slice(2, 10), slice(3, 17)))


OTHERS: dict[str, dict[str, object]] = {
    "no checksum": {"chunks": (2, 4), "compressors": BLOSC},
    "another compressor": {"chunks": (2, 4), "compressors": (ZstdCodec(), Crc32cCodec())},
    "highest byte first": {
        "chunks": (2, 4),
        "compressors": (BLOSC, Crc32cCodec()),
        "serializer": BytesCodec(endian="big"),
    },
    "index at the start": {
        "chunks": (4, 12),
        "compressors": (),
        "serializer": ShardingCodec(
            chunk_shape=(2, 4), codecs=[BytesCodec(), BLOSC, Crc32cCodec()], index_location="start"
        ),
    },
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_encodings_are_left_to_zarr(tmp_path: Path, name: str) -> None:
    assert written(tmp_path, **OTHERS[name]) is None


@pytest.mark.parametrize("at", [0, 20, -30, -1])
def test_one_wrong_byte_is_told(tmp_path: Path, at: int) -> None:
    """In a chunk, in the index at the end of the file, in its checksum."""
    made = make_capture(tmp_path / "a.zarr")
    layer = open_capture(made.path).models["model"].layers[0]
    before = layer.read("c", 0, 0, 5)
    file = next((made.path / "models/model/layers/0/c/c").rglob("*"))
    while file.is_dir():
        file = next(file.rglob("*"))
    content = bytearray(file.read_bytes())
    content[at] ^= 0x40
    file.write_bytes(content)
    with pytest.raises(InvalidCapture, match="damaged"):
        open_capture(made.path).models["model"].layers[0].read("c", 0, 0, 5)
    content[at] ^= 0x40
    file.write_bytes(content)
    np.testing.assert_array_equal(layer.read("c", 0, 0, 5), before)


def test_a_file_that_is_cut_off_is_told(tmp_path: Path) -> None:
    made = make_capture(tmp_path / "a.zarr")
    file = made.path / "text/c/0"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(InvalidCapture, match="damaged"):
        open_capture(made.path).text(0, 5)
    file.write_bytes(b"abc")
    with pytest.raises(InvalidCapture, match="damaged"):
        open_capture(made.path).text(0, 5)


def test_a_chunk_that_claims_another_size_is_not_decoded(tmp_path: Path) -> None:
    """A checksum is easily made right for bytes that claim gigabytes."""
    import google_crc32c

    found = written(tmp_path, **ours(sharded=False))
    assert found is not None
    file = tmp_path / "a/c/0/0"
    content = bytearray(file.read_bytes()[:-4])
    content[4:8] = (1 << 31).to_bytes(4, "little")
    file.write_bytes(bytes(content) + google_crc32c.value(bytes(content)).to_bytes(4, "little"))
    with pytest.raises(ValueError, match="size"):
        found.read((slice(0, 1), slice(0, 1)))


def test_how_an_array_is_cut_is_read_from_its_document(pieces: Pieces) -> None:
    document = json.loads((pieces.directory / "zarr.json").read_text())
    assert list(pieces.file) == document["chunk_grid"]["configuration"]["chunk_shape"]
    assert pieces.chunk == (2, 4)
