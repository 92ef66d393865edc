"""Which view of a capture one begins with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnnviz.analysis.cells import Cell
from rnnviz.tui.launch.browse import Wishes, open_wished
from rnnviz.tui.launch.open_view import open_view
from rnnviz.tui.view.user_state import keep_view
from support.captures import HandMade, make_capture, model_schema
from support.command import Command

TEXT = b"one line and another\n" * 100


@pytest.fixture(name="made")
def _made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HandMade:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    models = [
        model_schema(TEXT, name="ngram-2", kind="n-gram", layers=0),
        model_schema(TEXT, layers=2, hidden=20),
    ]
    return make_capture(tmp_path / "a.zarr", TEXT, models=models)


def liveliest(made: HandMade, signal: str) -> Cell:
    values = made.signal(1, signal, model=1).astype(np.float64)
    views = np.tanh(values) if signal == "c" else values
    return Cell(1, int(views.std(axis=1).argmax()))


def test_it_is_of_the_cell_of_the_top_layer_that_moves_most(made: HandMade, rnnviz: Command) -> None:
    cell = liveliest(made, "c")
    _, view = open_wished(Wishes(made.path))
    assert (view.model, view.cell, view.signal) == ("model", cell, "c")
    assert open_wished(Wishes(made.path, signal="f"))[1].cell == liveliest(made, "f")
    assert open_wished(Wishes(made.path, start=30))[1].cell == cell
    assert f" {cell} tanh(c)" in rnnviz("snapshot", str(made.path), "--format", "txt").out


def test_what_was_asked_for_or_kept_comes_first(made: HandMade) -> None:
    assert open_wished(Wishes(made.path, cell="0:3"))[1].cell == Cell(0, 3)
    assert open_wished(Wishes(made.path, view="0:4.h"))[1].cell == Cell(0, 4)
    keep_view(made.path, "0:5.h,model=model")
    assert open_wished(Wishes(made.path))[1].cell == Cell(0, 5)


def test_it_is_of_the_first_cell_where_the_statistics_are_not_there(made: HandMade, tmp_path: Path) -> None:
    (damaged,) = (made.path / "models/model/layers/1").glob("**/summary/c")
    for file in damaged.rglob("*"):
        if file.is_file():
            file.write_bytes(b"")
    assert open_view(made.path, None, None, 0)[1].cell == Cell(0, 0)

    growing = HandMade(tmp_path / "b.zarr", made.schema, made.values, made.text, made.segments, made.after)
    with growing.create() as writer:
        writer.append(growing.cut(0, 500))
        assert open_view(growing.path, None, None, 0)[1].cell == Cell(0, 0)
