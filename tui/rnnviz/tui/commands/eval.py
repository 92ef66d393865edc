"""`rnnviz eval`: how well a run predicts a text."""

from __future__ import annotations

import json
import shlex
from collections.abc import Generator
from typing import TYPE_CHECKING, Annotated

import typer

from rnnviz.tui.command_line.capture_notes import open_own_text
from rnnviz.tui.command_line.help_page import choices
from rnnviz.tui.command_line.home_path import home_text
from rnnviz.tui.command_line.message import say_note, say_result
from rnnviz.tui.command_line.options import (
    CapturedPartChoice,
    DeviceOption,
    JsonOption,
    RunArgument,
    TrainedGlobOption,
)

if TYPE_CHECKING:
    import torch

    from rnnviz.engine.progress import Progress
    from rnnviz.engine.runs.run import Run
    from rnnviz.engine.text.segments import CapturedPart
    from rnnviz.engine.text.text import Text
    from rnnviz.engine.training.evaluate import Evaluation


def evaluate(
    path: RunArgument,
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="TEXT",
            parser=home_text,
            help="The text; by default the one it was trained on.",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        CapturedPartChoice | None,
        typer.Option(
            metavar=choices(CapturedPartChoice),
            help="The part of the text: by default test, and all of it for an imported model.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
    device: DeviceOption = "auto",
    glob: TrainedGlobOption = None,
) -> None:
    """Measure a run's loss on a part of a text, with the standard deviation of 100 bootstrap samples.

    The text is split as the one the run was trained on. Of `all`, each file is read from its beginning to its
    end. `--json` prints `loss` and `deviation` in nats per symbol, `bits` per symbol, the number of `symbols` and
    what one is, the `unit`: a byte, or what an imported model's vocabulary has, a character or a word.

    Examples:

        rnnviz eval runs/wp war_and_peace.txt

        rnnviz eval runs/python --split val --json

        rnnviz eval runs/imported-words penn.test.txt
    """
    from rnnviz.engine.progress import Computation
    from rnnviz.engine.runs.device import resolve
    from rnnviz.engine.runs.run import load_run
    from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
    from rnnviz.engine.text.split import TooShort
    from rnnviz.tui.command_line.progress_bar import show

    run = load_run(path)
    part = split or ("test" if run.text else "all")
    opened = open_own_text(run, text, glob)
    measuring = Computation(_measure(run, opened, part, resolve(device)))
    try:
        show("evaluating", measuring)
    except TooShort as error:
        again = shlex.join(["rnnviz", "eval", str(path), *([text] if text else []), "--split", "all"])
        raise TooShort(error.message, f"Measure it over the whole text: {again}") from error
    result = measuring.result
    unit = run.vocabulary.unit if isinstance(run.vocabulary, TokenVocabulary) else "byte"
    is_own = run.text is not None and opened.sha256() == run.text.sha256
    if run.text is not None and not is_own:
        whole = "" if part == "all" else "; --split all reads the whole of it"
        say_note(f"{opened.name} is not the text that {path} was trained on{whole}")
    if as_json:
        record = {
            "loss": result.loss,
            "deviation": result.deviation,
            "bits": result.bits,
            "symbols": result.symbols,
            "unit": unit,
        }
        typer.echo(json.dumps(record))
    else:
        name, words = ("symbol", "symbols") if unit == "byte" else (unit, f"{unit}s")
        what = _loss_words(part, opened.name, is_own=is_own)
        say_result(
            f"{what} {result.loss:.4f} ± {result.deviation:.4f} nats per {name} "
            f"({result.bits:.4f} bits) over {result.symbols:,} {words}"
        )


def _loss_words(part: CapturedPart, name: str, *, is_own: bool) -> str:
    """What the loss is of. Of a text that the run was not trained on, no part was trained, validated or tested on."""
    if part == "all":
        return f"loss on all of {name}"
    return f"{part} loss" if is_own else f"loss on the {part} part of {name}"


def _measure(
    run: Run, text: Text, part: CapturedPart, device: torch.device
) -> Generator[Progress, None, Evaluation]:
    from rnnviz.engine.capture.run_stream import source_of
    from rnnviz.engine.symbols.byte_vocabulary import Vocabulary, refuse_unknown
    from rnnviz.engine.training.evaluate import evaluate as evaluate_part
    from rnnviz.engine.training.evaluate import evaluate_source

    known = "A loss is defined only for a text whose symbols the model knows."
    if part != "all" and run.text is not None and isinstance(run.vocabulary, Vocabulary):
        refuse_unknown(run.vocabulary, text, known)
        return (yield from evaluate_part(run.predictor(device), run.vocabulary, text, run.config.split, part))
    source, _ = yield from source_of(run, text, part, hint=known)
    return (yield from evaluate_source(run.predictor(device), source))
