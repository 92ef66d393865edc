"""Where the models of a capture are now.

A capture keeps the name of a run, the SHA-256 of its weights, and where it was relative to the capture; this user's
state keeps where runs were seen, by that hash. So a run is found wherever it and the capture were moved together,
and where it was when it was last captured; wherever something is found, its hash decides.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rnnviz.store.errors import InvalidModels, InvalidRun, NotFound
from rnnviz.store.reader import Capture
from rnnviz.tui.view.user_state import known_places, model_path, ngrams_identity

WEIGHTS_FILE: Final = "model.safetensors"
RUN_FILE: Final = "run.json"
NGRAM_FILE: Final = "ngram.json"
_MOST_NEIGHBOURS: Final = 500
"""Directories that are looked into, of each place."""
_LARGEST_RECORD: Final = 1 << 20
_LARGEST_RUN_RECORD: Final = 1 << 26
"""Bytes of a run's record, which holds an entry for each epoch."""


@dataclass(frozen=True)
class FoundRun:
    path: Path
    same: bool
    """Whether its weights are those of the capture."""


@dataclass(frozen=True)
class TrainedOn:
    """The run of a capture's model, which has been trained on since and has other weights now."""

    path: Path
    epochs: int
    """Those it has been trained for by now."""
    captured_epochs: int
    """Those it had been trained for when it was captured."""

    def anew(self, capture: Path) -> str:
        """The command that captures it as it is now."""
        return shlex.join(["rnnviz", "capture", str(self.path), "--out", str(capture), "--force"])

    def told(self, capture: Path) -> str:
        """What is to be said of it beside a capture."""
        return (
            f"The run at {self.path} has been trained on since the capture ({self.epochs} epochs now, "
            f"{self.captured_epochs} then): its weights are not the capture's. "
            f"To capture it anew: {self.anew(capture)}."
        )


@dataclass(frozen=True)
class FoundNgrams:
    """A directory of n-gram models, with the n of each."""

    path: Path
    orders: tuple[int, ...]
    same: bool
    """Whether they are of the text that those of the capture are of."""


@dataclass(frozen=True)
class Sought:
    """The directory of a run or of n-gram models: what is known of where it is."""

    capture: Path
    """Which it belongs to."""
    name: object
    """What it was called; a stranger's word."""
    place: str | None
    """Where it was relative to the capture."""
    identity: str
    """What `known_places` knows it by."""
    given: Path | None = None
    """Where a person said that it is."""


def find_run(capture: Capture, model: str, beside: Path) -> FoundRun | None:
    """The run of a model of the capture: with the capture's weights, where a person said it is (see `keeping`), at its
    place relative to the capture, where it was seen before, or near the capture or the directory `beside`."""
    weights = _record(capture, model).get("weights")
    if not isinstance(weights, str):
        return None
    folder = find_weights(weights, _sought(capture, model, weights), beside)
    return None if folder is None else FoundRun(folder, same=True)


def find_trained_on(capture: Capture, model: str, beside: Path) -> TrainedOn | None:
    """The run of a model of the capture where it has been trained on since, searched for as `find_run` does.

    It is the same run if it was trained on the same text and its validation loss after one of the epochs there were
    then is, to the last bit, the one that the capture keeps.
    """
    record = _record(capture, model)
    weights, epochs, loss = record.get("weights"), record.get("epochs"), record.get("validation_loss")
    if not (isinstance(weights, str) and type(epochs) is int and isinstance(loss, float)):
        return None
    for folder in _near(_sought(capture, model, weights), beside):
        if not _holds(folder, WEIGHTS_FILE):
            continue
        match _json_object(folder / RUN_FILE):
            case {"history": [*history], "text": {"sha256": text}} if len(history) > epochs:
                losses = [entry.get("validation") for entry in history[:epochs] if isinstance(entry, dict)]
                if text == _text(record) and loss in losses:
                    return TrainedOn(folder, len(history), epochs)
    return None


def _json_object(file: Path) -> object:
    """What a file of JSON holds; None where that cannot be said."""
    try:
        if file.stat().st_size > _LARGEST_RUN_RECORD:
            return None
        content: object = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return content


def find_weights(weights: str, sought: Sought, beside: Path) -> Path | None:
    """The directory of the run whose weights have this SHA-256.

    Looks where it may be by what is known, then in the capture's folder, in `beside`, in their parents and in one level
    of directories in these. Hashes only weights of directories that look like a run.
    """
    for folder in _near(sought, beside):
        if _holds(folder, RUN_FILE) and _holds(folder, WEIGHTS_FILE):
            with contextlib.suppress(InvalidRun):
                if _sha256(folder / WEIGHTS_FILE) == weights:
                    return folder
    return None


