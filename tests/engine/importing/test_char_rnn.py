"""Checkpoints of char-rnn and torch-rnn, against what those programs compute."""

from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rnnviz.engine.importing.choices import Choices
from rnnviz.engine.importing.convert import VocabularyFile, read_checkpoint, write_run
from rnnviz.engine.importing.torch7_file import read_t7
from rnnviz.engine.runs.run import Run, load_run
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.store.errors import InvalidCheckpoint, InvalidRequest
from support import t7
from support.char_rnn import Kind, char_rnn_checkpoint, char_rnn_model, draw_maps, predictions, sigmoid
from support.imports import imported_from

LETTERS = b"hgfedcba\n\xe9 "
"""The model's symbols, in its own order."""
ASCENDING = [LETTERS.index(value) for value in sorted(LETTERS)]


def import_t7(value: object, folder: Path, vocabulary: VocabularyFile = VocabularyFile()) -> Run:  # noqa: B008
    (folder / "model.t7").write_bytes(t7.t7_bytes(value))
    imported = imported_from(folder / "model.t7", vocabulary, Choices())
    write_run(imported, folder / "run", command="rnnviz import model.t7")
    return load_run(folder / "run")


def log_probabilities(run: Run, symbols: NDArray[np.int64]) -> NDArray[np.float32]:
    """What the run predicts after each of its own symbols [time]: [time, K]."""
    model = run.model(torch.device("cpu"))
    with torch.inference_mode():
        logits, _ = model(torch.from_numpy(symbols)[:, None], model.zero_state(1))
    found: NDArray[np.float32] = logits[:, 0].log_softmax(-1).numpy()
    return found


@pytest.mark.parametrize("old", [False, True], ids=["nngraph", "nngraph before 2015-08"])
@pytest.mark.parametrize(("kind", "layers"), [("lstm", 1), ("lstm", 3), ("gru", 1), ("gru", 2), ("rnn", 2)])
def test_models_of_char_rnn(kind: Kind, layers: int, old: bool, tmp_path: Path) -> None:
    maps = draw_maps(kind, len(LETTERS), 6, layers)
    model = char_rnn_model(kind, maps, len(LETTERS), layers, dropout=layers > 1, old=old)
    run = import_t7(char_rnn_checkpoint(model, LETTERS, model=kind, rnn_size=6), tmp_path)
    assert run.vocabulary == Vocabulary(bytes(sorted(LETTERS)))
    assert (run.config.kind, run.config.layers, run.config.hidden) == (kind, layers, 6)
    assert run.source is not None
    assert run.source.format == "char-rnn checkpoint"
    symbols = np.random.default_rng(0).integers(0, len(LETTERS), 50)
    expected = predictions(kind, maps, np.array(ASCENDING)[symbols], 6, layers)[:, ASCENDING]
    assert np.ptp(expected) > 3
    np.testing.assert_allclose(log_probabilities(run, symbols), expected, rtol=0, atol=1e-5)


def test_a_model_trained_on_a_gpu(tmp_path: Path) -> None:
    maps = draw_maps("lstm", len(LETTERS), 6, 1)
    for each in maps.values():
        each.weight, each.bias = each.weight.astype(np.float32), each.bias.astype(np.float32)
    data = t7.t7_bytes(char_rnn_checkpoint(char_rnn_model("lstm", maps, len(LETTERS), 1), LETTERS))
    for name in (b"Tensor", b"Storage"):
        there, here = b"torch.Float" + name, b"torch.Cuda" + name
        assert there in data
        data = data.replace(struct.pack("<i", len(there)) + there, struct.pack("<i", len(here)) + here)
    (tmp_path / "gpu.t7").write_bytes(data)
    imported = imported_from(tmp_path / "gpu.t7", VocabularyFile(), Choices())
    expected = torch.from_numpy(maps["decoder"].weight.astype(np.float32)[ASCENDING])
    torch.testing.assert_close(imported.parameters["decoder.weight"], expected)


