"""What the project's documents tell a person to type."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def section(document: str, title: str) -> str:
    """The text below a heading of a document, up to the next heading."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", read(document), re.MULTILINE | re.DOTALL)
    assert found is not None, f"{document} has no section {title}"
    return found[1]


def read(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def command_lines(text: str) -> list[list[str]]:
    """The words of each command line in the fenced blocks of a text, without its comment and up to a pipe."""
    lines = []
    for language, block in _FENCED.findall(text):
        for line in block.splitlines() if not language else ():
            words = shlex.split(line, comments=True)
            if words[:1] == ["rnnviz"]:
                lines.append(words[1 : words.index("|")] if "|" in words else words[1:])
    return lines


def command_mentions(text: str) -> list[list[str]]:
    """The same of the command lines in running text, as `rnnviz browse x.zarr`, except where something is left out."""
    prose = _FENCED.sub("", text)
    spans = [" ".join(span.split()) for span in re.findall(r"`(rnnviz\s[^`]+)`", prose)]
    return [shlex.split(span)[1:] for span in spans if "…" not in span]


def links(text: str) -> list[str]:
    """The paths that a text's links and pictures lead to, but for those on the web."""
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]


def python_blocks(text: str) -> list[str]:
    return [block for language, block in _FENCED.findall(text) if language == "python"]
