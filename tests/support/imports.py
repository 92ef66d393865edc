"""Importing in tests."""

from __future__ import annotations

from pathlib import Path

from rnnviz.engine.importing.choices import Choices
from rnnviz.engine.importing.convert import Import, VocabularyFile, convert, read_checkpoint
from rnnviz.engine.progress import Computation


def imported_from(path: Path, vocabulary: VocabularyFile, choices: Choices) -> Import:
    """What is made of a checkpoint, before it is written."""
    converting = Computation(convert(read_checkpoint(path, choices), vocabulary))
    for progress in converting:
        assert 0 < progress.done <= progress.total
    return converting.result
