"""Files of arrays, written here and read by zarr-python's own code, which compares every checksum."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rnnviz.store.accumulator import LayerAccumulator, Tally
from rnnviz.store.files import write_values
from rnnviz.store.pipeline import open_to_verify
from rnnviz.store.schema import ArraySchema, CaptureSchema
from support.captures import count, hand_made, model_schema


def created(folder: Path, symbols: int, units: int) -> tuple[Path, CaptureSchema]:
    """A capture of one LSTM's h, with predictions over the two symbols of its text, and no values."""
    models = [model_schema(b"ab", hidden=units, signals=("h",))]
    made = hand_made(folder / "a.zarr", b"ab" * (symbols // 2), models=models, values={})
    made.create().__exit__(None, None, None)
    return made.path, made.schema


def put(
    path: Path, array: ArraySchema, begin: tuple[int, ...], values: NDArray[Any], signal: str | None = None
) -> list[Tally | None]:
    with ThreadPoolExecutor(2) as threads:
        return [job.result() for job in write_values(threads, path, array, begin, values, signal)]


def random(shape: tuple[int, ...], seed: int = 0) -> NDArray[np.float16]:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float16)


def contents(path: Path, array: ArraySchema) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in (path / array.path / "c").rglob("*") if file.is_file()}


@settings(max_examples=12, deadline=None)
@given(
    st.integers(1, 80),
    st.integers(1, 9000),
    st.sampled_from(["rows", "columns", "apart", "backwards", "read-only", "in records"]),
)
def test_zarr_reads_what_was_written_however_it_lay(
    tmp_path_factory: pytest.TempPathFactory, units: int, steps: int, layout: str
) -> None:
    symbols = 2 * (steps // 2 + 1)
    path, schema = created(tmp_path_factory.mktemp("files"), symbols, units)
    array = schema.time_arrays(schema.models[0])[0]
    values = np.tanh(random((units, symbols)))
    records = np.zeros(symbols, [("odd", "u1"), ("values", "<f2", (units,))])
    records["values"] = values.T
    laid_out: NDArray[np.float16] = {
        "rows": values,
        "columns": np.ascontiguousarray(values.T).T,
        "apart": np.repeat(values.T, 3, axis=1)[:, ::3].T,
        "backwards": np.ascontiguousarray(values[:, ::-1])[:, ::-1],
        "read-only": values.copy(),
        "in records": records["values"].T,
    }[layout]
    laid_out.flags.writeable = layout != "read-only"
    counted = LayerAccumulator(("h",), units)
    for tally in put(path, array, (0, 0), laid_out, "h"):
        assert tally
        counted.add(tally)
    expected = LayerAccumulator(("h",), units)
    count(expected, "h", values)
    np.testing.assert_array_equal(counted.histogram, expected.histogram)
    np.testing.assert_allclose(counted.moments, expected.moments, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(np.asarray(open_to_verify(path, array)[:]), values)


def test_columns_of_wider_rows_give_the_same_bytes(tmp_path: Path) -> None:
    values = random((70, 10_000))
    wide = np.zeros((10_000, 75), np.float16)
    wide[:, 3:73] = values.T
    path, schema = created(tmp_path, 10_000, 70)
    array = schema.time_arrays(schema.models[0])[0]
    put(path, array, (0, 0), values)
    before = contents(path, array)
    put(path, array, (0, 0), wide[:, 3:73].T)
    assert contents(path, array) == before
    assert len(before) == 2


def test_columns_of_predictions_and_surprisal(tmp_path: Path) -> None:
    symbols = 3 * 65_536 // 2
    path, schema = created(tmp_path, symbols, 2)
    _, following, surprisal = schema.time_arrays(schema.models[0])
    of_symbols = random((symbols, 2))
    one = random((symbols,)).astype(np.float32)
    for start in range(0, symbols, schema.column):
        stop = min(start + schema.column, symbols)
        put(path, following, (start, 0), of_symbols[start:stop])
        put(path, surprisal, (start,), one[start:stop])
    np.testing.assert_array_equal(np.asarray(open_to_verify(path, following)[:]), of_symbols)
    np.testing.assert_array_equal(np.asarray(open_to_verify(path, surprisal)[:]), one)


def test_values_that_are_all_fill_are_on_disk_all_the_same(tmp_path: Path) -> None:
    path, schema = created(tmp_path, 10_000, 3)
    *_, surprisal = schema.time_arrays(schema.models[0])
    put(path, surprisal, (0,), np.full(10_000, np.nan, np.float32))
    (file,) = contents(path, surprisal).values()
    index = np.frombuffer(file[-8 * 16 - 4 : -4], "<u8").reshape(8, 2)
    assert (index[:2, 0] < len(file)).all()
    assert (index[2:] == (1 << 64) - 1).all()


def test_chunks_are_what_zarr_makes_of_them(tmp_path: Path) -> None:
    """Written by zarr-python with the codecs that the metadata names, the same values have the same bytes."""
    path, schema = created(tmp_path, 8192, 16)
    array = schema.time_arrays(schema.models[0])[0]
    put(path, array, (0, 0), random((16, 8192)))
    (ours,) = contents(path, array).values()
    opened = zarr.open_array(path / array.path, mode="r+")
    opened[:] = random((16, 8192))
    (theirs,) = contents(path, array).values()
    starts = []
    for file in (ours, theirs):
        start, length = np.frombuffer(file[-4 - 8 * 16 : -4], "<u8")[:2].tolist()
        assert length > 100_000
        starts.append(file[start : start + length])
    assert starts[0] == starts[1]


@pytest.mark.parametrize(
    ("begin", "shape"), [((0, 8192), (3, 100)), ((0, 0), (2, 10_000)), ((0, 0), (3, 8192))]
)
def test_values_that_are_not_whole_files(
    tmp_path: Path, begin: tuple[int, int], shape: tuple[int, int]
) -> None:
    path, schema = created(tmp_path, 10_000, 3)
    array = schema.time_arrays(schema.models[0])[0]
    with pytest.raises(ValueError, match="are no whole files"):
        put(path, array, begin, random(shape))
    assert contents(path, array) == {}
