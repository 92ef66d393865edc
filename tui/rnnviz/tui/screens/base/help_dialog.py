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

from rnnviz.tui.screens.base.dialog import Dialog
from rnnviz.tui.screens.base.less_keys import AS_IN_LESS, IN_LESS
from rnnviz.tui.screens.base.signs import Signs

KEYS_WIDTH = 11
"""Columns for the keys of a row; more of them take another line."""

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
    return " ".join(map(_name_of, _keys(binding)))


def _keys(binding: Binding) -> list[str]:
    return binding.key.split(",") if len(binding.key) > 1 else [binding.key]  # a comma is a key, too


def _name_of(key: str) -> str:
    return f"Ctrl-{key[5:].upper()}" if key.startswith("ctrl+") else _KEY_NAMES.get(key, key)


class HelpScreen(Dialog):
    """A table of keys and what they do, a row a binding, what the signs on the screen mean, and what less would have
    done with the keys."""

    DEFAULT_CSS = """
    HelpScreen .title { color: $accent; text-style: bold; margin-top: 1; }
    HelpScreen .title:first-child { margin-top: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", "Close"),
        Binding("j,down", "scroll_by(0, 1)", "Down"),
        Binding("k,up", "scroll_by(0, -1)", "Up"),
        Binding("space,ctrl+f,pagedown", "scroll_by(1, -1)", "Page down"),
        Binding("ctrl+b,pageup", "scroll_by(-1, 1)", "Page up"),
        Binding("ctrl+d", "scroll_by(0.5, 0)", "Half a page down"),
        Binding("ctrl+u", "scroll_by(-0.5, 0)", "Half a page up"),
        Binding("g,home", "scroll_by(-1000, 0)", "Start"),
        Binding("G,end", "scroll_by(1000, 0)", "End"),
    ]

    def __init__(self, groups: Iterable[tuple[str, list[Binding]]], signs: Signs = ()) -> None:
        """`groups`: a heading and the keys under it, for each group."""
        super().__init__()
        self._groups = list(groups)
        self._signs = signs

    def compose(self) -> ComposeResult:
        groups = [
            (name, [(keys_of(one), one.tooltip or one.description) for one in bindings])
            for name, bindings in self._groups
        ]
        with VerticalScroll(can_focus=False) as box:
            box.border_title = "Keys"
            box.border_subtitle = "Esc closes, ↑ ↓ Space scroll"
            for name, rows in [
                *groups,
                ("Signs", list(self._signs)),
                ("Used to less? There these keys do something else", self._in_less()),
            ]:
                if rows:
                    if name:
                        yield Static(name, classes="title", markup=False)
                    yield Static(_table(rows))

    def _in_less(self) -> list[tuple[str, str]]:
        """The keys that do something else in less, with what that is and what does it here."""
        bound = [(key, one.action) for _, bindings in self._groups for one in bindings for key in _keys(one)]
        return [
            (_name_of(key), f"{what[0].upper()}{what[1:]}; here: {here}")
            for key, action in bound
            if key in IN_LESS and (key, action) not in AS_IN_LESS
            for what, here in [IN_LESS[key]]
        ]

    def action_scroll_by(self, pages: float, rows: int) -> None:
        box = self.query_one(VerticalScroll)
        box.scroll_relative(y=round(pages * box.size.height) + rows, animate=False)


def _table(rows: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(width=KEYS_WIDTH)
    table.add_column()
    for keys, told in rows:
        table.add_row(Text(keys, style="bold"), Text(told))
    return table
