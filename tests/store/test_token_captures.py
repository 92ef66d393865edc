"""Captures whose symbols are characters or words, and captures of states that came without a model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
import zarr

from rnnviz.store.errors import InvalidCapture, InvalidRequest
from rnnviz.store.reader import Capture, open_capture
from rnnviz.store.schema import LARGEST_CHUNK_BYTES, TOKEN_COLUMN_BYTES, CaptureSchema
from rnnviz.store.summary import mean_surprisal
from support.captures import HandMade, hand_made, hand_made_tokens, model_schema, write_capture

SYMBOLS = tuple(f"{'wört' * (n % 3)}{n} " for n in range(70_000))
"""Several chunks of `ends`, more than one shard of it, and symbols of 2 to 21 bytes."""


@pytest.fixture(scope="module", name="made")
def _made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    path = tmp_path_factory.mktemp("tokens") / "a.zarr"
    return write_capture(hand_made_tokens(path, SYMBOLS, lengths=[3, 60_000, 9_997]))


def ends_of(made: HandMade) -> Any:
    assert made.ends is not None
    return made.ends


def test_every_value_comes_back(made: HandMade) -> None:
    capture = open_capture(made.path)
    assert capture.schema == made.schema
    assert (capture.has_tokens, capture.unit) == (True, "word")
    assert (capture.symbols, capture.captured, capture.text_bytes) == (70_000, 70_000, len(made.text))
    assert capture.text(0, capture.text_bytes).tobytes() == made.text
    np.testing.assert_array_equal(capture.ends(0, 70_000), ends_of(made))
    np.testing.assert_array_equal(capture.ends(8190, 8195), ends_of(made)[8190:8195])
    assert capture.ends(5, 5).shape == (0,)
    np.testing.assert_array_equal(capture.segments, made.segments)
    assert capture.after.dtype == np.int32
    assert capture.after.tolist() == [1, 0, -1]
    model = capture.models["model"]
    assert model.tokens == ("<eos>", "<unk>", "zwei", "Wörter", "🙂")
    assert model.vocabulary == b""
    np.testing.assert_array_equal(model.next(0, 70_000), made.next())
    np.testing.assert_array_equal(model.surprisal(0, 70_000), made.surprisal())
    np.testing.assert_array_equal(
        model.layers[0].read_units("c", slice(None), 0, 70_000), made.signal(0, "c")
    )
    assert sum(capture.verify()) > len(made.text) + 70_000


def test_the_symbol_of_a_byte(made: HandMade) -> None:
    capture = open_capture(made.path)
    ends = ends_of(made)
    for byte in (
        0,
        1,
        2,
        len(made.text) - 1,
        *np.random.default_rng(0).integers(0, len(made.text), 50).tolist(),
    ):
        assert capture.symbol_at(byte) == np.searchsorted(ends, byte, side="right")
    for byte in (-1, len(made.text)):
        with pytest.raises(InvalidRequest):
            capture.symbol_at(byte)


def test_byte_captures_answer_as_if_each_byte_were_a_token(tmp_path: Path) -> None:
    made = write_capture(hand_made(tmp_path / "a.zarr", b"plain\n"))
    capture = open_capture(made.path)
    assert (capture.has_tokens, capture.unit, capture.text_bytes) == (False, "byte", 6)
    assert capture.ends(2, 5).tolist() == [3, 4, 5]
    assert [capture.symbol_at(byte) for byte in range(6)] == list(range(6))
    assert capture.models["model"].tokens is None
    assert "unit" not in json.dumps(capture.attributes["text"])


def test_a_part_of_a_token_capture_has_a_part_of_its_text(tmp_path: Path) -> None:
    made = hand_made_tokens(tmp_path / "a.zarr", SYMBOLS)
    column = made.schema.column
    write_capture(made, captured=column)
    capture = open_capture(made.path)
    assert (capture.complete, capture.captured) == (False, column)
    assert capture.text_bytes == ends_of(made)[column - 1]
    assert capture.symbol_at(capture.text_bytes - 1) == column - 1
    for beyond in (lambda: capture.text(0, capture.text_bytes + 1), lambda: capture.ends(0, column + 1)):
        with pytest.raises(InvalidRequest):
            beyond()
    with made.resume() as writer:
        writer.append(made.cut(column, 70_000))
        writer.finish()
    capture.refresh()
    assert (capture.complete, capture.text_bytes) == (True, len(made.text))


def test_other_programs_read_it(made: HandMade) -> None:
    with xarray.open_zarr(made.path, consolidated=False) as root:
        assert root["text"].dims == ("byte",)
        assert root["ends"].dims == ("time",)
        first, last = root["ends"][9:11].values
        assert root["text"][first:last].values.tobytes().decode() == SYMBOLS[10]
    with xarray.open_zarr(made.path, group="models/model", consolidated=False) as model:
        assert model["next"].dims == ("time", "symbol")
        assert model.attrs["tokens"][3] == "Wörter"
    about: Any = zarr.open_group(str(made.path), mode="r").attrs["rnnviz"]
    assert about["text"]["unit"] == "word"
    assert about["text"]["bytes"] == len(made.text)


def test_states_without_a_model_have_cells_and_nothing_else(tmp_path: Path) -> None:
    model = replace(
        model_schema(b"abc", kind="states", signals=("h",)), next=False, surprisal=False, vocabulary=b"abc"
    )
    made = write_capture(hand_made(tmp_path / "a.zarr", b"abcabc", models=[model]))
    capture = open_capture(made.path)
    found = capture.models["model"]
    assert (found.kind, found.has_next, found.has_surprisal) == ("states", False, False)
    assert mean_surprisal(found) is None
    for read in (found.next, found.surprisal):
        with pytest.raises(InvalidRequest) as caught:
            read(0, 3)
        assert caught.value.hint
    assert found.layers[0].statistics().of("h", 0).histogram.sum() == 6
    assert sum(capture.verify()) > 0


def words(number: int, **options: Any) -> CaptureSchema:
    tokens = tuple(map(str, range(number)))
    schema = hand_made_tokens(Path(), ("1 ",), **options).schema
    model = replace(
        schema.models[0], tokens=tokens, layers=2, hidden=650, signals=("c", "h", "i", "f", "o", "g")
    )
    return replace(schema, models=(model,), symbols=1_000_000)


@pytest.mark.parametrize("number", [2, 256, 10_000, 50_000, 262_144])
def test_chunks_and_columns_stay_small_whatever_the_vocabulary(number: int) -> None:
    schema = words(number)
    assert schema.column & (schema.column - 1) == 0
    assert schema.column * schema.bytes_per_symbol <= max(TOKEN_COLUMN_BYTES, 256 * schema.bytes_per_symbol)
    for array in schema.time_arrays(schema.models[0]):
        assert array.shards is not None
        assert all(shard % chunk == 0 for shard, chunk in zip(array.shards, array.chunks, strict=True))
        assert np.prod(array.chunks) * 2 <= LARGEST_CHUNK_BYTES
    assert schema.text().shape == (2,)


def test_fifty_thousand_words_are_written_and_read(tmp_path: Path) -> None:
    tokens = [f"wörtchen-{n}" for n in range(50_000)]
    made = hand_made_tokens(tmp_path / "a.zarr", ("a ",) * 40, tokens=tokens)
    write_capture(made)
    model = open_capture(made.path).models["model"]
    assert model.tokens == tuple(tokens)
    np.testing.assert_array_equal(model.next(37, 40), made.next()[37:40])


def test_tokens_of_as_many_bytes_as_may_be_are_read_back(tmp_path: Path) -> None:
    """Control characters take six bytes of JSON for one of theirs: the longest document there can be."""
    tokens = [f"{n:x}".rjust(8, "\x01") for n in range(1 << 18)]
    made = hand_made_tokens(tmp_path / "a.zarr", tokens=tokens, next=False)
    write_capture(made)
    assert open_capture(made.path).models["model"].tokens == tuple(tokens)


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return write_capture(hand_made_tokens(tmp_path / "a.zarr")).path


def changed(path: Path, name: str, change: Callable[[Any], None]) -> None:
    document = json.loads((path / name).read_text())
    change(document["attributes"])
    (path / name).write_text(json.dumps(document))


TEXT = "zarr.json"
MODEL = "models/model/zarr.json"

DAMAGES: dict[str, tuple[str, Callable[[Any], None]]] = {
    "an unknown unit": (TEXT, lambda it: it["rnnviz"]["text"].update(unit="syllable")),
    "a unit of a list": (TEXT, lambda it: it["rnnviz"]["text"].update(unit=["word"])),
    "bytes, but the model has tokens": (TEXT, lambda it: it["rnnviz"]["text"].pop("unit")),
    "no length": (TEXT, lambda it: it["rnnviz"]["text"].pop("bytes")),
    "another length": (TEXT, lambda it: it["rnnviz"]["text"].update(bytes=7)),
    "a gigantic length": (TEXT, lambda it: it["rnnviz"]["text"].update(bytes=1 << 60)),
    "no tokens": (MODEL, lambda it: it.pop("tokens")),
    "bytes in a token capture": (MODEL, lambda it: it.update(vocabulary=[it.pop("tokens") and 1])),
    "tokens are null": (MODEL, lambda it: it.update(tokens=None)),
    "tokens are empty": (MODEL, lambda it: it.update(tokens=[])),
    "a token twice": (MODEL, lambda it: it["tokens"].__setitem__(0, "zwei")),
    "a token of a number": (MODEL, lambda it: it["tokens"].__setitem__(0, 1)),
    "a token that is long": (MODEL, lambda it: it["tokens"].__setitem__(0, "x" * 5000)),
    "fewer tokens than next has": (MODEL, lambda it: it["tokens"].pop()),
    "too many tokens": (MODEL, lambda it: it.update(tokens=list(map(str, range(1 << 19))))),
    "surprisal is not said": (MODEL, lambda it: it.pop("surprisal")),
    "nothing of the model": (MODEL, lambda it: it.update(next=False, surprisal=False, layers=0, signals=[])),
}


@pytest.mark.parametrize(("name", "change"), DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_token_capture_is_refused(path: Path, name: str, change: Callable[[Any], None]) -> None:
    changed(path, name, change)
    with pytest.raises(InvalidCapture) as caught:
        open_capture(path)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 300
    assert caught.value.hint


def test_ends_that_are_gone(path: Path) -> None:
    shutil.rmtree(path / "ends/c")
    with pytest.raises(InvalidCapture, match="is missing"):
        open_capture(path).ends(0, 1)
    shutil.rmtree(path / "ends")
    with pytest.raises(InvalidCapture, match="is missing"):
        open_capture(path)


@pytest.mark.parametrize(
    "ends",
    [
        [5, 12, 13, 18, 23, 29],
        [5, 12, 13, 18, 23, 27],
        [0, 12, 13, 18, 23, 28],
        [-5, 12, 13, 18, 23, 28],
        [5, 5, 13, 18, 23, 28],
        [5, 12, 11, 18, 23, 28],
        [5, 12, 13, 18, 1 << 40, 28],
    ],
)
def test_ends_that_do_not_cut_the_text(tmp_path: Path, ends: list[int]) -> None:
    made = hand_made_tokens(tmp_path / "a.zarr")
    assert ends_of(made).tolist() == [5, 12, 13, 18, 23, 28]
    write_capture(replace(made, ends=np.array(ends, np.int64)))
    with pytest.raises(InvalidCapture, match="do not cut"):
        Capture(made.path).ends(0, 6)


def test_what_follows_a_segment_must_be_a_token(tmp_path: Path) -> None:
    made = hand_made_tokens(tmp_path / "a.zarr")
    write_capture(replace(made, after=np.array([5], np.int32)))
    with pytest.raises(InvalidCapture, match="no words"):
        _ = open_capture(made.path).after
