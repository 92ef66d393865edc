"""`rnnviz import --states`: hidden states that someone already has, as a capture without a model."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rnnviz.store.errors import InvalidRequest
from rnnviz.tui.command_line.help_page import choices
from rnnviz.tui.command_line.home_path import home_path, home_text
from rnnviz.tui.command_line.message import say_note, say_result
from rnnviz.tui.command_line.next_command import say_next

if TYPE_CHECKING:
    from rnnviz.engine.capture.state_text import StateText
    from rnnviz.engine.progress import Progress
    from rnnviz.store.schema import SymbolUnit

StateChoice = Literal["h", "c"]

_STATES = "Hidden states without a model"

StatesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--states",
        metavar="FILE",
        parser=home_path,
        help="States [time, unit]: one HDF5 file with a dataset states0, states1… for each layer, or a .npy file for "
        "each; may be repeated.",
        rich_help_panel=_STATES,
    ),
]
LayersOption = Annotated[
    str | None,
    typer.Option(
        "--layers",
        metavar="NAME,…",
        help="The datasets that are the layers, by default states0, states1…",
        rich_help_panel=_STATES,
    ),
]
TextOption = Annotated[
    str | None,
    typer.Option(
        "--text",
        metavar="TEXT",
        parser=home_text,
        help="What was read, of which each byte, character or word (--unit) has a row.",
        rich_help_panel=_STATES,
    ),
]
WordIdsOption = Annotated[
    str | None,
    typer.Option(
        "--word-ids",
        metavar="FILE[:DATASET]",
        parser=home_text,
        help="What was read, as the number of each word or character: HDF5 or .npy; by default word_ids, words, ids or "
        "target of the file of states.",
        rich_help_panel=_STATES,
    ),
]
DictionaryOption = Annotated[
    Path | None,
    typer.Option(
        "--dict",
        metavar="FILE",
        parser=home_path,
        help="Which word has which number, one a line.",
        rich_help_panel=_STATES,
    ),
]
SignalOption = Annotated[
    StateChoice | None,
    typer.Option(
        "--signal",
        metavar=choices(StateChoice),
        help="What the states are: h, or c, shown as tanh(c); by default h if all lie in -1…1.",
        rich_help_panel=_STATES,
    ),
]

STATES_PARAMETERS = frozenset({"states", "layers", "text", "word_ids", "dictionary", "signal"})
"""Of these options."""

SHARED_PARAMETERS = frozenset({"out", "unit", "force"})
"""Those of the command that go with them."""


def import_states(
    states: list[Path],
    out: Path,
    *,
    layers: str | None,
    text: str | None,
    word_ids: str | None,
    dictionary: Path | None,
    signal: Literal["h", "c"] | None,
    unit: SymbolUnit | None,
    force: bool,
) -> None:
    """Write the capture. Raises RnnvizError."""
    from rnnviz.tui.command_line.stop_requests import run_to_end

    names = None if layers is None else [name.strip() for name in layers.split(",")]
    events = _capture(states, names, out, (text, word_ids, dictionary), signal, unit, force)
    words = ["rnnviz", *sys.argv[1:]]
    run_to_end("importing", events, lambda: words if force else [*words, "--force"])
    _report(out)


def _capture(
    states: list[Path],
    names: list[str] | None,
    out: Path,
    read: tuple[str | None, str | None, Path | None],
    signal: Literal["h", "c"] | None,
    unit: SymbolUnit | None,
    force: bool,
) -> Generator[Progress, None, None]:
    from rnnviz.engine.capture.foreign_states import capture_states
    from rnnviz.engine.capture.state_files import open_states

    with ExitStack() as stack:
        layers = stack.enter_context(open_states(states, names))
        found = yield from _text(stack, states[0], layers[0].shape[0], read, unit)
        yield from capture_states(layers, found, out, name=states[0].stem, signal=signal, force=force)


def _text(
    stack: ExitStack,
    states: Path,
    rows: int,
    read: tuple[str | None, str | None, Path | None],
    unit: SymbolUnit | None,
) -> Generator[Progress, None, StateText]:
    from rnnviz.engine.capture.numbered_words import NumberedWords, read_dictionary
    from rnnviz.engine.capture.state_files import has_ids, open_ids
    from rnnviz.engine.capture.state_text import text_of_file, text_of_words, vocabulary_of
    from rnnviz.engine.text.text import open_text, printable

    text, word_ids, dictionary = read
    if text is not None:
        if word_ids is not None or dictionary is not None:
            raise InvalidRequest(
                "--text goes without --word-ids and --dict", "Give the text, or numbers and a dictionary."
            )
        opened = open_text(text)
        return (yield from text_of_file(opened, vocabulary_of(opened, rows, unit)))
    if word_ids is None and not has_ids(states):
        raise InvalidRequest(
            f"what was read while the states of {states} came about is missing",
            "Give --text TEXT, or --word-ids FILE with --dict FILE.",
        )
    if dictionary is None:
        raise InvalidRequest(
            "which number stands for which word is missing",
            "Give the dictionary, a word and its number on each line: --dict FILE",
        )
    if unit == "byte":
        raise InvalidRequest("a dictionary has words or characters", "Give --unit word or --unit character.")
    ids = stack.enter_context(open_ids(word_ids or str(states)))
    return text_of_words(printable(states.name), NumberedWords(ids, read_dictionary(dictionary), unit))


def _report(path: Path) -> None:
    from rnnviz.store.reader import open_capture
    from rnnviz.store.summary import size_on_disk
    from rnnviz.tui.commands.info import size_words

    capture = open_capture(path)
    (model,) = capture.models.values()
    layer = model.layers[0]
    say_result(
        f"{path}: hidden states {len(model.layers)}×{layer.units} over {capture.symbols:,} {capture.unit}s, "
        f"{size_words(size_on_disk(path))}"
    )
    if layer.signals == ("c",):
        say_note("They are taken for cell states and shown as tanh(c).")
    say_next(["rnnviz", "browse", str(path)])
