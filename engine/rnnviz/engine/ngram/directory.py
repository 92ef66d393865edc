"""A directory of n-gram models of one text.

    ngram.json           the models, the text, split, vocabulary, versions, command
    n1.arpa, n2.arpa …   the model that looks back 1, 2 … symbols (or .arpa.gz)
    n1.binary …          the same as KenLM's binary, where its `build_binary` was on the PATH

`ngram.json` says `complete` when all models are there. What is read from it is checked, and so are ARPA files, by KenLM
as by our reader; KenLM's binaries are memory images, to be taken only from people one trusts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from rnnviz.engine.fields import Fields
from rnnviz.engine.ngram.scorers.scorer import NgramModel, ScorerName, open_model, scorer_of
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.engine.text.split import Split
from rnnviz.engine.text.text import Text, is_there
from rnnviz.engine.text.text_record import TextRecord
from rnnviz.store.disk import replace_file
from rnnviz.store.errors import AlreadyExists, InvalidModels, InvalidRequest, InvalidRun, NotFound

FORMAT: Final = 1
RECORD_FILE: Final = "ngram.json"
GREATEST_RECORD: Final = 1 << 20
"""Bytes of ngram.json that are read at most."""

GREATEST: Final = 1 << 20
"""The bound on counts in a record."""

GREATEST_N: Final = 63
"""KenLM can be built for more, but nothing looks back so far and learns from it."""

OUR_FILE: Final = re.compile(
    r"\.?n\d+\.(arpa|arpa\.gz|binary)(\.new(\.packed|\.log)?)?|words\.new|ngram\.json(\.new)?"
)
"""What `rnnviz ngram train` leaves in a directory, and may remove from it."""

EstimatorName = Literal["own", "lmplz"]
ESTIMATORS: tuple[EstimatorName, ...] = get_args(EstimatorName)

_HINT: Final = "Train the models again: rnnviz ngram train TEXT --out DIR --force"


@dataclass(frozen=True)
class NgramModels:
    path: Path
    orders: tuple[int, ...]
    """The n of each model, ascending: how many symbols it looks back."""
    text: TextRecord
    split: Split
    seed: int
    vocabulary: Vocabulary
    """Every byte of the whole text; the models are of its train part."""
    estimator: EstimatorName
    compressed: bool
    versions: dict[str, str]
    command: str
    complete: bool = False

    def arpa(self, n: int) -> Path:
        return self.path / f"n{n}.arpa{'.gz' if self.compressed else ''}"

    def binary(self, n: int) -> Path:
        return self.path / f"n{n}.binary"

    def load(self, n: int, scorer: ScorerName | None = None) -> NgramModel:
        """The model that looks back n symbols, by `scorer_of(n)` where none is named; for KenLM from its binary where
        there is one. Raises as `open_model` does."""
        scorer = scorer or scorer_of(n)
        binary = self.binary(n)
        path = binary if scorer == "kenlm" and binary.is_file() else self.arpa(n)
        return open_model(path, n, self.vocabulary, scorer)

    def open_text(self, spec: str | None = None, glob: str | None = None, known: Sequence[Path] = ()) -> Text:
        """The text that `spec` names, or the one the models are of if it can still be found: see `TextRecord.open`."""
        return self.text.open(self.path, spec, glob, self.seed, known)

    def save(self) -> None:
        """Write ngram.json. The file is whole at every moment."""
        record = {
            "format": FORMAT,
            "complete": self.complete,
            "command": self.command,
            "n": list(self.orders),
            "text": asdict(self.text),
            "split": asdict(self.split),
            "seed": self.seed,
            "vocabulary": list(self.vocabulary.symbols),
            "estimator": self.estimator,
            "compressed": self.compressed,
            "versions": self.versions,
        }
        replace_file(self.path / RECORD_FILE, json.dumps(record, indent=1).encode() + b"\n")


def load_ngrams(path: str | Path) -> NgramModels:
    """Read a directory's ngram.json; no model yet.

    Raises NotFound, or InvalidModels for what holds no n-gram models, not all, or damaged ones.
    """
    path = Path(path)
    if not is_there(path):
        raise NotFound(
            f"there is no directory {path}", "Train n-gram models: rnnviz ngram train TEXT --out DIR"
        )
    models = read_ngrams(path)
    if not models.complete:
        raise InvalidModels(f"the training of {path} was interrupted", _HINT)
    return models


def refuse_taken(path: Path, force: bool) -> None:
    """Raise AlreadyExists unless models may be written to `path`: it is new or empty, holds models whose training
    was interrupted, or, with `force`, whole ones."""
    if not is_there(path) or (path.is_dir() and not any(path.iterdir())):
        return
    if not (path / RECORD_FILE).is_file():
        raise AlreadyExists(f"{path} exists and holds no n-gram models", "Choose another place with --out.")
    if force:
        return
    try:
        complete = read_ngrams(path).complete
    except InvalidModels:
        complete = True
    if complete:
        raise AlreadyExists(f"{path} already holds n-gram models", "Replace them with --force.")


def clear(path: Path) -> None:
    """Remove what an older training left."""
    for file in path.iterdir():
        if OUR_FILE.fullmatch(file.name):
            file.unlink()


def parse_orders(words: str) -> tuple[int, ...]:
    """`1-9,20` as numbers, ascending. Raises InvalidRequest."""
    found: set[int] = set()
    for word in words.split(","):
        match = re.fullmatch(r"\s*(\d{1,3})(?:-(\d{1,3}))?\s*", word, re.ASCII)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= first <= last <= GREATEST_N:
            raise InvalidRequest(
                f"--n {words!r} is not a list of numbers from 1 to {GREATEST_N}",
                "Give how many symbols back the models look, for example 1-9,20.",
            )
        found.update(range(first, last + 1))
    return tuple(sorted(found))


def read_ngrams(path: Path) -> NgramModels:
    """What a directory's ngram.json says, also of models whose training was interrupted. Raises InvalidModels."""
    file = path / RECORD_FILE
    if not file.is_file():
        raise InvalidModels(
            f"{path} holds no n-gram models: it has no {RECORD_FILE}", "Give the directory that --out named."
        )
    if file.stat().st_size > GREATEST_RECORD:
        raise InvalidModels(f"{file} is too large for a record of models", _HINT)
    try:
        fields = Fields.parse(file.read_bytes(), str(file))
        if fields.integer("format", 0, GREATEST) != FORMAT:
            raise InvalidModels(f"{path} was written in another format than {FORMAT}", "Update rnnviz.")
        split, text = fields.group("split"), fields.group("text")
        orders = fields.integers("n", 1, GREATEST_N)
        if not orders or orders != sorted(set(orders)):
            raise InvalidModels(f"{file}: n is not what it should be", _HINT)
        return NgramModels(
            path=path,
            orders=tuple(orders),
            text=TextRecord.read(text),
            split=Split(**{name: split.integer(name, 1, GREATEST) for name in asdict(Split())}),
            seed=fields.integer("seed", 0, (1 << 63) - 1),
            vocabulary=Vocabulary(bytes(fields.integers("vocabulary", 0, 255))),
            estimator=fields.choice("estimator", ESTIMATORS),
            compressed=fields.flag("compressed"),
            versions=fields.group("versions").texts(),
            command=fields.text("command"),
            complete=fields.flag("complete"),
        )
    except (InvalidRun, InvalidRequest) as error:
        raise InvalidModels(error.message, _HINT) from error
    except ValueError as error:
        if isinstance(error, InvalidModels):
            raise
        raise InvalidModels(f"{file}: {error}", _HINT) from error
