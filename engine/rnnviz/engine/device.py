"""Which device computes."""

from __future__ import annotations

import warnings
from typing import Literal, get_args

import torch

from rnnviz.store.errors import Unavailable

DeviceName = Literal["auto", "cpu", "cuda"]
DEVICES: tuple[DeviceName, ...] = get_args(DeviceName)


def resolve(name: DeviceName) -> torch.device:
    """The device that `name` stands for; `auto` is CUDA where there is one.

    On CUDA, float32 stays float32: TF32 keeps 10 bits of the mantissa, and runs are compared to 1e-3 nats.
    Raises Unavailable when CUDA is asked for and there is none.
    """
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise Unavailable(
            "PyTorch finds no CUDA device",
            "Use --device cpu, or install a PyTorch built for your driver; `rnnviz doctor` says what is there.",
        )
    # Signals are computed layer by layer, and cuDNN says each time that it packs such weights anew.
    warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous chunk")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    return torch.device("cuda")


def use_threads(threads: int | None) -> None:
    """Compute on this many CPU threads; None leaves the choice to PyTorch."""
    if threads is not None:
        torch.set_num_threads(threads)
