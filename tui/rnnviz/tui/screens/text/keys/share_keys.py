"""Keys that take what is on the screen elsewhere."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from rnnviz.analysis.cancellation import Cancelled
from rnnviz.store.errors import RnnvizError
from rnnviz.tui.command_line.home_path import home_path
from rnnviz.tui.scenes.snapshot import Sheet, default_name, format_of, write_snapshot
from rnnviz.tui.screens.base.dialog import Dialog
from rnnviz.tui.screens.base.keys import key
from rnnviz.tui.screens.text.capture_screen import ShadedText
from rnnviz.tui.view.address import address_of
from rnnviz.tui.widgets.canvas import Canvas
from rnnviz.tui.widgets.prompt import Question


class CopiedScreen(Dialog):
    """What was copied, where a line of the screen is too short for it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,y", "dismiss", "Close")]

    def __init__(self, copied: str) -> None:
        super().__init__()
        self._copied = copied

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title = "Copied"
            box.border_subtitle = "Esc closes"
            yield Static(self._copied, markup=False)


class Sharing(ShadedText):
    GROUP = "Share"
    BINDINGS: ClassVar[list[BindingType]] = [
        key(
            "y",
            "copy",
            "copy view",
            "Copy this view as --view …, to follow rnnviz browse X.zarr, and show it",
        ),
        key("w", "ask_snapshot", "snapshot", "Write what is on the screen to a file", show=True),
    ]

    def action_copy(self) -> None:
        """The terminal puts it on the clipboard (OSC 52) where it can; it is shown for where it cannot."""
        address = address_of(self.view, (self.size.width, self.size.height))
        self.app.copy_to_clipboard(f"--view {address}")
        told = f"copied: --view {address}"
        if len(told) < self.size.width:
            self.say(told, seconds=8.0)
        else:
            self.app.push_screen(CopiedScreen(f"--view {address}"))

    def action_ask_snapshot(self) -> None:
        name = default_name(self.capture.path, self.view.cell, self.view.signal, self.view.top)
        self.put_question(self._file_asked, name, kept=True)

    @property
    def _file_asked(self) -> Question:
        return Question("write (.ans .html .svg .txt)", self._write)

    def _write(self, answer: str) -> None:
        path = home_path(answer)
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

        def failed(error: RnnvizError) -> None:
            self.ask_again(self._file_asked, answer, error)

        self.errand("writing", write, lambda _: self.say(f"written: {path}"), failed)
