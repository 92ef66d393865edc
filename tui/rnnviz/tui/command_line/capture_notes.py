"""What commands note in this user's state for whoever looks for it later: where runs, n-gram models and texts lie.

Runs and captures themselves may travel, and hold no absolute path.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rnnviz.tui.view.user_state import keep_place, known_places, ngrams_identity

if TYPE_CHECKING:
    from rnnviz.engine.ngram.directory import NgramModels
    from rnnviz.engine.runs.run import Run
    from rnnviz.engine.text.text import Text


def weights_of(run: Run) -> str:
    """The SHA-256 of a run's weights, which identifies it. Raises OSError where they cannot be read."""
    from rnnviz.engine.runs.run import MODEL_FILE

    with (run.path / MODEL_FILE).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def note_run(run: Run) -> None:
    """Note where a run with weights lies."""
    keep_place(weights_of(run), run.path)


def note_run_of(capture: Path, run: Path) -> None:
    """Note where the run lies that made the main model of a capture. Needs no torch."""
    from rnnviz.store.reader import open_capture

    record = next(iter(open_capture(capture).models.values())).attributes["run"]
    weights = record.get("weights") if isinstance(record, Mapping) else None
    if isinstance(weights, str):
        keep_place(weights, run)


def note_ngrams(models: NgramModels) -> None:
    """Note where n-gram models lie."""
    keep_place(ngrams_identity(models.text.sha256), models.path)


def note_text(text: Text) -> None:
    """Note where a text lies, so that whoever was trained on it finds it from any directory."""
    if text.origin is not None:
        keep_place(text.sha256(), text.origin)


def open_own_text(owner: Run | NgramModels, text: str | None, glob: str | None) -> Text:
    """The text that TEXT and --glob name, or the owner's own where it can be found. Raises as `TextRecord.open`."""
    known = known_places(owner.text.sha256) if owner.text is not None and text is None else []
    opened = owner.open_text(text, glob, known)
    note_text(opened)
    return opened
