"""What is kept between sessions: the last view of each capture, where runs, n-grams and texts are, marks with
notes, notes on cells.

Marks and notes belong to the capture: they are kept beside it, in `X.zarr.marks.json` and `X.zarr.notes.json`, where
that folder can be written, so that they go where it goes. A capture itself is never written into. Where its folder is
not ours to write, and for the last views, which are nobody else's business, there is the user's state directory
(`XDG_STATE_HOME`, or `~/.local/state`).
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from rnnviz.store.disk import replace_file
from rnnviz.store.errors import InvalidRequest, StorageFailure

_LARGEST = 4 << 20
_MOST_PLACES = 8


@dataclass(frozen=True)
class Mark:
    """A place somebody wants to come back to: the symbol, what was looked at (see `addresses`), and why."""

    symbol: int
    view: str
    note: str


@dataclass(frozen=True)
class CellNote:
    """What somebody found out about a cell of a model; `cell` is its name, as in 1:37."""

    model: str
    cell: str
    note: str


def state_file(capture: Path, kind: str) -> Path:
    """Where the state directory keeps something about the capture at a path."""
    name = hashlib.sha256(os.fsencode(capture.resolve())).hexdigest()[:24]
    return _state() / kind / f"{name}.json"


def _state() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "rnnviz"


def last_view(capture: Path) -> str | None:
    """The address of the view that this capture was left with, if it is known."""
    document = _read(state_file(capture, "views"))
    view = document.get("view") if document else None
    return view if isinstance(view, str) else None


def keep_view(capture: Path, view: str) -> None:
    """Remember the view that a capture is left with. A state directory that cannot be written is no reason to fail."""
    try:
        _write(state_file(capture, "views"), {"capture": str(capture.resolve()), "view": view})
    except OSError:
        return


def keep_place(sha256: str, path: Path) -> None:
    """Remember where a text, a run or n-gram models were seen, by the SHA-256 that identifies them (see
    `known_places`). A state directory that cannot be written is no reason to fail."""
    paths = [path.resolve(), *known_places(sha256)]
    kept = list(dict.fromkeys(map(str, paths)))[:_MOST_PLACES]
    try:
        _write(_places_file(sha256), {"sha256": sha256, "paths": kept})
    except (OSError, ValueError):  # a name that JSON's file cannot hold
        return


def known_places(sha256: str) -> list[Path]:
    """The absolute paths at which something was seen on this machine, the latest first; it need not be there any more.

    What identifies a text is its own SHA-256, a run that of its weights, and n-gram models `ngrams_identity`.
    """
    try:
        document = _read(_places_file(sha256))
    except InvalidRequest:
        return []  # it can be asked for again
    if not document or document.get("sha256") != sha256:
        return []
    paths = document.get("paths")
    return [Path(path) for path in paths if isinstance(path, str)] if isinstance(paths, list) else []


def _places_file(sha256: str) -> Path:
    name = hashlib.sha256(sha256.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return _state() / "places" / f"{name}.json"


def ngrams_identity(text_sha256: str) -> str:
    """What `keep_place` and `known_places` know n-gram models of a text by."""
    return f"n-grams of {text_sha256}"


def model_path(capture: Path, model: str) -> Path | None:
    """Where the person last said that the run or the n-grams of a capture's model are."""
    path = _model_paths(capture).get(model)
    return Path(path) if isinstance(path, str) else None


def keep_model_path(capture: Path, model: str, path: Path) -> None:
    """Remember where a person says that a model is. A state directory that cannot be written is no reason to fail."""
    paths = {**_model_paths(capture), model: str(path.resolve())}
    try:
        _write(state_file(capture, "models"), {"capture": str(capture.resolve()), "paths": paths})
    except (OSError, ValueError):  # a name that JSON's file cannot hold
        return


def _model_paths(capture: Path) -> dict[str, object]:
    try:
        document = _read(state_file(capture, "models"))
    except InvalidRequest:
        return {}  # it can be asked for again
    paths = document.get("paths") if document else None
    return paths if isinstance(paths, dict) else {}


def marks_files(capture: Path) -> tuple[Path, Path]:
    """Where marks are looked for and kept: beside the capture, or else in the state directory."""
    return _kept_files(capture, "marks")


def _kept_files(capture: Path, kind: str) -> tuple[Path, Path]:
    resolved = capture.resolve()
    return resolved.with_name(f"{resolved.name}.{kind}.json"), state_file(capture, kind)


def read_marks(capture: Path) -> list[Mark]:
    """The marks of a capture, in the order of the text. Raises InvalidRequest for a file that is no list of marks."""
    found: dict[int, Mark] = {}
    for path in reversed(marks_files(capture)):
        document = _read(path)
        entries = [] if document is None else document.get("marks")
        if not isinstance(entries, list):
            raise InvalidRequest(f"{path} holds no marks", "Move it away to begin anew.")
        for entry in entries:
            if not (
                isinstance(entry, dict)
                and isinstance(entry.get("symbol"), int)
                and isinstance(entry.get("view"), str)
                and isinstance(entry.get("note"), str)
            ):
                raise InvalidRequest(f"{path} holds something that is no mark", "Move it away to begin anew.")
            mark = Mark(entry["symbol"], entry["view"], entry["note"])
            found[mark.symbol] = mark
    return [found[symbol] for symbol in sorted(found)]


def write_marks(capture: Path, marks: list[Mark]) -> Path:
    """Keep these marks in the place of those there were, and say where. Raises StorageFailure where neither place can
    be written."""
    return _keep(capture, "marks", {"format": 1, "marks": [asdict(mark) for mark in marks]})


def read_notes(capture: Path) -> list[CellNote]:
    """The notes on the cells of a capture, in the order in which they were kept; none from a file that holds no such
    thing."""
    for path in _kept_files(capture, "notes"):
        try:
            document = _read(path)
        except InvalidRequest:
            continue  # notes only help: there is no reason to open no explorer
        entries = document.get("notes") if document else None
        if isinstance(entries, list):
            return [
                CellNote(entry["model"], entry["cell"], entry["note"])
                for entry in entries
                if isinstance(entry, dict)
                and all(isinstance(entry.get(name), str) for name in ("model", "cell", "note"))
            ]
    return []


def write_notes(capture: Path, notes: list[CellNote]) -> Path:
    """Keep these notes on cells in the place of those there were, and say where. Raises StorageFailure where neither
    place can be written."""
    return _keep(capture, "notes", {"format": 1, "notes": [asdict(note) for note in notes]})


def _keep(capture: Path, kind: str, document: dict[str, object]) -> Path:
    beside, state = _kept_files(capture, kind)
    try:
        _write(beside, document)
    except OSError:
        try:
            _write(state, document)
        except OSError as error:
            raise StorageFailure(
                f"{kind} can be kept neither in {beside.parent} nor in {state.parent}: {error.strerror}",
                "Set XDG_STATE_HOME to a folder that can be written.",
            ) from error
        return state
    with suppress(OSError):  # there is none, or no such place at all
        state.unlink()
    return beside


def _read(path: Path) -> dict[str, object] | None:
    """The JSON object in a file; None where there is none. Raises InvalidRequest for anything else."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        document = json.loads(content) if len(content) <= _LARGEST else None
    except OSError:
        return None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise InvalidRequest(f"{path} is not what rnnviz keeps there", "Move it away to begin anew.")
    return document


def _write(path: Path, document: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, json.dumps(document, indent=1, ensure_ascii=False).encode())
