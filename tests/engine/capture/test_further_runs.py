"""Further runs in a capture: what they would have made of the text alone, added whole or not at all."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.engine.capture.capture import capture
from rnnviz.engine.capture.further_runs import add_runs, check_runs
from rnnviz.engine.runs.run import Run
from rnnviz.engine.text.text import Text, open_text
from rnnviz.store.errors import AlreadyExists, InvalidRequest, InvalidText, StorageFailure
from support.capturing import add, captured
from support.files import contents
from support.runs import SMALL, go_on, start
from support.texts import write_words


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module", name="text")
def _text(folder: Path) -> Text:
    return open_text(str(write_words(folder / "words.txt", 3000)))


@pytest.fixture(scope="module", name="main")
def _main(folder: Path, text: Text) -> Run:
    start(folder / "main", text, replace(SMALL, epochs=1))
    return go_on(folder / "main", text)


@pytest.fixture(scope="module", name="further")
def _further(folder: Path) -> Run:
    """Of another kind, another depth and another text, whose vocabulary is larger."""
    (folder / "other.txt").write_bytes(bytes(range(32, 127)) * 20 + b"\n" * 100)
    other = open_text(str(folder / "other.txt"))
    start(folder / "further", other, replace(SMALL, kind="rnn", layers=2, hidden=3, epochs=1))
    return go_on(folder / "further", other)


def below(path: Path, model: str) -> dict[str, bytes]:
    return contents(path / "models" / model)


@pytest.mark.parametrize("options", [{"streams": 4}, {"part": "test"}, {}])
def test_it_is_what_the_run_alone_makes_of_the_text(
    tmp_path: Path, text: Text, main: Run, further: Run, options: dict[str, Any]
) -> None:
    path = captured(main, text, tmp_path / "x.zarr", **options)
    alone = captured(further, text, tmp_path / "alone.zarr", **options)
    before = contents(path)
    found = add(path, further)
    assert below(path, "further") == below(alone, "further")
    assert list(found.models) == ["main", "further"]
    assert len(found.models["further"].layers) == 2
    kept = {name: data for name, data in contents(path).items() if name in before and name != "zarr.json"}
    assert kept == {name: data for name, data in before.items() if name != "zarr.json"}
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []
    list(found.verify())


def test_a_text_of_several_columns_and_pieces(tmp_path: Path, main: Run, further: Run) -> None:
    long = open_text(str(write_words(tmp_path / "long.txt", 150_000)))
    path = captured(main, long, tmp_path / "x.zarr")
    alone = captured(further, long, tmp_path / "alone.zarr")
    events = list(add_runs(path, [further]))
    assert below(path, "further") == below(alone, "further")
    done = [event.done for event in events]
    assert done == sorted(done)
    assert done[-1] == events[-1].total == 150_000


def test_only_the_signals_asked_for(tmp_path: Path, text: Text, main: Run, further: Run) -> None:
    path = captured(main, text, tmp_path / "x.zarr")
    assert add(path, further, signals=["h"]).models["further"].layers[0].signals == ("h",)
    with pytest.raises(InvalidRequest, match="not those of rnn"):
        add(path, further, signals=["c"])


def test_bytes_the_run_has_never_seen(tmp_path: Path, main: Run, further: Run) -> None:
    data = b"the prince\xff said \xfe war" * 3
    (tmp_path / "strange.txt").write_bytes(data)
    strange = open_text(str(tmp_path / "strange.txt"))
    path = captured(main, strange, tmp_path / "x.zarr", streams=2, replace_unknown=True)
    before = contents(path)
    with pytest.raises(
        InvalidText, match=r"further has never seen the byte 0xFF .* symbol 10 .* the first of 6 places"
    ):
        add(path, further)
    assert contents(path) == before
    model = add(path, further, replace_unknown=True).models["further"]
    surprisal = model.surprisal(0, len(data))
    strangers = np.isin(np.frombuffer(data[1:] + b"\xff", np.uint8), (0xFE, 0xFF))
    np.testing.assert_array_equal(np.isnan(surprisal), strangers)
    run = model.attributes["run"]
    assert isinstance(run, dict)
    assert run["unknown"] == {"symbols": 6, "read_as": ord(" ")}


def test_a_second_time_adds_nothing(tmp_path: Path, text: Text, main: Run, further: Run) -> None:
    path = captured(main, text, tmp_path / "x.zarr", part="test")
    add(path, further)
    before = contents(path)
    assert list(add_runs(path, [further, main])) == []
    assert contents(path) == before


def test_another_run_of_that_name_is_refused(tmp_path: Path, text: Text, main: Run, further: Run) -> None:
    path = captured(main, text, tmp_path / "x.zarr", part="test")
    start(tmp_path / "main", text, replace(SMALL, epochs=1, seed=5))
    namesake = go_on(tmp_path / "main", text)
    with pytest.raises(AlreadyExists, match="another model main"):
        add(path, namesake)
    with pytest.raises(AlreadyExists, match="would both be the model main"):
        check_runs([main, further, namesake])


@pytest.mark.parametrize("steps", [1, 3])
def test_an_interrupted_addition_is_taken_up(
    tmp_path: Path, text: Text, main: Run, further: Run, steps: int
) -> None:
    path = captured(main, text, tmp_path / "x.zarr")
    before = contents(path)
    events = add_runs(path, [further])
    for _ in range(steps):
        next(events)
    events.close()
    assert contents(path) == before
    assert not list(tmp_path.glob(".*"))
    assert list(add(path, further).models) == ["main", "further"]


def test_two_at_once_are_refused(tmp_path: Path, text: Text, main: Run, further: Run) -> None:
    path = captured(main, text, tmp_path / "x.zarr")
    events = add_runs(path, [further])
    next(events)
    with pytest.raises(InvalidRequest, match="another process is writing"):
        add(path, further)
    events.close()


def test_a_full_disk_is_a_sentence_and_the_capture_is_as_it_was(
    tmp_path: Path, text: Text, main: Run, further: Run
) -> None:
    path = captured(main, text, tmp_path / "x.zarr")
    before = contents(path)
    with no_file_beyond(20_000), pytest.raises(StorageFailure, match=r"file too large") as caught:
        add(path, further)
    assert "The capture is as it was" in caught.value.hint
    assert contents(path) == before
    assert not list(tmp_path.glob(".*"))


def test_a_capture_that_is_not_whole_takes_none(tmp_path: Path, text: Text, main: Run, further: Run) -> None:
    events = capture(main, text, tmp_path / "x.zarr", part="all")
    next(events)
    events.close()
    with pytest.raises(InvalidRequest, match="is incomplete"):
        add(tmp_path / "x.zarr", further)


def test_a_capture_is_not_filled_beyond_what_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: Text, main: Run, further: Run
) -> None:
    path = captured(main, text, tmp_path / "x.zarr", part="test")
    monkeypatch.setattr("rnnviz.store.addition.MOST_ROWS", 35)
    with pytest.raises(InvalidRequest, match="36 rows"):
        add(path, further)


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """As on a full disk, writing fails."""
    limits: Sequence[int] = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits[0], limits[1]))
        signal.signal(signal.SIGXFSZ, handler)
