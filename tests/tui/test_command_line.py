"""The program as a whole: its version, its help, the doctor, the demo without a terminal."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

from rnnviz.engine.ngram.scorers.kenlm_build import greatest_order
from rnnviz.tui.commands.demo import CELLS
from rnnviz.tui.view.user_state import read_marks

COMMANDS = ("train", "eval", "capture", "info", "browse", "snapshot", "demo", "doctor", "sweep", "import")


def rnnviz(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rnnviz", *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=os.environ | (environment or {}),
    )


def test_the_version_is_the_package_s() -> None:
    assert rnnviz("--version").stdout == f"rnnviz {version('rnnviz')}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_listed_and_has_examples(command: str) -> None:
    assert command in rnnviz("--help").stdout
    done = rnnviz(command, "--help")
    assert done.returncode == 0
    assert f"rnnviz {command}" in done.stdout.split("Examples")[1]


@pytest.mark.parametrize(
    "arguments",
    [["brows"], ["browse"], ["snapshot", "x.zarr", "--lines", "0"], ["browse", "x.zarr", "--color", "7"]],
)
def test_wrong_usage_exits_with_2_and_no_traceback(arguments: list[str]) -> None:
    done = rnnviz(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    code = f"{sys.executable} -m rnnviz doctor --json | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_a_command_that_runs_a_model_says_that_pytorch_is_missing(tmp_path: Path) -> None:
    code = """
import sys
class WithoutTorch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
sys.meta_path.insert(0, WithoutTorch())
from rnnviz.tui.cli import main
sys.argv = ["rnnviz", "train", "notes.txt", "--out", "run"]
main()
"""
    (tmp_path / "notes.txt").write_text("a text " * 1000)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "PyTorch is not installed" in done.stderr
    assert "pip install torch" in done.stderr


def test_the_doctor_reports_what_there_is() -> None:
    done = rnnviz("doctor", "--color", "256")
    assert done.returncode == 0
    for what in (
        "python",
        "torch",
        *(
            ["devices", "torch's threads"]
            if find_spec("torch")
            else ["not installed: captures can be explored"]
        ),
        "cpu threads",
        "memory",
        "zarrs",
        "numba",
        "kenlm",
        "256 colours: --color 256",
    ):
        assert what in done.stdout
    found = json.loads(rnnviz("doctor", "--json").stdout)
    assert found["rnnviz"] == version("rnnviz")


def test_kenlm_s_order_is_that_of_its_build(tmp_path: Path) -> None:
    """A model of the greatest order loads and one of the next order does not: what the size of a state says."""
    kenlm = pytest.importorskip("kenlm", reason="KenLM is not installed (it does not compile on Python 3.13)")
    order = greatest_order()
    assert order is not None
    assert order >= 2

    def arpa(highest: int) -> Path:
        # A model with one n-gram of each order: "a", "a a", "a a a", …
        lines = ["\\data\\", *(f"ngram {n}={4 if n == 1 else 1}" for n in range(1, highest + 1))]
        for n in range(1, highest + 1):
            grams = ["<unk>", "<s>", "</s>", "a"] if n == 1 else [" ".join(["a"] * n)]
            back_off = "" if n == highest else "\t-0.3"
            lines += ["", f"\\{n}-grams:", *(f"-1.0\t{gram}{back_off}" for gram in grams)]
        path = tmp_path / f"{highest}.arpa"
        path.write_text("\n".join([*lines, "", "\\end\\", ""]))
        return path

    assert kenlm.Model(str(arpa(order))).order == order
    with pytest.raises(OSError, match="order"):
        kenlm.Model(str(arpa(order + 1)))


def test_the_demo_without_a_terminal_draws_its_cells_and_opens_at_once_the_next_time(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed, and the demo runs a model")
    environment = {"XDG_CACHE_HOME": str(tmp_path)}
    first = rnnviz("demo", environment=environment)
    assert first.returncode == 0, first.stderr
    for cell in CELLS.values():
        told = rf"^{cell} (follows|goes in part with) .*, r = [+−]0\.[3-9]\d on this text$"
        assert re.search(told, first.stdout, re.MULTILINE), cell
    assert first.stdout.count("\x1b[38;2;") > 400
    assert "capturing" in first.stderr
    second = rnnviz("demo", environment=environment)
    assert second.stdout == first.stdout
    target = next((tmp_path / "rnnviz").glob("demo-*.zarr"))
    assert second.stderr == f"next: rnnviz browse {target}\n"
    marks = read_marks(target)
    assert {mark.note.split()[0] for mark in marks} == set(CELLS.values())
    assert all(re.search(r"r = [+−](0\.[6-9]\d|1\.00) here$", mark.note) for mark in marks)
