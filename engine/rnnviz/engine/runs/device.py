"""Which device computes, and on how many CPU threads."""

from __future__ import annotations

import warnings
from typing import Literal, get_args

import torch

from rnnviz.store import limits
from rnnviz.store.errors import Unavailable

DeviceName = Literal["auto", "cpu", "cuda"]
DEVICES: tuple[DeviceName, ...] = get_args(DeviceName)


def resolve(name: DeviceName, threads: int | None = None) -> torch.device:
    """The device that `name` stands for; `auto` is CUDA where there is one. PyTorch computes on `threads` CPU threads
    from then on.

    None leaves their number to PyTorch, which knows of OMP_NUM_THREADS and of the CPU affinity, but not of a
    container's quota: where more threads than that allows wait for each other, they use it up by waiting.

    On CUDA, float32 stays float32: TF32 keeps 10 bits of the mantissa, and runs are compared to 1e-3 nats.
    Raises Unavailable when CUDA is asked for and there is none.
    """
    torch.set_num_threads(threads or min(torch.get_num_threads(), limits.cores().amount))
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
