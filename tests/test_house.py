"""The layout of the house: small modules, few in a folder, and folders that hold what their docstrings promise."""

from __future__ import annotations

import ast
import itertools
from pathlib import Path

import pytest

from support.documents import section

ROOT = Path(__file__).parents[1]
ROOTS = ("engine", "store", "tui")
PACKAGES = sorted(
    path.relative_to(ROOT)
    for root in ROOTS
    for path in (ROOT / root).glob("rnnviz/**/")
    if path.name not in ("__pycache__", "rnnviz")
)
MODULES = sorted(path.relative_to(ROOT) for root in ROOTS for path in (ROOT / root).rglob("*.py"))

MODULES_AT_MOST = 15
LINES_AT_MOST = 400
LARGE_FOLDERS = {Path("tui/rnnviz/tui/commands"), Path("store/rnnviz/store")}
"""A command is a module, however many commands there are; the store's modules are one subject."""

WITHOUT_TEXTUAL = ("panels", "pictures", "scenes", "paint", "capture_cache", "view", "text", "command_line")
"""Folders of the explorer whose functions also make snapshots, or the first screen, which must not wait for Textual."""


def modules_in(folder: Path) -> list[Path]:
    return [path for path in MODULES if path.parent == folder and path.name != "__init__.py"]


def imports(path: Path) -> set[str]:
    """What a module imports anywhere in it, inside functions too, by the full names."""
    names = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom(module=str(module)):
                names.add(module)
    return names


@pytest.mark.parametrize("folder", PACKAGES, ids=str)
def test_a_folder_holds_no_more_modules_than_a_reader_can_look_over(folder: Path) -> None:
    assert folder in LARGE_FOLDERS or len(modules_in(folder)) <= MODULES_AT_MOST


@pytest.mark.parametrize("folder", PACKAGES, ids=str)
def test_a_folder_says_in_a_sentence_what_it_holds(folder: Path) -> None:
    # A folder without __init__.py is a namespace package: it imports, and loses its docstring unnoticed.
    docstring = ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text(encoding="utf-8")))
    assert docstring
    assert docstring.endswith(".")


def test_a_module_is_short() -> None:
    lines = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert len(lines) > 100
    assert not {path: count for path, count in lines.items() if count > LINES_AT_MOST}


def test_a_module_says_what_it_holds() -> None:
    trees = {path: ast.parse((ROOT / path).read_text(encoding="utf-8")) for path in MODULES}
    assert not [path for path, tree in trees.items() if ast.get_docstring(tree) is None]


@pytest.mark.parametrize("folder", WITHOUT_TEXTUAL)
def test_what_paints_a_screen_does_not_need_textual(folder: Path) -> None:
    paths = modules_in(Path("tui/rnnviz/tui") / folder)
    assert paths
    for path in paths:
        reached = {name for name in imports(path) if name.split(".")[0] == "textual"}
        # A module that imports a screen or a widget loads Textual through it.
        reached |= {
            name for name in imports(path) if name.startswith(("rnnviz.tui.screens", "rnnviz.tui.widgets"))
        }
        assert not reached, f"{path} imports {reached}"


@pytest.mark.parametrize("room", ["engine/rnnviz/engine", "tui/rnnviz/tui"])
def test_the_readme_s_tree_names_the_folders_that_there_are(room: str) -> None:
    tree = section("README.md", "Where things are")
    below = tree.split(f"\n{room}/ ", maxsplit=1)[1].splitlines()[1:]
    lines = itertools.takewhile(lambda line: line.startswith("  "), below)
    named = [word.rstrip("/") for line in lines for word in line.split() if word.endswith("/")]
    assert sorted(named) == sorted(path.name for path in PACKAGES if path.parent == Path(room))
