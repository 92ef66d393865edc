"""Make every picture of this folder anew, with nothing but the `rnnviz` command line.

    python samples/make_pictures.py [WORK]

The n-gram and the capture that the pictures show are made in the folder WORK and kept there; what is there already
is used again. Without WORK they are made in a temporary folder, which takes a few minutes. The text is rnnviz's own
source in `tui/` as it is now, so the pictures change with it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rnnviz.store.reader import open_capture

SAMPLES = Path(__file__).resolve().parent
SOURCE = SAMPLES.parent / "tui"

CELL = "1:50"
"""The cell of the screens: it follows strings."""
SCREENS_SHOW = b"    def moved_to(self"
SNAPSHOTS_SHOW = b"def colour_depth("
"""Where the text of the pictures begins: the first place in the source that reads so."""

KEYS = {
    "text": "",
    "gates": "h,s,s,s",
    "predictions": "t,t,t,down,down,down,d",
    "cells": "c,right,right",
}
"""What is pressed before each of the screens is drawn."""
SIZES = ("80x24", "200x50")
SNAPSHOTS = {"1:112": "brackets", "1:47": "line", "1:105": "indentation", "1:50": "strings"}
"""What each cell of the snapshots follows; `find_cells.py` finds them."""


STATE = {"XDG_STATE_HOME": os.devnull}
"""Pictures show what was asked for, not where somebody left the explorer, and leave no trace there."""


def rnnviz(*arguments: str | Path) -> None:
    """Run one command, and show it. A command that fails ends the script with its exit status."""
    words = ["rnnviz", *map(str, arguments)]
    print("$", " ".join(words), flush=True)
    done = subprocess.run(
        [sys.executable, "-m", *words], check=False, cwd=SAMPLES.parent, env=os.environ | STATE
    )
    if done.returncode:
        sys.exit(done.returncode)


def captured(work: Path) -> Path:
    """The capture that the pictures show."""
    ngrams, capture = work / "ngram", work / "own.zarr"
    if not ngrams.exists():
        rnnviz("ngram", "train", "python:stdlib", "--n", "8", "--out", ngrams)
    if not capture.exists():
        rnnviz(
            *("capture", SAMPLES / "python-lstm", SOURCE, "--glob", "*.py", "--split", "all"),
            *("--unknown", "replace", "--out", capture, "--ngram", ngrams),
        )
    return capture


def offset(capture: Path, passage: bytes) -> int:
    """Where a passage begins in the text of a capture."""
    opened = open_capture(capture)
    found = opened.text(0, opened.text_bytes).tobytes().find(passage)
    if found < 0:
        sys.exit(f"{SOURCE} no longer has {passage.decode()!r}: choose another passage in {__file__}")
    return found


def draw(capture: Path) -> None:
    screens, snapshots = offset(capture, SCREENS_SHOW), offset(capture, SNAPSHOTS_SHOW)
    browse = ("browse", capture, "--cell", CELL, "--start", str(screens))
    rnnviz(*browse, "--size", "110x32", "--picture", SAMPLES / "explorer.svg")
    for name, keys in KEYS.items():
        for size in SIZES:
            pressed = ("--press", keys) if keys else ()
            file = SAMPLES / "screens" / f"{name}-{size}.svg"
            rnnviz(*browse, "--size", size, *pressed, "--picture", file)
    for cell, follows in SNAPSHOTS.items():
        rnnviz(
            *("snapshot", capture, "--cell", cell, "--start", str(snapshots), "--width", "110"),
            *("--lines", "28", "-o", SAMPLES / f"cell-{cell.replace(':', '_')}-{follows}.ans"),
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        draw(captured(Path(sys.argv[1]).resolve()))
    else:
        with tempfile.TemporaryDirectory() as folder:
            draw(captured(Path(folder)))
