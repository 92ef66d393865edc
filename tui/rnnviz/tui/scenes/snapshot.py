"""A view as a file: the same frame as on the screen, as ANSI text, HTML, SVG or plain text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rnnviz.analysis.cells import Cell
from rnnviz.store.errors import AlreadyExists, InvalidRequest, NotFound, StorageFailure
from rnnviz.store.reader import Capture
from rnnviz.store.signals import SIGNALS
from rnnviz.tui.capture_cache.capture_data import FromDisk
from rnnviz.tui.paint.lines import Inks, Line
from rnnviz.tui.paint.palette import Depth, palette
from rnnviz.tui.pictures.ansi_text import as_ansi
from rnnviz.tui.pictures.html_page import as_html
from rnnviz.tui.pictures.svg_picture import as_svg
from rnnviz.tui.scenes.text_scene import Scene
from rnnviz.tui.text.glyphs import visible
from rnnviz.tui.text.rows import LIMIT, TextWindow
from rnnviz.tui.text.symbol_edges import byte_of, symbols_in
from rnnviz.tui.view.view import View, scrolled_to_cursor

if TYPE_CHECKING:
    from rnnviz.analysis.conditions import Condition
    from rnnviz.analysis.events import Tally

Format = Literal["ansi", "html", "svg", "txt"]
SUFFIXES: dict[str, Format] = {".ans": "ansi", ".ansi": "ansi", ".html": "html", ".svg": "svg", ".txt": "txt"}


def format_of(path: Path) -> Format:
    """The format that a file's suffix stands for."""
    try:
        return SUFFIXES[path.suffix.lower()]
    except KeyError:
        raise InvalidRequest(
            f"{path} does not say by its suffix how to draw it",
            "Give a name that ends in .ans, .html, .svg or .txt.",
        ) from None


def default_name(capture: Path, cell: Cell, signal: str, start: int) -> str:
    """The file name offered for a snapshot."""
    return f"{capture.stem}-{cell.layer}_{cell.unit}-{signal}-{start}.ans"


@dataclass(frozen=True)
class Sheet:
    """How large a snapshot is, and what is on it.

    A whole screen is `width` columns and `height` rows, as the explorer draws them but for the keys at its bottom. The
    text alone is `height` rows of text at most, between a line that names the cell and one that says which symbols
    these are.
    """

    width: int
    height: int
    text_alone: bool = False


def picture(capture: Capture, view: View, sheet: Sheet, depth: Depth, theme: str) -> list[Line]:
    """A view as painted lines. Raises InvalidCapture for a damaged capture.

    The text starts with the row that holds view.top, or as the explorer does where the cursor would not be seen.
    """
    scene = Scene(capture, FromDisk(capture), depth, theme)
    alone = sheet.text_alone
    height = sheet.height + 2 if alone else sheet.height
    at = scene.places(view, sheet.width, height, text_alone=alone)
    around = (view.top,) if alone else (view.top, byte_of(capture, view.cursor))
    window = _window(capture, min(around), max(around) + at.text.height * at.text.width)
    if not alone:
        view = scrolled_to_cursor(view, window, at.text.width, at.text.height)
    rows = window.rows_from(view.top, at.text.width, at.text.height)
    if alone:
        height = len(rows) + 2
        at = scene.places(view, sheet.width, height, text_alone=True)
    counted = None if view.condition is None or alone else _counted(capture, view.model, view.condition)
    grid = scene.draw(view, view, window, rows, at, sheet.width, height, tally=counted, text_alone=alone)
    return [grid.row(y) for y in range(height)]


def _window(capture: Capture, start: int, stop: int) -> TextWindow:
    """The text from start to stop, with as much around it as its layout depends on."""
    start, stop = max(0, start - 3 * LIMIT), min(capture.text_bytes, stop + 3 * LIMIT)
    symbols, breaks = symbols_in(capture, start, stop), capture.segments[:, 0]
    if symbols is not None:
        inside = (breaks >= symbols.first) & (breaks < symbols.first + len(symbols.edges) - 1)
        breaks = symbols.edges[breaks[inside] - symbols.first]
    return TextWindow(start, capture.text(start, stop), capture.text_bytes, breaks, symbols)


def _counted(capture: Capture, model: str, condition: Condition) -> Tally:
    """How often a condition holds in the whole text."""
    from rnnviz.analysis.events import coming_true, tally

    *_, whole = tally(coming_true(capture.models[model], condition), capture.segments[:, 0], capture.captured)
    return whole


def as_text(lines: list[Line]) -> str:
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def render(capture: Capture, view: View, form: Format, sheet: Sheet, *, theme: str, depth: Depth) -> str:
    """A view in one of the formats. Colour depth matters to ANSI alone: pages and pictures have all colours, plain
    text has none."""
    title = visible(f"{view.cell} {SIGNALS[view.signal].view_name} · {capture.text_name}")
    known = {"ansi": depth, "txt": Depth.NONE}.get(form, Depth.TRUE)
    drawn = picture(capture, view, sheet, known, theme)
    ground = Inks.of(palette(known, theme, "diverging")).plain
    match form:
        case "ansi":
            return as_ansi(drawn)
        case "txt":
            return as_text(drawn)
        case "html":
            return as_html(drawn, ground, title)
        case "svg":
            return as_svg(drawn, ground, title)


def write_snapshot(
    capture: Capture,
    view: View,
    path: Path,
    sheet: Sheet,
    *,
    form: Format,
    theme: str,
    depth: Depth,
    replace: bool = True,
) -> None:
    """Write a view to a file. Raises NotFound or StorageFailure where that cannot be done, and AlreadyExists where
    something is there that is not to be replaced.
    """
    write_drawn(path, render(capture, view, form, sheet, theme=theme, depth=depth), replace=replace)


def write_drawn(path: Path, content: str, *, replace: bool = True) -> None:
    """Write what was drawn to a file, with the errors of `write_snapshot`."""
    try:
        with path.open("w" if replace else "x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError as error:
        raise AlreadyExists(f"{path} is there already", "Give another name.") from error
    except FileNotFoundError as error:
        if path.parent.is_dir():  # as in /proc
            raise StorageFailure(
                f"cannot write {path}: no file can be made there", "Choose another place for it."
            ) from error
        raise NotFound(
            f"there is no folder {path.parent}", "Make it first, or choose another place."
        ) from error
    except OSError as error:
        raise StorageFailure(
            f"cannot write {path}: {error.strerror}", "Choose another place for it."
        ) from error
