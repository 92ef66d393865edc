"""Figure 1 (left): the test loss of every model of a sweep, beside the paper's.

Of the dropouts that a model was trained with, the one that validated best counts: the paper cross-validated dropout
(section 4.1). The test losses of the others are not looked at.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rnnviz.engine.models.kinds.registry import Kind
from rnnviz.engine.runs.run import Run
from rnnviz.engine.sweep.grid import GridModel
from rnnviz.engine.sweep.paper import FIGURES
from rnnviz.engine.sweep.plan import Sweep, lost_weights
from rnnviz.store.disk import replace_file

CSV_FILE: Final = "figure1.csv"
JSON_FILE: Final = "figure1.json"

COLUMN: Final = 22
"""Characters of a model in the table: loss, deviation, the paper's loss, and a gap."""


@dataclass(frozen=True)
class Point:
    """One model of the figure. Losses are nats per symbol."""

    model: GridModel
    run: Run | None
    """The one that counts: of the complete ones, that with the lowest validation loss. None where there is none."""
    unfinished: int
    """Runs of other dropouts that are not complete, and could still come to count."""
    paper: float | None


@dataclass(frozen=True)
class Figure:
    sweep: Sweep
    points: tuple[Point, ...]
    paper: str | None
    """The name of the paper's text that the losses are compared to."""
    lost: tuple[str, ...]
    """A sentence for each run whose weights are gone."""


def figure(sweep: Sweep, paper: str | None) -> Figure:
    """The figure from what is on disk. `paper` names one of FIGURES. Raises as `Sweep.run` does."""
    runs: dict[GridModel, list[Run | None]] = {}
    for entry in sweep.entries:
        runs.setdefault(entry.model, []).append(sweep.run(entry))
    losses = FIGURES[paper] if paper else {}
    points = []
    lost = [
        f"{run.name}: {sentence}"
        for those in runs.values()
        for run in those
        if run and (sentence := lost_weights(run))
    ]
    for model, those in runs.items():
        complete = [
            run for run in those if run and run.complete and run.best and run.test and not lost_weights(run)
        ]
        counts = min(complete, key=_validation, default=None)
        beside = losses.get((model.kind, model.layers, model.size))
        points.append(Point(model, counts, len(those) - len(complete), beside))
    return Figure(sweep, tuple(points), paper, tuple(lost))


def table(figure: Figure) -> list[str]:
    """Lines of a table of at most 80 columns for three depths: a block for each kind, a row for each size."""
    compared = any(point.paper is not None for point in figure.points)
    beside = f"; beside: the paper's, {figure.paper}" if compared else ""
    lines = [f"test loss ± deviation, nats per symbol{beside}", ""]
    for kind in _distinct([point.model.kind for point in figure.points]):
        points = {
            (point.model.layers, point.model.size): point
            for point in figure.points
            if point.model.kind == kind
        }
        depths = sorted({layers for layers, _ in points})
        heads = [f"{layers} layer{'s' if layers > 1 else ''}" for layers in depths]
        label = max(7, len(kind) + 1)
        lines.append(f"{kind.upper():<{label}}" + "".join(f"{head:<{COLUMN}}" for head in heads).rstrip())
        for size in sorted({size for _, size in points}):
            cells = [_cell(points.get((layers, size))) for layers in depths]
            lines.append(f"{size:>5}".ljust(label) + "".join(f"{cell:<{COLUMN}}" for cell in cells).rstrip())
        lines.append("")
    missing = sum(point.run is None for point in figure.points)
    early = sum(point.run is not None and point.unfinished > 0 for point in figure.points)
    if missing:
        lines.append(f"– not trained to the end yet: {missing} of {len(figure.points)} models")
    if early:
        lines.append(f"* the best so far: other dropouts are not trained to the end yet ({early} models)")
    lines.extend(figure.lost)
    return lines if missing or early or figure.lost else lines[:-1]


def save(figure: Figure) -> None:
    """Write the table beside the runs, as CSV and as JSON."""
    path = figure.sweep.path
    rows = [_row(point) for point in figure.points]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    replace_file(path / CSV_FILE, text.getvalue().encode())
    sweep = figure.sweep
    protocol, split = sweep.protocol, sweep.protocol.split
    record = {
        "text": {"name": sweep.text.name, "sha256": sweep.text.sha256, "length": sweep.text.length},
        "symbols": sweep.symbols,
        "epochs": protocol.epochs,
        "split": split.shares,
        "streams": split.streams,
        "unroll": split.unroll,
        "seed": protocol.seed,
        "paper": figure.paper,
        "unit": "nats per symbol",
        "models": [
            row | {"runs": _runs(sweep, point.model)} for row, point in zip(rows, figure.points, strict=True)
        ],
    }
    replace_file(path / JSON_FILE, json.dumps(record, indent=1, allow_nan=False).encode() + b"\n")


def _row(point: Point) -> dict[str, str | int | float | None]:
    """One line of the CSV: the model, what it came to, and what the paper has. Empty where there is nothing yet."""
    model, run = point.model, point.run
    best, test = (run.best, run.test) if run else (None, None)
    return {
        "model": model.kind,
        "layers": model.layers,
        "size": model.size,
        "hidden": model.hidden,
        "parameters": model.parameters,
        "dropout": run.config.dropout if run else None,
        "best_epoch": best.epoch if best else None,
        "validation": best.validation if best else None,
        "test": test.loss if test else None,
        "deviation": test.deviation if test else None,
        "test_symbols": test.symbols if test else None,
        "paper": point.paper,
        "run": run.path.name if run else None,
    }


def _runs(sweep: Sweep, model: GridModel) -> list[dict[str, object]]:
    """What each dropout of a model came to, the ones that do not count too."""
    those = []
    for entry in sweep.entries:
        if entry.model == model:
            run = sweep.run(entry)
            best = run.best if run else None
            those.append(
                {
                    "run": entry.name,
                    "dropout": entry.dropout,
                    "complete": run is not None and run.complete and not lost_weights(run),
                    "epochs": len(run.history) if run else 0,
                    "validation": best.validation if best else None,
                }
            )
    return those


def _cell(point: Point | None) -> str:
    if point is None:
        return ""
    beside = f" {point.paper:.3f}" if point.paper is not None else ""
    if point.run is None or point.run.test is None:
        return f"{'–':<15}{beside}"
    test = point.run.test
    return f"{test.loss:.4f} ±{test.deviation:.4f}{'*' if point.unfinished else ' '}{beside}".rstrip()


def _validation(run: Run) -> float:
    assert run.best is not None
    return run.best.validation


def _distinct(kinds: Sequence[Kind]) -> list[Kind]:
    return list(dict.fromkeys(kinds))
