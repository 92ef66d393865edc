"""Which device computes, and with how many threads."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from rnnviz.engine.runs.device import resolve
from rnnviz.store import limits


def test_pytorch_takes_no_more_threads_than_the_quota_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "proc/self/cgroup": "0::/\n",
        "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n",
        "sys/fs/cgroup/cpu.max": "100000 100000\n",
    }
    for name, written in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(written)
    monkeypatch.setattr(limits, "ROOT", tmp_path)
    torch.set_num_threads(2)
    resolve("cpu")
    assert torch.get_num_threads() == 1
    resolve("cpu", 3)
    assert torch.get_num_threads() == 3
