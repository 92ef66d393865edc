"""The paper's texts, on which figures are measured. They are no part of the repository.

They are looked for in the directory that RNNVIZ_TEXTS names, and else in `../shared/data` beside the repository.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

import pytest

WAR_AND_PEACE: Final = "war_and_peace.txt"
LINUX_KERNEL: Final = "linux_kernel.txt"
SHA256: Final = {
    WAR_AND_PEACE: "23e442baa24e230b9410a6ca03ba8121ac533f804581c31dbc46536b44a92fe8",
    LINUX_KERNEL: "8b7e89600db7913015557c2a4a8582304ccf6ff000eb8f0a2313a6b4c281fbb0",
}
"""Of the very texts that the figures were measured on: with a byte order mark and CRLF line ends, as the paper's."""

LONG: Final = os.environ.get("RNNVIZ_ACCEPT_LONG") == "1"
"""Whether the figures that take hours are measured too."""


def reference_text(name: str) -> Path:
    """The path of a reference text. Skips the test where it is not there; another text under its name is a failure."""
    folder = os.environ.get("RNNVIZ_TEXTS") or str(Path(__file__).parents[2] / ".." / "shared" / "data")
    path = Path(folder) / name
    if not path.is_file():
        pytest.skip(f"there is no {name}: RNNVIZ_TEXTS names the directory that has it")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    assert found == SHA256[name], f"{path} is another text: its SHA-256 is {found}"
    return path
