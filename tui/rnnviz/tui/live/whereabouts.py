"""Where the models of a capture are now. A capture keeps the name of a run and the SHA-256 of its weights, no path."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rnnviz.store.errors import InvalidModels, InvalidRun, NotFound
from rnnviz.store.reader import Capture
from rnnviz.tui.keeping import model_path

WEIGHTS_FILE: Final = "model.safetensors"
RUN_FILE: Final = "run.json"
NGRAM_FILE: Final = "ngram.json"
_MOST_NEIGHBOURS: Final = 500
"""Directories that are looked into, of each place."""
_LARGEST_RECORD: Final = 1 << 20


@dataclass(frozen=True)
class FoundRun:
    path: Path
    same: bool
    """Whether its weights are those of the capture."""


@dataclass(frozen=True)
class FoundNgrams:
    """A directory of n-gram models, with the n of each."""

    path: Path
    orders: tuple[int, ...]
    same: bool
    """Whether they are of the text that those of the capture are of."""


def find_run(capture: Capture, model: str, beside: Path) -> FoundRun | None:
    """The run of a model of the capture: with the capture's weights, where a person said it is (see `keeping`), or
    near the capture or the directory `beside`.

    Looks at the places themselves, their parents, and one level of directories in them. Hashes only weights of
    directories that look like a run.
    """
    weights = _record(capture, model).get("weights")
    if not isinstance(weights, str):
        return None
    for folder in _near(capture, model, beside):
        if _holds(folder, RUN_FILE) and _holds(folder, WEIGHTS_FILE):
            with contextlib.suppress(InvalidRun):
                if _sha256(folder / WEIGHTS_FILE) == weights:
                    return FoundRun(folder, same=True)
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
    for folder in _near(capture, model, beside):
        if _holds(folder, NGRAM_FILE):
            with contextlib.suppress(InvalidModels):
                found = ngrams_at(folder, capture, model)
                if found.same:
                    return found
    return None


def ngrams_at(path: Path, capture: Capture, model: str | None) -> FoundNgrams:
    """The n-gram models a person says they are. Raises NotFound and InvalidModels where there are none."""
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
        case {"n": [*orders], "text": {"sha256": text}} if orders and all(type(n) is int for n in orders):
            same = model is not None and _text(_record(capture, model)) == text
            return FoundNgrams(path, tuple(sorted(orders)), same)
    raise InvalidModels(f"{file} is damaged", hint)


def _near(capture: Capture, model: str, beside: Path) -> Iterator[Path]:
    """Directories to look at: the one that was given before, those of the model's name, all others."""
    given = model_path(capture.path, model)
    if given is not None:
        yield given
    name = _record(capture, model).get("name")
    home = capture.path.absolute().parent
    places = dict.fromkeys((home, beside.absolute(), home.parent, beside.absolute().parent))
    seen: set[Path] = set()
    for named in (True, False):
        for place in places:
            for folder in (place, *_folders(place)):
                # A name is a stranger's word: it leads nowhere but into these places.
                is_name = isinstance(name, str) and Path(name).name == name
                candidate = folder / str(name) if named and is_name else folder
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