def _torch_rnn(kind: str, layers: int) -> tuple[t7.Table, dict[str, Any]]:
    """A checkpoint of torch-rnn with an embedding in 4 values and 6 units, and its numbers."""
    generator = np.random.default_rng(3)
    gates = 4 if kind == "nn.LSTM" else 1
    numbers: dict[str, Any] = {"embedding": generator.normal(size=(len(LETTERS), 4))}
    numbers["layers"] = [
        (generator.normal(0, 0.6, ((6 if layer else 4) + 6, gates * 6)), generator.normal(size=gates * 6))
        for layer in range(layers)
    ]
    numbers["decoder"] = (generator.normal(size=(len(LETTERS), 6)), generator.normal(size=len(LETTERS)))
    modules = [t7.instance("nn.LookupTable", weight=t7.tensor(numbers["embedding"].astype(np.float64)))]
    for weight, bias in numbers["layers"]:
        modules.append(
            t7.instance(kind, weight=t7.tensor(weight), bias=t7.tensor(bias), remember_states=True)
        )
        modules.append(t7.instance("nn.Dropout", p=0.1))
    weight, bias = numbers["decoder"]
    modules.append(t7.instance("nn.View", numElements=6))
    modules.append(t7.instance("nn.Linear", weight=t7.tensor(weight), bias=t7.tensor(bias)))
    modules.append(t7.instance("nn.View", numElements=11))
    tokens = ["[233]" if value == 233 else chr(value) for value in LETTERS]
    model = t7.instance(
        "nn.LanguageModel",
        idx_to_token=t7.listed(*tokens),
        net=t7.instance("nn.Sequential", modules=t7.listed(*modules)),
        rnns=t7.listed(*modules[1:-3:2]),
        model_type="lstm",
    )
    return t7.table(model=model, opt=t7.table(rnn_size=6), train_loss_history=t7.listed(1.0, 2.0)), numbers


def _torch_rnn_predictions(numbers: dict[str, Any], symbols: NDArray[np.int64]) -> NDArray[np.float64]:
    x = numbers["embedding"][symbols]
    for weight, bias in numbers["layers"]:
        h, c = np.zeros(6), np.zeros(6)
        rows = []
        for step in x:
            sums = np.concatenate([step, h]) @ weight + bias
            if len(bias) == 6:
                h = np.tanh(sums)
            else:
                i, f, o, g = np.split(sums, 4)
                c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
                h = sigmoid(o) * np.tanh(c)
            rows.append(h)
        x = np.array(rows)
    weight, bias = numbers["decoder"]
    logits = x @ weight.T + bias
    predicted: NDArray[np.float64] = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return predicted


@pytest.mark.parametrize(("kind", "layers"), [("nn.LSTM", 1), ("nn.LSTM", 2), ("nn.VanillaRNN", 2)])
def test_models_of_torch_rnn(kind: str, layers: int, tmp_path: Path) -> None:
    checkpoint, numbers = _torch_rnn(kind, layers)
    run = import_t7(checkpoint, tmp_path)
    assert run.vocabulary == Vocabulary(bytes(sorted(LETTERS)))
    assert run.source is not None
    assert run.source.format == "torch-rnn checkpoint"
    symbols = np.random.default_rng(0).integers(0, len(LETTERS), 50)
    expected = _torch_rnn_predictions(numbers, np.array(ASCENDING)[symbols])[:, ASCENDING]
    np.testing.assert_allclose(log_probabilities(run, symbols), expected, rtol=0, atol=1e-5)


def read(value: object, folder: Path) -> Any:
    (folder / "value.t7").write_bytes(t7.t7_bytes(value))
    return read_t7(folder / "value.t7")


