"""The key that opens a page of the person's own text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from rnnviz.store.errors import InvalidRequest
from rnnviz.tui.screens.base.message_dialog import MessageScreen
from rnnviz.tui.screens.text.capture_screen import ShadedText

if TYPE_CHECKING:
    from rnnviz.tui.playground.session import Session


class Trying(ShadedText):
    GROUP = "Type and see"
    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority, as questions have: what is typed next is for the page.
        Binding(
            "i",
            "type_and_see",
            "type",
            show=True,
            priority=True,
            tooltip="Type a text of your own, shaded and predicted as you type",
        ),
    ]

    run_path: Path | None = None
    """Where the run of the model is, if it was said."""
    _session: Session | None = None

    def action_type_and_see(self) -> None:
        # Not before it is wanted: the screen takes its time to import.
        from rnnviz.tui.playground.session import Session
        from rnnviz.tui.screens.playground.playground_screen import TypingScreen

        if self.capture.models[self.view.model].kind == "states":
            error = InvalidRequest(
                "this capture holds states without a model", "Typing works where there is a model to read."
            )
            self.app.push_screen(MessageScreen(error))
            return
        if self._session is not None and self._session.name != self.view.model:
            self._session.close()
            self._session = None
        if self._session is None:
            self._session = Session(self.capture, self.view.model)
        self.visit(TypingScreen(self._session, self.scene, self.view, self.run_path))

    def on_unmount(self) -> None:
        if self._session is not None:
            self._session.close()
