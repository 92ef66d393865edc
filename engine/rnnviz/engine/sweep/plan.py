"""What a sweep trains, and where: a directory with one run for each model and dropout, and `sweep.json`.

    DIR/sweep.json          the text, the protocol that all runs share, and every model asked for so far (this module)
    DIR/lstm-2x84-d0.25/    a run like any other: kind, layers × hidden, dropout
    DIR/figure1.csv .json   the table that came out (figure.py)

A directory holds one protocol over one text. Its axes may grow: a later sweep into it can ask for more models.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from rnnviz.engine.fields import Fields
from rnnviz.engine.models.kinds.registry import KINDS, Kind
from rnnviz.engine.runs.run import GREATEST, GREATEST_LAYERS, MODEL_FILE, RUN_FILE, Run, RunConfig, load_run
from rnnviz.engine.sweep.grid import (
    GREATEST_SIZE,
    PAPER_KINDS,
    GridModel,
    check_axes,
    grid,
    matched_hidden,
    parameter_count,
)
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.engine.text.split import PARTS, Split, spans
from rnnviz.engine.text.text import Text, is_there
from rnnviz.engine.text.text_record import TextRecord
from rnnviz.store.disk import DirectoryLock, make_directory, replace_file, storage_errors
from rnnviz.store.errors import AlreadyExists, InvalidRequest, InvalidRun, NotFound

FORMAT: Final = 1
SWEEP_FILE: Final = "sweep.json"
GREATEST_SWEEP_FILE: Final = 16 << 20
"""Bytes of sweep.json that are read at most."""

LEFT_BY_A_KILL: Final = f"{RUN_FILE}.new"
"""What a process killed before its first record was whole may leave in a run's directory."""


@dataclass(frozen=True)
class Entry:
    """A model of the grid with a dropout: one run."""

    model: GridModel
    dropout: float

    @property
    def name(self) -> str:
        """Of the run's directory. Two sizes of a tiny grid may come to the same hidden size, and share a run."""
        model = self.model
        return f"{model.kind}-{model.layers}x{model.hidden}-d{self.dropout:.12g}"


@dataclass(frozen=True)
class Protocol:
    """What all runs of a sweep share."""

    epochs: int
    split: Split
    seed: int


@dataclass(frozen=True)
class Sweep:
    path: Path
    text: TextRecord
    symbols: int
    """K, which the hidden sizes depend on."""
    protocol: Protocol
    entries: tuple[Entry, ...]
    """Every model asked for so far."""

    def run(self, entry: Entry) -> Run | None:
        """The run of an entry as it is on disk, None where it has not begun.

        Raises InvalidRun for a damaged one and InvalidRequest for one that is something else.
        """
        path = self.path / entry.name
        if not _begun(path):
            return None
        run = load_run(path)
        wanted, found = asdict(self.config(entry)), asdict(run.config)
        # Where it computes is no part of what a run is.
        others = [
            name for name in wanted if name not in ("device", "threads") and wanted[name] != found[name]
        ]
        if run.text is None or run.text.sha256 != self.text.sha256:
            others.insert(0, "text")
        if others:
            raise InvalidRequest(
                f"{path} holds another run than this sweep trains: its {', '.join(others)} differs",
                "Move it away, or give another directory with --out.",
            )
        return run

    def config(self, entry: Entry) -> RunConfig:
        """Of an entry's run, apart from where it computes."""
        protocol, model = self.protocol, entry.model
        return RunConfig(
            kind=model.kind,
            layers=model.layers,
            hidden=model.hidden,
            dropout=entry.dropout,
            epochs=protocol.epochs,
            split=protocol.split,
            seed=protocol.seed,
        )

    def save(self) -> None:
        """Write sweep.json. The file is whole at every moment."""
        record = {
            "format": FORMAT,
            "text": asdict(self.text),
            "symbols": self.symbols,
            "protocol": asdict(self.protocol),
            "entries": [
                {
                    "kind": entry.model.kind,
                    "layers": entry.model.layers,
                    "size": entry.model.size,
                    "dropout": entry.dropout,
                }
                for entry in self.entries
            ],
        }
        replace_file(self.path / SWEEP_FILE, json.dumps(record, indent=1, allow_nan=False).encode() + b"\n")


def lost_weights(run: Run) -> str:
    """What to say of a run that was trained to its end and whose weights are gone; nothing of any other."""
    if not run.complete or (run.path / MODEL_FILE).is_file():
        return ""
    return f"its weights are gone; remove {run.path} to train it again"


@contextmanager
def held_sweep(sweep: Sweep) -> Iterator[Sweep]:
    """Make the sweep's directory, or take up the one that is there: its models are then those of both. It is this
    process's alone until the context ends.

    Raises AlreadyExists where something else is in the way, InvalidRequest where the directory holds a sweep of
    another text or protocol, is being written by another process, or has a run that is not what it should be;
    StorageFailure where it cannot be made or written.
    """
    path = sweep.path
    hint = "Choose another place with --out."
    if is_there(path) and not path.is_dir():
        raise AlreadyExists(f"{path} exists and is no sweep", hint)
    make_directory(path)
    # Before anything is read: two sweeps that begin at once would each leave the other's models out.
    lock = DirectoryLock(path)
    try:
        entries = set(sweep.entries)
        if is_there(path / SWEEP_FILE):
            before = load_sweep(path)
            _refuse_other(before, sweep)
            entries.update(before.entries)
        elif any(file.name != f"{SWEEP_FILE}.new" for file in path.iterdir()):
            raise AlreadyExists(f"{path} exists and is no sweep", hint)
        sweep = replace(sweep, entries=tuple(sorted(entries, key=_place)))
        for entry in sweep.entries:
            sweep.run(entry)
        with storage_errors(path / SWEEP_FILE, hint):
            sweep.save()
        yield sweep
    finally:
        lock.release()


