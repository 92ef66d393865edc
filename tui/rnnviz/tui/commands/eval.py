"""`rnnviz eval`: how well a run predicts a text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from rnnviz.tui.options import DeviceOption, JsonOption, PartOption, TrainedGlobOption


def evaluate(
    path: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.", show_default=False)],
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="TEXT", help="The text; by default the one it was trained on.", show_default=False
        ),
    ] = None,
    split: PartOption = "test",
    as_json: JsonOption = False,
    device: DeviceOption = "auto",
    glob: TrainedGlobOption = None,
) -> None:
    """Measure a run's loss on a part of a text, with the standard deviation of 100 bootstrap samples.

    The text is split as the one the run was trained on. `--json` prints `loss` and `deviation` in nats per
    symbol, `bits` per symbol, and the number of `symbols`.

    Examples:

        rnnviz eval runs/wp war_and_peace.txt

        rnnviz eval runs/python --split val --json
    """
    from rnnviz.engine.device import resolve
    from rnnviz.engine.evaluate import evaluate as measure
    from rnnviz.engine.progress import Computation
    from rnnviz.engine.run import load_run
    from rnnviz.engine.vocabulary import refuse_unknown
    from rnnviz.tui.progress import show

    run = load_run(path)
    model = run.predictor(resolve(device))
    opened = run.open_text(text, glob)
    refuse_unknown(
        run.byte_vocabulary, opened, "A loss is defined only for a text whose bytes the model knows."
    )
    measuring = Computation(measure(model, run.byte_vocabulary, opened, run.config.split, split))
    show("evaluating", measuring)
    result = measuring.result
    if run.text and opened.sha256() != run.text.sha256:
        typer.echo(f"rnnviz: {opened.name} is not the text that {path} was trained on", err=True)
    if as_json:
        record = {
            "loss": result.loss,
            "deviation": result.deviation,
            "bits": result.bits,
            "symbols": result.symbols,
        }
        typer.echo(json.dumps(record))
    else:
        typer.echo(
            f"{split} loss {result.loss:.4f} ± {result.deviation:.4f} nats per symbol "
            f"({result.bits:.4f} bits) over {result.symbols:,} symbols"
        )
