"""A run: a directory that holds one trained model and where it came from.

    run.json                 config, vocabulary, text, source, history, versions, command (this module)
    model.safetensors        the weights with the best validation loss so far
    checkpoint.safetensors   what `--resume` needs (checkpoint.py): it goes on from there, after the last epoch
                             too; it may be removed then, and a sweep does so

An imported model has a source, the file it came from, and no text and no history: how it was trained is not
known, so its config says only what it is.

No file is executable or pickled. A run may come from a stranger: everything read is checked, and no more
memory is taken than the files are long.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from rnnviz.engine.fields import Fields
from rnnviz.engine.models.kinds.registry import KINDS, Kind
from rnnviz.engine.models.recurrent import RecurrentModel, build, parameter_shapes
from rnnviz.engine.models.window_network import Predictor, build_window, window_shapes
from rnnviz.engine.runs.device import DEVICES, DeviceName
from rnnviz.engine.runs.imported_file import ImportedFile
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.engine.symbols.vocabulary_record import read_vocabulary, vocabulary_record
from rnnviz.engine.text.split import Split
from rnnviz.engine.text.text import Text, is_there, open_text, printable
from rnnviz.engine.text.text_record import TextRecord
from rnnviz.engine.training.evaluate import Evaluation
from rnnviz.store.disk import replace_file
from rnnviz.store.errors import InvalidRequest, InvalidRun, NotFound

FORMAT = 1
RUN_FILE = "run.json"
MODEL_FILE = "model.safetensors"
CHECKPOINT_FILE = "checkpoint.safetensors"

GREATEST_RUN_FILE = 16 << 20
"""Bytes of run.json that are read at most: history entries of 80,000 epochs."""

GREATEST = 1 << 20
"""The bound on counts in a config (units, streams, steps, epochs)."""

GREATEST_LAYERS = 1 << 10

GREATEST_WINDOW = 64
"""The bound on the n of an n-NN."""

IMPORTED_CONFIG = ("kind", "layers", "hidden")
"""What the config of an imported model says."""

ModelKind = Kind
"""A kind of recurrent layers, or `n-nn`."""


@dataclass(frozen=True)
class RunConfig:
    """What is trained and how. The defaults are the paper's (section 4.1) and char-rnn's."""

    kind: ModelKind = "lstm"
    n: int | None = None
    """Of an n-NN, and only there: how many symbols it looks back. Its one layer is no layer of cells."""
    layers: int = 1
    hidden: int = 128
    dropout: float = 0.0
    epochs: int = 50
    split: Split = field(default_factory=Split)
    seed: int = 0
    device: DeviceName = "auto"
    threads: int | None = None
    """CPU threads; None leaves the choice to PyTorch."""
    reach: float = 0.08
    """Parameters start in U(−reach, reach)."""
    rate: float = 2e-3
    rate_decay: float = 0.95
    """The factor on the rate at the end of epoch `decay_after` and of every epoch after it."""
    decay_after: int = 10
    smoothing: float = 0.95
    """RMSProp's decay of the squared gradient."""
    epsilon: float = 1e-8
    """RMSProp's addend to the root."""
    clip: float = 5.0
    """The bound on each gradient element of the loss summed over the steps and averaged over the streams."""

    def __post_init__(self) -> None:
        for name, value, greatest in (
            ("--layers", self.layers, GREATEST_LAYERS),
            ("--hidden", self.hidden, GREATEST),
            ("--epochs", self.epochs, GREATEST),
        ):
            if not 1 <= value <= greatest:
                raise InvalidRequest(f"{name} {value} is out of range", f"Give {name} 1 to {greatest:,}.")
        self._check_window()
        if not 0 <= self.dropout < 1:
            raise InvalidRequest(
                f"--dropout {self.dropout:g} is no share from 0 up to, but not, 1",
                "Give a share below 1, for example 0.2.",
            )
        if not 0 <= self.seed < 1 << 63:
            raise InvalidRequest(
                f"--seed {self.seed} is out of range", "Give --seed a number from 0 to 2^63 - 1."
            )
        if self.threads is not None and not 1 <= self.threads <= 4096:
            raise InvalidRequest(f"--threads {self.threads} is out of range", "Give --threads at least 1.")

    def _check_window(self) -> None:
        if self.kind != "n-nn":
            if self.n is not None:
                raise InvalidRequest(
                    f"--n {self.n} is for --model n-nn", "Leave --n out, or give --model n-nn."
                )
            return
        if self.n is None or not 1 <= self.n <= GREATEST_WINDOW:
            raise InvalidRequest(
                "--model n-nn looks back a number of symbols, which is to be given"
                if self.n is None
                else f"--n {self.n} is out of range",
                f"Give --n 1 to {GREATEST_WINDOW}.",
            )
        if self.layers != 1:
            raise InvalidRequest(f"an n-NN has one layer, not {self.layers}", "Leave --layers out.")


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to. Losses are nats per symbol, `rate` is the learning rate it ran with."""

    epoch: int
    train: float
    validation: float
    rate: float
    seconds: float
    symbols_per_second: float


@dataclass(frozen=True)
class Run:
    path: Path
    config: RunConfig
    """Of an imported model only kind, layers and hidden mean anything; the rest are defaults."""
    vocabulary: Vocabulary | TokenVocabulary
    text: TextRecord | None
    """What it was trained on; None for an imported model."""
    history: tuple[Epoch, ...]
    versions: dict[str, str]
    command: str
    source: ImportedFile | None = None
    """Where an imported model comes from, and only of those."""
    test: Evaluation | None = None
    """Loss of the best weights on the test part, once training is complete."""
    complete: bool = False

    @property
    def name(self) -> str:
        return self.path.resolve().name

    @property
    def byte_vocabulary(self) -> Vocabulary:
        """The vocabulary of a model over bytes. Raises InvalidRequest for one over characters or words."""
        if isinstance(self.vocabulary, TokenVocabulary):
            raise InvalidRequest(
                f"{self.path} is a model over {self.vocabulary.unit}s, and this is for models over bytes",
                "Give a run that rnnviz trained, or an imported one whose vocabulary is bytes.",
            )
        return self.vocabulary

    @property
    def best(self) -> Epoch | None:
        """The epoch whose weights model.safetensors holds; the earliest of equals."""
        return min(self.history, key=lambda epoch: epoch.validation, default=None)

    def model(self, device: torch.device) -> RecurrentModel:
        """The recurrent model with the best weights, in evaluation mode, on `device`.

        Raises InvalidRun, and InvalidRequest for an n-NN.
        """
        model = self.predictor(device)
        if not isinstance(model, RecurrentModel):
            raise InvalidRequest(
                f"{self.path} is an n-NN: it has no cells", "Give the run of an LSTM, GRU or RNN."
            )
        return model

    def predictor(self, device: torch.device) -> Predictor:
        """The model with the best weights, in evaluation mode, on `device`. Raises InvalidRun."""
        path = self.path / MODEL_FILE
        if not path.is_file():
            if self.history or self.text is None:
                raise InvalidRun(
                    f"{path} is gone, which held the weights",
                    "Put it back, or make the run again with --force.",
                )
            raise InvalidRun(
                f"{self.path} has no weights yet",
                f"Train at least one epoch: rnnviz train --resume --out {self.path}",
            )
        check_tensors(path, self.parameter_shapes())
        model = self.build()
        model.load_state_dict(load_file(path))
        return model.eval().to(device)

    def build(self) -> Predictor:
        """The model without its weights."""
        config = self.config
        if config.kind == "n-nn":
            assert config.n is not None
            return build_window(len(self.vocabulary), config.hidden, config.n, config.dropout)
        return build(config.kind, len(self.vocabulary), config.hidden, config.layers, config.dropout)

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        config = self.config
        if config.kind == "n-nn":
            assert config.n is not None
            return window_shapes(len(self.vocabulary), config.hidden, config.n)
        return parameter_shapes(config.kind, len(self.vocabulary), config.hidden, config.layers)

    def state_shapes(self) -> list[tuple[int, ...]]:
        """Shape of each tensor of the state in training."""
        config = self.config
        if config.kind == "n-nn":
            assert config.n is not None
            return [(config.n - 1, config.split.streams)]
        return [(config.layers, config.split.streams, config.hidden)] * len(KINDS[config.kind].state)

    def open_text(self, spec: str | None = None, glob: str | None = None, known: Sequence[Path] = ()) -> Text:
        """The text that `spec` names, or the one the run was trained on if it can still be found: see
        `TextRecord.open`, also for `known`.

        Files of a directory are chosen and shuffled as for training, unless `glob` says otherwise. Raises
        InvalidRequest when neither is there, InvalidText when the run's own has changed.
        """
        if self.text is None:
            if spec is None:
                raise InvalidRequest(
                    f"{self.path} was imported: what it was trained on is not known", "Give a TEXT."
                )
            return open_text(spec, glob="*" if glob is None else glob)
        return self.text.open(self.path, spec, glob, self.config.seed, known)

    def save(self) -> None:
        """Write run.json. The file is whole at every moment."""
        config = asdict(self.config)
        record = {
            "format": FORMAT,
            "complete": self.complete,
            "command": self.command,
            "config": {name: config[name] for name in IMPORTED_CONFIG} if self.source else config,
            "text": asdict(self.text) if self.text else None,
            "source": asdict(self.source) if self.source else None,
            "vocabulary": vocabulary_record(self.vocabulary),
            "best_epoch": self.best.epoch if self.best else None,
            "test": asdict(self.test) if self.test else None,
            "history": [asdict(epoch) for epoch in self.history],
            "versions": self.versions,
        }
        replace_file(self.path / RUN_FILE, json.dumps(record, indent=1, allow_nan=False).encode() + b"\n")

    def save_model(self, model: Predictor) -> None:
        """Write model.safetensors. The file is whole at every moment."""
        replace_file(self.path / MODEL_FILE, save({k: v.cpu() for k, v in model.state_dict().items()}))


def load_run(path: str | Path) -> Run:
    """Read run.json. Raises NotFound, or InvalidRun for what is no run, damaged, or of a newer format."""
    path = Path(path)
    file = path / RUN_FILE
    if not is_there(path):
        raise NotFound(f"there is no run {path}", "Train one: rnnviz train TEXT --out RUN")
    if not file.is_file():
        raise InvalidRun(f"{path} is no run: it has no {RUN_FILE}", "Give the directory that --out named.")
    if file.stat().st_size > GREATEST_RUN_FILE:
        raise InvalidRun(f"{file} is too large for a run's record", "Take the run from its source again.")
    fields = Fields.parse(file.read_bytes(), str(file))
    if fields.integer("format", 0, GREATEST) != FORMAT:
        raise InvalidRun(f"{path} was written in another format than {FORMAT}", "Update rnnviz.")
    imported = fields.has("source")
    try:
        return Run(
            path=path,
            config=(_imported_config if imported else _config)(fields.group("config")),
            vocabulary=read_vocabulary(fields),
            text=None if imported else TextRecord.read(fields.group("text")),
            source=ImportedFile.read(fields.group("source")) if imported else None,
            history=tuple(read_epoch(epoch) for epoch in fields.groups("history")),
            versions=fields.group("versions").texts(),
            command=fields.text("command"),
            test=_test(fields.group("test")) if fields.has("test") else None,
            complete=fields.flag("complete"),
        )
    except (InvalidRequest, ValueError) as error:
        if isinstance(error, InvalidRun):
            raise
        raise InvalidRun(f"{file}: {error}", "Take the run from its source again.") from error


def check_tensors(path: Path, shapes: dict[str, tuple[int, ...]]) -> None:
    """Raise InvalidRun unless a safetensors file holds exactly these tensors, in float32.

    Only the header is read, so a file that claims more than it has costs nothing.
    """
    hint = "Take the run from its source again."
    try:
        with safe_open(path, framework="pt") as file:
            pieces = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            found = {name: (piece.get_dtype(), tuple(piece.get_shape())) for name, piece in pieces.items()}
    except SafetensorError as error:
        raise InvalidRun(f"{path} is damaged", hint) from error
    misfits = found.items() ^ {name: ("F32", shape) for name, shape in shapes.items()}.items()
    if misfits:
        name = printable(min(name for name, _ in misfits))
        raise InvalidRun(f"{path} does not hold the weights that {RUN_FILE} describes: see {name}", hint)


def versions() -> dict[str, str]:
    """What this run is made with."""
    return {
        "rnnviz": version("rnnviz"),
        "torch": str(torch.__version__),
        "python": platform.python_version(),
    }


def read_epoch(fields: Fields) -> Epoch:
    return Epoch(
        epoch=fields.integer("epoch", 1, GREATEST),
        train=fields.number("train"),
        validation=fields.number("validation"),
        rate=fields.number("rate", 0),
        seconds=fields.number("seconds", 0),
        symbols_per_second=fields.number("symbols_per_second", 0),
    )


def _imported_config(fields: Fields) -> RunConfig:
    return RunConfig(
        kind=fields.choice("kind", tuple(KINDS)),
        layers=fields.integer("layers", 1, GREATEST_LAYERS),
        hidden=fields.integer("hidden", 1, GREATEST),
    )


def _config(fields: Fields) -> RunConfig:
    split = fields.group("split")
    return RunConfig(
        kind=fields.choice("kind", (*KINDS, "n-nn")),
        n=fields.integer("n", 1, GREATEST_WINDOW) if fields.has("n") else None,
        layers=fields.integer("layers", 1, GREATEST_LAYERS),
        hidden=fields.integer("hidden", 1, GREATEST),
        dropout=fields.number("dropout", 0, 1),
        epochs=fields.integer("epochs", 1, GREATEST),
        split=Split(
            train=split.integer("train", 1, 98),
            val=split.integer("val", 1, 98),
            test=split.integer("test", 1, 98),
            streams=split.integer("streams", 1, GREATEST),
            unroll=split.integer("unroll", 1, GREATEST),
        ),
        seed=fields.integer("seed", 0, (1 << 63) - 1),
        device=fields.choice("device", DEVICES),
        threads=fields.integer("threads", 1, 4096) if fields.has("threads") else None,
        reach=fields.number("reach", 0),
        rate=fields.number("rate", 0),
        rate_decay=fields.number("rate_decay", 0),
        decay_after=fields.integer("decay_after", 0, GREATEST),
        smoothing=fields.number("smoothing", 0, 1),
        epsilon=fields.number("epsilon", 0),
        clip=fields.number("clip", 0),
    )


def _test(fields: Fields) -> Evaluation:
    return Evaluation(
        loss=fields.number("loss", 0),
        deviation=fields.number("deviation", 0),
        symbols=fields.integer("symbols", 1, 1 << 62),
    )
