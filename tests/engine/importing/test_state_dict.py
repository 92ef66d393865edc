"""State dicts of modules as people build them: what is imported computes what the module computes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from rnnviz.engine.importing.choices import Choices
from rnnviz.engine.importing.convert import VocabularyFile, read_checkpoint, write_run
from rnnviz.engine.importing.network_search import find_network
from rnnviz.engine.models.recurrent import build, initialise
from rnnviz.engine.progress import Computation
from rnnviz.engine.runs.run import Run, load_run
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.store.errors import InvalidCheckpoint
from support.imports import imported_from
from support.language_models import LanguageModel

LETTERS = [chr(number) for number in range(97, 97 + 11)]
"""The vocabulary of these models: 11 letters in ascending order."""


NONE_MADE = Choices()


def import_module(
    saved: object, folder: Path, choices: Choices = NONE_MADE, vocabulary: Sequence[str] = LETTERS
) -> Run:
    """The run made of an object saved with torch.save, read back from disk."""
    torch.save(saved, folder / "model.pt")
    return import_file(folder / "model.pt", choices, vocabulary)


def import_file(
    path: Path, choices: Choices = NONE_MADE, vocabulary: Sequence[str] = LETTERS, out: str = "run"
) -> Run:
    folder = path.parent
    (folder / "vocabulary.json").write_text(json.dumps(vocabulary))
    imported = imported_from(path, VocabularyFile(str(folder / "vocabulary.json")), choices)
    write_run(imported, folder / out, command="rnnviz import")
    return load_run(folder / out)


def assert_same_outputs(run: Run, module: LanguageModel, order: list[int] | None = None) -> None:
    """Over a random text. The run's symbol k is the module's symbol order[k]."""
    order = order or list(range(module.symbols))
    symbols = torch.randint(module.symbols, (60, 3), generator=torch.Generator().manual_seed(0))
    model = run.model(torch.device("cpu"))
    with torch.inference_mode():
        logits, _ = model(symbols, model.zero_state(3))
        expected = module(torch.tensor(order)[symbols])[..., order]
    assert expected.abs().max() > 0.5
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-5)


MODULES: dict[str, Callable[[], LanguageModel]] = {
    "LSTM, one-hot": lambda: LanguageModel("lstm", 11, 7),
    "LSTM of 2 layers, embedding": lambda: LanguageModel("lstm", 11, 7, 2, embedding=5),
    "LSTM of 3 layers, dropout": lambda: LanguageModel("lstm", 11, 6, 3, embedding=4, dropout=0.3),
    "LSTM, batch first": lambda: LanguageModel("lstm", 11, 7, 2, embedding=5, batch_first=True),
    "LSTM without biases": lambda: LanguageModel("lstm", 11, 7, 2, bias=False, decoder_bias=False),
    "LSTM, tied": lambda: LanguageModel("lstm", 11, 7, embedding=7, tied=True),
    "LSTM, tied, no output bias": lambda: LanguageModel("lstm", 11, 7, embedding=7, tied=True, decoder_bias=False),
    "LSTM, projection, tied": lambda: LanguageModel("lstm", 11, 7, 2, embedding=5, projection=5, tied=True),
    "embedding as wide as the layer, not tied": lambda: LanguageModel("lstm", 11, 7, embedding=7),
    "all sizes equal": lambda: LanguageModel("lstm", 11, 11, embedding=11),
    "all sizes equal, one-hot": lambda: LanguageModel("gru", 11, 11),
    "GRU, one-hot": lambda: LanguageModel("gru", 11, 7, 2),
    "GRU, embedding, no biases": lambda: LanguageModel("gru", 11, 7, embedding=3, bias=False),
    "RNN": lambda: LanguageModel("rnn", 11, 7, 2, embedding=5),
}  # fmt: skip


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES.keys())
def test_imported_models_compute_what_the_module_computes(
    make: Callable[[], LanguageModel], tmp_path: Path
) -> None:
    module = make()
    run = import_module(module.state_dict(), tmp_path)
    assert_same_outputs(run, module)
    assert run.vocabulary == Vocabulary("".join(LETTERS).encode())
    assert run.config.layers == module.rnn.num_layers
    assert run.complete
    assert run.text is None
    assert run.source is not None
    assert run.source.format == "PyTorch state_dict"


def _prefixed(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in state.items()}


@pytest.mark.parametrize(
    ("wrap", "choices"),
    [
        (lambda state: _prefixed(state, "module."), Choices()),
        (lambda state: {"state_dict": _prefixed(state, "model."), "epoch": 3, "hyper": {"lr": 0.1}}, Choices()),
        (lambda state: {"model_state_dict": state, "optimizer": {0: {"exp_avg": torch.zeros(11, 5)}}}, Choices()),
        (lambda state: {"model": state, "ema": {k: v * 2 for k, v in state.items()}}, Choices()),
        (lambda state: {"nets": {"a": {k: v * 2 for k, v in state.items()}, "b": state}}, Choices(entry="nets.b")),
        (lambda state: {**state, "b.weight_hh_l0": torch.zeros(4, 4)}, Choices(rnn="rnn", ignore=("b.*",))),
        (lambda state: {**state, "steps": torch.tensor(7), "mean": torch.zeros(3)}, Choices(ignore=("mean",))),
        (lambda state: {k: v.double() for k, v in state.items()}, Choices()),
    ],
    ids=["DataParallel", "Lightning", "model_state_dict", "model", "entry", "two modules", "buffers", "float64"],
)  # fmt: skip
def test_the_usual_wrappings(
    wrap: Callable[[dict[str, Tensor]], object], choices: Choices, tmp_path: Path
) -> None:
    module = LanguageModel("lstm", 11, 7, 2, embedding=5)
    run = import_module(wrap(module.state_dict()), tmp_path, choices)
    assert_same_outputs(run, module)


def test_safetensors_keep_tied_weights_once(tmp_path: Path) -> None:
    module = LanguageModel("lstm", 11, 7, embedding=7, tied=True)
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    del state["encoder.weight"]
    save_file(state, tmp_path / "model.safetensors")
    run = import_file(tmp_path / "model.safetensors")
    assert run.source is not None
    assert run.source.format == "safetensors"
    assert_same_outputs(run, module)


def test_the_projection_before_a_decoder_of_its_own_is_named(tmp_path: Path) -> None:
    module = LanguageModel("lstm", 11, 7, embedding=5, projection=4)
    with pytest.raises(InvalidCheckpoint, match="no tensors fit as input and output"):
        import_module(module.state_dict(), tmp_path)
    run = import_module(module.state_dict(), tmp_path, Choices(projection="projection.weight"))
    assert_same_outputs(run, module)


def test_the_old_format_of_torch_save(tmp_path: Path) -> None:
    module = LanguageModel("gru", 11, 7)
    torch.save(module.state_dict(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    run = import_file(tmp_path / "old.pth")
    assert run.config.kind == "gru-torch"
    assert_same_outputs(run, module)


def test_the_papers_gru_is_imported_where_it_is_named(tmp_path: Path) -> None:
    source = build("gru", 11, 7, 2)
    initialise(source, 0, 1.0)
    save_file(source.state_dict(), tmp_path / "model.safetensors")
    run = import_file(tmp_path / "model.safetensors", Choices(kind="gru"))
    model = run.model(torch.device("cpu"))
    symbols = torch.randint(11, (20, 2))
    with torch.inference_mode():
        expected, _ = source(symbols, source.zero_state(2))
        torch.testing.assert_close(model(symbols, model.zero_state(2))[0], expected)
    unnamed = import_file(tmp_path / "model.safetensors", out="unnamed")
    assert unnamed.config.kind == "gru-torch"


def test_decisions_say_what_was_taken_for_what(tmp_path: Path) -> None:
    module = LanguageModel("lstm", 11, 7, 2, embedding=5, projection=5, tied=True)
    torch.save({"state_dict": module.state_dict(), "mean": 1.0}, tmp_path / "model.pt")
    assert read_checkpoint(tmp_path / "model.pt", Choices()).decisions == (
        "weights: the dictionary state_dict",
        "layers: rnn.weight_ih_l0 … are an nn.LSTM, 2 × 7 units reading 5 values",
        "input: encoder.weight (11 × 5) is the embedding",
        "projection: projection.weight (5 × 7) and projection.bias, taken as linear",
        "output: encoder.weight (11 × 5) and decoder.bias, tied to the input",
    )


def _tied_twice(path: Path) -> LanguageModel:
    """Tied weights in a .safetensors file under both names, which it sorts: decoder before encoder."""
    module = LanguageModel("lstm", 11, 7, embedding=7, tied=True)
    save_file({name: tensor.clone() for name, tensor in module.state_dict().items()}, path)
    return module


def test_of_two_names_of_tied_weights_the_inputs_is_told(tmp_path: Path) -> None:
    module = _tied_twice(tmp_path / "model.safetensors")
    assert read_checkpoint(tmp_path / "model.safetensors", Choices()).decisions[1:] == (
        "input: encoder.weight (11 × 7) is the embedding",
        "output: encoder.weight (11 × 7) and decoder.bias, tied to the input",
    )
    assert_same_outputs(import_file(tmp_path / "model.safetensors"), module)


def test_tied_weights_that_are_said_not_to_be(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    _tied_twice(path)
    with pytest.raises(
        InvalidCheckpoint, match=r"^encoder\.weight and decoder\.weight hold the same numbers"
    ) as refused:
        read_checkpoint(path, Choices(tied=False))
    assert refused.value.hint.startswith("Leave --no-tied out")
    state = load_file(path)
    del state["decoder.weight"]
    save_file(state, path)
    with pytest.raises(InvalidCheckpoint, match=r"nothing but encoder\.weight fits as the output") as refused:
        read_checkpoint(path, Choices(tied=False))
    assert refused.value.hint.startswith("Leave --no-tied out")


def test_bytes_in_another_order_are_put_in_ascending_order(tmp_path: Path) -> None:
    module = LanguageModel("lstm", 11, 7, 2, embedding=5)
    shuffled = [LETTERS[place] for place in (3, 1, 4, 10, 5, 9, 2, 6, 8, 7, 0)]
    run = import_module(module.state_dict(), tmp_path, vocabulary=shuffled)
    assert run.vocabulary == Vocabulary("".join(LETTERS).encode())
    assert_same_outputs(run, module, order=[shuffled.index(letter) for letter in LETTERS])


@pytest.mark.parametrize("tied", [False, True])
def test_words_stay_in_their_order(tied: bool, tmp_path: Path) -> None:
    words = ["the", "<unk>", "prince", "<eos>", "said", "war", "peace", "a", "no", "went", "home"]
    module = LanguageModel("lstm", 11, 7, 2, embedding=7, tied=tied)
    run = import_module(module.state_dict(), tmp_path, vocabulary=words)
    assert run.vocabulary == TokenVocabulary(tuple(words), "word", unknown=1, line_end=3)
    assert_same_outputs(run, module)


def _renamed(state: dict[str, Tensor], **names: str) -> dict[str, Tensor]:
    return {".".join(names.get(part, part) for part in name.split(".")): t for name, t in state.items()}


def test_where_shapes_and_names_say_nothing_the_question_goes_back(tmp_path: Path) -> None:
    module = LanguageModel("lstm", 11, 7, embedding=7, decoder_bias=False)
    state = _renamed(module.state_dict(), encoder="x", decoder="y")
    with pytest.raises(InvalidCheckpoint, match=r"allow .* in, .* out or .* in, .* out") as refused:
        import_module(state, tmp_path)
    assert "--embedding" in refused.value.hint
    run = import_module(state, tmp_path, Choices(embedding="x.weight"))
    assert_same_outputs(run, module)


def _lstm(**options: Any) -> dict[str, Tensor]:
    state = nn.LSTM(11, 7, **options).state_dict()
    return _prefixed(state, "rnn.") | {
        "decoder.weight": torch.zeros(11, 14 if "bidirectional" in options else 7)
    }


def _changed(**tensors: Tensor) -> dict[str, Tensor]:
    state = dict(LanguageModel("lstm", 11, 7, embedding=5).state_dict())
    return state | {name.replace("__", "."): tensor for name, tensor in tensors.items()}


@pytest.mark.parametrize(
    ("saved", "sentence", "hint"),
    [
        (lambda: _lstm(bidirectional=True), "reads in both directions", "--rnn"),
        (lambda: _lstm(proj_size=3), "projected states .*weight_hr_l0, proj_size", "without proj_size"),
        (lambda: {"a": torch.zeros(3)}, "has no nn.LSTM, nn.GRU or nn.RNN", "one nn.LSTM"),
        (lambda: nn.LSTMCell(11, 7).state_dict(), "has no nn.LSTM", "cells"),
        (dict, "has no nn.LSTM", "no tensors at all"),
        (lambda: [1, 2], "has no nn.LSTM", "no tensors at all"),
        (lambda: _changed(rnn__weight_hh_l0=torch.zeros(28, 8)), "28 × 8, and 4, 3 or 1 times", "one nn.LSTM"),
        (lambda: _changed(rnn__weight_hh_l0=torch.zeros(56, 14)), "28 × 5, and 56 × 5 is expected", "whole"),
        (lambda: _changed(rnn__bias_hh_l0=torch.zeros(27)), "bias_hh_l0 is 27, and 28 is expected", "whole"),
        (lambda: _changed(rnn__weight_hh_l2=torch.zeros(28, 7)), "has the layers 0, 2: some are missing", "all"),
        (lambda: _changed(rnn__weight_hh_l0=torch.zeros(28, 7, dtype=torch.int8)), "holds int8", "quantised"),
        (lambda: _changed(b__weight_hh_l0=torch.zeros(28, 7)), "2 recurrent modules, and one is .*: rnn, b", "--rnn"),
        (lambda: _changed(**{f"rnn__weight_hh_l{'9' * 5000}": torch.ones(7)}), "does not use: rnn.weight_hh_l999", ""),
        (lambda: _changed(norm__weight=torch.ones(7)), "does not use: norm.weight", "--ignore"),
        (lambda: _changed(**{f"x__{n}": torch.ones(7) for n in range(50)}), "53 tensors beside the", "--ignore"),
        (lambda: _changed(decoder__weight=torch.zeros(11, 6)), r"a decoder \[K, 7\]", "decoder.weight    11 × 6"),
        (lambda: _changed(decoder__weight=torch.full((11, 7), torch.nan)), "are not all numbers", "before"),
        (lambda: _changed(rnn__bias_hh_l0=torch.full((28,), 1e38).double() * 1e9), "not all numbers", ""),
        (lambda: {"x": _changed(), "y": _changed()}, "several dictionaries with a recurrent layer: x, y", "--entry"),
        (lambda: _changed(rnn__weight_hh_l0=torch.zeros(1).expand(28, 7)), "has no nn.LSTM", "one nn.LSTM"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_is_refused_with_what_was_found(
    saved: Callable[[], object], sentence: str, hint: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidCheckpoint, match=sentence) as refused:
        import_module(saved(), tmp_path)
    assert "\n" not in refused.value.message
    assert hint in refused.value.hint
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        (Choices(rnn="lstm"), "no recurrent module called lstm"),
        (Choices(kind="gru-torch"), "a gru-torch has 3 times as many rows"),
        (Choices(embedding="none"), "no tensors fit"),
        (Choices(embedding="decoder.weight"), "no tensors fit"),
        (Choices(decoder="encoder"), "there is no encoder"),
        (Choices(tied=True), "no tensors fit"),
        (Choices(entry="weights"), "no dictionary of tensors called weights"),
    ],
)
def test_choices_that_do_not_fit(choices: Choices, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidCheckpoint, match=sentence):
        import_module(LanguageModel("lstm", 11, 7, embedding=5).state_dict(), tmp_path, choices)


@settings(max_examples=300)
@given(
    kind=st.sampled_from(("lstm", "gru", "rnn")),
    sizes=st.tuples(*[st.integers(1, 4)] * 3),
    layers=st.integers(1, 2),
    inputs=st.sampled_from(("one-hot", "embedding", "tied", "tied, one name")),
    biases=st.tuples(st.booleans(), st.booleans()),
)
def test_whatever_the_sizes_a_module_is_imported_as_itself_or_not_at_all(
    kind: Literal["lstm", "gru", "rnn"],
    sizes: tuple[int, int, int],
    layers: int,
    inputs: str,
    biases: tuple[bool, bool],
) -> None:
    symbols, hidden, width = sizes
    tied = inputs.startswith("tied")
    module = LanguageModel(
        kind,
        symbols,
        hidden,
        layers,
        embedding=None if inputs == "one-hot" else width,
        tied=tied,
        projection=width if tied and width != hidden else None,
        bias=biases[0],
        decoder_bias=biases[1],
    )
    state = module.state_dict()
    if inputs == "tied, one name":
        del state["encoder.weight"]
    try:
        found = find_network(state, Choices(), names_kept=inputs != "tied, one name")
    except InvalidCheckpoint as error:
        assert "shapes and names allow" in error.message  # noqa: PT017 - to be refused is right, too
        return
    converting = Computation(found.network.parameters())
    assert list(converting)[-1].done == symbols
    model = build(found.network.kind, found.network.symbols, hidden, layers)
    model.load_state_dict(converting.result)
    read = torch.randint(symbols, (12, 2), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        logits, _ = model.eval()(read, model.zero_state(2))
        torch.testing.assert_close(logits, module(read), rtol=0, atol=1e-5)
