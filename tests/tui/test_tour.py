"""What Python source is doing and which cells follow it, against texts and cells whose answers are known beforehand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnnviz.analysis.cell_tour import FOLLOWED, STRETCH, Stop, signed, tour
from rnnviz.analysis.cells import Cell
from rnnviz.analysis.tracks.python_source import correlation, correlations, tracks_of, tracks_over
from rnnviz.store.reader import Capture, open_capture
from rnnviz.tui.command_line.tour_notes import notes_and_marks
from rnnviz.tui.view.address import view_at
from support.captures import make_capture, model_schema

TWO_LINES = b'a = [(1,\n  "(x"), 2]  # ]\n'
FUNCTION = b'''
def function_%03d(first, second=(1, [2, 3])):
    """It says what is done: nothing."""
    if first:
        return {"key": [first, (second, 4)]}
    return "a longer piece of text, in quotes"
'''
FILES = [b"".join(FUNCTION % number for number in range(start, start + 12)) for start in (0, 12, 24)]
NO_PYTHON = b"def (((\n" * 200
TEXT = b"".join([FILES[0], NO_PYTHON, *FILES[1:]])
LENGTHS = [len(FILES[0]), len(NO_PYTHON), len(FILES[1]), len(FILES[2])]
PLANTED = {"bracket depth": Cell(1, 4), "inside a string": Cell(0, 2), "indentation": Cell(1, 0)}


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    """Three files and something between them that is no Python. Cells follow three tracks, 1:0 in the other direction,
    disturbed everywhere but in the last file."""
    path: Path = tmp_path_factory.mktemp("tour") / "files.zarr"
    random = np.random.default_rng(3)
    layers = [random.normal(size=(5, len(TEXT))) for _ in range(2)]
    noise = np.where(np.arange(len(TEXT)) < len(TEXT) - LENGTHS[3], 0.5, 0.05)
    for name, cell in PLANTED.items():
        pieces = [tracks_of(file)[name] for file in FILES]
        track = np.concatenate([pieces[0], np.zeros(len(NO_PYTHON)), *pieces[1:]])
        sign = -1 if cell == Cell(1, 0) else 1
        view = sign * 0.4 * track / track.max() + noise * random.uniform(-1, 1, len(TEXT))
        layers[cell.layer][cell.unit] = np.arctanh(view)
    values = {f"models/model/layers/{n}/c": layer.astype(np.float16) for n, layer in enumerate(layers)}
    models = [model_schema(TEXT, layers=2, hidden=5)]
    return open_capture(make_capture(path, TEXT, models=models, lengths=LENGTHS, values=values).path)


def test_the_tracks_of_two_lines_are_those_counted_by_hand() -> None:
    tracks = tracks_of(TWO_LINES)
    digits = {
        "bracket depth": "000012222" + "22222211110000000",
        "inside a string": "000000000" + "00111000000000000",
        "inside a comment": "000000000" + "00000000000001110",
        "indentation": "000000000" + "22222222222222222",
    }
    for name, expected in digits.items():
        assert "".join(str(int(value)) for value in tracks[name]) == expected, name
    assert tracks["position in line"].tolist() == [*range(9), *range(17)]


def test_columns_are_counted_in_bytes() -> None:
    source = 'x = ["éé", 1]\n'.encode()
    tracks = tracks_of(source)
    assert np.flatnonzero(tracks["inside a string"]).tolist() == [5, 6, 7, 8, 9]
    assert np.flatnonzero(tracks["bracket depth"]).tolist() == list(range(4, source.index(b"]")))


def test_a_file_that_is_no_python_has_no_tracks(capture: Capture) -> None:
    track = tracks_over(capture)["bracket depth"]
    unknown = np.flatnonzero(np.isnan(track))
    assert (unknown[0], unknown[-1] + 1) == (LENGTHS[0], LENGTHS[0] + LENGTHS[1])
    assert len(unknown) == LENGTHS[1]


def test_the_measure_is_pearsons(capture: Capture) -> None:
    model = capture.models["model"]
    track = tracks_over(capture)["bracket depth"]
    known = ~np.isnan(track)
    found = correlations(model, track)
    for layer in (0, 1):
        c = model.layers[layer].read_units("c", slice(0, 5), 0, len(TEXT)).astype(np.float64)
        expected = [np.corrcoef(np.tanh(unit[known]), track[known])[0, 1] for unit in c]
        np.testing.assert_allclose(found[layer], expected, atol=1e-6)
    assert correlation(model, Cell(1, 4), track) == pytest.approx(found[1][4])


def test_the_tour_finds_the_cells_that_were_made_to_follow(capture: Capture) -> None:
    stops = {stop.follows: stop for stop in tour(capture)}
    for name, cell in PLANTED.items():
        assert stops[FOLLOWED[name]].cell == cell
    assert stops[FOLLOWED["indentation"]].r < -0.3
    assert "r = −0." in stops[FOLLOWED["indentation"]].note


@pytest.mark.parametrize("r", [0.5, -0.9, 0.44, -0.49])
def test_a_cell_that_goes_loosely_with_something_is_not_said_to_follow_it(r: float) -> None:
    note = Stop(Cell(1, 50), "how many brackets are open", r, ()).note
    told = "follows" if abs(r) >= 0.5 else "goes in part with"
    assert note == f"{told} how many brackets are open, r = {signed(r)} on this text"


def test_its_places_are_where_the_cells_follow_most_closely(capture: Capture) -> None:
    tracks, model = tracks_over(capture), capture.models["model"]
    clean = len(TEXT) - LENGTHS[3]
    for stop in tour(capture, {**PLANTED, "position in line": Cell(0, 0)}):
        if stop.follows == FOLLOWED["position in line"]:
            continue
        name = next(name for name, follows in FOLLOWED.items() if follows == stop.follows)
        assert len(stop.places) == 2
        (first, _), (second, _) = stop.places
        assert abs(first - second) >= STRETCH
        for place, r in stop.places:
            assert place >= clean, "where nothing disturbs it"
            assert TEXT[place - 1 : place] == b"\n"
            span = slice(place, place + STRETCH)
            c = np.tanh(model.layers[stop.cell.layer].read("c", stop.cell.unit, 0, len(TEXT)).astype(float))
            assert r == pytest.approx(np.corrcoef(c[span], tracks[name][span])[0, 1], abs=1e-6)
            assert abs(r) > abs(stop.r)


def test_marks_open_at_the_place_and_the_cell(capture: Capture) -> None:
    stops = tour(capture, {**PLANTED, "position in line": Cell(0, 0)})
    notes, marks = notes_and_marks(capture, stops)
    assert [(note.model, note.cell) for note in notes] == [("model", str(stop.cell)) for stop in stops]
    places = {place: stop for stop in reversed(stops) for place, _ in stop.places}
    assert [mark.symbol for mark in marks] == sorted(places)
    for mark in marks:
        view = view_at(mark.view, capture)
        assert (view.cell, view.signal, view.top, view.cursor) == (
            places[mark.symbol].cell,
            "c",
            mark.symbol,
            mark.symbol,
        )
        assert mark.note.startswith(f"{view.cell} {places[mark.symbol].follows}: r = ")
