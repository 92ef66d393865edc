"""What is said at the bottom of a screen where one line is too short for it: as many lines as it takes."""

from __future__ import annotations

import textwrap

from rnnviz.tui.paint.lines import Line, ellipsed
from rnnviz.tui.paint.palette import Paint
from rnnviz.tui.widgets.lines import Lines


def wrapped(text: str, width: int, paint: Paint) -> list[Line]:
    """Words on lines of `width` columns, each begun with a blank, broken between words where that is possible."""
    rows = textwrap.wrap(text, max(1, width - 2), break_on_hyphens=False)
    return [[(f" {row}", paint)] for row in rows]


class RemarkLines(Lines):
    """Lies over the bottom line and the last rows above it, half of the screen at most, while there is something to
    say that needs more than the bottom line."""

    DEFAULT_CSS = """
    RemarkLines { layer: over; dock: bottom; display: none; }
    """

    def tell(self, lines: list[Line]) -> None:
        """Show these lines; nothing, and the screen below, where there are none."""
        most = max(1, self.screen.size.height // 2)
        if len(lines) > most:
            lines = [
                *lines[: most - 1],
                ellipsed([*lines[most - 1], *lines[most]], self.screen.size.width - 1),
            ]
        if lines:
            self.styles.height = len(lines)
        self.display = bool(lines)
        self.show(lines)
