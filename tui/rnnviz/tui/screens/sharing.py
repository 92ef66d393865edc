"""Keys that take what is on the screen elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType

from rnnviz.tui.addresses import address_of
from rnnviz.tui.errand import Cancelled
from rnnviz.tui.screens.bindings import key
from rnnviz.tui.screens.shaded import ShadedText
from rnnviz.tui.snapshot import Sheet, default_name, format_of, write_snapshot
from rnnviz.tui.widgets.canvas import Canvas


class Sharing(ShadedText):
    GROUP = "Share"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("y", "copy", "copy view", "Copy this view as a line for --view, and show it"),
        key("w", "ask_snapshot", "snapshot", "Write what is on the screen to a file", show=True),
    ]

    def action_copy(self) -> None:
        """The terminal puts it on the clipboard (OSC 52) where it can; it is shown for where it cannot."""
        address = address_of(self.view, (self.size.width, self.size.height))
        self.app.copy_to_clipboard(address)
        self.say(f"copied: --view {address}", seconds=8.0)

    def action_ask_snapshot(self) -> None:
        name = default_name(self.capture.path, self.view.cell, self.view.signal, self.view.top)
        self.ask("write (.ans .html .svg .txt)", name, lambda answer: self._write(Path(answer).expanduser()))

    def _write(self, path: Path) -> None:
        view, form = self.view, format_of(path)
        sheet = Sheet(*self.query_one("#canvas", Canvas).size)

        def write(cancelled: Cancelled) -> None:
            write_snapshot(
                self.capture,
                view,
                path,
                sheet,
                theme=self.theme_name,
                depth=self.depth,
                form=form,
                replace=False,
            )

        self.errand("writing", write, lambda _: self.say(f"written: {path}"))
