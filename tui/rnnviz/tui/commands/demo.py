"""`rnnviz demo`: from nothing to a shaded screen, on source code that every machine has."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnnviz.store.errors import NotFound, RnnvizError
from rnnviz.tui.command_line.message import say_note
from rnnviz.tui.command_line.next_command import say_next
from rnnviz.tui.command_line.options import ColourChoice, ColourOption, ThemeChoice, ThemeOption

if TYPE_CHECKING:
    from rnnviz.engine.text.text import Text

MODULES = ("textwrap", "json.decoder", "shlex", "bisect", "string")
"""Readable modules of the standard library with long strings, comments and nesting; 60 KB in all."""

CELLS = {
    "bracket depth": "1:112",
    "inside a string": "1:50",
    "position in line": "1:47",
    "indentation": "1:105",
}
"""Cells of the sample run worth a look, by what they follow; samples/README.md says by what measure."""


def demo(
    train: Annotated[
        bool,
        typer.Option(
            "--train", help="Train a small model first, for about five minutes, and look into that."
        ),
    ] = False,
    color: ColourOption = ColourChoice.AUTO,
    theme: ThemeOption = ThemeChoice.DARK,
) -> None:
    """Capture a trained LSTM over modules of your own Python's library and open the explorer on them.

    A line above the text says what some of the cells follow, and how closely; the marks (M) lead to the places
    that show it best. The capture is kept in the user's cache directory, so that a second call opens at once.
    Without a terminal (in a pipe, in CI) it prints a snapshot of each of these cells instead.

    Examples:

        rnnviz demo

        rnnviz demo --train
    """
    from rnnviz.tui.command_line.sample_run import sample_run

    folder = cache_directory()
    if train:
        run = folder / "demo-run"
        _train(run)
        target = folder / "demo-run.zarr"
        _capture(run, target, None, force=True)
    else:
        target = (
            folder / f"demo-{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}.zarr"
        )
        _capture(sample_run(), target, CELLS, force=False)
    _look(target, color, theme)


def cache_directory() -> Path:
    """rnnviz's folder in the user's cache directory (XDG), made if it is not there."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rnnviz"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def modules_text() -> Text:
    """The demo's text: the source of MODULES as far as this Python has it."""
    from rnnviz.engine.text.text import text_of_files

    specs = [find_spec(name) for name in MODULES]
    paths = [Path(spec.origin) for spec in specs if spec and spec.origin and spec.origin.endswith(".py")]
    if not paths:
        raise NotFound(
            "this Python comes without the source of its library",
            "Capture a text of your own: rnnviz capture --help",
        )
    return text_of_files("python modules", paths)


def _capture(run: Path, target: Path, cells: dict[str, str] | None, *, force: bool) -> None:
    """Make the capture with its notes and marks, as far as it is not there already; `force` makes it anew. `cells` are
    those to explain, by what they follow; without them they are looked for."""
    from rnnviz.store.reader import open_capture
    from rnnviz.tui.command_line.capture_notes import note_run_of
    from rnnviz.tui.view.user_state import read_notes

    if not force:
        try:
            if open_capture(target).complete:
                note_run_of(target, run)
                if not read_notes(target):
                    _explain(target, cells)
                return
        except RnnvizError:
            force = target.exists()  # not usable, and nobody's but the demo's: make it anew

    from rnnviz.engine.capture.capture import capture
    from rnnviz.engine.runs.run import load_run
    from rnnviz.tui.command_line.progress_bar import show

    text = modules_text()
    say_note(f"capturing {len(text.parts)} modules of your Python into {target}")
    events = capture(
        load_run(run), text, target, part="all", replace_unknown=True, force=force, resume=not force
    )
    show("capturing", events)
    note_run_of(target, run)
    _explain(target, cells)


def _explain(target: Path, cells: dict[str, str] | None) -> None:
    """Keep notes on the cells, and marks at the places that show them best beside those that a person has set there."""
    from rnnviz.analysis.cell_tour import tour
    from rnnviz.analysis.cells import parse_cell
    from rnnviz.store.reader import open_capture
    from rnnviz.tui.command_line.tour_notes import notes_and_marks
    from rnnviz.tui.view.user_state import read_marks, write_marks, write_notes

    opened = open_capture(target)
    model = next(model for model in opened.models.values() if model.layers)
    units = tuple(layer.units for layer in model.layers)
    chosen = None if cells is None else {name: parse_cell(cell, units) for name, cell in cells.items()}
    notes, marks = notes_and_marks(opened, tour(opened, chosen))
    own = [] if cells is None else read_marks(target)  # the marks of a run that was trained before are stale
    places = {mark.symbol for mark in own}
    both = [*own, *(mark for mark in marks if mark.symbol not in places)]
    write_marks(target, sorted(both, key=lambda mark: mark.symbol))
    write_notes(target, notes)


def _train(run: Path) -> None:
    """Train 1×128 on python:stdlib for one epoch, or go on where an interrupted training stopped."""
    new = ["python:stdlib", "--layers", "1", "--hidden", "128", "--epochs", "1"]
    options = ["--resume"] if (run / "run.json").exists() else new
    done = subprocess.run([sys.executable, "-m", "rnnviz", "train", *options, "--out", str(run)], check=False)
    if done.returncode:
        sys.exit(done.returncode)


def _look(target: Path, color: ColourChoice, theme: ThemeChoice) -> None:
    """Open the explorer where the first cell is seen best, or print snapshots of such places, where there is no
    terminal to open it in."""
    from rnnviz.tui.launch.open_view import open_at, open_view
    from rnnviz.tui.view.user_state import read_marks, read_notes

    notes, marks = read_notes(target), read_marks(target)
    best = {note.cell: [mark for mark in marks if mark.view.startswith(f"{note.cell}.")] for note in notes}
    if sys.stdin.isatty() and sys.stdout.isatty():
        from rnnviz.tui.launch.browse import explore_view

        first = next((places[0] for places in best.values() if places), None)
        explore_view(
            *(open_at(target, first.view) if first else open_view(target, None, None, 0)), color, theme
        )
        return

    from rnnviz.tui.commands.snapshot import snapshot

    if not notes:  # of a model that was trained so little that no cell follows anything
        snapshot(target, start=0, lines=16, width=100, color=color, theme=theme)
    for note in notes:
        typer.echo(f"\n{note.cell} {note.note}")
        for mark in best[note.cell][:1]:
            snapshot(target, cell=note.cell, start=mark.symbol, lines=16, width=100, color=color, theme=theme)
    say_next(["rnnviz", "browse", str(target)])
