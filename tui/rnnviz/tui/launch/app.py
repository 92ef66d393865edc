"""The explorer: what `rnnviz browse` opens."""

from __future__ import annotations

import asyncio
import signal
import sys
import termios
from collections import deque
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual import work
from textual.actions import ActionParseResult
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.drivers.linux_driver import LinuxDriver
from textual.events import CursorPosition, Event, InputEvent, Key, Paste
from textual.screen import Screen
from textual.widgets import Input

from rnnviz.store.reader import Capture
from rnnviz.tui.capture_cache.block_cache import Source
from rnnviz.tui.launch.textual_theme import textual_theme
from rnnviz.tui.paint.palette import Depth, base_of
from rnnviz.tui.screens.base.help_dialog import keys_of
from rnnviz.tui.screens.base.hinted_screen import Hinted
from rnnviz.tui.screens.text.text_screen import TextScreen
from rnnviz.tui.view.view import View
from rnnviz.tui.widgets.canvas import Canvas

FAREWELL = 0.5
"""Seconds to wait, when leaving, for a terminal that has still to answer: its answer must not reach the shell."""
HANG_UP = 2.0
"""Seconds between two looks at whether there is still a terminal."""
STROKE = 0.02
"""Seconds between keys that were pressed early: each must have done what it does before the next one comes."""
LOW = 14
"""Rows below which the command palette has no room for its margins."""


class Explorer(App[None]):
    """Shows one capture. Colours are the palette's own or the terminal's, never a Textual theme's."""

    TITLE = "rnnviz"
    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority, so that it works under dialogs and in questions, too.
        Binding("ctrl+z", "suspend", "suspend", show=False, priority=True)
    ]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (LOW, "-high")]  # noqa: RUF012  (Textual has it as an instance variable)
    CSS = """
    VerticalScroll, OptionList { scrollbar-size-vertical: 1; }
    CommandPalette > Vertical, CommandPalette > Vertical:dark { background: $background; }
    CommandPalette SearchIcon { display: none; }
    CommandPalette.-low > Vertical { margin-top: 0; }
    CommandPalette.-low #--input { border: none; }
    CommandPalette.-low #--input > * { margin: 0; }
    CommandPalette.-low CommandInput { height: 1; padding: 0; border: none; }
    CommandPalette.-low CommandList { border: none; max-height: 3; }
    """

    def __init__(
        self,
        capture: Capture,
        view: View,
        depth: Depth,
        theme: str,
        source: Source | None = None,
        run: Path | None = None,
    ) -> None:
        """`source` is one of this capture that has read already, if there is one; `run` where its run is."""
        super().__init__(ansi_color=True)
        for base in ("dark", "light"):
            self.register_theme(textual_theme(depth, base))
        self.set_reactive(App.theme, textual_theme(depth, base_of(theme)).name)
        self.stylesheet.set_variables(self.get_css_variables())
        self.terminal_modes: list[Any] | None = None
        """How the terminal was before the program changed it, if that is known: so it is left to the shell."""
        self._stands = False
        self._early: deque[Event] = deque()
        self._text_screen = TextScreen(capture, view, depth, theme, source or Source(capture))
        self._text_screen.run_path = run

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the command palette offers: every key of the screen it is opened on, or else of the text screen."""
        from rnnviz.tui.screens.playground.document_screen import PageScreen

        keyed = screen if isinstance(screen, PageScreen) else self._text_screen
        for group, bindings in keyed.key_groups():
            for binding in bindings:
                run = partial(keyed.run_action, binding.action)
                yield SystemCommand(f"{binding.tooltip} ({keys_of(binding)})", group, run)

    @property
    def view(self) -> View:
        """What the text screen looks at, or last did."""
        return self._text_screen.view

    @property
    def settled(self) -> bool:
        """Whether everything that is looked at is on the screen."""
        return bool(getattr(self.screen, "settled", True))

    @property
    def _waiting(self) -> list[Canvas]:
        """The canvases whose terminal has still to answer, that of the screen below first."""
        return [canvas for screen in self.screen_stack for canvas in screen.query(Canvas) if canvas.waiting]

    def on_mount(self) -> None:
        self.push_screen(self._text_screen)
        if not self.is_headless:
            self.set_interval(HANG_UP, self._leave_with_terminal)
            if isinstance(self._driver, LinuxDriver) and self.terminal_modes is not None:
                self._driver.attrs_before = self.terminal_modes

    def _leave_with_terminal(self) -> None:
        """End where the terminal is gone and has not said so: Textual would read its end for ever, at full speed."""
        try:
            termios.tcgetattr(sys.__stdin__.fileno() if sys.__stdin__ else 0)
        except termios.error:
            self.exit(return_code=128 + signal.SIGHUP)

    async def on_event(self, event: Event) -> None:
        """Keys and pastes wait until the text screen stands; Textual would hand them to nobody."""
        if isinstance(event, InputEvent | Paste) and not self._stands and not event.is_forwarded:
            self._early.append(event)
            return
        await self._act_on(event)

    async def _act_on(self, event: Event) -> None:
        """Keys of the text are acted on at once, each before the next is looked at. Textual would send them to the
        screen and have them back, and a question that a later key opens would have taken their place by then."""
        if (
            isinstance(event, Key)
            and not event.is_forwarded
            and isinstance(self.screen, TextScreen)
            and self.focused is None
        ):
            for first in (True, False):
                if await self._check_bindings(event.key, priority=first):
                    return
        await super().on_event(event)

    @work
    async def on_shaded_text_stands(self) -> None:
        while self._early:
            await self._act_on(self._early.popleft())
            await asyncio.sleep(STROKE)
        self._stands = True

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Run it; the screen whose action it is is told before."""
        if isinstance(default_namespace, Hinted) and isinstance(action, str):
            default_namespace.key_comes(action)
        return await super().run_action(action, default_namespace, namespaces)

    def on_cursor_position(self, event: CursorPosition) -> None:
        """The terminal's answer to one of the questions where its cursor is."""
        for canvas in self._waiting[:1]:  # none: the answer to an earlier program's question
            canvas.answered(event.x, event.y)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Ctrl-Q, which Textual gives every program to quit by, is too near to other keys where somebody types."""
        typing = isinstance(self.focused, Input) or getattr(self.screen, "typing", False)
        undoes = action == "suspend" and getattr(self.screen, "ctrl_z_undoes", False)
        return not ((action == "quit" and typing) or undoes)

    def action_help_quit(self) -> None:
        """Ctrl-C, which ends other programs: say what ends this one, in a line that is free for it if there is one."""
        if isinstance(self.screen, TextScreen) and not self.screen.asking:
            self.screen.say("q quits")
        else:
            self.notify("Esc goes back, and q quits from the text view", timeout=2)

    async def action_quit(self) -> None:
        await self._answered()
        self.exit()

    async def action_suspend(self) -> None:
        """Give the terminal back to the shell until that calls the program to the foreground again."""
        await self._answered()
        self.action_suspend_process()

    async def _answered(self) -> None:
        """Wait until the terminal has answered all that it was asked, or is not going to."""
        for _ in range(int(FAREWELL / 0.01)):
            if not self._waiting:
                break
            await asyncio.sleep(0.01)
