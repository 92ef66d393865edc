"""Runs whose cells move, and captures of them: what typing is tested with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from rnnviz.engine.capture.capture import capture
from rnnviz.engine.models.kinds.registry import Kind
from rnnviz.engine.runs.run import Run, load_run
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.engine.text.text import open_text
from rnnviz.store.reader import Capture, open_capture
from support.runs import SMALL, go_on, start
from support.texts import write_words
from support.token_runs import imported_run


def lively_run(path: Path, text: Path, kind: Kind = "lstm", layers: int = 2, hidden: int = 5) -> Run:
    """A run with weights so large that units and signals can be told apart: trained ones hardly move in a second."""
    opened = open_text(str(text))
    start(path, opened, replace(SMALL, kind=kind, layers=layers, hidden=hidden, epochs=1))
    go_on(path, opened)
    weights = load_file(path / "model.safetensors")
    generator = torch.Generator().manual_seed(1)
    for name in sorted(weights):
        weights[name].uniform_(-1.5, 1.5, generator=generator)
    save_file(weights, path / "model.safetensors")
    return load_run(path)


def capture_of(run: Run, text: Path, path: Path) -> Path:
    """A capture of a text in one segment; bytes the run does not know are replaced."""
    for _ in capture(run, open_text(str(text)), path, replace_unknown=True):
        pass
    return path


@dataclass(frozen=True)
class Typed:
    """What typing needs: a folder with a run and, beside it, a capture that was made with the run."""

    folder: Path
    run: Run
    path: Path
    """Of the capture."""

    @property
    def capture(self) -> Capture:
        return open_capture(self.path)


def wordy(folder: Path, hidden: int = 5) -> Typed:
    """A run over bytes and a capture of `words.txt`, which it is of."""
    text = write_words(folder / "words.txt", 2000)
    run = lively_run(folder / "runs" / "wordy", text, hidden=hidden)
    return Typed(folder, run, capture_of(run, text, folder / "x.zarr"))


def over_tokens(folder: Path, vocabulary: TokenVocabulary, text: str, hidden: int = 5) -> Typed:
    """An imported run over characters or words, and a capture of a text that has no unknown ones."""
    (folder / "text.txt").write_text(text)
    run = imported_run(folder / "runs" / "tokens", vocabulary, hidden=hidden)
    return Typed(folder, run, capture_of(run, folder / "text.txt", folder / "x.zarr"))
