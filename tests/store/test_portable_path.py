"""Paths that runs and captures keep of one another."""

from __future__ import annotations

from pathlib import Path

from rnnviz.store.portable_path import is_portable, portable_path


def test_no_path_climbs_to_the_root() -> None:
    assert portable_path(Path("/data/me/notes.txt"), Path("/home/me/runs/a")) is None
    assert portable_path(Path("/home/me/notes.txt"), Path("/home/me/runs/a")) == "../../notes.txt"
    assert portable_path(Path("/home/me/runs/a/b\nc"), Path("/home/me/runs/a")) is None
    for hostile in ("/etc/passwd", "", "a\x1b", "x" * 5000, 7, None):
        assert not is_portable(hostile)
    assert is_portable("../../notes.txt")
