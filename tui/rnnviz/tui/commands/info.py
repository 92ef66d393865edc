"""`rnnviz info`: what a run, a capture or a directory of n-gram models is."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnnviz.store.errors import InvalidCapture, NotFound
from rnnviz.tui.command_line.facts.ngram_facts import Facts, ngram_facts, ngram_lines
from rnnviz.tui.command_line.facts.recorded_command import recorded_command
from rnnviz.tui.command_line.home_path import home_path
from rnnviz.tui.command_line.message import say_result

if TYPE_CHECKING:
    from rnnviz.engine.runs.run import Run
    from rnnviz.store.reader import Capture, CapturedModel

_SYMBOL_WORDS = {"byte": "symbols", "character": "characters", "word": "words"}

_NAMES = 12
"""Columns of the table's names."""


def info(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="RUN|X.zarr|DIR",
            parser=home_path,
            help="A run directory, a capture or a directory of n-gram models.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Read all of a capture and compare its checksums first.")
    ] = False,
) -> None:
    """Describe a run, a capture or n-gram models: what it holds, whether it is complete, how to go on.

    Examples:

        rnnviz info runs/wp

        rnnviz info wp.zarr --check --json

        rnnviz info ngrams/wp
    """
    if not path.exists():
        raise NotFound(
            f"there is no run, no capture and no directory of n-gram models {path}",
            "Look for a mistyped name, or give the path from here.",
        )
    if (path / "run.json").is_file():
        facts = run_facts(path)
        lines = run_lines(facts)
    elif (path / "ngram.json").is_file():
        facts = ngram_facts(path)
        lines = _table(ngram_lines(facts))
    elif (path / "zarr.json").is_file():
        facts = capture_facts(path, check=check)
        lines = capture_lines(facts)
    else:
        raise InvalidCapture(
            f"{path} is neither a run nor a capture nor a directory of n-gram models",
            "Give a directory that `rnnviz train`, `rnnviz capture` or `rnnviz ngram train` was given as --out.",
        )
    if as_json:
        typer.echo(json.dumps(facts, indent=1))
        return
    for line in lines:
        say_result(line, " " * _NAMES)


def run_facts(path: Path) -> Facts:
    """A run in JSON's terms. Raises InvalidRun."""
    from math import prod

    from rnnviz.engine.runs.run import load_run
    from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
    from rnnviz.store.summary import size_on_disk

    run = load_run(path)
    config, text = run.config, run.text
    return {
        "kind": "run",
        "path": str(path.absolute()),
        "complete": run.complete,
        "model": config.kind,
        **({"n": config.n} if config.n is not None else {}),
        "layers": config.layers,
        "hidden": config.hidden,
        "parameters": sum(prod(shape) for shape in run.parameter_shapes().values()),
        "vocabulary": len(run.vocabulary),
        "unit": run.vocabulary.unit if isinstance(run.vocabulary, TokenVocabulary) else "byte",
        "source": asdict(run.source) if run.source else None,
        "text": {"name": text.name, "sha256": text.sha256, "bytes": text.length} if text else None,
        **(_training_facts(run) if text else {}),
        "command": run.command,
        "made_by": recorded_command(run.command, path, text),
        "versions": run.versions,
        "bytes_on_disk": size_on_disk(path),
    }


def _training_facts(run: Run) -> Facts:
    config = run.config
    return {
        "dropout": config.dropout,
        "split": config.split.shares,
        "streams": config.split.streams,
        "unroll": config.split.unroll,
        "epochs": config.epochs,
        "epochs_done": len(run.history),
        "best_epoch": run.best.epoch if run.best else None,
        "validation_loss": run.best.validation if run.best else None,
        "test_loss": run.test.loss if run.test else None,
        "test_deviation": run.test.deviation if run.test else None,
    }


def run_lines(facts: Facts) -> list[str]:
    """A run in words."""
    model = (
        f"{facts['model']}{_window(facts)}, {facts['layers']} × {facts['hidden']} units, "
        f"{facts['parameters']:,} parameters, {facts['vocabulary']:,} {_SYMBOL_WORDS[facts['unit']]}"
    )
    source = facts["source"]
    if source:
        return _table(
            {
                "run": facts["path"],
                "model": model,
                "imported": f"{source['name']}, {source['format']}",
                "made by": facts["made_by"],
                "size": size_words(facts["bytes_on_disk"]),
            }
        )
    text = facts["text"]
    losses = [
        f"{name} {facts[key]:.4f}"
        for name, key in (("validation", "validation_loss"), ("test", "test_loss"))
        if facts[key] is not None
    ]
    again = shlex.join(["rnnviz", "train", "--resume", "--out", facts["path"]])
    state = "complete" if facts["complete"] else f"incomplete: {again}"
    return _table(
        {
            "run": facts["path"],
            "state": f"{facts['epochs_done']} of {facts['epochs']} epochs, {state}",
            "model": model,
            "loss": f"{', '.join(losses)} nats per symbol (epoch {facts['best_epoch']})"
            if losses
            else "none yet",
            "text": f"{text['name']}, {text['bytes']:,} bytes, split {facts['split']}, "
            f"{facts['streams']} streams × {facts['unroll']} steps",
            "made by": facts["made_by"],
            "size": size_words(facts["bytes_on_disk"]),
        }
    )


