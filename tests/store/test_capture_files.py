"""Captures written and read back: every value, at every moment, by every reader."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import xarray
import zarr

from rnnviz.store.errors import InvalidCapture, InvalidRequest, NotFound
from rnnviz.store.reader import Capture, open_capture
from rnnviz.store.signals import SIGNALS
from rnnviz.store.summary import mean_surprisal, size_on_disk
from support.captures import HandMade, hand_made, make_capture, model_schema, write_capture
from support.fresh_python import with_support

TEXT = b"the quick brown fox\n" * 7_000
COLUMN = 65_536


@pytest.fixture(scope="module", name="made")
def _made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    """Three columns, the last one partial, two layers of more units than a shard has, two models, three segments."""
    models = [
        model_schema(TEXT, name="main", layers=2, hidden=70, signals=("c", "f")),
        model_schema(TEXT, name="small", kind="rnn", hidden=3, vocabulary=b" abc"),
        model_schema(TEXT, name="n-gram", kind="ngram", layers=0, next=False),
    ]
    path = tmp_path_factory.mktemp("captures") / "a.zarr"
    return make_capture(path, TEXT, models=models, lengths=[1, 100_000, 39_999])


def test_every_value_comes_back(made: HandMade) -> None:
    capture = open_capture(made.path)
    assert capture.schema == made.schema
    assert capture.schema.column == COLUMN
    assert (capture.complete, capture.captured, capture.symbols) == (True, len(TEXT), len(TEXT))
    assert capture.text(0, len(TEXT)).tobytes() == TEXT
    np.testing.assert_array_equal(capture.segments, made.segments)
    np.testing.assert_array_equal(capture.after, made.after)
    assert list(capture.models) == ["main", "small", "n-gram"]
    for index, model in enumerate(capture.models.values()):
        for number, layer in enumerate(model.layers):
            for signal in layer.signals:
                found = layer.read_units(signal, slice(None), 0, len(TEXT))
                np.testing.assert_array_equal(found, made.signal(number, signal, index))
        np.testing.assert_array_equal(model.surprisal(0, len(TEXT)), made.surprisal(index))
        if model.has_next:
            np.testing.assert_array_equal(model.next(0, len(TEXT)), made.next(index))


def test_one_cell_over_a_window(made: HandMade) -> None:
    layer = open_capture(made.path).models["main"].layers[1]
    window = layer.read("c", 69, COLUMN - 10, COLUMN + 5)
    assert window.dtype == np.float16
    np.testing.assert_array_equal(window, made.signal(1, "c")[69, COLUMN - 10 : COLUMN + 5])
    assert layer.read("f", 0, 7, 7).shape == (0,)


def test_what_is_not_there_is_refused(made: HandMade) -> None:
    capture = open_capture(made.path)
    layer = capture.models["main"].layers[0]
    end = capture.symbols
    for stretch in ((-1, 3), (5, 4), (0, end + 1)):
        for read in (capture.text, capture.models["main"].next, capture.models["main"].surprisal):
            with pytest.raises(InvalidRequest):
                read(*stretch)
        with pytest.raises(InvalidRequest):
            layer.read("c", 0, *stretch)
    for signal, unit in (("h", 0), ("c", 70), ("c", -1)):
        with pytest.raises(InvalidRequest):
            layer.read(signal, unit, 0, 1)
    with pytest.raises(InvalidRequest):
        capture.models["n-gram"].next(0, 1)


def test_statistics_equal_plain_numpy(made: HandMade) -> None:
    statistics = open_capture(made.path).models["main"].layers[1].statistics()
    for signal in ("c", "f"):
        view = SIGNALS[signal].view(made.signal(1, signal))
        for unit in (0, 69):
            found = statistics.of(signal, unit)
            expected, _ = np.histogram(view[unit], bins=64, range=(SIGNALS[signal].low, SIGNALS[signal].high))
            np.testing.assert_array_equal(found.histogram, expected)
            assert found.mean == pytest.approx(view[unit].mean(dtype=np.float64), abs=1e-6)
            assert found.deviation == pytest.approx(view[unit].std(dtype=np.float64), rel=1e-5)
            assert (found.minimum, found.maximum) == (view[unit].min(), view[unit].max())


def test_mean_surprisal_leaves_out_what_nothing_followed(made: HandMade) -> None:
    model = open_capture(made.path).models["main"]
    assert np.isnan(made.surprisal()).sum() == 1
    assert mean_surprisal(model) == pytest.approx(np.nanmean(made.surprisal().astype(np.float64)))


def test_bare_zarr_reads_it_as_the_schema_says(made: HandMade) -> None:
    capture = zarr.open_group(str(made.path), mode="r")
    about = capture.attrs["rnnviz"]
    assert isinstance(about, dict)
    assert about["complete"] is True
    assert about["models"] == ["main", "small", "n-gram"]
    text = capture["text"]
    assert isinstance(text, zarr.Array)
    assert np.asarray(text[:]).tobytes() == TEXT
    c = capture["models/main/layers/0/c"]
    assert isinstance(c, zarr.Array)
    assert c.metadata.to_dict()["dimension_names"] == ("unit", "time")
    np.testing.assert_array_equal(c[37, 1000:2000], made.signal(0, "c")[37, 1000:2000])
    assert capture["models/main"].attrs["vocabulary"] == sorted(set(TEXT))
    summary = capture["models/main/layers/0/statistics/summary"]
    assert summary.attrs["statistic"] == ["mean", "deviation", "minimum", "maximum", "low", "high"]


def test_zarrs_is_not_needed(made: HandMade, tmp_path: Path) -> None:
    copy = tmp_path / "copy.zarr"
    code = f"""
