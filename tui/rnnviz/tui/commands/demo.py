"""`rnnviz demo`: from nothing to a shaded screen, on source code that every machine has."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnnviz.store.errors import NotFound, RnnvizError
from rnnviz.tui.options import ColourChoice, ColourOption, ThemeChoice, ThemeOption

if TYPE_CHECKING:
    from rnnviz.engine.text import Text

MODULES = ("textwrap", "json.decoder", "shlex", "bisect", "string")
"""Readable modules of the standard library with long strings, comments and nesting; 60 KB in all."""

CELLS = {
    "1:112": "counts open brackets",
    "1:50": "is inside a string",
    "1:47": "measures the line",
    "1:105": "knows the indentation",
}
"""Cells of the sample run worth a look; samples/README.md says by what measure."""


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

    The capture is kept in the user's cache directory, so that a second call opens at once. Without a terminal
    (in a pipe, in CI) it prints a snapshot of each cell worth a look instead.

    Examples:

        rnnviz demo

        rnnviz demo --train
    """
    from rnnviz.tui.samples import sample_run

    folder = cache_directory()
    if train:
        run = folder / "demo-run"
        _train(run)
        _capture(run, folder / "demo-run.zarr", force=True)
        _look(folder / "demo-run.zarr", {}, color, theme)
    else:
        target = (
            folder / f"demo-{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}.zarr"
        )
        _capture(sample_run(), target, force=False)
        _look(target, CELLS, color, theme)


def cache_directory() -> Path:
    """rnnviz's folder in the user's cache directory (XDG), made if it is not there."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rnnviz"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def modules_text() -> Text:
    """The demo's text: the source of MODULES as far as this Python has it."""
    from rnnviz.engine.text import text_of_files

    specs = [find_spec(name) for name in MODULES]
    paths = [Path(spec.origin) for spec in specs if spec and spec.origin and spec.origin.endswith(".py")]
    if not paths:
        raise NotFound(
            "this Python comes without the source of its library",
            "Capture a text of your own: rnnviz capture --help",
        )
    return text_of_files("python modules", paths)


def _capture(run: Path, target: Path, *, force: bool) -> None:
    from rnnviz.store.reader import open_capture
    from rnnviz.tui.commands.noting import note_models

    if not force:
        try:
            if open_capture(target).complete:
                note_models(target, [run])
                return
        except RnnvizError:
            force = target.exists()  # not usable, and nobody's but the demo's: make it anew

    from rnnviz.engine.capture import capture
    from rnnviz.engine.run import load_run
    from rnnviz.tui.progress import show

    text = modules_text()
    typer.echo(f"capturing {len(text.parts)} modules of your Python into {target}", err=True)
    events = capture(
        load_run(run), text, target, part="all", replace_unknown=True, force=force, resume=not force
    )
    show("capturing", events)
    note_models(target, [run])


def _train(run: Path) -> None:
    """Train 1×128 on python:stdlib for one epoch, or go on where an interrupted training stopped."""
    new = ["python:stdlib", "--layers", "1", "--hidden", "128", "--epochs", "1"]
    options = ["--resume"] if (run / "run.json").exists() else new
    done = subprocess.run([sys.executable, "-m", "rnnviz", "train", *options, "--out", str(run)], check=False)
    if done.returncode:
        sys.exit(done.returncode)


def _look(target: Path, cells: dict[str, str], color: ColourChoice, theme: ThemeChoice) -> None:
    """Open the explorer on the first cell, or print snapshots where there is no terminal to open it in."""
    from rnnviz.tui.opening import open_view

    first = next(iter(cells), None)
    opened, view = open_view(target, first, None, 0)
    # The first function is a better place to begin than the comments at a module's top.
    start = max(0, opened.text(0, min(65536, opened.captured)).tobytes().find(b"\ndef ") + 1)
    view = replace(view, top=start, cursor=start)
    if sys.stdin.isatty() and sys.stdout.isatty():
        from rnnviz.tui.exploring import explore_view

        explore_view(opened, view, color, theme)
        return

    from rnnviz.tui.commands.snapshot import snapshot

    for cell, what in (cells or {"0:0": "the first cell"}).items():
        typer.echo(f"\n{cell} {what}")
        snapshot(target, cell=cell, start=start, lines=16, width=100, color=color, theme=theme)
    typer.echo(f"\nIn a terminal, explore it: rnnviz browse {target}")
