"""The line that tells of the condition in force: how its symbols are marked, and how many of them there are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rnnviz.tui.paint.lines import Inks, Line, fitted
from rnnviz.tui.text.glyphs import in_columns, shortened

if TYPE_CHECKING:
    from rnnviz.analysis.events import Tally

MARK = "▔"
"""Stands under a symbol where no colour leaves underlining to mark it."""
LEAST_TEXT = 12
"""Columns of a condition's text that stay, however little room there is."""


def condition_line(
    text: str,
    here: tuple[int, int] | None,
    tally: Tally | None,
    width: int,
    inks: Inks,
    *,
    underlines: bool,
) -> Line:
    """The line. here: at how many symbols on the screen the condition holds, and how many there are; None while that
    is being read. tally: the same of the whole text, as far as it is counted."""
    mark = (" underlined", replace(inks.plain, underline=True)) if underlines else (f" {MARK}", inks.strong)
    counts: Line = [("  …", inks.faint)]
    if here is not None:
        counts = [(f"  {here[0]:,}", inks.strong), (f" of {here[1]:,} here", inks.faint)]
    share = ("", inks.faint)
    if tally is None:
        counts.append((", counting", inks.faint))
    elif tally.done < tally.length:
        counts.append((f", counting {tally.done / tally.length:.0%}", inks.faint))
    else:
        counts += [(f", {tally.symbols:,}", inks.strong), (f" of {tally.length:,} in all", inks.faint)]
        share = (f" ({tally.symbols / max(1, tally.length):.1%})", inks.faint)
        counts.append(share)
    where = (" where ", inks.faint)
    room = width - sum(len(piece) for piece, _ in (mark, where, *counts)) + len(share[0])
    shown = shortened(in_columns(text), max(room, LEAST_TEXT))
    keys: Line = [("x X next, Esc ends it ", inks.faint)]
    return fitted([mark, where, (shown, inks.accent), *counts], keys, [*keys, share], width, inks.plain)