def test_values_of_every_type(tmp_path: Path) -> None:
    shared = np.arange(24, dtype=np.float32)
    transposed = t7.Tensor(shared, (3, 4), (1, 3), 6)
    loop = t7.table(number=2.5, yes=True, nothing=None, text="\u00e9\0", list=t7.listed("a", "b"))
    loop.put("itself", loop)
    loop.put("code", t7.Function(b"\x1bLJ dangerous", t7.listed(t7.table(name="_ENV", value=loop))))
    loop.put("view", transposed)
    loop.put("storage", shared)
    loop.put("half", t7.tensor(np.array([1.5], np.float16)))
    loop.put("empty", t7.Tensor(shared, (), ()))
    loop.put(t7.instance("my.Class", field=loop), 7)
    found = read(loop, tmp_path)
    assert found.get("number") == 2.5
    assert found.get("yes") is True
    assert found.get("nothing") is None
    assert found.get("text") == "\u00e9\0".encode()
    assert list(found.get("list").items()) == [b"a", b"b"]
    assert found.get("itself") is found
    assert found.get("code") is None
    np.testing.assert_array_equal(found.get("view").values, shared[6:18].reshape(4, 3).T)
    assert found.get("view").values.base is not None
    assert np.shares_memory(found.get("view").values, found.get("storage").values)
    assert found.get("half").values.tolist() == [1.5]
    assert found.get("empty").values.size == 0
    [key] = [key for key, value in found.entries.items() if value == 7.0]
    assert key.type_name == "my.Class"
    assert key.get("field") is found


def test_nesting_costs_no_stack(tmp_path: Path) -> None:
    depth = 30_000
    layers = b"".join(struct.pack("<iiiid", 3, number, 1, 1, 1) for number in range(depth))
    (tmp_path / "deep.t7").write_bytes(layers + struct.pack("<i", 0))
    value: Any = read_t7(tmp_path / "deep.t7")
    for _ in range(depth):
        value = value.entries[1.0]
    assert value is None


def _instance(name: str) -> bytes:
    return struct.pack("<iii3si", 4, 1, 3, b"V 1", len(name)) + name.encode()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "ends inside"),
        (b"4\n1\n3\nV 1\n", "text format"),
        (struct.pack("<i", 9), "a value of type 9"),
        (struct.pack("<ii", 2, 1 << 30), "ends inside"),
        (struct.pack("<ii", 2, -1), "ends inside"),
        (struct.pack("<iii", 3, 1, 1 << 30), "ends inside"),
        (_instance("torch.DoubleStorage") + struct.pack("<q", 1 << 60), "ends inside"),
        (_instance("torch.DoubleStorage") + struct.pack("<q", -1), "ends inside"),
        (_instance("torch.FloatTensor") + struct.pack("<i", 1 << 30), "a tensor of 1073741824 dimensions"),
        (_instance("torch.FloatTensor") + struct.pack("<iqqqi", 1, 5, 1, 1, 1) + bytes(8), "does not fit"),
        (
            _instance("tds.Hash") + struct.pack("<ii", 5, 1),
            "'tds.Hash', which is written in a way of its own",
        ),
    ],
)
def test_files_that_claim_what_they_have_not(data: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "x.t7").write_bytes(data)
    with pytest.raises(InvalidCheckpoint, match=sentence):
        read_t7(tmp_path / "x.t7")


@pytest.mark.parametrize(
    ("sizes", "strides", "offset"),
    [
        ((5,), (1,), 0),
        ((2, 2), (3, 1), 0),
        ((2,), (-1,), 2),
        ((4,), (1,), 1),
        ((1,), (1,), -1),
        ((1 << 40,), (0,), 0),
        ((-1, -4), (1, 1), 0),
    ],
)
def test_tensors_outside_their_storage(
    sizes: tuple[int, ...], strides: tuple[int, ...], offset: int, tmp_path: Path
) -> None:
    with pytest.raises(InvalidCheckpoint, match="a tensor that does not fit the numbers"):
        read(t7.Tensor(np.zeros(4), sizes, strides, offset), tmp_path)


_WHOLE = t7.t7_bytes(_torch_rnn("nn.LSTM", 1)[0])


