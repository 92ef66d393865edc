"""`rnnviz doctor`: what the program found on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Annotated

import typer

from rnnviz.tui.command_line.options import ColourChoice, ColourOption


@dataclass(frozen=True)
class Finding:
    """One line of the report; `advice` says what to do where something could be better."""

    what: str
    found: str
    advice: str = ""


def doctor(
    color: ColourOption = ColourChoice.AUTO,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print what rnnviz found: versions, devices, who scores n-grams, colours, codecs.

    Examples:

        rnnviz doctor

        rnnviz doctor --json
    """
    findings = list(examine(color.value))
    if as_json:
        import json

        typer.echo(json.dumps({finding.what: finding.found for finding in findings}, indent=2))
        return
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        typer.echo(f"{finding.what:<{width}}  {finding.found}")
        if finding.advice:
            typer.secho(f"{'':<{width}}  → {finding.advice}", fg=typer.colors.YELLOW)


def examine(color: str) -> Iterator[Finding]:
    """Look at the machine, one finding at a time."""
    yield Finding("rnnviz", version("rnnviz"))
    yield Finding("python", f"{sys.version.split()[0]} ({sys.executable})")
    for package in ("numpy", "textual", "zarr"):
        yield Finding(package, version(package))
    yield _codecs()
    yield _compiler()
    yield from _torch()
    yield from _machine()
    yield _kenlm()
    yield from _terminal(color)


def _codecs() -> Finding:
    from rnnviz.store.pipeline import zarrs_available

    if zarrs_available():
        return Finding("zarrs", f"{version('zarrs')}, active: captures are read by it")
    return Finding("zarrs", "not installed: zarr-python's own codecs are used", "pip install zarrs")


def _compiler() -> Finding:
    from rnnviz.store.compiled import kept_in
    from rnnviz.store.counting import turn

    kept = kept_in(turn)
    if kept is None:
        return Finding(
            "numba",
            f"{version('numba')}; its machine code can be kept nowhere, so every capture compiles for seconds",
            "Set NUMBA_CACHE_DIR to a directory that can be written.",
        )
    return Finding("numba", f"{version('numba')}, machine code kept in {kept}")


def _torch() -> Iterator[Finding]:
    if find_spec("torch") is None:
        yield Finding(
            "torch",
            "not installed: captures can be explored, models can be neither trained nor run",
            "pip install torch",
        )
        return
    import torch

    from rnnviz.engine.runs.device import resolve

    yield Finding("torch", torch.__version__)
    devices = [f"cuda:{n} {torch.cuda.get_device_name(n)}" for n in range(torch.cuda.device_count())]
    yield Finding("devices", ", ".join(["cpu", *devices]))
    resolve("auto")
    yield Finding("torch's threads", str(torch.get_num_threads()))


def _machine() -> Iterator[Finding]:
    from rnnviz.store import limits

    usable = limits.cores()
    yield Finding("cpu threads", f"{usable.amount} usable ({usable.source})")
    there, left = limits.memory(), limits.free_memory()
    yield Finding(
        "memory",
        f"{there.amount / 1e9:.1f} GB ({there.source}), {left.amount / 1e9:.1f} of them left"
        + (f" ({left.source})" if left.source != there.source else ""),
    )


def _kenlm() -> Finding:
    from rnnviz.engine.ngram.scorers.kenlm_build import greatest_order

    order = greatest_order()
    if order is None:
        return Finding("kenlm", "not installed: rnnviz scores n-grams itself, with the same results")
    return Finding(
        "kenlm",
        f"{version('kenlm')}, scores n-grams up to n = {order - 1} (order {order}); rnnviz itself those of larger n",
    )


def _terminal(color: str) -> Iterator[Finding]:
    from rnnviz.tui.launch.open_view import depth_of_terminal

    found = depth_of_terminal(color)
    colours = {"16m": "16 million", "256": "256", "16": "16", "none": "no"}[found.depth]
    yield Finding("colours", f"{colours} colours: {found.reason}")
    environment = [
        f"{name}={value}"
        for name in ("TERM", "COLORTERM", "NO_COLOR", "TMUX", "SSH_CONNECTION")
        if (value := os.environ.get(name)) is not None
    ]
    size = os.get_terminal_size() if sys.stdout.isatty() else None
    yield Finding("terminal", " ".join([f"{size.columns}×{size.lines}" if size else "none", *environment]))
