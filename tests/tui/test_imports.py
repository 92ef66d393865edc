"""What each command loads. Comments cannot keep imports out; a fresh interpreter can tell."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.captures import make_capture

ROOT = Path(__file__).parents[2]


def modules_after(code: str) -> set[str]:
    """The modules loaded in a fresh interpreter after running `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def loads(modules: set[str], *packages: str) -> set[str]:
    return {name for name in modules if name.split(".")[0] in packages}


def test_the_command_line_is_light() -> None:
    modules = modules_after("import rnnviz.tui.cli")
    assert not loads(modules, "textual", "torch", "zarr", "kenlm", "numpy", "numba")


def test_the_first_screen_loads_neither_zarr_nor_textual(tmp_path: Path) -> None:
    path = make_capture(tmp_path / "a.zarr").path
    code = f"""
from pathlib import Path
from rnnviz.tui.launch.open_view import open_view
from rnnviz.tui.launch.first_paint import _screen
from rnnviz.tui.paint.palette import Depth
from rnnviz.tui.capture_cache.block_cache import Source
capture, view = open_view(Path({str(path)!r}), "0:0", None, 0)
assert _screen(Source(capture), view, Depth.TRUE, "dark", 100, 30)
"""
    modules = modules_after(code)
    assert loads(modules, "numcodecs")
    assert not loads(modules, "zarr", "textual", "asyncio")


def test_the_explorer_loads_neither_torch_nor_kenlm_nor_the_engine(tmp_path: Path) -> None:
    path = make_capture(tmp_path / "a.zarr").path
    # The app runs headless for as long as it takes to draw a cell: all it ever loads is loaded then.
    code = f"""
import asyncio
from pathlib import Path
from rnnviz.tui.launch.open_view import open_view
from rnnviz.tui.launch.app import Explorer
from rnnviz.tui.paint.palette import Depth
capture, view = open_view(Path({str(path)!r}), "0:0", None, 0)
async def run():
    app = Explorer(capture, view, Depth.TRUE, "dark")
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("j", "s", "down")
        await pilot.pause(0.5)
        assert app.screen.view.cell.unit == 1
asyncio.run(run())
"""
    modules = modules_after(code)
    assert loads(modules, "textual")
    assert not loads(modules, "torch", "kenlm", "safetensors", "numba")
    assert not {name for name in modules if name.startswith("rnnviz.engine")}


def test_a_snapshot_loads_no_textual(tmp_path: Path) -> None:
    path = make_capture(tmp_path / "a.zarr").path
    modules = modules_after(
        "from rnnviz.tui.commands.snapshot import snapshot\n"
        f"from pathlib import Path\nsnapshot(Path({str(path)!r}), lines=2, width=20)"
    )
    assert not loads(modules, "textual", "torch", "kenlm")


FORBIDDEN = {
    "store/rnnviz/store": ("rnnviz.analysis", "rnnviz.engine", "rnnviz.tui"),
    "engine/rnnviz/analysis": ("rnnviz.engine", "rnnviz.tui", "torch", "textual", "kenlm"),
    "engine/rnnviz/engine": ("rnnviz.analysis", "rnnviz.tui", "textual"),
    "tui/rnnviz/tui": (),
}
"""What no module of a room imports: tui → analysis → store ← engine."""


@pytest.mark.parametrize("room", FORBIDDEN)
def test_rooms_import_in_one_direction(room: str) -> None:
    paths = list((ROOT / room).rglob("*.py"))
    assert len(paths) > 10
    for path in paths:
        for line in path.read_text().splitlines():
            words = line.split()
            if words[:1] in (["from"], ["import"]):
                assert not words[1].startswith(FORBIDDEN[room]), f"{path.name}: {line}"
                # Only what a command runs, and the process of a model, reach the engine.
                if room.startswith("tui") and words[1].startswith("rnnviz.engine"):
                    reaches = {"commands", "command_line"} & set(
                        path.parts
                    ) or path.name == "model_process.py"
                    assert reaches, f"{path.name}: {line}"
                    assert line.startswith(" "), f"{path.name}: {line}"


def test_the_analysis_loads_neither_torch_nor_textual_nor_kenlm() -> None:
    room = ROOT / "engine/rnnviz/analysis"
    names = sorted(
        ".".join(path.relative_to(ROOT / "engine").with_suffix("").parts).removesuffix(".__init__")
        for path in room.rglob("*.py")
    )
    modules = modules_after("\n".join(f"import {name}" for name in names))
    assert set(names) <= modules
    assert not loads(modules, "torch", "textual", "kenlm", "rich")
    assert not {name for name in modules if name.startswith(("rnnviz.engine", "rnnviz.tui"))}


def test_the_namespace_has_no_package_file_that_hides_the_other_roots() -> None:
    assert not list(ROOT.glob("*/rnnviz/__init__.py"))
