"""The line above the text, which names the cell, and the line below it, which tells about the cursor."""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.analysis.model_comparison import spoken
from rnnviz.store.reader import Capture
from rnnviz.store.signals import SIGNALS
from rnnviz.store.training_split import HELD_OUT, PART_WORDS
from rnnviz.tui.paint.lines import Inks, Line, fitted, legend, shortened, spread, width_of
from rnnviz.tui.paint.palette import Palette
from rnnviz.tui.paint.shading import Shade, signal_of
from rnnviz.tui.text.glyphs import in_columns
from rnnviz.tui.text.glyphs import shortened as cut_name
from rnnviz.tui.view.view import View


def model_title(capture: Capture, model: str) -> str:
    """A model as people speak of it: `lstm 2×128`."""
    layers = capture.models[model].layers
    sizes = sorted({layer.units for layer in layers})
    return f"{capture.models[model].kind} {len(layers)}×{'/'.join(map(str, sizes))}"


def cell_line(
    capture: Capture, view: View, *, width: int, palette: Palette, waiting: str = "", hidden: int = 0
) -> Line:
    """Which cell and signal shade the text, of which model over which text, and the legend.

    `waiting` says why the shading is not there yet, or never will be; `hidden`, how many cells are hidden as dead.
    """
    inks = Inks.of(palette)
    signal = signal_of(view.shade, view.signal)
    model = (f"  {in_columns(model_title(capture, view.model))}", inks.plain)
    title = (signal.title, inks.faint)
    if view.shade is Shade.CELL:
        left: Line = [(f" {view.cell} ", inks.accent), (f"{signal.view_name} ", inks.strong), title]
        left += [*([(waiting, inks.faint)] if waiting else []), model]
    else:
        left = [(f" {_shading_title(view)} ", inks.accent), (f"nats{waiting}", inks.faint)]
        left.append((f"  cell {view.cell} {view.signal}", inks.strong))
    if hidden:
        left.append((f"  {hidden:,} dead hidden", inks.accent))
    # What goes first where there is no room.
    text = (f" · {in_columns(capture.text_name)}", inks.faint)
    optional: Line = [text]
    if view.pins:
        under = ("  under each row", inks.faint)
        left += [under, (f" {' '.join(map(str, view.pins))}", inks.accent)]
        optional = [under]
    else:
        left += optional
    if hidden and not view.pins:  # not the text's name, as long as there is anything else
        optional = [title, model, text]
    elif view.pins:
        optional += [title, model]
    marks: Line = [("  ", inks.plain), *legend(palette, signal.low, signal.high), (" ", inks.plain)]
    return spread(shortened(left, optional, width - width_of(marks)), marks, width, inks.plain)


def _shading_title(view: View) -> str:
    """What the text is shaded by, where that is no cell."""
    names = [in_columns(spoken(name)) for name in view.shading_models]
    if view.shade is Shade.DIFFERENCE:
        return f"{names[0]} better + / {names[1]} better −"
    return f"surprisal of {names[0]}"


@dataclass(frozen=True)
class UnderCursor:
    """Everything known of the symbol under the cursor; what is still being read is None."""

    offset: int
    name: str
    """The symbol, as it is called on the screen."""
    code: str
    """Of a byte, its value; otherwise nothing."""
    line: int | None
    column: int | None
    """Of its line, counted from 1."""
    segment: int
    """Counted from 1, of `segments`."""
    segments: int
    stored: float | None
    view: float | None
    surprisal: float | None
    part: str = ""
    """`trained on`, `validated on` or `held out`; empty where that is not known."""


def cursor_line(capture: Capture, view: View, at: UnderCursor, *, width: int, palette: Palette) -> Line:
    """Offset, line and column, segment, symbol, the cell's exact value there, and the surprisal of what came."""
    inks = Inks.of(palette)
    signal = SIGNALS[view.signal]
    value = "…" if at.view is None else f"{at.view:+.4f}"
    total = (f"/{capture.symbols:,}", inks.faint)
    name = (f"  {at.name}", inks.strong)
    line = (f"  line {at.line:,}" if at.line else "  line …", inks.plain)
    column = (f":{at.column:,}" if at.line and at.column else "", inks.plain)
    known = signal.squashed and at.stored is not None
    stored = (f" ({signal.name} {at.stored:+.3f})" if known else "", inks.strong)
    surprisal = (f"  next {at.surprisal or 0:.2f} nats", inks.plain)
    # On what it was trained on a model knows better than it would elsewhere.
    part = (f"  {at.part}" if at.part else "", inks.faint if at.part == PART_WORDS[HELD_OUT] else inks.accent)
    hexadecimal = (f" {at.code}" if at.code else "", inks.faint)
    left: Line = [
        (f" {at.offset:,}", inks.strong),
        total,
        line,
        column,
        name,
        hexadecimal,
        (f"  {signal.view_name} {value}", inks.strong),
        stored,
    ]
    if at.surprisal is not None and at.surprisal == at.surprisal:
        left.append(surprisal)
    left.append(part)
    right: Line = [(f"segment {at.segment}/{at.segments} ", inks.faint)]
    # Beside what the model was trained on, its surprisal says more than the length of the text.
    details = [total, surprisal, stored] if at.part else [surprisal, stored, total]
    optional = [*right, hexadecimal, *details, part, column, line]
    if not capture.complete:
        share = capture.captured / capture.symbols
        far = (f": {capture.captured:,} symbols, {share:.0%}", inks.accent)
        right = [(" incomplete", inks.accent), far, (" ", inks.accent)]
        optional = [hexadecimal, *details, far, part, column, line, *right]
    # Digits of a value are the last to go: cut short, it would be another.
    room = width - width_of([piece for piece in left if piece not in optional])
    if room < 1:
        kept = cut_name(at.name, max(1, len(at.name) + room - 1))
        left = [(f"  {kept}", inks.strong) if piece is name else piece for piece in left]
    return fitted(left, right, optional, width, inks.plain)
