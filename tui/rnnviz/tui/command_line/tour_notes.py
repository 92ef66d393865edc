"""What is kept of a tour beside the capture: a note for each cell, a bookmark for each place."""

from __future__ import annotations

from rnnviz.analysis.cell_tour import Stop, signed
from rnnviz.store.reader import Capture
from rnnviz.tui.text.symbol_edges import byte_of
from rnnviz.tui.view.address import address_of
from rnnviz.tui.view.user_state import CellNote, Mark
from rnnviz.tui.view.view import View


def notes_and_marks(capture: Capture, stops: list[Stop]) -> tuple[list[CellNote], list[Mark]]:
    """What is kept of a tour: a note for each cell and a mark for each place."""
    model = next(model for model in capture.models.values() if model.layers)
    notes = [CellNote(model.name, str(stop.cell), stop.note) for stop in stops]
    marks: dict[int, Mark] = {}
    for stop in stops:
        for place, r in stop.places:
            view = View(model.name, stop.cell, "c", top=byte_of(capture, place), cursor=place)
            told = f"{stop.cell} {stop.follows}: r = {signed(r)} here"
            marks.setdefault(place, Mark(place, address_of(view), told))
    return notes, [marks[place] for place in sorted(marks)]
