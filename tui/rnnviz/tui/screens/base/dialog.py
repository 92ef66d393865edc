"""A frame over the text, for what is read and closed."""

from __future__ import annotations

from textual.screen import ModalScreen


class Dialog(ModalScreen[None]):
    """`compose` gives one `VerticalScroll`, which gets the frame."""

    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog > VerticalScroll {
        width: 76; max-width: 98%; height: auto; max-height: 96%;
        border: round $border; padding: 0 1; background: $background;
    }
    Dialog Static { background: $background; }
    """
