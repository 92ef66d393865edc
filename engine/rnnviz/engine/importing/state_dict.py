"""Reading the tensors of a PyTorch checkpoint, without running anything in it.

`.safetensors` files, and what `torch.save` writes of dictionaries with tensors (`torch.load` with
`weights_only=True`). A pickled module is refused: it could be opened only by running code that comes with it.
"""

from __future__ import annotations

import pickle
import re
import struct
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from rnnviz.engine.text.text import printable
from rnnviz.store.errors import InvalidCheckpoint

DEEPEST: Final = 4
"""Dictionaries inside each other that are looked into."""

MOST_TENSORS: Final = 1 << 12

MOST_TIMES: Final = 4
"""How often the numbers of a file may be used: tied weights use some twice."""

LONGEST_NAME: Final = 80

ROWS: Final = 24
"""Tensors that an error lists."""

USUAL_ENTRIES: Final = ("state_dict", "model_state_dict", "model")

_RECURRENT: Final = re.compile(r"weight_hh_l\d+$")

_DAMAGED: Final = (
    RuntimeError, ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, EOFError,
    OverflowError, MemoryError, ImportError, pickle.UnpicklingError, struct.error, zipfile.BadZipFile,
)  # fmt: skip
"""What torch.load raises for files that are not whole."""


def read_state_dict(path: Path, entry: str | None = None) -> tuple[str, dict[str, Tensor]]:
    """The dictionary of tensors in a checkpoint that has a recurrent layer: its name in the file, as
    `state_dict`, empty where it is the file's own, and the tensors under their names, in the file's order.

    `entry` names the dictionary where there are several. Every tensor lies wholly in what was read. Raises
    InvalidCheckpoint.
    """
    found = dict(_dictionaries(_load(path), "", set()))
    if entry is not None:
        if entry not in found:
            names = ", ".join(shown(name) or "the file itself" for name in found) or "none"
            raise InvalidCheckpoint(
                f"{path} has no dictionary of tensors called {shown(entry)}", f"It has: {names}."
            )
        return entry, _checked(found[entry], path)
    recurrent = [name for name, tensors in found.items() if any(map(_RECURRENT.search, tensors))]
    chosen = [name for name in recurrent if name in USUAL_ENTRIES] or recurrent
    if len(chosen) > 1:
        raise InvalidCheckpoint(
            f"{path} has several dictionaries with a recurrent layer: {', '.join(map(shown, chosen))}",
            "Say which one with --entry NAME.",
        )
    if not chosen:
        everything = {
            f"{name}.{key}" if name else key: t for name, ts in found.items() for key, t in ts.items()
        }
        raise InvalidCheckpoint(
            f"{path} has no nn.LSTM, nn.GRU or nn.RNN: no tensor's name ends in weight_hh_l0",
            with_table(_without_recurrence(everything), everything),
        )
    return chosen[0], _checked(found[chosen[0]], path)


def with_table(hint: str, tensors: Mapping[str, Tensor]) -> str:
    """A hint, and below it the tensors with their shapes."""
    if not tensors:
        return f"{hint} It has no tensors at all."
    width = min(60, max(len(name) for name in tensors))
    lines = [f"    {shown(name):{width}}  {shape(tensor)}" for name, tensor in list(tensors.items())[:ROWS]]
    more = len(tensors) - ROWS
    return "\n".join([hint, "  It has:", *lines, *([f"    and {more:,} more"] if more > 0 else [])])


def shown(name: str) -> str:
    """A name from the file, safe to print and of bounded length."""
    return printable(name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…")


def shape(tensor: Tensor) -> str:
    """A tensor's shape in words: `512 × 65`."""
    return " × ".join(f"{size}" for size in tensor.shape) or "one number"


def _load(path: Path) -> object:
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, *_DAMAGED) as error:
            raise InvalidCheckpoint(
                f"{path} is no safetensors file, or a damaged one",
                "Take the checkpoint from its source again.",
            ) from error
    zipped = zipfile.is_zipfile(path)
    if zipped:
        _refuse_packed(path)
    try:
        with warnings.catch_warnings(action="ignore"):
            # Mapped, a storage cannot claim to be longer than the file.
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except _DAMAGED as error:
        if isinstance(error, pickle.UnpicklingError):
            _refuse_pickled(path, str(error))
        raise _damaged(path) from error


