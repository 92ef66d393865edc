from __future__ import annotations

import argparse
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.engine.text.text import STANDARD_LIBRARY, Part, Text, open_text, portable_spec, text_of_files
from rnnviz.store.errors import InvalidText, NotFound


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=6), st.data())
def test_joined_files_read_as_one(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("text")
    paths = [folder / f"{number}" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    whole = b"".join(contents)
    if not whole:
        with pytest.raises(InvalidText):
            text_of_files("joined", paths)
        return
    text = text_of_files("joined", paths)
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, len(whole)))
    assert bytes(text.read(start, stop)) == whole[start:stop]
    assert b"".join(bytes(piece) for piece in text.pieces(size=7)) == whole
    assert text.sha256() == hashlib.sha256(whole).hexdigest()
    for part in text.parts:
        assert bytes(text.read(part.start, part.start + part.length)) == contents[int(part.name)]
        assert text.part_at(part.start) == text.part_at(part.start + part.length - 1) == part


def test_reading_outside_the_text_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    text = open_text(str(path))
    for start, stop in ((-1, 1), (2, 1), (0, 4)):
        with pytest.raises(ValueError, match="within a text of 3"):
            text.read(start, stop)


def _tree(root: Path) -> Path:
    for name in ("b.c", "a.c", "sub/c.c", "sub/d.h", ".git/e.c", ".hidden.c"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"<{name}>")
    (root / "empty.c").write_text("")
    return root


def _names(text: Text) -> list[str]:
    return [part.name for part in text.parts]


def test_a_directory_is_sorted_shuffled_and_joined(tmp_path: Path) -> None:
    root = _tree(tmp_path / "tree")
    text = open_text(str(root), seed=1)
    assert sorted(_names(text)) == ["a.c", "b.c", "sub/c.c", "sub/d.h"], "neither hidden nor empty files"
    assert bytes(text.read(0, text.length)).decode() == "".join(f"<{name}>" for name in _names(text))
    assert _names(open_text(str(root), seed=1)) == _names(text)
    orders = {tuple(_names(open_text(str(root), seed=seed))) for seed in range(20)}
    assert len(orders) > 5, "the seed decides the order"
    assert text.name == "tree"


@pytest.mark.parametrize(
    ("glob", "names"),
    [
        ("*.h", ["sub/d.h"]),
        ("*.[ch]", ["a.c", "b.c", "sub/c.c", "sub/d.h"]),
        ("sub/*.c", ["sub/c.c"]),
        ("*", ["a.c", "b.c", "sub/c.c", "sub/d.h"]),
    ],
)
def test_glob_chooses_files(tmp_path: Path, glob: str, names: list[str]) -> None:
    assert sorted(_names(open_text(str(_tree(tmp_path)), glob=glob))) == names


@pytest.mark.parametrize("glob", ["*.rs", "../*", "/etc/*", "", "[", "**"])
def test_a_glob_without_matches_says_so(tmp_path: Path, glob: str) -> None:
    root = tmp_path / "tree"
    _tree(root)
    if glob == "**":
        assert len(open_text(str(root), glob=glob).parts) == 4
        return
    with pytest.raises(InvalidText, match="matches") as caught:
        open_text(str(root), glob=glob)
    assert "--glob" in caught.value.hint


def test_the_standard_library_is_source_of_this_python() -> None:
    text = open_text(STANDARD_LIBRARY)
    assert text.name == STANDARD_LIBRARY
    assert text.length > 1_000_000
    names = set(_names(text))
    assert {"argparse.py", "json/decoder.py"} <= names
    assert not any({"site-packages", "test", "tests"} & set(name.split("/")) for name in names)
    part = next(part for part in text.parts if part.name == "argparse.py")
    assert bytes(text.read(part.start, part.start + part.length)) == Path(argparse.__file__).read_bytes()
    assert _names(open_text(STANDARD_LIBRARY, seed=1)) != _names(text)


def test_what_is_no_text(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    with pytest.raises(InvalidText, match="empty"):
        open_text(str(empty))
    with pytest.raises(InvalidText, match="there is no file in"):
        open_text(str(_made(tmp_path / "folder")))
    for missing in (str(tmp_path / "none"), "x" * 5000, "nul\0nul", ""):
        with pytest.raises((NotFound, InvalidText)):
            open_text(missing)
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    with pytest.raises(InvalidText, match="not a regular file"):
        open_text(str(fifo))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_a_file_that_changes_its_size_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 100)
    text = open_text(str(path))
    path.write_bytes(b"x" * 50)
    with pytest.raises(InvalidText, match="changed while it was read"):
        text.read(0, 100)
    with pytest.raises(InvalidText, match="changed while it was read"):
        text.read(0, 10)
    path.unlink()
    with pytest.raises(InvalidText, match="cannot read a"):
        text.read(0, 10)


def test_names_are_safe_on_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "bad\x1b[31m\nname"
    path.write_bytes(b"abc")
    text = open_text(str(path))
    assert text.name.isprintable()
    assert text.parts == (Part(text.name, 0, 3),)
    undecodable = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    Path(undecodable).write_bytes(b"abc")
    open_text(undecodable).name.encode("utf-8")


def test_only_specs_that_travel_are_portable() -> None:
    assert portable_spec("texts/wp.txt") == "texts/wp.txt"
    assert portable_spec(STANDARD_LIBRARY) == STANDARD_LIBRARY
    assert portable_spec("/home/me/wp.txt") is None
    assert portable_spec("bad\x1bname") is None


def test_large_reads_cross_many_files(tmp_path: Path) -> None:
    paths = []
    for number in range(50):
        path = tmp_path / f"{number:02}"
        path.write_bytes(bytes([number]) * (number + 1))
        paths.append(path)
    text = text_of_files("many", paths)
    expected = np.repeat(np.arange(50, dtype=np.uint8), np.arange(1, 51))
    np.testing.assert_array_equal(text.read(0, text.length), expected)
