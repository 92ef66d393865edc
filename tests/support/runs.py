"""Small runs for tests: trained in a second on a text of a few thousand bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from rnnviz.engine.progress import Progress
from rnnviz.engine.runs.run import Run, RunConfig, load_run
from rnnviz.engine.text.split import Split
from rnnviz.engine.text.text import Text
from rnnviz.engine.training.train import start_run, train

SMALL = RunConfig(
    kind="lstm", layers=1, hidden=5, epochs=3, split=Split(60, 20, 20, streams=4, unroll=10), device="cpu"
)


def start(path: Path, text: Text, config: RunConfig = SMALL) -> Run:
    return start_run(path, text, config, command="rnnviz train", spec=None, glob="*", force=False)


def go_on(path: Path, text: Text, until: Callable[[Progress], bool] = lambda _: False) -> Run:
    """Train on; stop as a person would where `until` says so. The run as it then is on disk."""
    events = train(path, text, device=torch.device("cpu"))
    for event in events:
        if until(event):
            break
    events.close()
    return load_run(path)


def without_times(run: Run) -> Run:
    """The run apart from where it is and how long it took: equal for equal computations."""
    history = tuple(replace(epoch, seconds=0.0, symbols_per_second=0.0) for epoch in run.history)
    return replace(run, path=Path(), history=history)