def load_sweep(path: Path) -> Sweep:
    """Read sweep.json. Raises NotFound, or InvalidRun for what is no sweep, damaged, or of another format."""
    file = path / SWEEP_FILE
    if not is_there(path):
        raise NotFound(f"there is no sweep {path}", "Train one: rnnviz sweep TEXT --out DIR")
    if not file.is_file():
        raise InvalidRun(
            f"{path} is no sweep: it has no {SWEEP_FILE}", "Give the directory that --out named."
        )
    if file.stat().st_size > GREATEST_SWEEP_FILE:
        raise InvalidRun(f"{file} is too large for a sweep's record", "Take the sweep from its source again.")
    fields = Fields.parse(file.read_bytes(), str(file))
    if fields.integer("format", 0, GREATEST) != FORMAT:
        raise InvalidRun(f"{path} was written in another format than {FORMAT}", "Update rnnviz.")
    try:
        symbols = fields.integer("symbols", 1, 256)
        return Sweep(
            path=path,
            text=TextRecord.read(fields.group("text")),
            symbols=symbols,
            protocol=_protocol(fields.group("protocol")),
            entries=tuple(dict.fromkeys(_entry(entry, symbols) for entry in fields.groups("entries"))),
        )
    except InvalidRequest as error:
        raise InvalidRun(f"{file}: {error}", "Take the sweep from its source again.") from error


def plan(
    path: Path,
    text: Text,
    spec: str | None,
    glob: str,
    protocol: Protocol,
    kinds: Sequence[str],
    layers: Sequence[int],
    sizes: Sequence[int] | None,
    dropouts: Sequence[float],
) -> Sweep:
    """Each model of the grid with each dropout, over a text; nothing is written. `spec` says how to open it again.

    Raises InvalidRequest for axes out of range, InvalidText for a text too short for the protocol's split.
    """
    check_axes(kinds, layers, sizes)
    if not dropouts:
        raise InvalidRequest("--dropout names none", "Give --dropout 0, or several: --dropout 0,0.25.")
    symbols = len(Vocabulary.of(text))
    models = grid(symbols, kinds, layers, sizes)
    sweep = Sweep(
        path=path,
        text=TextRecord.of(text, path, spec, glob),
        symbols=symbols,
        protocol=protocol,
        entries=tuple(Entry(model, dropout) for model in models for dropout in dict.fromkeys(dropouts)),
    )
    for entry in sweep.entries:
        sweep.config(entry)
    # Last: a text is easily too short for what was not meant.
    for part in PARTS:
        spans(text.length, protocol.split, part)
    return sweep


def _place(entry: Entry) -> tuple[int, int, int, float]:
    """Where an entry stands among others: in the order of the paper's figure."""
    model = entry.model
    order = [*PAPER_KINDS, *(kind for kind in KINDS if kind not in PAPER_KINDS)]
    return order.index(model.kind), model.layers, model.size, entry.dropout


def _begun(path: Path) -> bool:
    """Whether a run was started at `path`. Raises AlreadyExists where something else is there."""
    if (path / RUN_FILE).is_file():
        return True
    if is_there(path) and not (path.is_dir() and {file.name for file in path.iterdir()} <= {LEFT_BY_A_KILL}):
        raise AlreadyExists(
            f"{path} exists and is no run", "Move it away, or choose another place with --out."
        )
    return False


def _refuse_other(before: Sweep, now: Sweep) -> None:
    """Raise InvalidRequest unless both are of one text and one protocol."""
    if before.text.sha256 != now.text.sha256:
        raise InvalidRequest(
            f"{before.path} is a sweep over another text ({before.text.name}; its SHA-256 differs)",
            f"Give the text {before.text.name} as it was, or another directory with --out.",
        )
    split, wanted = before.protocol.split, now.protocol.split
    for option, there, asked in (
        ("--epochs", before.protocol.epochs, now.protocol.epochs),
        ("--split", split.shares, wanted.shares),
        ("--streams", split.streams, wanted.streams),
        ("--unroll", split.unroll, wanted.unroll),
        ("--seed", before.protocol.seed, now.protocol.seed),
    ):
        if there != asked:
            raise InvalidRequest(
                f"{before.path} is a sweep with {option} {there}, not {asked}",
                f"Give {option} {there}, or another directory with --out.",
            )


def _protocol(fields: Fields) -> Protocol:
    split = fields.group("split")
    return Protocol(
        epochs=fields.integer("epochs", 1, GREATEST),
        split=Split(**{name: split.integer(name, 1, GREATEST) for name in asdict(Split())}),
        seed=fields.integer("seed", 0, (1 << 63) - 1),
    )


def _entry(fields: Fields, symbols: int) -> Entry:
    kind: Kind = fields.choice("kind", tuple(KINDS))
    layers = fields.integer("layers", 1, GREATEST_LAYERS)
    size = fields.integer("size", 1, GREATEST_SIZE)
    hidden = matched_hidden(kind, symbols, layers, size)
    model = GridModel(kind, layers, size, hidden, parameter_count(kind, symbols, hidden, layers))
    return Entry(model, fields.number("dropout", 0, 1))