import sys
import numpy as np
from rnnviz.store import pipeline
pipeline.find_spec = lambda name: None
from support.captures import hand_made, write_capture
from rnnviz.store.reader import open_capture
made = write_capture(hand_made(__import__("pathlib").Path({str(copy)!r}), b"abc" * 30_000))
found = open_capture(made.path).models["model"].layers[0].read("c", 3, 0, 90_000)
assert np.array_equal(found, made.signal(0, "c")[3])
np.save(sys.argv[1], open_capture({str(made.path)!r}).models["main"].layers[1].read("c", 69, 0, 140_000))
"""
    target = tmp_path / "read.npy"
    subprocess.run([sys.executable, "-c", code, target], check=True, env=with_support())
    np.testing.assert_array_equal(np.load(target), made.signal(1, "c")[69])
    layer = open_capture(copy).models["model"].layers[0]
    np.testing.assert_array_equal(
        layer.read("c", 3, 0, 90_000), hand_made(copy, b"abc" * 30_000).signal(0, "c")[3]
    )


def test_xarray_opens_the_root_and_a_layer(made: HandMade) -> None:
    with xarray.open_zarr(made.path, consolidated=False) as root:
        assert root["text"].dims == ("time",)
        assert root["segments"].dims == ("segment", "field")
        assert root["text"][:20].values.tobytes() == TEXT[:20]
    with xarray.open_zarr(made.path, group="models/main/layers/1", consolidated=False) as layer:
        assert layer["c"].dims == ("unit", "time")
        assert layer.sizes["unit"] == 70
        np.testing.assert_array_equal(layer["f"][3, :9].values, made.signal(1, "f")[3, :9])


def test_many_threads_read_one_capture(made: HandMade) -> None:
    capture = open_capture(made.path)
    layer = capture.models["main"].layers[0]
    random = np.random.default_rng(3)
    wanted = [(int(unit), int(start)) for unit, start in random.integers(0, (70, 130_000), (200, 2))]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda it: layer.read("c", it[0], it[1], it[1] + 5000), wanted))
    for (unit, start), values in zip(wanted, found, strict=True):
        np.testing.assert_array_equal(values, made.signal(0, "c")[unit, start : start + 5000])


def test_a_reader_loads_zarr_only_for_long_stretches_and_never_torch(made: HandMade) -> None:
    code = (
        "import sys\nfrom rnnviz.store.reader import open_capture\n"
        f"capture = open_capture({str(made.path)!r})\n"
        "capture.text(0, 5), capture.segments, capture.models['main'].layers[0].read('c', 3, 60_000, 70_000)\n"
        "print({'torch', 'zarr'} & set(sys.modules))\n"
        "capture.text(0, capture.symbols)\nprint('torch' in sys.modules, 'zarr' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["set()", "False", "True"]


def test_an_incomplete_capture_tells_how_far_it_is(tmp_path: Path) -> None:
    made = write_capture(hand_made(tmp_path / "a.zarr", TEXT), captured=COLUMN)
    capture = open_capture(made.path)
    assert (capture.complete, capture.captured, capture.symbols) == (False, COLUMN, len(TEXT))
    layer = capture.models["model"].layers[0]
    np.testing.assert_array_equal(layer.read("c", 2, 0, COLUMN), made.signal(0, "c")[2, :COLUMN])
    with pytest.raises(InvalidRequest, match="cannot be read"):
        layer.read("c", 2, 0, COLUMN + 1)
    assert layer.statistics().of("h", 1).histogram.sum() == COLUMN


def test_a_reader_follows_a_writer(tmp_path: Path) -> None:
    made = hand_made(tmp_path / "a.zarr", TEXT)
    with made.create() as writer:
        capture = open_capture(made.path)
        assert (capture.complete, capture.captured) == (False, 0)
        assert np.isnan(capture.models["model"].layers[0].statistics().summary).all()
        writer.append(made.cut(0, len(TEXT)))
        writer.finish()
        capture.refresh()
        assert (capture.complete, capture.captured) == (True, len(TEXT))
        statistics = capture.models["model"].layers[0].statistics()
    assert statistics.of("c", 0).histogram.sum() == len(TEXT)


def test_a_reader_notices_that_its_capture_was_replaced(tmp_path: Path) -> None:
    made = make_capture(tmp_path / "a.zarr")
    capture = open_capture(made.path)
    write_capture(hand_made(made.path, b"other text"), captured=0, force=True)
    with pytest.raises(InvalidCapture, match="replaced"):
        capture.refresh()


def test_nothing_is_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        open_capture(tmp_path / "a.zarr")
    assert caught.value.hint


def test_what_looks_like_a_fill_value_is_written_too(tmp_path: Path) -> None:
    """A reader takes a missing file for damage: NUL bytes, an unknown text, nothing that follows have files."""
    text = b"\0" * (COLUMN + 5)
    models = [model_schema(text, vocabulary=b"a", hidden=2, signals=("c",))]
    made = make_capture(tmp_path / "a.zarr", text, models=models)
    capture = open_capture(made.path)
    assert capture.text(0, len(text)).tobytes() == text
    assert capture.after.tolist() == [-1]
    assert np.isnan(capture.models["model"].surprisal(0, len(text))).all()


def test_a_symbol_alone_is_a_capture(tmp_path: Path) -> None:
    made = make_capture(tmp_path / "a.zarr", b"x")
    capture = Capture(made.path)
    assert capture.text(0, 1).tobytes() == b"x"
    assert np.isnan(capture.models["model"].surprisal(0, 1)).all()
    assert mean_surprisal(capture.models["model"]) is None
    assert size_on_disk(made.path) == sum(
        file.stat().st_size for file in made.path.rglob("*") if file.is_file()
    )
