"""Training, as in the paper (section 4.1) and, where it is silent, in char-rnn.

B streams are read side by side, T symbols at a time and in order; the state goes on from one mini-batch to the
next and from one epoch to the next. RMSProp; gradients clipped element by element; the rate falls by a
twentieth at the end of the tenth epoch and of each one after; the weights that validate best are kept.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.rmsprop import rmsprop

from rnnviz.engine.models.layer_weights import State
from rnnviz.engine.models.recurrent import initialise
from rnnviz.engine.progress import Computation, Progress
from rnnviz.engine.runs.checkpoint import (
    Checkpoint,
    Position,
    generator_states,
    load_checkpoint,
    restore_generators,
)
from rnnviz.engine.runs.run import (
    CHECKPOINT_FILE,
    MODEL_FILE,
    RUN_FILE,
    Epoch,
    Run,
    RunConfig,
    load_run,
    versions,
)
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.engine.text.split import PARTS, READ_STEPS, read_streams, spans
from rnnviz.engine.text.text import Text, is_there
from rnnviz.engine.text.text_record import TextRecord
from rnnviz.engine.training.evaluate import evaluate, losses
from rnnviz.engine.training.parallel_gradients import Shares
from rnnviz.store import limits
from rnnviz.store.disk import DirectoryLock, make_directory
from rnnviz.store.errors import AlreadyExists, InvalidRequest, InvalidText, TrainingDiverged

CHECKPOINT_SECONDS = 60.0
BYTES_PER_PARAMETER = 12
"""Weight, gradient and mean squared gradient."""

CHECK_BATCHES = 16
"""Mini-batches between looks at the loss: each look waits for the GPU."""


@dataclass(frozen=True)
class EpochDone(Progress):
    """The progress that ends an epoch."""

    epoch: Epoch = field(kw_only=True)
    best: bool = field(kw_only=True)
    """Whether its weights are the best so far."""


def start_run(
    path: Path, text: Text, config: RunConfig, *, command: str, spec: str | None, glob: str, force: bool
) -> Run:
    """Make a run directory that `train` can go on with. `spec` and `glob` say how to open the text again.

    Raises InvalidText when the text is too short for the config, InvalidRequest when the model does not fit
    this machine's memory, StorageFailure when the directory cannot be made, AlreadyExists when the path is
    taken; with `force` an older run there is replaced, and nothing but a run.
    """
    _refuse_taken(path, force)
    for part in PARTS:
        spans(text.length, config.split, part)
    run = Run(
        path=path,
        config=config,
        vocabulary=Vocabulary.of(text),
        text=TextRecord.of(text, path, spec, glob),
        history=(),
        versions=versions(),
        command=command,
    )
    refuse_too_large(run)
    make_directory(path)
    lock = DirectoryLock(path)
    for name in (CHECKPOINT_FILE, MODEL_FILE):
        (path / name).unlink(missing_ok=True)
    run.save()
    lock.release()
    return run


def train(
    path: Path, text: Text, *, device: torch.device, keep_checkpoint: bool = False
) -> Generator[Progress, None, None]:
    """Train the run at `path` from where it is to its last epoch, then measure its test loss.

    Yields progress after every mini-batch and an EpochDone after every epoch. A checkpoint is written about
    once a minute, after every epoch, and when the iterator is closed early; training goes on from there, on
    the CPU to the very same weights and losses (see `shares` for numbers of threads). The train part is held in
    memory, a byte per symbol; PyTorch's default generator is seeded, for dropout. Raises InvalidText when `text` is
    not the run's text, TrainingDiverged when the loss is no longer a number, InvalidRequest while another process
    trains this run.
    """
    run = load_run(path)
    if run.complete:
        return
    refuse_other_text(run, text)
    lock = DirectoryLock(path)
    try:
        training = _Training(run, text, device)
        try:
            yield from training.epochs()
        except GeneratorExit:
            training.checkpoint()
            raise
        finally:
            training.shares.close()
        yield from training.finish(keep_checkpoint)
    finally:
        lock.release()


def refuse_other_text(run: Run, text: Text) -> None:
    """Raise InvalidText unless `text` is what the run is trained on, InvalidRequest for an imported model."""
    if run.text is None:
        raise InvalidRequest(f"{run.path} was imported: it cannot be trained on", "Train a new run.")
    if text.sha256() != run.text.sha256:
        raise InvalidText(
            f"{text.name} is not the text that {run.path} is trained on (its SHA-256 differs)",
            f"Give the text {run.text.name} as it was, or train a new run.",
        )


def refuse_too_large(run: Run) -> None:
    """Raise InvalidRequest if training the run takes more memory than this process may have in all."""
    parameters = sum(math.prod(shape) for shape in run.parameter_shapes().values())
    needed = parameters * BYTES_PER_PARAMETER
    there = limits.memory()
    if needed > there.amount:
        raise InvalidRequest(
            f"--layers {run.config.layers} --hidden {run.config.hidden} make {parameters:,} parameters; training "
            f"them takes {needed / 1e9:,.2f} GB, and this process may have {there.amount / 1e9:,.2f} ({there.source})",
            "Lower --hidden or --layers.",
        )


def rate_of_epoch(config: RunConfig, epoch: int) -> float:
    """The learning rate that an epoch (from 1) runs with."""
    return config.rate * config.rate_decay ** max(0, epoch - config.decay_after)


class _Training:
    """The mutable state of one training process."""

    def __init__(self, run: Run, text: Text, device: torch.device) -> None:
        self.run = run
        self.text = text
        config = run.config
        saved = load_checkpoint(run)
        refuse_too_large(run)
        self.model = run.build()
        initialise(self.model, config.seed, config.reach)
        self.model.to(device).train()
        self.parameters = dict(self.model.named_parameters())
        self.shares = Shares(self.model, config.split.streams)
        self.square_avg = {name: torch.zeros_like(value) for name, value in self.parameters.items()}
        self.updates = [torch.zeros(()) for _ in self.parameters]
        """How many each parameter has had, which RMSProp counts and has no use for."""
        self.state: State = self.model.zero_state(config.split.streams)
        self.tokens = _tokens(run, text).to(device)
        self.batches = (len(self.tokens) - 1) // config.split.unroll
        self.batch_symbols = config.split.unroll * config.split.streams
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=device)
        self.position = Position()
        self.train_loss: float | None = None
        """Mean loss of the epoch under way, when last looked at."""
        self.saved_at = time.monotonic()
        torch.manual_seed(config.seed)
        if saved is not None:
            self._restore(saved)

    def epochs(self) -> Generator[Progress, None, None]:
        while self.position.epoch <= self.run.config.epochs:
            yield from self._batches()
            yield from self._end_epoch()

    def finish(self, keep_checkpoint: bool) -> Generator[Progress, None, None]:
        run = self.run
        best = run.predictor(self.tokens.device)
        measuring = Computation(evaluate(best, run.byte_vocabulary, self.text, run.config.split, "test"))
        for _ in measuring:
            yield self._progress("measuring the test loss")
        self.run = replace(run, test=measuring.result, complete=True)
        self.run.save()
        if not keep_checkpoint:
            (run.path / CHECKPOINT_FILE).unlink(missing_ok=True)

    def checkpoint(self) -> None:
        """Write down everything as it is. Never writes a state that has diverged."""
        if self.position.batch:
            self._check_loss()
        self.position.loss_sum = float(self.loss_sum)
        Checkpoint(self.position, self.run.history, self._tensors()).save(self.run)
        self.saved_at = time.monotonic()

    def _batches(self) -> Generator[Progress, None, None]:
        position = self.position
        while position.batch < self.batches:
            began = time.perf_counter()
            with self.shares:
                self._step(position.batch)
            position.batch += 1
            if position.batch % CHECK_BATCHES == 0 or position.batch == self.batches:
                self._check_loss()
            position.seconds += time.perf_counter() - began
            yield self._progress(self._detail())
            if time.monotonic() - self.saved_at > CHECKPOINT_SECONDS:
                self.checkpoint()

    def _step(self, batch: int) -> None:
        """One mini-batch: forward, backward, clip, update."""
        config = self.run.config
        unroll = config.split.unroll
        window = self.tokens[batch * unroll : (batch + 1) * unroll + 1].long()
        loss, self.state = self.shares.gradients(window, self.state)
        # The bound is for the loss summed over the steps; this one is averaged over them.
        nn.utils.clip_grad_value_(self.parameters.values(), config.clip / unroll)
        self._update()
        self.loss_sum += loss

    @torch.no_grad()
    def _update(self) -> None:
        """RMSProp, as `torch.optim.RMSprop` computes it.

        That class loads PyTorch's compiler when it is made: 0.6 s and 40 MB of each process. This, its functional
        form, does not.
        """
        config = self.run.config
        rmsprop(
            list(self.parameters.values()),
            [cast("Tensor", parameter.grad) for parameter in self.parameters.values()],
            list(self.square_avg.values()),
            [],
            [],
            self.updates,
            lr=rate_of_epoch(config, self.position.epoch),
            alpha=config.smoothing,
            eps=config.epsilon,
            weight_decay=0,
            momentum=0,
            centered=False,
        )

    def _check_loss(self) -> None:
        self.train_loss = float(self.loss_sum) / self.position.batch
        self._refuse_divergence(self.train_loss)

    def _refuse_divergence(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise TrainingDiverged(
                f"the loss is no longer a number, in epoch {self.position.epoch} near batch {self.position.batch}",
                f"The best weights so far are kept in {self.run.path}; train anew with another --seed.",
            )

    def _end_epoch(self) -> Generator[Progress, None, None]:
        run, position = self.run, self.position
        measuring = Computation(losses(self.model, run.byte_vocabulary, self.text, run.config.split, "val"))
        for _ in measuring:
            yield self._progress(self._detail() + " · validating")
        validation = float(measuring.result.mean(dtype=np.float64))
        self._refuse_divergence(validation)
        epoch = Epoch(
            epoch=position.epoch,
            train=float(self.loss_sum) / self.batches,
            validation=validation,
            rate=rate_of_epoch(run.config, position.epoch),
            seconds=position.seconds,
            symbols_per_second=self.batches * self.batch_symbols / max(position.seconds, 1e-9),
        )
        self.run = replace(run, history=(*run.history, epoch))
        best = self.run.best is epoch
        if best:
            self.run.save_model(self.model)
        self.run.save()
        self.position = Position(epoch=position.epoch + 1)
        self.loss_sum.zero_()
        self.checkpoint()
        progress = self._progress("")
        yield EpochDone(progress.done, progress.total, self._detail(), epoch=epoch, best=best)

    def _progress(self, detail: str) -> Progress:
        done = (self.position.epoch - 1) * self.batches + self.position.batch
        # A run whose number of epochs was lowered may be some batches beyond it.
        total = max(done, self.run.config.epochs * self.batches)
        return Progress(done * self.batch_symbols, total * self.batch_symbols, detail)

    def _detail(self) -> str:
        epochs, position = self.run.config.epochs, self.position
        words = [f"epoch {min(position.epoch, epochs)}/{epochs}"]
        if self.train_loss is not None:
            words.append(f"train {self.train_loss:.4f}")
        if self.run.history:
            words.append(f"validation {self.run.history[-1].validation:.4f}")
        return " · ".join(words)

    def _tensors(self) -> dict[str, Tensor]:
        return (
            {f"model.{name}": value for name, value in self.parameters.items()}
            | {f"square_avg.{name}": value for name, value in self.square_avg.items()}
            | {f"state.{index}": part for index, part in enumerate(self.state)}
            | generator_states()
        )

    def _restore(self, saved: Checkpoint) -> None:
        """Go back to a checkpoint."""
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(saved.tensors[f"model.{name}"])
                self.square_avg[name].copy_(saved.tensors[f"square_avg.{name}"])
            for index, part in enumerate(self.state):
                part.copy_(saved.tensors[f"state.{index}"])
        restore_generators(saved.tensors)
        self.position = saved.position
        self.loss_sum.fill_(saved.position.loss_sum)
        self.run = replace(self.run, history=saved.history)


def _tokens(run: Run, text: Text) -> Tensor:
    """The symbols of the train part and the targets of its last step: uint8 [time + 1, streams]."""
    split = run.config.split
    length = spans(text.length, split, "train")[0].length
    data = read_streams(text, split, "train", 0, length)
    for start in range(0, len(data), READ_STEPS):
        piece = data[start : start + READ_STEPS]
        piece[:] = run.byte_vocabulary.encode(piece)
    return torch.from_numpy(data)


def _refuse_taken(path: Path, force: bool) -> None:
    """Raise AlreadyExists unless a run may be written to `path`."""
    if not is_there(path) or (path.is_dir() and not any(path.iterdir())):
        return
    if not (path / RUN_FILE).is_file():
        raise AlreadyExists(f"{path} exists and is no run", "Choose another place with --out.")
    if not force:
        raise AlreadyExists(
            f"{path} already holds a run", "Replace it with --force, or go on with it: --resume."
        )