def _window(facts: Facts) -> str:
    return f" (n = {facts['n']})" if "n" in facts else ""


def capture_facts(path: Path, *, check: bool) -> Facts:
    """A capture in JSON's terms. Raises NotFound, InvalidCapture; with `check`, for any damaged file."""
    from rnnviz.store.disk import is_locked
    from rnnviz.store.reader import open_capture
    from rnnviz.store.summary import size_on_disk

    capture = open_capture(path)
    if check:
        for _ in capture.verify():
            pass
    attributes = capture.attributes
    return {
        "kind": "capture",
        "path": str(path.absolute()),
        "format": capture.format,
        "complete": capture.complete,
        "symbols": capture.symbols,
        "captured": capture.captured,
        "being_written": not capture.complete and is_locked(path),
        "checked": check,
        "unit": capture.unit,
        "segments": len(capture.segments),
        "longest_segment": int(capture.segments[:, 1].max()),
        "text": attributes["text"],
        "options": attributes["options"],
        "generator": attributes["generator"],
        "models": [model_facts(capture, model) for model in capture.models.values()],
        **({} if capture.complete else {"resume": _resuming(capture)}),
        "bytes_on_disk": size_on_disk(path),
    }


def model_facts(capture: Capture, model: CapturedModel) -> Facts:
    """One of a capture's models in JSON's terms."""
    from rnnviz.store.summary import mean_surprisal, surprisal_by_part
    from rnnviz.store.training_split import PART_WORDS

    parts = surprisal_by_part(capture, model.name)

    return {
        "name": model.name,
        "kind": model.kind,
        "layers": len(model.layers),
        "hidden": model.layers[0].units if model.layers else 0,
        "signals": list(model.layers[0].signals) if model.layers else [],
        "vocabulary": len(model.vocabulary if model.tokens is None else model.tokens),
        "next": model.has_next,
        "surprisal": model.has_surprisal,
        "mean_surprisal": mean_surprisal(model),
        "parts": {
            PART_WORDS[part]: {"symbols": found.symbols, "mean_surprisal": found.mean}
            for part, found in parts.items()
        },
        "run": model.attributes["run"],
        "saturated": [_saturation(model, layer) for layer in range(len(model.layers))],
    }


def _saturation(model: CapturedModel, layer: int) -> dict[str, dict[str, float] | None]:
    """By signal, the mean over a layer's units of the shares of symbols saturated low and high."""
    import numpy as np

    from rnnviz.store.schema import STATISTICS

    statistics = model.layers[layer].statistics()
    found: dict[str, dict[str, float] | None] = {}
    for signal, summary in zip(statistics.signals, statistics.summary, strict=True):
        low = float(np.mean(summary[:, STATISTICS.index("low")]))
        high = float(np.mean(summary[:, STATISTICS.index("high")]))
        found[signal] = None if np.isnan(low) else {"low": low, "high": high}
    return found


def capture_lines(facts: Facts) -> list[str]:
    """A capture in words."""
    text, unknown = facts["text"], _unknown_bytes(facts["options"])
    lines = {
        "capture": facts["path"],
        "state": "complete" if facts["complete"] else _incomplete(facts),
        "text": f"{text['name']}, {_part_words(facts)}: "
        f"{facts['symbols']:,} {_SYMBOL_WORDS[facts['unit']]} in {counted(facts['segments'], 'segment')} of up to "
        f"{facts['longest_segment']:,}",
        "size": f"{size_words(facts['bytes_on_disk'])}, format {facts['format']}, made by {facts['generator']}",
    }
    if facts["checked"]:
        lines["checked"] = "every file is whole"
    if unknown:
        lines["unknown"] = f"{counted(unknown, facts['unit'])} that the model has never seen"
    rows = _table(lines | _split_rows(facts["models"]))
    for model in facts["models"]:
        rows += _model_lines(model, _SYMBOL_WORDS[facts["unit"]])
    return rows


