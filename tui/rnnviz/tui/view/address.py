"""A view as a line of text that a person can keep, send and open again: `rnnviz browse X.zarr --view LINE`.

    1:37.c,top=4000,cursor=4012,shade=difference,left=lstm,right=ngram-20,pin=0:3.h,above=gates,model=lstm

The cell comes first; all else may be left out and stand in any order. Numbers are symbols of the text, but `top`,
which is the byte that the screen starts with, and `size`, the columns and rows of the screen; `before=c.cell` is what
the text was shaded by before the panel of `above` chose another signal. What would mean something to a
shell, as in `condition=1:37%20%3E%200.8`, is written as in an address of the web.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from rnnviz.analysis.cells import Cell, Reading, parse_cell
from rnnviz.analysis.model_comparison import default_pair
from rnnviz.analysis.pattern_search import is_plain, pattern_of
from rnnviz.store.errors import InvalidRequest
from rnnviz.store.reader import Capture
from rnnviz.tui.paint.shading import Shade
from rnnviz.tui.view.view import Panel, ShownBefore, View

if TYPE_CHECKING:
    from rnnviz.analysis.conditions import Condition

Choice = TypeVar("Choice")

_EXAMPLE = "A view is copied with y in the explorer, as in 1:37.c,top=4000,cursor=4012."
NAMES = frozenset(
    (
        "top",
        "cursor",
        "shade",
        "left",
        "right",
        "pin",
        "above",
        "before",
        "panels",
        "dead",
        "condition",
        "search",
        "size",
        "model",
    )
)
_SHOWN = {"shown": True, "hidden": False}
_LONGEST = 10_000
MOST_PINS = 4
LARGEST = 1000
"""Columns, and rows, of a screen."""

Size = tuple[int, int]
"""Columns and rows."""


def address_of(view: View, size: Size | None = None) -> str:
    """The line that opens this view again, on a screen of that size where nothing else says how large it is.

    A search is left out if it repeats anything (`+`, `*`): somewhere else it could take for ever.
    """
    parts = [f"{view.cell}.{view.signal}", f"top={view.top}", f"cursor={view.cursor}"]
    if view.shade is not Shade.CELL:
        parts.append(f"shade={view.shade}")
    parts += [f"{side}={name}" for side, name in (("left", view.left), ("right", view.right)) if name]
    parts += [f"pin={pin}" for pin in view.pins]
    if view.above is not None:
        parts.append(f"above={view.above}")
    if view.shown_before is not None:
        parts.append(f"before={view.shown_before.signal}.{view.shown_before.shade}")
    if view.panels is not None:
        parts.append(f"panels={'shown' if view.panels else 'hidden'}")
    if view.hides_dead:
        parts.append("dead=hidden")
    if view.condition is not None:
        parts.append(f"condition={_escaped(view.condition.text)}")
    search = "" if view.search is None else view.search.pattern.decode("utf-8", "surrogateescape")
    if view.search is not None and is_plain(view.search) and search.isprintable():
        parts.append(f"search={_escaped(search)}")
    if size is not None:
        parts.append(f"size={size[0]}x{size[1]}")
    return ",".join([*parts, f"model={view.model}"])


def size_of(address: str) -> Size | None:
    """The size of the screen that a line was copied from, if it says so. Raises InvalidRequest for one that is none."""
    text = _parts(address)[1].get("size", [None])[-1]
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,4})x([0-9]{1,4})", text)
    if match is None or not all(4 <= int(number) <= LARGEST for number in match.groups()):
        raise InvalidRequest(
            f"size={text!r} is no size of a screen", "Write columns and rows, as in size=120x40."
        )
    return int(match[1]), int(match[2])


def _parts(address: str) -> tuple[str, dict[str, list[str]]]:
    """The cell, and what is said of everything else, by name."""
    if len(address) > _LONGEST:
        raise InvalidRequest(f"a view has {_LONGEST:,} characters at most", _EXAMPLE)
    first, *rest = address.strip().split(",")
    found: dict[str, list[str]] = {}
    for part in rest:
        name, equals, value = part.partition("=")
        if name not in NAMES or not equals:
            raise InvalidRequest(f"{part!r} says nothing of a view", _EXAMPLE)
        found.setdefault(name, []).append(value)
    return first, found


_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-/=@+")


def _escaped(text: str) -> str:
    """A text that may say anything, as a part of a line that a shell takes for one word."""
    data = text.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in data)


def _unescaped(found: dict[str, list[str]], name: str) -> str:
    """Raises InvalidRequest for what could not have been typed: a line from somebody else is not to speak to the
    terminal."""
    escaped = found[name][-1].encode("utf-8", "surrogateescape")
    data = re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), escaped)
    text = data.decode("utf-8", "surrogateescape")
    if not text.isprintable():
        raise InvalidRequest(f"the {name} of the view holds what cannot be typed: {text!r}", _EXAMPLE)
    return text


def view_at(address: str, capture: Capture) -> View:
    """The view of a capture that a line stands for. Raises InvalidRequest for one that the capture does not have."""
    first, found = _parts(address)
    size_of(address)
    model = _model(capture, found)
    cell, signal = _reading(first, capture, model)
    left, right = default_pair(capture, model)
    view = View(model, cell, signal, left=left, right=right)
    view = replace(
        view,
        top=_number(found, "top", capture.text_bytes),
        cursor=_cursor(found, capture),
        left=_compared(capture, found, "left", left),
        right=_compared(capture, found, "right", right),
        pins=tuple(Reading(*_reading(pin, capture, model)) for pin in found.get("pin", [])[:MOST_PINS]),
        above=_one_of(found, "above", {panel.value: panel for panel in Panel}),
        panels=_one_of(found, "panels", _SHOWN),
        hides_dead=_one_of(found, "dead", _SHOWN) is False,
        condition=_condition(capture, found, model),
        search=_search(found),
    )
    return replace(view, shade=_shade(found, view), shown_before=_shown_before(found, view, capture))


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


def outside(name: str, offset: int, capture: Capture) -> InvalidRequest:
    """The refusal of an offset that cannot be shown: it lies behind the text, or behind what is captured so far."""
    if capture.captured <= offset < capture.symbols:
        from rnnviz.store.addition import finish  # loads what writes captures, and the explorer writes none

        return InvalidRequest(
            f"{name} is not captured yet",
            f"{capture.captured:,} of the text's {capture.symbols:,} symbols are captured so far. {finish(capture)}",
        )
    return InvalidRequest(
        f"{name} lies outside the text", f"It has {capture.symbols:,} symbols, counted from 0."
    )


def _cursor(found: dict[str, list[str]], capture: Capture) -> int:
    cursor = _number(found, "cursor", capture.symbols)
    if cursor >= max(1, capture.captured):
        raise outside(f"cursor={cursor}", cursor, capture)
    return cursor


def _number(found: dict[str, list[str]], name: str, length: int) -> int:
    text = found.get(name, ["0"])[-1]
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise InvalidRequest(f"{name}={text!r} is no number", _EXAMPLE)
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


def _shown_before(found: dict[str, list[str]], view: View, capture: Capture) -> ShownBefore | None:
    if "before" not in found:
        return None
    signal, _, shade = found["before"][-1].partition(".")
    _reading(f"{view.cell}.{signal}", capture, view.model)
    return ShownBefore(signal, _shade({"shade": [shade or Shade.CELL]}, view))


def _one_of(found: dict[str, list[str]], name: str, values: dict[str, Choice]) -> Choice | None:
    """What is chosen from some values; None where nothing is."""
    if name not in found:
        return None
    chosen = found[name][-1]
    if chosen not in values:
        raise InvalidRequest(f"{chosen!r} is not what {name} can be", f"It can be {' or '.join(values)}.")
    return values[chosen]


def _condition(capture: Capture, found: dict[str, list[str]], model: str) -> Condition | None:
    if "condition" not in found:
        return None
    from rnnviz.analysis.conditions import parse_condition  # 8 ms that most views need not wait for

    return parse_condition(_unescaped(found, "condition"), capture.models[model])


def _search(found: dict[str, list[str]]) -> re.Pattern[bytes] | None:
    if "search" not in found:
        return None
    pattern = pattern_of(_unescaped(found, "search"))
    if not is_plain(pattern):
        raise InvalidRequest(
            "the search of a view may not repeat anything: it could take for ever",
            "Open the view without it, and search with /.",
        )
    return pattern


def _of(names: list[str]) -> str:
    return f"It has {', '.join(names)}." if names else "It has none."
