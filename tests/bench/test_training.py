"""Training beside a plain PyTorch loop that does the same work, in the same process, batch by batch in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from rnnviz.engine.runs.device import DeviceName, resolve
from rnnviz.engine.runs.run import RunConfig
from rnnviz.engine.text.text import open_text
from rnnviz.engine.training.train import start_run, train

STREAMS, UNROLL, SYMBOLS = 100, 100, 87
ROUNDS = 8
"""Rounds of a few batches of each; the median round counts."""


def plain_loop(data: NDArray[np.uint8], layers: int, hidden: int, device: str) -> Iterator[None]:
    """char-rnn in PyTorch as most people write it: one-hot, nn.LSTM, cross_entropy, clip, RMSprop."""
    lstm, decoder = nn.LSTM(SYMBOLS, hidden, layers).to(device), nn.Linear(hidden, SYMBOLS).to(device)
    parameters = [*lstm.parameters(), *decoder.parameters()]
    optimizer = torch.optim.RMSprop(parameters, lr=2e-3, alpha=0.95)
    rows = torch.from_numpy(data.astype(np.int64)).view(STREAMS, -1).to(device)
    state = None
    for start in range(0, rows.shape[1] - UNROLL, UNROLL):
        x = F.one_hot(rows[:, start : start + UNROLL].T, SYMBOLS).float()
        y = rows[:, start + 1 : start + UNROLL + 1].T
        h, state = lstm(x, state)
        state = tuple(part.detach() for part in state)
        loss = F.cross_entropy(decoder(h).flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_value_(parameters, 0.05)
        optimizer.step()
        yield


def rate(batches: Iterator[object], count: int) -> float:
    """Symbols per second over so many batches."""
    began = time.perf_counter()
    for _ in range(count):
        next(batches)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return count * STREAMS * UNROLL / (time.perf_counter() - began)


@pytest.mark.parametrize(
    ("device", "layers", "hidden", "count"),
    [("cpu", 1, 128, 5), ("cpu", 3, 241, 1), pytest.param("cuda", 3, 241, 20, marks=pytest.mark.gpu)],
)
def test_training_beside_a_plain_loop(
    tmp_path: Path, device: DeviceName, layers: int, hidden: int, count: int
) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    columns = (ROUNDS + 2) * count * 100 // 80 + 1
    data = np.random.default_rng(0).integers(0, SYMBOLS, STREAMS * UNROLL * columns, dtype=np.uint8)
    (tmp_path / "text").write_bytes(data.tobytes())
    text = open_text(str(tmp_path / "text"))
    config = RunConfig(kind="lstm", layers=layers, hidden=hidden, epochs=1)
    run = start_run(tmp_path / "run", text, config, command="", spec=None, glob="*", force=False)
    contenders = {
        "rnnviz train": train(run.path, text, device=resolve(device)),
        "plain loop": plain_loop(data, layers, hidden, device),
    }
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(1 + ROUNDS):
        for name, batches in contenders.items():
            rates[name].append(rate(batches, count))
    print(
        f"\ntraining LSTM {layers}×{hidden}, {device}, {torch.get_num_threads()} CPU threads, median of {ROUNDS}"
    )
    print(f"{'':14} {'symbols/s':>12} {'spread':>20}")
    for name, (_, *measured) in rates.items():
        spread = f"{min(measured):,.0f}–{max(measured):,.0f}"
        print(f"{name:14} {statistics.median(measured):12,.0f} {spread:>20}")
    (_, *own), (_, *others) = rates.values()
    ratio = statistics.median(mine / other for mine, other in zip(own, others, strict=True))
    print(f"{'':14} {ratio:12.2f} times the plain loop, the median of the rounds")
