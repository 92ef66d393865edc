"""Figure 1 (left): which run counts, what the table, the CSV and the JSON say."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from rnnviz.engine.runs.run import MODEL_FILE, Epoch
from rnnviz.engine.sweep.figure import CSV_FILE, JSON_FILE, figure, save, table
from rnnviz.engine.sweep.grid import grid
from rnnviz.engine.sweep.plan import Entry, Sweep
from rnnviz.engine.text.text import open_text
from rnnviz.engine.training.evaluate import Evaluation
from rnnviz.engine.training.train import start_run
from support.sweeps import plan_small, start_sweep
from support.texts import write_words


@pytest.fixture(name="text")
def _text(tmp_path: Path) -> Path:
    return write_words(tmp_path / "text", 2500)


def _come_to(sweep: Sweep, text: Path, name: str, validation: float, test: float | None) -> None:
    """Write down the run of that name with these losses; without a test loss it is not complete."""
    (entry,) = (entry for entry in sweep.entries if entry.name == name)
    run = start_run(
        sweep.path / name,
        open_text(str(text)),
        sweep.config(entry),
        command="",
        spec=None,
        glob="*",
        force=False,
    )
    history = tuple(Epoch(epoch, 2.0, validation + abs(2 - epoch), 2e-3, 1.0, 1.0) for epoch in (1, 2, 3))
    measured = None if test is None else Evaluation(test, 0.0024, 600)
    (run.path / MODEL_FILE).touch()
    replace(run, history=history, test=measured, complete=test is not None).save()


@pytest.fixture(name="sweep")
def _sweep(tmp_path: Path, text: Path) -> Sweep:
    """LSTMs of sizes 64 and 128 with two dropouts: of one both are done, of the other one is at work."""
    sweep = start_sweep(plan_small(tmp_path / "sweep", text, sizes=(64, 128), dropouts=(0.0, 0.5)))
    _come_to(sweep, text, "lstm-1x64-d0", 1.5, 1.44)
    _come_to(sweep, text, "lstm-1x64-d0.5", 1.4, 1.46)
    _come_to(sweep, text, "lstm-1x128-d0", 1.3, 1.28)
    _come_to(sweep, text, "lstm-1x128-d0.5", 1.2, None)
    return sweep


def test_the_dropout_that_validates_best_counts_whatever_its_test_loss(sweep: Sweep) -> None:
    points = {(point.model.kind, point.model.size): point for point in figure(sweep, None).points}
    best = points["lstm", 64].run
    assert best is not None
    assert best.path.name == "lstm-1x64-d0.5"
    assert points["lstm", 64].unfinished == 0
    so_far = points["lstm", 128].run
    assert so_far is not None
    assert so_far.path.name == "lstm-1x128-d0"
    assert points["lstm", 128].unfinished == 1
    assert points["rnn", 64].run is None


def test_the_table_stands_beside_the_papers(sweep: Sweep) -> None:
    assert table(figure(sweep, "War and Peace")) == [
        "test loss ± deviation, nats per symbol; beside: the paper's, War and Peace",
        "",
        "LSTM   1 layer",
        "   64  1.4600 ±0.0024  1.449",
        "  128  1.2800 ±0.0024* 1.277",
        "",
        "RNN    1 layer",
        "   64  –               1.446",
        "  128  –               1.417",
        "",
        "– not trained to the end yet: 2 of 4 models",
        "* the best so far: other dropouts are not trained to the end yet (1 models)",
    ]
    alone = table(figure(sweep, None))
    assert alone[:4] == [
        "test loss ± deviation, nats per symbol",
        "",
        "LSTM   1 layer",
        "   64  1.4600 ±0.0024",
    ]


def test_csv_and_json_say_the_same_and_more(sweep: Sweep) -> None:
    save(figure(sweep, "War and Peace"))
    with (sweep.path / CSV_FILE).open(newline="") as file:
        rows = list(csv.DictReader(file))
    record = json.loads((sweep.path / JSON_FILE).read_bytes())
    assert record["paper"] == "War and Peace"
    assert (record["epochs"], record["split"], record["streams"]) == (3, "60/20/20", 4)
    assert len(rows) == len(record["models"]) == 4
    for row, model in zip(rows, record["models"], strict=True):
        assert row == {name: "" if model[name] is None else str(model[name]) for name in row}
    first, second, missing, _ = record["models"]
    assert (first["test"], first["deviation"], first["paper"]) == (1.46, 0.0024, 1.449)
    assert (first["run"], first["dropout"], first["best_epoch"]) == ("lstm-1x64-d0.5", 0.5, 2)
    assert [run["validation"] for run in first["runs"]] == [1.5, 1.4]
    assert [run["complete"] for run in second["runs"]] == [True, False]
    assert missing["test"] is None
    assert missing["paper"] == 1.446
    assert missing["hidden"] > 64
    assert not {"test", "loss"} & first["runs"][0].keys(), "test losses are for what validation chose"


def test_the_papers_whole_grid_fits_80_columns(tmp_path: Path, text: Path) -> None:
    small = plan_small(tmp_path / "sweep", text)

    whole = start_sweep(replace(small, entries=tuple(Entry(model, 0.0) for model in grid(small.symbols))))
    for entry in whole.entries:
        _come_to(whole, text, entry.name, 1.3, 1.25)
    lines = table(figure(whole, "the Linux kernel"))
    assert max(len(line) for line in lines) <= 80
    assert [line.split()[0] for line in lines if "layers" in line] == ["LSTM", "RNN", "GRU"]
    losses = [line for line in lines if "±" in line][1:]
    assert len(losses) == 4 + 3 + 4
    assert losses[-1].split() == [
        "512",
        "1.2500",
        "±0.0024",
        "0.943",
        "1.2500",
        "±0.0024",
        "0.861",
        "1.2500",
        "±0.0024",
        "0.829",
    ]