def _refuse_packed(path: Path) -> None:
    """Raise InvalidCheckpoint for an archive that would unpack to more than its length."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except _DAMAGED as error:
        raise _damaged(path) from error
    names = {entry.filename.partition("/")[2] for entry in entries}
    size = sum(entry.file_size for entry in entries)
    if "constants.pkl" in names:
        raise InvalidCheckpoint(
            f"{path} is a TorchScript program, which would have to be run",
            "Save its weights alone: torch.save(torch.jit.load(FILE).state_dict(), 'weights.pt'), and import that.",
        )
    if size > path.stat().st_size:
        raise InvalidCheckpoint(
            f"{path} is a compressed archive, which torch.save does not write",
            "Save it with torch.save again.",
        )


def _damaged(path: Path) -> InvalidCheckpoint:
    return InvalidCheckpoint(
        f"{path} is no PyTorch checkpoint, or a damaged one", "Give a .pt, .pth, .safetensors or .t7 file."
    )


def _refuse_pickled(path: Path, reason: str) -> None:
    """Raise InvalidCheckpoint if it says which pickled object torch.load would not make."""
    found = re.search(r"GLOBAL (\S+)", reason)
    if found and found[1] == "torch.ScriptObject":
        raise InvalidCheckpoint(
            f"{path} holds packed weights of a quantised model", "Give the weights it was made from."
        )
    if found:
        raise InvalidCheckpoint(
            f"{path} holds pickled objects ({printable(found[1])[:80]}), which could run code: they are never opened",
            "Where you trust it and have its program: torch.save(model.state_dict(), 'weights.pt'), and import that.",
        )


def _checked(tensors: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The tensors, if there are no more of them than a model has, nor the same numbers over and over."""
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if len(tensors) > MOST_TENSORS or size > MOST_TIMES * path.stat().st_size:
        raise InvalidCheckpoint(
            f"{path} has {len(tensors):,} tensors of {size:,} bytes in all, more than a model and its file have",
            "Give the state_dict of one language model.",
        )
    return tensors


def _dictionaries(
    value: object, name: str, seen: set[int], depth: int = 0
) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Each dictionary that holds tensors itself, once, under its name."""
    if not isinstance(value, Mapping) or depth > DEEPEST or id(value) in seen:
        return
    seen.add(id(value))
    tensors = {key: held for key, held in value.items() if isinstance(key, str) and _is_whole(held)}
    if tensors:
        yield name, tensors
    for key, held in value.items():
        if isinstance(key, str):
            yield from _dictionaries(held, f"{name}.{key}" if name else key, seen, depth + 1)


def _is_whole(value: object) -> bool:
    """Whether this is a tensor that takes as much of the file as it claims to."""
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and not value.is_meta
        and (value.is_quantized or value.numel() * value.element_size() <= value.untyped_storage().nbytes())
    )


def _without_recurrence(tensors: Mapping[str, Tensor]) -> str:
    names = list(tensors)
    if any(name.endswith("weight_hh") for name in names):
        return "A model made of cells (nn.LSTMCell, nn.GRUCell, nn.RNNCell) cannot be imported."
    if any("_packed_params" in name or "_all_weight_values" in name for name in names):
        return "A quantised model cannot be imported: give the weights it was made from."
    if any("weight_hh_l0" in name for name in names):
        return "Weights that are made from others (weight_norm, weight drop) cannot be imported: bake them in first."
    return "Give the state_dict of a module with one nn.LSTM, nn.GRU or nn.RNN."
