"""The command lines in the documents are lines that the program knows. Those of the first hour are run elsewhere."""

from __future__ import annotations

from contextlib import suppress

import pytest
import typer

from support.command_line import commands, parse
from support.documents import ROOT, command_lines, command_mentions, links, read, section

DOCUMENTS = ("README.md", "samples/README.md")
LINES = [
    pytest.param(words, id=f"{document}: {' '.join(words)}")
    for document in DOCUMENTS
    for words in command_lines(read(document)) + command_mentions(read(document))
]


@pytest.mark.parametrize("words", LINES)
def test_every_command_line_of_a_document_is_one_that_the_program_knows(words: list[str]) -> None:
    if " ".join(words) in commands():  # a command is spoken of, as `rnnviz browse`
        return
    with suppress(typer.Exit):  # --help
        parse(["0" if word == "OFFSET" else word for word in words])


def test_the_documents_have_command_lines() -> None:
    """That the two functions which look for them find them."""
    assert ["doctor"] in command_mentions(read("README.md"))
    first_hour = command_lines(section("README.md", "From your own text to a cell"))
    assert len(first_hour) >= 8
    assert not any("#" in words or "|" in words for words in first_hour)


def test_every_link_of_the_documents_leads_to_a_file_that_is_there() -> None:
    folders = {document: (ROOT / document).parent for document in DOCUMENTS}
    targets = [folders[document] / target for document in DOCUMENTS for target in links(read(document))]
    assert len(targets) > 10
    assert [target for target in targets if not target.exists()] == []
