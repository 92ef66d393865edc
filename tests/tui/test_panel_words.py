"""What has little room loses words first: digits of a value stay, and what is cut short says so."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnnviz.analysis.cells import Cell
from rnnviz.store.reader import Capture, open_capture
from rnnviz.tui.launch.app import Explorer
from rnnviz.tui.launch.open_view import open_view
from rnnviz.tui.paint.lines import Line, width_of
from rnnviz.tui.paint.palette import THEMES, Depth, Palette
from rnnviz.tui.panels.predictions import (
    Came,
    Expected,
    Named,
    comparison_lines,
    prediction_lines,
)
from rnnviz.tui.panels.status import UnderCursor, cursor_line
from rnnviz.tui.pictures.font_runs import columns_of
from rnnviz.tui.scenes.snapshot import Sheet, picture
from rnnviz.tui.view.address import size_of, view_at
from rnnviz.tui.view.view import View
from support.captures import hand_made, make_capture, model_schema, write_capture
from support.explored import Explored

SHADES = Palette(Depth.TRUE, THEMES["dark"], "diverging")
TEXT = b"a text of a few words\n" * 400
NARROW, WIDE = 26, 36


def said(line: Line) -> str:
    return "".join(text for text, _ in line)


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    return open_capture(make_capture(tmp_path_factory.mktemp("words") / "whole.zarr", TEXT).path)


STAYS = (" c cells", " h gates", " t shade", " / search", " i type", " ? keys")


@pytest.fixture(scope="module")
def cut_short(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    made = hand_made(tmp_path_factory.mktemp("words") / "cut.zarr", TEXT)
    return open_capture(write_capture(made, captured=made.schema.column).path)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("width", [30, 40, 60, 80, 120])
@pytest.mark.parametrize("name", ["a", "space", "antidisestablishmentarianism"])
def test_the_value_under_the_cursor_has_all_its_digits(
    capture: Capture, cut_short: Capture, whole: bool, width: int, name: str
) -> None:
    at = UnderCursor(8191, name, "0x61", 12_345, 67, 1, 1, stored=-0.2002, view=-0.1976, surprisal=12.34)
    shown = capture if whole else cut_short
    line = cursor_line(shown, View("model", Cell(0, 1), "c"), at, width=width, palette=SHADES)
    assert width_of(line) <= width
    assert "tanh(c) -0.1976" in said(line)


@pytest.mark.parametrize("part", ["trained on", "validated on", "held out"])
def test_the_line_tells_what_was_trained_on(capture: Capture, part: str) -> None:
    at = UnderCursor(8191, "a", "0x61", 12_345, 67, 1, 1, -0.2002, -0.1976, 12.34, part)
    for width in (80, 120):
        line = cursor_line(capture, View("model", Cell(0, 1), "c"), at, width=width, palette=SHADES)
        assert width_of(line) <= width
        assert part in said(line)


def test_the_explorer_tells_what_was_trained_on_at_the_cursor(tmp_path: Path) -> None:
    """A text of 4 rows of 20 symbols in columns of 5: two train, one validates, one tests; the rest was never read."""
    text = b"abcd" * 21
    models = [model_schema(text), model_schema(text, name="other", kind="ngram", layers=0)]
    made = hand_made(tmp_path / "own.zarr", text, models=models)
    record = {
        "text": {"sha256": made.schema.text_sha256, "length": 84},
        "split": "50/25/25",
        "streams": 4,
        "unroll": 5,
    }
    own = replace(made.schema.models[0], run=record)
    schema = replace(made.schema, models=(own, made.schema.models[1]))
    capture = open_capture(write_capture(replace(made, schema=schema)).path)
    for cursor, part in (
        (0, "trained on"),
        (9, "trained on"),
        (10, "validated on"),
        (39, "held out"),
        (83, "held out"),
    ):
        view = view_at(f"0:1.c,cursor={cursor}", capture)
        drawn = picture(capture, view, Sheet(110, 30), Depth.TRUE, "dark")
        assert part in "".join(said(line) for line in drawn)


@given(
    st.integers(1, 99_999),
    st.floats(0, 1),
    st.text(alphabet="wörd", min_size=1, max_size=30),
    st.sampled_from([NARROW, WIDE]),
)
@example(rank=1, probability=1.0, name="d", width=NARROW)
def test_the_rank_of_what_came_has_all_its_digits(
    rank: int, probability: float, name: str, width: int
) -> None:
    came = Named(name, probability, rank, is_came=True)
    expected = Expected("model", True, likeliest=[came], came=came, surprisal=1.5)
    last = said(prediction_lines(expected, Came(7, name), width, SHADES)[-1])
    assert len(last) <= width
    assert last.endswith((f"rank {rank}", f"#{rank}"))
    assert name in last or "…" in last

    lines = comparison_lines(expected, expected, Came(7, name), width + 4, SHADES, "")
    score = said(lines[-3])
    assert len(re.findall(rf"(?:rank |#){rank}\b", score)) == 2
    assert said(lines[-1]).endswith(" nats")


def test_what_a_model_does_not_know_is_said() -> None:
    none = Expected("model", True, likeliest=[Named("a", 1.0, 1, False)], surprisal=float("nan"))
    assert "unknown to it" in said(prediction_lines(none, Came(200, "0xc8"), NARROW, SHADES)[-1])
    lines = comparison_lines(none, none, Came(200, "0xc8"), NARROW + 4, SHADES, "")
    assert said(lines[-3]).count("unknown to it") == 2


async def test_the_cell_is_named_whatever_shades_the_text(tmp_path: Path) -> None:
    random = np.random.default_rng(1).normal(size=(len(TEXT), len(set(TEXT))))
    log_p = (random - np.log(np.exp(random).sum(axis=1, keepdims=True))).astype(np.float16)
    made = make_capture(
        tmp_path / "two.zarr",
        TEXT,
        models=[model_schema(TEXT), model_schema(TEXT, name="9-gram", kind="ngram", layers=0)],
        values={"models/9-gram/next": log_p},
    )
    app = Explorer(*open_view(made.path, "0:0", None, 0), Depth.TRUE, "dark")
    async with app.run_test(size=(80, 24)) as pilot:
        ui = Explored(app, pilot)
        for shading in ("cell", "surprisal", "surprisal", "better"):
            await ui.press("j")
            assert shading == "cell" or shading in ui.rows[0]
            assert str(ui.view.cell) in ui.rows[0]
            await ui.press("t")


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_while_a_panel_stands_above_the_text_its_keys_and_shares_are_explained(
    capture: Capture, size: tuple[int, int]
) -> None:
    app = Explorer(*open_view(capture.path, "0:0", None, 0), Depth.TRUE, "dark")
    async with app.run_test(size=size) as pilot:
        ui = Explored(app, pilot)
        await ui.press("v")
        assert ui.rows[-1].startswith(" Esc closes  ←↑↓→ unit ")
        assert all(told in ui.rows[-1] for told in STAYS if size[0] >= 80)
        assert ui.rows[1].count("<.1 ") == ui.rows[1].count(" >.9 ") == 3
        assert any(row.count(">0.9 →") == 3 or row.count(">0.9 of the time →") == 3 for row in ui.rows)
        await ui.press("h")
        assert ui.rows[-1].startswith(" Esc closes ")
        assert all(told in ui.rows[-1] for told in STAYS if size[0] >= 80)
        await ui.press("escape")
        assert "Esc closes" not in ui.rows[-1]
        assert all(told in ui.rows[-1] for told in STAYS)


@pytest.mark.parametrize(
    "view",
    [
        "0:1.c,top=0,cursor=30,above=gates,size=80x24",
        "0:1.c,size=100x20",
        "0:1.c,above=layer,size=120x30",
    ],
)
def test_names_of_wide_characters_leave_each_row_as_wide_as_the_screen(tmp_path: Path, view: str) -> None:
    models = [model_schema(TEXT, signals=("c", "h", "i", "f", "o", "g"))]
    made = make_capture(tmp_path / "漢字.zarr", TEXT, models=models, text_name="漢字かな交じり文.txt")
    opened = open_capture(made.path)
    columns, rows = size_of(view) or (80, 24)
    lines = picture(opened, view_at(view, opened), Sheet(columns, rows - 1), Depth.TRUE, "dark")
    assert [sum(columns_of(text) for text, _ in line) for line in lines] == [columns] * (rows - 1)
    assert "漢字" in said(lines[0])
