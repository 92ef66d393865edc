"""Captures made to their ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rnnviz.engine.capture.capture import capture
from rnnviz.engine.capture.further_runs import add_runs
from rnnviz.engine.runs.run import Run
from rnnviz.engine.text.text import Text
from rnnviz.store.reader import Capture, open_capture


def captured(run: Run, text: Text, path: Path, **options: Any) -> Path:
    for _ in capture(run, text, path, **options):
        pass
    return path


def add(path: Path, *runs: Run, **options: Any) -> Capture:
    """Add runs to the capture at `path`."""
    for _ in add_runs(path, runs, **options):
        pass
    return open_capture(path)