def _split_rows(models: list[Facts]) -> dict[str, str]:
    """What of the symbols was trained on and what was held out: once where it is the same for all models that say it,
    else once for each split, with the models that have it."""
    names: dict[str, list[str]] = {}
    for model in models:
        if model["parts"]:
            split = ", ".join(f"{part['symbols']:,} {name}" for name, part in model["parts"].items())
            names.setdefault(split, []).append(model["name"])
    if len(names) < 2:
        return {"symbols": next(iter(names))} if names else {}
    return {"symbols": "; ".join(f"{split} ({', '.join(those)})" for split, those in names.items())}


def surprisal_words(model: Facts) -> str:
    """The mean surprisal of a model in words, told apart for what was held out; empty where there is none."""
    mean, parts = model["mean_surprisal"], model["parts"]
    if mean is None:
        return ""
    words = f"{mean:.4f} nats"
    if len(parts) == 1:
        return f"{words} ({next(iter(parts))})"
    held_out = parts.get("held out")
    if held_out is not None and held_out["mean_surprisal"] is not None:
        words += f", {held_out['mean_surprisal']:.4f} over the {held_out['symbols']:,} symbols held out"
    elif parts:
        words += f", none of it held out ({' and '.join(parts)})"
    return words


def counted(number: int, thing: str) -> str:
    """`1 segment`, `2 segments`."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def _part_words(facts: Facts) -> str:
    first = facts["options"].get("first")
    if facts["text"]["part"] != "all":
        return f"{facts['text']['part']} part"
    return f"the first {first:,}" if isinstance(first, int) else "all of it"


def _incomplete(facts: Facts) -> str:
    resume = facts["resume"]
    missing = f" ({resume['missing']})" if resume["missing"] else ""
    return (
        f"incomplete, {facts['captured']:,} of {facts['symbols']:,} symbols "
        f"({facts['captured'] / facts['symbols']:.0%}) can be read; "
        + ("it is being written" if facts["being_written"] else f"go on with {resume['command']}{missing}")
    )


def _unknown_bytes(options: Facts) -> int:
    """How many there are, of options that may be a stranger's."""
    unknown = options.get("unknown")
    count = unknown.get("symbols") if isinstance(unknown, dict) else None
    return count if isinstance(count, int) else 0


def _resuming(capture: Capture) -> dict[str, str]:
    """The command that goes on, and what has to be filled in where it is not found on this machine where the run and
    the text are."""
    from rnnviz.tui.command_line.capture_recipe import text_record
    from rnnviz.tui.playground.model_locations import find_run
    from rnnviz.tui.view.user_state import known_places

    path = capture.path.absolute()
    name, model = next(iter(capture.models.items()))
    if model.kind == "states":
        again = f"the rnnviz import it was begun with, and --force --out {shlex.quote(str(path))}"
        return {"command": again, "missing": ""}
    run, recorded = find_run(capture, name, Path.cwd()), text_record(capture)
    text = recorded is not None and any(
        recorded[0].candidates(path, known_places(capture.schema.text_sha256))
    )
    words, missing = [], []
    if run is None:
        missing.append(f"RUN is the path of the run {name}")
    if run is None or not text:
        words.append("RUN" if run is None else str(run.path))
    if not text:
        words.append("TEXT")
        missing.append(f"TEXT is that of the text {capture.text_name}")
    command = ["rnnviz", "capture", *words, "--resume", "--out", str(path)]
    return {"command": shlex.join(command), "missing": ", ".join(missing)}


def _model_lines(model: Facts, symbol_words: str) -> list[str]:
    size = f", {model['layers']} × {model['hidden']} units" if model["layers"] else ""
    words = {"model": f"{model['name']}: {model['kind']}{size}, {model['vocabulary']:,} {symbol_words}"}
    if not model["surprisal"]:
        words["surprisal"] = "not kept"
        if model["kind"] == "states":
            words["surprisal"] = "none: the states came without a model"
    if model["mean_surprisal"] is not None:
        words["surprisal"] = f"on average {surprisal_words(model)}"
    for layer, signals in enumerate(model["saturated"]):
        shares = [
            f"{name} {share['low']:.0%}/{share['high']:.0%}" if share else name
            for name, share in signals.items()
        ]
        words[f"layer {layer}"] = f"{', '.join(shares)} (saturated low/high)"
    return _table(words)


def _table(rows: Mapping[str, str]) -> list[str]:
    return [f"{name + ':':<{_NAMES - 1}} {_printable(value)}" for name, value in rows.items()]


def _printable(value: str) -> str:
    """What a stranger wrote, without the control characters that a terminal would obey."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in value)


def size_words(size: int) -> str:
    """A number of bytes in words: `210.4 MB`."""
    scaled = float(size)
    for unit in ("bytes", "KB", "MB", "GB"):
        if scaled < 1000:
            return f"{scaled:.0f} {unit}" if unit == "bytes" else f"{scaled:.1f} {unit}"
        scaled /= 1000
    return f"{scaled:.1f} TB"