def refuse_no_run(path: Path) -> None:
    """Raise NotFound or InvalidRun unless a path may be that of a run."""
    hint = "Give the directory that `rnnviz train --out` named."
    if not path.is_dir():
        raise NotFound(f"there is no directory {path}", hint)
    if not _holds(path, RUN_FILE) or not _holds(path, WEIGHTS_FILE):
        raise InvalidRun(f"{path} is no run with weights", hint)


def run_at(path: Path, capture: Capture, model: str) -> FoundRun:
    """The run a person says it is. Raises NotFound and InvalidRun where there is none."""
    refuse_no_run(path)
    return FoundRun(path, _sha256(path / WEIGHTS_FILE) == _record(capture, model).get("weights"))


def ngram_models(capture: Capture) -> dict[int, str]:
    """The names of the capture's n-gram models, by n."""
    found = {}
    for name, model in capture.models.items():
        n = _record(capture, name).get("n")
        if model.kind == "n-gram" and isinstance(n, int):
            found[n] = name
    return found


def find_ngrams(capture: Capture, model: str, beside: Path) -> FoundNgrams | None:
    """The directory of an n-gram model of the capture, searched for as runs are. It is known by its text, because a
    model's own file may be too large to hash each time."""
    text = _text(_record(capture, model))
    if not isinstance(text, str):
        return None
    return find_ngrams_of(text, _sought(capture, model, ngrams_identity(text)), beside)


def find_ngrams_of(text: str, sought: Sought, beside: Path) -> FoundNgrams | None:
    """The directory of n-gram models of the text with this SHA-256."""
    for folder in _near(sought, beside):
        if _holds(folder, NGRAM_FILE):
            with contextlib.suppress(InvalidModels):
                found = _ngrams(folder, text)
                if found.same:
                    return found
    return None


def ngrams_at(path: Path, capture: Capture, model: str | None) -> FoundNgrams:
    """The n-gram models a person says they are. Raises NotFound and InvalidModels where there are none."""
    return _ngrams(path, None if model is None else _text(_record(capture, model)))


def _ngrams(path: Path, text: object) -> FoundNgrams:
    hint = "Give the directory that `rnnviz ngram train --out` named."
    file = path / NGRAM_FILE
    if not path.is_dir():
        raise NotFound(f"there is no directory {path}", hint)
    if not _holds(path, NGRAM_FILE) or file.stat().st_size > _LARGEST_RECORD:
        raise InvalidModels(f"{path} holds no n-gram models", hint)
    try:
        record = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidModels(f"{file} is damaged", hint) from error
    match record:
        case {"n": [*orders], "text": {"sha256": found}} if orders and all(type(n) is int for n in orders):
            return FoundNgrams(path, tuple(sorted(orders)), text is not None and found == text)
    raise InvalidModels(f"{file} is damaged", hint)


def _sought(capture: Capture, model: str, identity: str) -> Sought:
    name, place = _record(capture, model).get("name"), capture.models[model].attributes.get("place")
    given = model_path(capture.path, model)
    return Sought(capture.path, name, place if isinstance(place, str) else None, identity, given)


def _near(sought: Sought, beside: Path) -> Iterator[Path]:
    """Directories to look at: those that something speaks for, those of the name near by, all others near by."""
    home = sought.capture.absolute().parent
    told = [sought.given] if sought.given is not None else []
    if sought.place is not None:
        told.append(Path(os.path.normpath(sought.capture.resolve() / sought.place)))
    seen: set[Path] = set()
    for candidate in (*told, *known_places(sought.identity)):
        if candidate not in seen:
            seen.add(candidate)
            yield candidate
    places = dict.fromkeys((home, beside.absolute(), home.parent, beside.absolute().parent))
    for named in (True, False):
        for place in places:
            for folder in (place, *_folders(place)):
                # A name is a stranger's word: it leads nowhere but into these places.
                is_name = isinstance(sought.name, str) and Path(sought.name).name == sought.name
                candidate = folder / str(sought.name) if named and is_name else folder
                if candidate not in seen:
                    seen.add(candidate)
                    yield candidate


def _holds(folder: Path, name: str) -> bool:
    try:
        return (folder / name).is_file()
    except OSError:
        return False


def _folders(place: Path) -> list[Path]:
    try:
        found = [entry for entry in place.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
    except OSError:
        return []
    return sorted(found)[:_MOST_NEIGHBOURS]


def _record(capture: Capture, model: str) -> Mapping[str, object]:
    """What a capture says of where a model comes from."""
    run = capture.models[model].attributes.get("run")
    return run if isinstance(run, Mapping) else {}


def _text(record: Mapping[str, object]) -> object:
    text = record.get("text")
    return text.get("sha256") if isinstance(text, Mapping) else None


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InvalidRun(f"cannot read {path}: {error.strerror}", "May you read it?") from error
