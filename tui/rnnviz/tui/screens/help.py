"""Every key, made from the bindings themselves, so that it cannot be out of date."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from rnnviz.tui.screens.dialog import Dialog

_KEY_NAMES = {
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "backspace": "Backspace",
    "delete": "Del",
    "question_mark": "?",
    "number_sign": "#",
    "plus": "+",
    "minus": "−",
    "backslash": "\\",
}


def keys_of(binding: Binding) -> str:
    """A binding's keys as they stand on a keyboard."""
    keys = binding.key.split(",") if len(binding.key) > 1 else [binding.key]  # a comma is a key, too
    return " ".join(map(_name_of, keys))


def _name_of(key: str) -> str:
    return f"Ctrl-{key[5:].upper()}" if key.startswith("ctrl+") else _KEY_NAMES.get(key, key)


class HelpScreen(Dialog):
    """A table of keys and what they do, a row a binding."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark", "dismiss", "Close")]

    def __init__(self, groups: Iterable[tuple[str, list[Binding]]]) -> None:
        """`groups`: a heading and the keys under it, for each group."""
        super().__init__()
        self._groups = list(groups)

    def compose(self) -> ComposeResult:
        table = Table.grid(padding=(0, 2))
        for name, bindings in self._groups:
            table.add_row("", Text(name, style="dim"))
            for binding in bindings:
                table.add_row(Text(keys_of(binding), style="bold"), binding.tooltip or binding.description)
        with VerticalScroll() as box:
            box.border_title = "Keys"
            box.border_subtitle = "Esc closes, ↑ ↓ scroll"
            yield Static(table)
