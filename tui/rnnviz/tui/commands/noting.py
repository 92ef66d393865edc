"""What `rnnviz capture` notes on this machine for who looks at the capture later: where its models and text lie.

The capture itself may travel, and says of a run only its name and the SHA-256 of its weights.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rnnviz.store.errors import InvalidModels, InvalidRun, NotFound
from rnnviz.tui.keeping import keep_model_paths, keep_place, known_places

if TYPE_CHECKING:
    from rnnviz.engine.ngram.directory import NgramModels
    from rnnviz.engine.run import Run
    from rnnviz.engine.text import Text
    from rnnviz.tui.progress import Event

AnyEvent = TypeVar("AnyEvent", bound="Event")


def noting(
    events: Generator[AnyEvent, None, None], note: Callable[[], bool]
) -> Generator[AnyEvent, None, None]:
    """The events of a computation. `note` is called after each until it says that there was something to note: long
    before the end, because a capture whose process was killed is to be looked at too."""
    noted = False
    with closing(events):
        for event in events:
            noted = noted or note()
            yield event
    if not noted:
        note()


def note_models(capture: Path, runs: Sequence[Path], ngrams: Path | None = None) -> bool:
    """Note where the models of the capture at a path lie that come from these. Whether there were any."""
    from rnnviz.store.reader import open_capture
    from rnnviz.tui.live.whereabouts import ngram_models, ngrams_at, run_at

    try:
        opened = open_capture(capture)
    except (NotFound, OSError, ValueError):  # there is none yet, or none any more
        return False
    found: dict[str, Path] = {}
    for name, model in opened.models.items():
        for run in runs if model.layers else ():
            try:
                if run_at(run, opened, name).same:
                    found[name] = run
            except (NotFound, InvalidRun):
                continue
    if ngrams is not None:
        for name in ngram_models(opened).values():
            try:
                if ngrams_at(ngrams, opened, name).same:
                    found[name] = ngrams
            except (NotFound, InvalidModels):
                continue
    if found:
        keep_model_paths(capture, found)
    return bool(found)


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


def text_words(text: str | None, glob: str | None, seed: int | None) -> list[str]:
    """What names a text on a command line, from wherever it is given; nothing for a run's own text."""
    words = []
    if text is not None:
        path = Path(text)
        words.append(text if text.startswith("python:") else str(path.resolve()))
    if glob is not None:
        words += ["--glob", glob]
    if seed is not None:
        words += ["--seed", str(seed)]
    return words
