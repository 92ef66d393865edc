"""`rnnviz import`: open a model that another program trained."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rnnviz.store.disk import free_name
from rnnviz.store.errors import InvalidRequest
from rnnviz.tui.command_line.help_page import choices
from rnnviz.tui.command_line.home_path import home_path, home_text
from rnnviz.tui.command_line.message import say_note, say_result
from rnnviz.tui.command_line.next_command import say_next
from rnnviz.tui.command_line.options import is_given
from rnnviz.tui.commands.import_states import (
    SHARED_PARAMETERS,
    STATES_PARAMETERS,
    DictionaryOption,
    LayersOption,
    SignalOption,
    StatesOption,
    TextOption,
    WordIdsOption,
    import_states,
)

if TYPE_CHECKING:
    from rnnviz.engine.runs.run import Run

VocabularyFormatChoice = Literal["auto", "text", "list", "json", "dict", "t7"]
UnitChoice = Literal["byte", "character", "word"]
KindChoice = Literal["lstm", "gru-torch", "gru", "rnn"]
NonlinearityChoice = Literal["tanh", "relu"]

_WEIGHTS = "Finding the weights (PyTorch)"


def import_(
    context: typer.Context,
    out: Annotated[
        Path,
        typer.Option(
            metavar="RUN|X.zarr",
            parser=home_path,
            help="The run directory to write; with --states the capture.",
        ),
    ],
    checkpoint: Annotated[
        Path | None,
        typer.Argument(
            metavar="CHECKPOINT",
            parser=home_path,
            help="A PyTorch state_dict (.pt, .pth, .safetensors), or a .t7 of char-rnn or torch-rnn.",
            show_default=False,
        ),
    ] = None,
    vocab: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|TEXT",
            parser=home_text,
            help="What the symbols are: a vocabulary, or the text the model was trained on.",
            show_default=False,
        ),
    ] = None,
    vocab_format: Annotated[
        VocabularyFormatChoice,
        typer.Option(
            metavar=choices(VocabularyFormatChoice),
            help="How --vocab is read: `auto` goes by its ending and its number of lines.",
        ),
    ] = "auto",
    unit: Annotated[
        UnitChoice | None,
        typer.Option(
            metavar=choices(UnitChoice),
            help="What a symbol is; told by the vocabulary, or bytes of a text.",
            show_default=False,
        ),
    ] = None,
    line_end: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN|none",
            help="The token that the model read at the end of each line; by default one called `<eos>` or alike.",
            show_default=False,
        ),
    ] = None,
    unknown_token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN|none",
            help="The token that the model read for what its vocabulary lacks; by default one called `<unk>` or alike.",
            show_default=False,
        ),
    ] = None,
    rnn: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The recurrent module, where there are several.", rich_help_panel=_WEIGHTS
        ),
    ] = None,
    kind: Annotated[
        KindChoice | None,
        typer.Option(
            metavar=choices(KindChoice),
            help="The kind of its layers; `gru` is the paper's, which has the same shapes as torch.nn.GRU.",
            rich_help_panel=_WEIGHTS,
        ),
    ] = None,
    embedding: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The embedding, `none` for one-hot.", rich_help_panel=_WEIGHTS),
    ] = None,
    projection: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="A linear map between the layers and the decoder.", rich_help_panel=_WEIGHTS
        ),
    ] = None,
    decoder: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The linear map to the symbols.", rich_help_panel=_WEIGHTS),
    ] = None,
    tied: Annotated[
        bool | None,
        typer.Option("--tied/--no-tied", help="Whether it is the embedding.", rich_help_panel=_WEIGHTS),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN", help="Tensors that play no part; may be repeated.", rich_help_panel=_WEIGHTS
        ),
    ] = None,
    entry: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The dictionary of weights, where there are several.",
            rich_help_panel=_WEIGHTS,
        ),
    ] = None,
    nonlinearity: Annotated[
        NonlinearityChoice,
        typer.Option(
            metavar=choices(NonlinearityChoice),
            help="The nonlinearity of an nn.RNN, which its weights do not tell.",
            rich_help_panel=_WEIGHTS,
        ),
    ] = "tanh",
    states: StatesOption = None,
    layers: LayersOption = None,
    text: TextOption = None,
    word_ids: WordIdsOption = None,
    dictionary: DictionaryOption = None,
    signal: SignalOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an older run or capture at --out.")] = False,
) -> None:
    """Open a language model that another program trained, as a run that can be captured and browsed.

    Of PyTorch: a state_dict with one nn.LSTM, nn.GRU or nn.RNN of any number of layers, with or without an embedding,
    tied weights or a linear projection before them. Tensors are found by shape and name, and each decision is printed.
    Of char-rnn: lstm, gru and rnn. Of torch-rnn: lstm and rnn. Their .t7 files hold the vocabulary.

    --vocab is read by its ending: .json (a list of tokens, or a map between tokens and numbers, also under a name as
    word2idx, stoi, ix_to_char or vocab), .dict (a token, a tab and its number on each line) or .t7 (char-rnn's
    vocab.t7). Any other file is a list if its lines are distinct and as many as the model's symbols, and otherwise a
    text, the distinct bytes of which (with --unit: characters, words) are the symbols, in ascending order.

    Not supported: subwords, both directions, proj_size, relu, cells (nn.LSTMCell), batch or layer normalisation,
    quantised weights, pickled modules and TorchScript (nothing in a checkpoint is ever run). What a module computes
    without weights, as a factor or a nonlinearity between linear maps, cannot be seen: `rnnviz eval` tells whether the
    loss is the one you know.

    With --states no model is needed: hidden states that another program wrote, as LSTMVis reads them, become a
    capture with cells and without predictions. Layers of different sizes are imported one by one.

    Examples:

        rnnviz import model.pt --out runs/mine --vocab input.txt

        rnnviz import lm.safetensors --out runs/words --vocab vocab.json --decoder head.weight

        rnnviz import lm_lstm_epoch50.00_1.2345.t7 --out runs/char-rnn

        rnnviz import --states cbt_epoch10.h5 --word-ids train.h5 --dict words.dict --out cbt.zarr

        rnnviz import --states h0.npy --states h1.npy --text input.txt --out mine.zarr
    """
    _refuse_mixture(context)
    if states:
        import_states(
            states,
            out,
            layers=layers,
            text=text,
            word_ids=word_ids,
            dictionary=dictionary,
            signal=signal,
            unit=unit,
            force=force,
        )
        return
    from rnnviz.engine.importing.choices import Choices
    from rnnviz.engine.importing.convert import VocabularyFile, convert, read_checkpoint, write_run
    from rnnviz.engine.importing.vocabularies import SpecialTokens
    from rnnviz.engine.progress import Computation
    from rnnviz.tui.command_line.progress_bar import show

    if checkpoint is None:
        raise InvalidRequest(
            "there is no CHECKPOINT to import", "Give one: rnnviz import CHECKPOINT --out RUN --vocab FILE"
        )
    if nonlinearity == "relu":
        raise InvalidRequest(
            "an nn.RNN with relu cannot be imported",
            "rnnviz computes h = tanh(…): import one trained with tanh.",
        )
    choices = Choices(
        entry=entry,
        rnn=rnn,
        kind=kind,
        embedding=embedding,
        projection=projection,
        decoder=decoder,
        tied=tied,
        ignore=tuple(ignore or ()),
    )
    model = read_checkpoint(checkpoint, choices)
    for line in model.decisions:
        typer.echo(line)
    special = SpecialTokens(line_end, unknown_token)
    converting = Computation(convert(model, VocabularyFile(vocab, unit, vocab_format, special)))
    show("importing", converting)
    imported = converting.result
    say_result(f"symbols: {imported.symbols.told}")
    run = write_run(imported, out, command=_command(context), force=force)
    _report(run, vocab if imported.symbols.of_text else None)


def _refuse_mixture(context: typer.Context) -> None:
    """Raise InvalidRequest for options of checkpoints together with --states, and the other way round."""
    given = {
        parameter.name: parameter
        for parameter in context.command.params
        if is_given(context, str(parameter.name))
    }
    allowed = STATES_PARAMETERS | SHARED_PARAMETERS
    wrong = [
        name for name in given if (name not in allowed if "states" in given else name in STATES_PARAMETERS)
    ]
    if wrong:
        parameter = given[wrong[0]]
        word = parameter.opts[0] if parameter.opts[0].startswith("-") else str(parameter.metavar)
        clash = "does not go with --states" if "states" in given else "goes with --states only"
        raise InvalidRequest(f"{word} {clash}", "See rnnviz import --help for the options of each.")


def _report(run: Run, text: str | None) -> None:
    """Say what was made, and how to capture it: over the text that its symbols are from, if there is one."""
    from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary

    config, vocabulary = run.config, run.vocabulary
    kind = config.kind if "-" in config.kind else config.kind.upper()
    unit = vocabulary.unit if isinstance(vocabulary, TokenVocabulary) else "byte"
    source = f", imported from {run.source.name}" if run.source else ""
    say_result(f"{run.path}: {kind} {config.layers}×{config.hidden} over {len(vocabulary):,} {unit}s{source}")
    if text is None:
        say_note("Give a text to read in place of TEXT.")
    say_next(["rnnviz", "capture", str(run.path), text or "TEXT", "--out", free_name(run.name)])


def _command(context: typer.Context) -> str:
    """The command line, with the names of files where it had their paths."""
    from rnnviz.engine.text.text import printable

    words = ["rnnviz", "import"]
    options: list[str] = []
    for parameter in context.command.params:
        name = str(parameter.name)
        if not is_given(context, name):
            continue
        value: Any = context.params[name]
        if name == "checkpoint":
            words.append(Path(value).name)
        elif isinstance(value, bool):
            options.append(parameter.opts[0] if value else parameter.secondary_opts[0])
        else:
            values = value if isinstance(value, list | tuple) else [value]
            for item in values:
                options += [parameter.opts[0], Path(item).name if name in ("out", "vocab") else str(item)]
    return printable(shlex.join([*words, *options]))
