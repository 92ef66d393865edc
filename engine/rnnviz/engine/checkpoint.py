"""A checkpoint: everything training needs to go on as if it had never stopped.

One safetensors file: `model.*` the parameters, `square_avg.*` RMSProp's mean squared gradients, `state.*` the
carried state of the streams, `rng.cpu` (and `rng.cuda`) the random generator's state, for dropout. Its
metadata holds one JSON object under `training`: the position and the history.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from rnnviz.engine.fields import Fields
from rnnviz.engine.run import GREATEST, Epoch, read_epoch, replace_file
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

    def save(self, path: Path) -> None:
        record = {"position": asdict(self.position), "history": [asdict(epoch) for epoch in self.history]}
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.tensors.items()}
        replace_file(path, save(tensors, {"training": json.dumps(record, allow_nan=False)}))


def load_checkpoint(path: Path, like: dict[str, Tensor]) -> Checkpoint:
    """Read a checkpoint whose tensors must have the names, shapes and dtypes of `like`, on the CPU.

    A generator's state for a device that `like` lacks is left out. Raises InvalidRun.
    """
    try:
        with safe_open(path, framework="pt") as file:
            fields = Fields.parse((file.metadata() or {}).get("training", ""), f"{path}: training")
            tensors: dict[str, Tensor] = {}
            names = set(file.keys())
            for name, model in like.items():
                if name.startswith("rng.") and name not in names:
                    continue
                if name not in names or tuple(file.get_slice(name).get_shape()) != tuple(model.shape):
                    raise InvalidRun(f"{path} does not fit its run: {name} is not as it should be", HINT)
                tensors[name] = file.get_tensor(name)
                if tensors[name].dtype != model.dtype:
                    raise InvalidRun(f"{path} does not fit its run: {name} is not {model.dtype}", HINT)
    except (SafetensorError, FileNotFoundError) as error:
        raise InvalidRun(f"{path} is damaged", HINT) from error
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


def generator_states() -> dict[str, Tensor]:
    """The states of PyTorch's default generators, uint8."""
    states = {"rng.cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["rng.cuda"] = torch.cuda.get_rng_state()
    return states


def restore_generators(tensors: dict[str, Tensor]) -> None:
    torch.set_rng_state(tensors["rng.cpu"])
    if "rng.cuda" in tensors:
        torch.cuda.set_rng_state(tensors["rng.cuda"])
