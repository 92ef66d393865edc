"""Keys that open the list of cells."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from rnnviz.tui.screens.bindings import key
from rnnviz.tui.screens.cells import CellsScreen
from rnnviz.tui.screens.shaded import ShadedText


class Listing(ShadedText):
    GROUP = "Cell list"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("c", "cells(False)", "cells", "All cells, to sort and filter; ? there lists its keys", show=True),
        key(
            "=",
            "cells(True)",
            "like this",
            "Cells that do the same as this one over the text, or the opposite",
        ),
    ]

    def action_cells(self, alike: bool) -> None:
        screen = CellsScreen(self.capture, self.source, self.scene, self.view, self.on_screen, alike=alike)
        self.visit(screen)
