from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from rnnviz.tui.cli import main
from support.command import Command, Done


@pytest.fixture(name="rnnviz")
def _rnnviz(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Command:
    """The program in this process and in the test's directory: imports are most of a short command's time."""
    monkeypatch.chdir(tmp_path)
    # Texts are found again by their hash, and those of many tests have the same.
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    threads = _torch_threads()

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["rnnviz", *arguments])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        finally:
            _torch_threads(threads)  # which --threads has changed
        return Done(code, *capsys.readouterr())

    return run


def _torch_threads(wanted: int | None = None) -> int | None:
    """PyTorch's threads, after they were set to `wanted` if it is given. None where PyTorch is not installed."""
    if find_spec("torch") is None:
        return None
    import torch

    if wanted is not None:
        torch.set_num_threads(wanted)
    return torch.get_num_threads()
