"""Keys that open the list of cells."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from rnnviz.tui.screens.base.keys import key
from rnnviz.tui.screens.cells.cells_screen import CellsScreen
from rnnviz.tui.screens.text.capture_screen import ShadedText
from rnnviz.tui.view.cell_list import CellList

UNREAD = 1000
"""Symbols whose activity is shown where a person was faster than the disk."""


class Listing(ShadedText):
    GROUP = "Cell list"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("c", "cells(False)", "cells", "All cells, to sort and filter; ? there lists its keys", show=True),
        key(
            "=",
            "cells(True)",
            "like this",
            "Cells that do the same as this one over the text, or the opposite",
            show=True,
        ),
    ]

    _listed: CellList | None = None
    """The list as it was left: whoever tries one cell after another finds it sorted and filtered as before."""

    def action_cells(self, alike: bool) -> None:
        start, stop = self.on_screen
        if start == stop:  # while the text is being read, what it will show is not known
            stop = min(start + UNREAD, self.capture.captured)
        screen = CellsScreen(self.capture, self.source, self.scene, self.view, (start, stop), alike=alike)
        if not alike:
            if self._listed is not None:
                screen.cells.set_as(self._listed)
            self._listed = screen.cells
        self.visit(screen)
