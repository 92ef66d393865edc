"""Adding a model to a capture that is complete: what is there is not touched.

The model is written as a capture of its own beside the other one, of the same text and segments. When it is whole, its
group is moved over and the list of models in the root's attribute is replaced; both are single steps on the disk. A
process killed at any moment leaves the capture valid, without the addition or with it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.store.bounds import MOST_MODELS, MOST_ROWS
from rnnviz.store.disk import DirectoryLock, replace_file, storage_errors
from rnnviz.store.errors import AlreadyExists, InvalidRequest, StorageFailure
from rnnviz.store.metadata import DOCUMENT, read_schema
from rnnviz.store.reader import Capture, open_capture
from rnnviz.store.schema import ATTRIBUTE, CaptureSchema, ModelSchema
from rnnviz.store.writer import CaptureWriter, create_capture

_PIECE: Final = 1 << 20
_AGAIN: Final = "The capture is as it was. Free some space, then give the same command again."


def finish(capture: Capture) -> str:
    """The hint of what is refused for an incomplete capture: how it is made whole."""
    if any(model.kind == "states" for model in capture.models.values()):
        return "Import it again, by the rnnviz import it was begun with and --force."
    return f"Finish it first: rnnviz capture --resume --out {quote(str(capture.path))}"


def open_to_add(path: Path) -> Capture:
    """The capture at `path`. Raises InvalidRequest unless it is complete, and what `open_capture` raises."""
    capture = open_capture(path)
    if not capture.complete:
        raise InvalidRequest(
            f"{capture.path} is incomplete: a model is added to a whole capture",
            finish(capture),
        )
    return capture


def is_added(capture: Capture, model: ModelSchema) -> bool:
    """Whether the complete capture holds this very model already.

    Raises AlreadyExists where another one has its name, InvalidRequest where the capture cannot take it.
    """
    if (model.tokens is not None) != capture.has_tokens:
        raise InvalidRequest(
            f"the symbols of {capture.path} are {capture.unit}s, and those that {model.name} knows are not",
            "Add a model of the same kind of symbols, or capture the text anew with this one.",
        )
    there = next((known for known in capture.schema.models if known.name == model.name), None)
    if there is not None and replace(there, next=model.next) == model and there.next:
        return True  # with distributions, whether or not they are asked for
    if there is not None and there != model and (there.kind, there.run) == (model.kind, model.run):
        raise AlreadyExists(
            f"{capture.path} holds this very model {model.name}, {_kept_otherwise(there, model)}",
            "A model that is there is not changed: capture the text anew with all that you want kept, as "
            "rnnviz capture RUN --ngram DIR --next N,… --out Y.zarr"
            if model.kind == "n-gram"
            else "A model that is there is not changed: add a copy of the run under another name, or capture the "
            "text anew with all that you want kept.",
        )
    if there is not None and there != model:
        raise AlreadyExists(
            f"{capture.path} holds another model {model.name}",
            "A model is called after its run's directory, n-grams after their n. Rename it, or capture the text anew.",
        )
    if there is None and len(capture.schema.models) == MOST_MODELS:
        raise InvalidRequest(f"{capture.path} holds {MOST_MODELS} models, and no more fit", "Make another.")
    rows = sum(each.layers * each.hidden * len(each.signals) for each in (*capture.schema.models, model))
    if there is None and rows > MOST_ROWS:
        raise InvalidRequest(
            f"{capture.path} and {model.name} have {rows:,} rows of signals; a capture holds {MOST_ROWS:,}",
            "Keep fewer --signals of it, or capture the text anew with it alone.",
        )
    return there is not None


def _kept_otherwise(there: ModelSchema, model: ModelSchema) -> str:
    """What of a model is kept in a capture, where something else is to be kept of the same one."""
    if there.next < model.next:
        return "and its distributions were not kept"
    if there.surprisal < model.surprisal:
        return "and its surprisal was not kept"
    if there.signals != model.signals:
        return f"with the signals {','.join(there.signals)}"
    return "with other of its predictions"


@contextmanager
def adding(path: Path, model: ModelSchema) -> Iterator[CaptureWriter]:
    """A writer for the time arrays of `model`, symbol 0 to the last, which is added to the capture at `path` when the
    block ends without an error.

    Raises as `open_to_add` and `is_added` do, StorageFailure where the disk refuses, and InvalidRequest where another
    process is writing at `path`.
    """
    lock = DirectoryLock(path)
    beside = path.resolve().with_name(f".{path.resolve().name}.adding")
    try:
        capture = open_to_add(path)
        is_added(capture, model)
        schema = replace(capture.schema, models=(model,))
        pieces = _text(capture)
        table, after = capture.segments, capture.after
        ends = _ends(capture)
        with create_capture(beside, schema, pieces, table, after, ends=ends, force=True) as writer:
            yield writer
            writer.finish()
        with storage_errors(path, _AGAIN):
            _move(beside, path, model)
    except StorageFailure as error:
        raise StorageFailure(error.message, _AGAIN) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        lock.release()


def _text(capture: Capture) -> Iterator[NDArray[np.uint8]]:
    for start in range(0, capture.text_bytes, _PIECE):
        yield capture.text(start, min(start + _PIECE, capture.text_bytes))


def _ends(capture: Capture) -> Iterator[NDArray[np.int64]]:
    for start in range(0, capture.symbols, _PIECE):
        yield capture.ends(start, min(start + _PIECE, capture.symbols))


def _move(beside: Path, path: Path, model: ModelSchema) -> None:
    """Give the group its place, then the model its name in the list. In between the group is there and not read."""
    target = path / model.path
    shutil.rmtree(target, ignore_errors=True)
    (beside / model.path).rename(target)
    found, _ = read_schema(path)
    schema: CaptureSchema = replace(found, models=(*found.models, model))
    document = json.loads((path / DOCUMENT).read_bytes())
    document["attributes"] = {ATTRIBUTE: schema.root(complete=True)}
    replace_file(path / DOCUMENT, json.dumps(document, indent=2).encode())
