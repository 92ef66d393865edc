"""A capture of several models with cells: a key goes from one to the next."""

from __future__ import annotations

from pathlib import Path

from rnnviz.analysis.cells import Cell
from rnnviz.tui.launch.app import Explorer
from rnnviz.tui.launch.open_view import open_view
from rnnviz.tui.paint.palette import Depth
from rnnviz.tui.view.address import address_of, view_at
from support.captures import make_capture, model_schema
from support.explored import Explored

TEXT = b"and so on\n" * 60
MODELS = [
    model_schema(TEXT, name="lstm", layers=2, hidden=20),
    model_schema(TEXT, name="gru", kind="gru", hidden=5, next=False),
    model_schema(TEXT, name="ngram-3", kind="n-gram", layers=0),
]


async def test_the_next_model_shows_its_cells_at_the_same_place(tmp_path: Path) -> None:
    made = make_capture(tmp_path / "two.zarr", TEXT, models=MODELS)
    capture, view = open_view(made.path, "1:12", "f", 40)
    app = Explorer(capture, view, Depth.TRUE, "dark")
    async with app.run_test(size=(110, 30)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("*", "t", "f", *"1:12.f > 0.5", "enter")
        await ui.press("l")
        assert (ui.view.model, ui.view.cell, ui.view.signal) == ("gru", Cell(0, 4), "h")
        assert (ui.view.pins, ui.view.condition, ui.view.pair) == ((), None, ("gru", "ngram-3"))
        assert "gru 1×5" in ui.rows[0] or "gru" in ui.rows[0]
        assert view_at(address_of(ui.view), capture) == ui.view
        await ui.press("j", "k", "h", "c", "escape", "l")
        assert (ui.view.model, ui.view.cell) == ("lstm", Cell(0, 4))
        await ui.press("t", "t", "t")
        assert "lstm 2×20" in ui.rows[0]


async def test_with_one_model_it_says_how_to_add_another(tmp_path: Path) -> None:
    made = make_capture(tmp_path / "one.zarr", TEXT)
    app = Explorer(*open_view(made.path, "0:0", None, 0), Depth.TRUE, "dark")
    async with app.run_test(size=(110, 30)) as pilot:
        ui = Explored(app, pilot)
        await ui.press("l")
        assert "rnnviz capture --add X.zarr --run RUN" in ui.shown
