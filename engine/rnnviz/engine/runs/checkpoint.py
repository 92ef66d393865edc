"""A checkpoint: everything training needs to go on as if it had never stopped.

One safetensors file: `model.*` the parameters, `square_avg.*` RMSProp's mean squared gradients, `state.*` the
carried state of the streams, `rng.cpu` (and `rng.cuda`) the random generator's state, for dropout. Its
metadata holds one JSON object under `training`: the position and the history.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from rnnviz.engine.fields import Fields
from rnnviz.engine.runs.run import CHECKPOINT_FILE, GREATEST, Epoch, Run, read_epoch
from rnnviz.engine.text.text import printable
from rnnviz.store.disk import replace_file
from rnnviz.store.errors import InvalidRun

HINT = "Train it again from the start with --force."


@dataclass
class Position:
    """Where training is: `batch` mini-batches of epoch `epoch` (from 1) are behind it."""

    epoch: int = 1
    batch: int = 0
    loss_sum: float = 0.0
    """Of these batches' mean losses."""
    seconds: float = 0.0
    """That they took."""


@dataclass(frozen=True)
class Checkpoint:
    position: Position
    history: tuple[Epoch, ...]
    tensors: dict[str, Tensor]

    def save(self, run: Run) -> None:
        """Write the checkpoint of a run. The file is whole at every moment."""
        record = {"position": asdict(self.position), "history": [asdict(epoch) for epoch in self.history]}
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.tensors.items()}
        replace_file(
            run.path / CHECKPOINT_FILE, save(tensors, {"training": json.dumps(record, allow_nan=False)})
        )


def load_checkpoint(run: Run) -> Checkpoint | None:
    """The checkpoint of a run, its tensors on the CPU; None for a run that has not come so far yet.

    Raises InvalidRun for one that does not fit the run. That is decided before any tensor is read, so that a
    file cannot claim more memory than it is long.
    """
    path = run.path / CHECKPOINT_FILE
    if not path.is_file():
        if run.history:
            raise InvalidRun(f"{run.path} has no {CHECKPOINT_FILE} to go on from", HINT)
        return None
    try:
        with safe_open(path, framework="pt") as file:
            _refuse_misfits(run, {name: file.get_slice(name) for name in file.keys()})  # noqa: SIM118
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = file.metadata() or {}
    except SafetensorError as error:
        raise InvalidRun(f"{path} is damaged", HINT) from error
    fields = Fields.parse(metadata.get("training", ""), f"{path}: training")
    position = fields.group("position")
    return Checkpoint(
        Position(
            epoch=position.integer("epoch", 1, GREATEST + 1),
            batch=position.integer("batch", 0, 1 << 62),
            loss_sum=position.number("loss_sum"),
            seconds=position.number("seconds", 0),
        ),
        tuple(read_epoch(epoch) for epoch in fields.groups("history")),
        tensors,
    )


def _refuse_misfits(run: Run, found: dict[str, Any]) -> None:
    """Raise InvalidRun unless the tensors (safetensors slices) are those that the run's config makes."""
    expected = {name: ("U8", tuple(state.shape)) for name, state in generator_states().items()}
    for name, shape in run.parameter_shapes().items():
        expected[f"model.{name}"] = expected[f"square_avg.{name}"] = ("F32", shape)
    for part, shape in enumerate(run.state_shapes()):
        expected[f"state.{part}"] = ("F32", shape)
    there = {name: (piece.get_dtype(), tuple(piece.get_shape())) for name, piece in found.items()}
    # A run may go on without the GPU it began on, or with one it did not have.
    misfits = {name for name, _ in there.items() ^ expected.items()} - {"rng.cuda"}
    if misfits:
        raise InvalidRun(
            f"{CHECKPOINT_FILE} does not fit {run.path}: see its {printable(min(misfits))}", HINT
        )


def generator_states() -> dict[str, Tensor]:
    """The states of PyTorch's default generators, uint8."""
    states = {"rng.cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["rng.cuda"] = torch.cuda.get_rng_state()
    return states


def restore_generators(tensors: dict[str, Tensor]) -> None:
    torch.set_rng_state(tensors["rng.cpu"])
    if "rng.cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["rng.cuda"])