@given(st.data())
def test_a_damaged_file_is_refused_or_read_as_something(tmp_path_factory: Any, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    damaged = bytearray(_WHOLE[: data.draw(st.integers(0, len(_WHOLE)))])
    for place in data.draw(st.lists(st.integers(0, max(0, len(damaged) - 1)), max_size=4)):
        if damaged:
            damaged[place] = data.draw(st.integers(0, 255))
    (folder / "model.t7").write_bytes(damaged)
    with suppress(InvalidCheckpoint, InvalidRequest):
        imported_from(folder / "model.t7", VocabularyFile(), Choices())


def _char_rnn(kind: Kind = "lstm") -> t7.Table:
    model = char_rnn_model(kind, draw_maps(kind, len(LETTERS), 4, 2), len(LETTERS), 2)
    return char_rnn_checkpoint(model, LETTERS, model=kind)


def _graph_modules(checkpoint: t7.Table) -> list[t7.Instance]:
    nodes = checkpoint.get("protos").get("rnn").fields.get("forwardnodes").entries
    datas = [node.fields.get("data") for _, node in nodes]
    return [held for data in datas for key, held in data.entries if key == "module"]


def test_modules_that_rnnviz_cannot_compute_are_named(tmp_path: Path) -> None:
    checkpoint = _char_rnn()
    module = next(m for m in _graph_modules(checkpoint) if m.type_name == "nn.Identity")
    module.type_name = "nn.BatchNormalization"
    with pytest.raises(InvalidCheckpoint, match=r"nn\.BatchNormalization \(char-rnn's bnlstm\)") as refused:
        import_t7(checkpoint, tmp_path)
    assert "lstm, gru and rnn" in refused.value.hint


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_models_put_together_otherwise_are_refused(kind: Kind, tmp_path: Path) -> None:
    for place in range(len(_graph_modules(_char_rnn(kind)))):
        checkpoint = _char_rnn(kind)
        module = _graph_modules(checkpoint)[place]
        if module.type_name not in ("nn.Identity", "nn.Dropout"):
            module.type_name = "nn.Sigmoid" if module.type_name != "nn.Sigmoid" else "nn.Tanh"
            with pytest.raises(InvalidCheckpoint, match="is not put together as a model of char-rnn"):
                import_t7(checkpoint, tmp_path)


def test_a_graph_that_is_a_circle(tmp_path: Path) -> None:
    checkpoint = _char_rnn()
    prediction = next(m for m in _graph_modules(checkpoint) if m.type_name == "nn.Linear")
    nodes = checkpoint.get("protos").get("rnn").fields.get("forwardnodes").entries
    datas = [node.fields.get("data") for _, node in nodes]
    data = next(data for data in datas if any(held is prediction for _, held in data.entries))
    circle = t7.table(module=t7.instance("nn.Identity"))
    circle.put("mapindex", t7.listed(circle))
    data.get("mapindex").entries[0] = (1, circle)
    with pytest.raises(InvalidCheckpoint, match="a circle of modules"):
        import_t7(checkpoint, tmp_path)


def test_other_torch7_files_are_refused(tmp_path: Path) -> None:
    for value, found in (
        (t7.table(weights=1, names=2), "a table of weights, names"),
        (t7.instance("nn.Sequential"), "a nn.Sequential"),
        (t7.listed(1), "a table without names"),
        ("text", "one value"),
    ):
        with pytest.raises(
            InvalidCheckpoint, match=f"no checkpoint of char-rnn or torch-rnn: it holds {found}"
        ):
            import_t7(value, tmp_path)


def test_weights_of_another_shape(tmp_path: Path) -> None:
    checkpoint = _char_rnn()
    linear = next(m for m in _graph_modules(checkpoint) if m.type_name == "nn.Linear")
    weight = linear.fields.get("weight")
    weight.sizes, weight.strides = (weight.sizes[0] // 2, weight.sizes[1]), weight.strides
    with pytest.raises(InvalidCheckpoint, match="is not put together"):
        import_t7(checkpoint, tmp_path)


def test_another_vocabulary_may_be_given(tmp_path: Path) -> None:
    (tmp_path / "vocab.t7").write_bytes(
        t7.t7_bytes(t7.Table([(c, n) for n, c in enumerate("abcdefghijk", 1)]))
    )
    run = import_t7(_char_rnn(), tmp_path, VocabularyFile(str(tmp_path / "vocab.t7")))
    assert run.vocabulary == Vocabulary(b"abcdefghijk")
    (tmp_path / "vocab.json").write_text('["a", "b", "c"]')
    with pytest.raises(InvalidRequest, match="has 3 symbols, and the model has 11"):
        import_t7(_char_rnn(), tmp_path, VocabularyFile(str(tmp_path / "vocab.json")))
    with pytest.raises(InvalidRequest, match="says itself what it is made of"):
        read_checkpoint(tmp_path / "model.t7", Choices(kind="lstm"))
