"""Importing: a checkpoint of another program becomes a run."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from safetensors.torch import save
from torch import Tensor

from rnnviz.engine.importing.char_rnn import read_torch7
from rnnviz.engine.importing.choices import Choices
from rnnviz.engine.importing.network import Network
from rnnviz.engine.importing.network_search import find_network
from rnnviz.engine.importing.state_dict import read_state_dict, shown
from rnnviz.engine.importing.torch7_file import Table
from rnnviz.engine.importing.vocabularies import (
    BY_NAME,
    Format,
    SpecialTokens,
    Symbols,
    read_symbols,
    symbols_in_checkpoint,
)
from rnnviz.engine.progress import Progress
from rnnviz.engine.runs.imported_file import ImportedFile
from rnnviz.engine.runs.run import CHECKPOINT_FILE, MODEL_FILE, RUN_FILE, Run, RunConfig, versions
from rnnviz.engine.text.text import is_there, printable
from rnnviz.store.disk import DirectoryLock, make_directory, replace_file
from rnnviz.store.errors import AlreadyExists, InvalidCheckpoint, InvalidRequest, NotFound
from rnnviz.store.schema import SymbolUnit

_TORCH7_STARTS: Final = (b"\x03\0\0\0", b"\x04\0\0\0")
"""A table or an instance."""


@dataclass(frozen=True)
class VocabularyFile:
    """Where the symbols are said to be, and how that is to be read (see `read_symbols`)."""

    spec: str | None = None
    unit: SymbolUnit | None = None
    format: Format = "auto"
    special: SpecialTokens = BY_NAME


@dataclass(frozen=True)
class ForeignModel:
    """A model in a checkpoint, before it is known what its symbols are."""

    network: Network
    vocabulary: Table | None
    """The checkpoint's own, where it has one."""
    source: ImportedFile
    decisions: tuple[str, ...]
    """What was taken for what, a line each."""


@dataclass(frozen=True)
class Import:
    """A model as rnnviz has it, before anything is written."""

    source: ImportedFile
    config: RunConfig
    symbols: Symbols
    parameters: dict[str, Tensor]


def read_checkpoint(path: Path, choices: Choices) -> ForeignModel:
    """Find the model in a checkpoint.

    Nothing of the file is run, and memory is bounded by its length. Raises NotFound, InvalidCheckpoint with what was
    found and which choice settles it, InvalidRequest for choices that mean nothing here.
    """
    _refuse_no_file(path)
    if path.suffix == ".t7" or _start(path) in _TORCH7_STARTS:
        if choices != Choices():
            raise InvalidRequest(
                f"{path} says itself what it is made of", "Leave out the options that name tensors and kinds."
            )
        model = read_torch7(path)
        words = _torch7_words(model.network, model.program)
        source = _source(path, f"{model.program} checkpoint")
        return ForeignModel(model.network, model.vocabulary, source, (words,))
    entry, tensors = read_state_dict(path, choices.entry)
    names_kept = path.suffix != ".safetensors"
    found = find_network(tensors, choices, names_kept=names_kept)
    decisions = (f"weights: the dictionary {shown(entry)}", *found.decisions) if entry else found.decisions
    form = "PyTorch state_dict" if names_kept else "safetensors"
    return ForeignModel(found.network, None, _source(path, form), decisions)


def convert(model: ForeignModel, vocabulary: VocabularyFile) -> Generator[Progress, None, Import]:
    """Make it the `RecurrentModel` that computes the same, over the symbols of a vocabulary or of its own, yielding
    how many symbols are done.

    Raises InvalidRequest for a vocabulary that is not there or does not fit, NotFound, InvalidText, and
    InvalidCheckpoint for a model that would be too large and for weights that are no numbers.
    """
    network = model.network
    symbols = _symbols(network.symbols, vocabulary, model.vocabulary)
    config = RunConfig(kind=network.kind, layers=len(network.layers), hidden=network.hidden)
    parameters = yield from network.parameters(symbols.order)
    return Import(model.source, config, symbols, parameters)


def write_run(imported: Import, out: Path, *, command: str, force: bool = False) -> Run:
    """Make the run directory of an imported model.

    Raises AlreadyExists when the path is taken; with `force` an older run there is replaced, and nothing but a run.
    StorageFailure when the directory cannot be made.
    """
    if is_there(out) and not (out.is_dir() and not any(out.iterdir())):
        if not (out / RUN_FILE).is_file():
            raise AlreadyExists(f"{out} exists and is no run", "Choose another place with --out.")
        if not force:
            raise AlreadyExists(f"{out} already holds a run", "Replace it with --force.")
    run = Run(
        path=out,
        config=imported.config,
        vocabulary=imported.symbols.vocabulary,
        text=None,
        source=imported.source,
        history=(),
        versions=versions(),
        command=command,
        complete=True,
    )
    make_directory(out)
    lock = DirectoryLock(out)
    try:
        for name in (CHECKPOINT_FILE, MODEL_FILE):
            (out / name).unlink(missing_ok=True)
        run.save()
        replace_file(out / MODEL_FILE, save(imported.parameters))
    finally:
        lock.release()
    return run


def _symbols(count: int, vocabulary: VocabularyFile, table: Table | None) -> Symbols:
    if vocabulary.spec is not None:
        return read_symbols(vocabulary.spec, count, vocabulary.unit, vocabulary.format, vocabulary.special)
    if table is not None:
        return symbols_in_checkpoint(table, count, vocabulary.unit, vocabulary.special)
    raise InvalidRequest(
        f"the model has {count:,} symbols, and the checkpoint does not say which they are",
        "Give --vocab FILE (a JSON list or map, a .dict, a list with one token a line), or --vocab TEXT, the text that "
        "it was trained on.",
    )


def _torch7_words(network: Network, program: str) -> str:
    width = (
        "one-hot symbols"
        if network.embedding is None
        else f"an embedding in {network.embedding.shape[1]} values"
    )
    return f"layers: {len(network.layers)} × {network.hidden} units of {program}'s {network.kind} on {width}"


def _refuse_no_file(path: Path) -> None:
    if not is_there(path):
        raise NotFound(
            f"there is no file {printable(str(path))}", "Give a .pt, .pth, .safetensors or .t7 file."
        )
    if not path.is_file():
        raise InvalidCheckpoint(
            f"{printable(str(path))} is no file", "Give the .pt, .pth, .safetensors or .t7 file itself."
        )


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def _source(path: Path, form: str) -> ImportedFile:
    with path.open("rb") as file:
        return ImportedFile(printable(path.name), hashlib.file_digest(file, "sha256").hexdigest(), form)
