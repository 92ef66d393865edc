"""What `rnnviz info` says of a directory of n-gram models."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

Facts = dict[str, Any]
"""What `--json` prints: names to numbers, strings, lists and further facts."""


def ngram_facts(path: Path) -> Facts:
    """N-gram models in JSON's terms, those of an interrupted training too. Raises InvalidModels."""
    from rnnviz.engine.ngram.directory import read_ngrams
    from rnnviz.store.summary import size_on_disk
    from rnnviz.tui.command_line.facts.recorded_command import recorded_command

    models = read_ngrams(path)
    text, split = models.text, models.split
    return {
        "kind": "n-gram models",
        "path": str(path.absolute()),
        "complete": models.complete,
        "n": list(models.orders),
        "vocabulary": len(models.vocabulary),
        "estimator": models.estimator,
        "compressed": models.compressed,
        "text": {"name": text.name, "sha256": text.sha256, "bytes": text.length},
        "split": split.shares,
        "streams": split.streams,
        "unroll": split.unroll,
        "command": models.command,
        "made_by": recorded_command(models.command, path, text),
        "versions": models.versions,
        "bytes_on_disk": size_on_disk(path),
    }


def ngram_lines(facts: Facts) -> dict[str, str]:
    """N-gram models in words: rows of a table."""
    from rnnviz.tui.commands.info import counted, size_words

    text = facts["text"]
    measure = shlex.join(["rnnviz", "ngram", "eval", facts["path"]])
    return {
        "n-grams": facts["path"],
        "state": "complete" if facts["complete"] else f"incomplete: {facts['made_by']} --force",
        "models": f"{counted(len(facts['n']), 'model')}, n = {_ranges(facts['n'])} symbols back, "
        f"{facts['vocabulary']:,} symbols, modified Kneser-Ney by "
        + ("rnnviz" if facts["estimator"] == "own" else "KenLM's lmplz"),
        **({"loss": f"not kept; it is measured by: {measure}"} if facts["complete"] else {}),
        "text": f"{text['name']}, {text['bytes']:,} bytes, split {facts['split']}, "
        f"{facts['streams']} streams × {facts['unroll']} steps",
        "made by": facts["made_by"],
        "size": size_words(facts["bytes_on_disk"]),
    }


def _ranges(numbers: list[int]) -> str:
    """Ascending numbers as a person writes them: `1-5,9`."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][-1] == number - 1:
            ranges[-1].append(number)
        else:
            ranges.append([number])
    return ",".join(f"{each[0]}-{each[-1]}" if len(each) > 1 else str(each[0]) for each in ranges)
