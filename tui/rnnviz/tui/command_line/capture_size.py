"""How large a capture will be, said before it starts where it will be large."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rnnviz.store.schema import CaptureSchema, ModelSchema

LARGE: Final = 200e6
"""Bytes from which on the size is worth a line."""


def size_note(
    symbols: int, models: Iterable[ModelSchema], *, at_most: bool = False, whole_text: bool = False
) -> str | None:
    """The line about a large capture of these models over so many symbols, with the options that would make it smaller;
    None for one that is not large. `at_most`: there may be fewer symbols. `whole_text`: `--first` may be given."""
    from rnnviz.tui.commands.info import size_words

    kept = tuple(models)
    size = symbols * CaptureSchema(symbols, 1, "", "", "all", kept).bytes_per_symbol
    if size < LARGE:
        return None
    signals = max((model.signals for model in kept), key=len, default=())
    helps = [f"--signals {'c' if 'c' in signals else 'h'}"] if len(signals) > 1 else []
    helps += ["--first N"] if whole_text else []
    helps += ["--predictions surprisal"] if any(model.next and model.layers for model in kept) else []
    smaller = (
        f"; smaller with {', '.join(helps[:-1])}{' or ' if helps[1:] else ''}{helps[-1]}" if helps else ""
    )
    return f"the capture takes {'at most' if at_most else 'about'} {size_words(size)} before compression{smaller}"
