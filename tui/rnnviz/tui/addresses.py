"""A view as a line of text that a person can keep, send and open again: `rnnviz browse X.zarr --view LINE`.

    1:37.c,top=4000,cursor=4012,shade=difference,left=lstm,right=ngram-20,pin=0:3.h,model=lstm

The cell comes first; all else may be left out and stand in any order. Numbers are symbols of the text, but `top`,
which is the byte that the screen starts with.
"""

from __future__ import annotations

import re
from dataclasses import replace

from rnnviz.store.errors import InvalidRequest
from rnnviz.store.reader import Capture
from rnnviz.tui.cells import Cell, Reading, parse_cell
from rnnviz.tui.comparison import default_pair
from rnnviz.tui.shading import Shade
from rnnviz.tui.view import View

_EXAMPLE = "A view is copied with y in the explorer, as in 1:37.c,top=4000,cursor=4012."
_NAMES = frozenset({"top", "cursor", "shade", "left", "right", "pin", "model"})
MOST_PINS = 4


def address_of(view: View) -> str:
    """The line that opens this view again."""
    parts = [f"{view.cell}.{view.signal}", f"top={view.top}", f"cursor={view.cursor}"]
    if view.shade is not Shade.CELL:
        parts.append(f"shade={view.shade}")
    parts += [f"{side}={name}" for side, name in (("left", view.left), ("right", view.right)) if name]
    parts += [f"pin={pin}" for pin in view.pins]
    return ",".join([*parts, f"model={view.model}"])


def view_at(address: str, capture: Capture) -> View:
    """The view of a capture that a line stands for. Raises InvalidRequest for one that the capture does not have."""
    first, *rest = address.strip().split(",")
    found: dict[str, list[str]] = {}
    for part in rest:
        name, equals, value = part.partition("=")
        if name not in _NAMES or not equals:
            raise InvalidRequest(f"{part!r} says nothing of a view", _EXAMPLE)
        found.setdefault(name, []).append(value)
    model = _model(capture, found)
    cell, signal = _reading(first, capture, model)
    left, right = default_pair(capture, model)
    view = View(model, cell, signal, left=left, right=right)
    view = replace(
        view,
        top=_number(found, "top", capture.text_bytes),
        cursor=_number(found, "cursor", capture.captured),
        left=_compared(capture, found, "left", left),
        right=_compared(capture, found, "right", right),
        pins=tuple(Reading(*_reading(pin, capture, model)) for pin in found.get("pin", [])[:MOST_PINS]),
    )
    return replace(view, shade=_shade(found, view))


def _model(capture: Capture, found: dict[str, list[str]]) -> str:
    recurrent = [model.name for model in capture.models.values() if model.layers]
    name = found.get("model", recurrent[:1])[-1]
    if name not in recurrent:
        raise InvalidRequest(f"the capture has no model {name!r} with cells", _of(recurrent))
    return name


def _reading(text: str, capture: Capture, model: str) -> tuple[Cell, str]:
    layers = capture.models[model].layers
    name, _, signal = text.partition(".")
    cell = parse_cell(name, tuple(layer.units for layer in layers))
    signals = layers[cell.layer].signals
    if signal and signal not in signals:
        raise InvalidRequest(f"layer {cell.layer} has no signal {signal!r}", _of(list(signals)))
    return cell, signal or signals[0]


def _number(found: dict[str, list[str]], name: str, length: int) -> int:
    text = found.get(name, ["0"])[-1]
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise InvalidRequest(f"{name}={text} is no number", _EXAMPLE)
    if int(text) >= max(1, length):
        raise InvalidRequest(f"{name}={text} lies outside the text", f"It ends at {length:,}.")
    return int(text)


def _compared(capture: Capture, found: dict[str, list[str]], side: str, default: str | None) -> str | None:
    if side not in found:
        return default
    known = [model.name for model in capture.models.values() if model.has_surprisal]
    name = found[side][-1]
    if name not in known:
        raise InvalidRequest(f"the capture has no surprisals of a model {name!r}", _of(known))
    return name


def _shade(found: dict[str, list[str]], view: View) -> Shade:
    name = found.get("shade", ["cell"])[-1]
    try:
        shade = Shade(name)
    except ValueError:
        raise InvalidRequest(f"{name!r} shades no text", _of([shade.value for shade in Shade])) from None
    needed = {Shade.CELL: 0, Shade.DIFFERENCE: 2}.get(shade, 1)
    if len(replace(view, shade=shade).shading_models) < needed:
        raise InvalidRequest(
            f"the capture has not the models for shade={shade}", "Open it without: rnnviz browse X.zarr"
        )
    return shade


def _of(names: list[str]) -> str:
    return f"It has {', '.join(names)}." if names else "It has none."
