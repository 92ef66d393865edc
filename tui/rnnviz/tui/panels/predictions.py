"""What a model expects after the symbol under the cursor: its ten likeliest symbols and the one that came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnviz.tui.glyphs import name_of
from rnnviz.tui.painting import Inks, Line
from rnnviz.tui.palette import Palette

LIKELIEST = 10
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True)
class Prediction:
    """One symbol a model may expect: its byte, its probability, and its rank, the likeliest being 1."""

    symbol: int
    probability: float
    rank: int


def predictions(log_probabilities: NDArray[np.float16], vocabulary: bytes) -> list[Prediction]:
    """Every symbol of a vocabulary, likeliest first; ties go to the smaller byte.

    log_probabilities: float16 [symbol], natural logarithms.
    """
    order = np.argsort(-log_probabilities.astype(np.float32), kind="stable")
    probabilities = np.exp(log_probabilities.astype(np.float64))
    return [
        Prediction(vocabulary[index], float(probabilities[index]), rank)
        for rank, index in enumerate(order.tolist(), start=1)
    ]


def bar(share: float, width: int) -> str:
    """A horizontal bar that fills `share` of `width` columns, to an eighth of a column."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def prediction_lines(
    ranked: list[Prediction] | None,
    came: int | None,
    model: str,
    has_next: bool,
    width: int,
    palette: Palette,
    missing: str = "nothing follows",
) -> list[Line]:
    """The panel. `came` is the byte that follows the cursor in the text; None where none does, for which
    `missing` gives the reason."""
    inks = Inks.of(palette)
    lines: list[Line] = [[("next ", inks.strong), (f"by {model}"[: width - 5], inks.faint)]]
    if not has_next:
        return [*lines, [("no predictions in this capture", inks.faint)]]
    if ranked is None:
        return [*lines, [("…", inks.faint)]]
    room = max(1, width - 12)
    for entry in ranked[:LIKELIEST]:
        mark = "▸" if entry.symbol == came else " "
        ink = inks.accent if entry.symbol == came else inks.plain
        lines.append(
            [
                (f"{mark}{name_of(entry.symbol):<4} ", ink),
                (bar(entry.probability, room), ink),
                (f" {entry.probability:5.3f}"[:6], ink),
            ]
        )
    lines.append(_came_line(ranked, came, missing, inks))
    return lines


def _came_line(ranked: list[Prediction], came: int | None, missing: str, inks: Inks) -> Line:
    if came is None:
        return [(missing, inks.faint)]
    found = next((entry for entry in ranked if entry.symbol == came), None)
    if found is None:
        return [(f"came {name_of(came)}, unknown to the model", inks.accent)]
    return [
        (f"came {name_of(came)}  ", inks.accent),
        (f"p {found.probability:.3f}  rank {found.rank}", inks.plain),
    ]
