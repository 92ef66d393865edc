"""Runs over characters and words, as an import leaves them, with weights that tell units and symbols apart."""

from __future__ import annotations

from pathlib import Path

import torch

from rnnviz.engine.models.kinds.registry import Kind
from rnnviz.engine.models.recurrent import build
from rnnviz.engine.runs.imported_file import ImportedFile
from rnnviz.engine.runs.run import Run, RunConfig, load_run, versions
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary

CHARACTERS = TokenVocabulary(tuple("aébc \n🙂"), "character")
WORDS = TokenVocabulary(
    ("<unk>", "<eos>", "der", "Hund", "schläft", "🙂", "."), "word", unknown=0, line_end=1
)


def imported_run(
    path: Path,
    vocabulary: Vocabulary | TokenVocabulary,
    kind: Kind = "lstm",
    layers: int = 2,
    hidden: int = 5,
) -> Run:
    """A run on disk of a model with random weights of up to 1.5."""
    path.mkdir(parents=True)
    model = build(kind, len(vocabulary), hidden, layers)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(-1.5, 1.5, generator=generator)
    run = Run(
        path=path,
        config=RunConfig(kind=kind, layers=layers, hidden=hidden),
        vocabulary=vocabulary,
        text=None,
        history=(),
        versions=versions(),
        command="rnnviz import model.pt",
        source=ImportedFile("model.pt", "0" * 64, "PyTorch state_dict"),
        complete=True,
    )
    run.save()
    run.save_model(model)
    return load_run(path)
