"""Models of char-rnn and torch-rnn, from the objects in their .t7 checkpoints.

char-rnn's model is a graph of modules for one step. Which linear map is which, and in what order the gates lie in its
rows, is read off the graph, never off names or the order in the file. Its GRU is the paper's. A layer of torch-rnn
holds one matrix [inputs + H, G·H], transposed, whose gates are i, f, o, g.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from rnnviz.engine.importing.graph import Node, NotTheModel, array, read_graph
from rnnviz.engine.importing.network import Linear, Network
from rnnviz.engine.importing.torch7_file import Instance, Table, Value, read_t7
from rnnviz.engine.models.kinds.registry import Kind
from rnnviz.engine.models.layer_weights import Weights
from rnnviz.engine.text.text import printable
from rnnviz.store.errors import InvalidCheckpoint

Array = NDArray[np.float64]

_TORCH_RNN_GATES: Final[dict[str, tuple[Kind, tuple[int, ...]]]] = {
    "nn.LSTM": ("lstm", (0, 1, 3, 2)),
    "nn.VanillaRNN": ("rnn", (0,)),
}
"""The kind of each class, and where in its columns the gates lie that rnnviz has as i, f, g, o."""
_TORCH_RNN_PASSING: Final = ("nn.Dropout", "nn.View")


@dataclass(frozen=True)
class Torch7Model:
    network: Network
    program: str
    """`char-rnn` or `torch-rnn`."""
    vocabulary: Table | None
    """Token to number or number to token, from 1."""


def read_torch7(path: Path) -> Torch7Model:
    """The model in a checkpoint of char-rnn or torch-rnn.

    Raises InvalidCheckpoint for every other file, saying what was found.
    """
    checkpoint = read_t7(path)
    fields = checkpoint.get if isinstance(checkpoint, Table) else lambda _: None
    protos, model = fields("protos"), fields("model")
    rnn = protos.get("rnn") if isinstance(protos, Table) else None
    try:
        if isinstance(rnn, Instance) and rnn.type_name == "nn.gModule":
            return Torch7Model(_char_rnn(rnn), "char-rnn", _table(fields("vocab")))
        if isinstance(model, Instance) and model.type_name == "nn.LanguageModel":
            return Torch7Model(_torch_rnn(model), "torch-rnn", _table(model.get("idx_to_token")))
    except NotTheModel as error:
        raise InvalidCheckpoint(
            f"{path} is not put together as a model of char-rnn or torch-rnn: {error}",
            "Of char-rnn, lstm, gru and rnn can be imported, of torch-rnn lstm and rnn: without batch normalization.",
        ) from error
    raise InvalidCheckpoint(
        f"{path} is a Torch7 file, but no checkpoint of char-rnn or torch-rnn: it holds {_outline(checkpoint)}",
        "A checkpoint of char-rnn has protos.rnn, a nn.gModule; one of torch-rnn has model, a nn.LanguageModel.",
    )


def _char_rnn(graph: Instance) -> Network:
    *states, prediction = read_graph(graph)
    if prediction.type_name != "nn.LogSoftMax" or not states:
        raise NotTheModel("its last output is no nn.LogSoftMax of linear sums, after the states")
    decoder = prediction.only
    kind, per_layer = _kind(states)
    layers: list[Weights] = []
    below: Node | None = None
    for outputs in zip(*[iter(states)] * per_layer, strict=True):
        if kind == "lstm":
            inputs, recurrents, rows = _lstm_maps(*outputs)
        elif kind == "gru":
            inputs, recurrents, rows = _gru_maps(*outputs)
        else:
            inputs, recurrents, rows = _rnn_maps(*outputs)
        for linear in inputs:
            _check_reads(linear, below)
        layers.append(_weights(inputs, recurrents, rows))
        below = outputs[-1]
    if decoder.source is not below:
        raise NotTheModel("its output does not read the top layer")
    head = Linear(*_linear(decoder))
    network = Network(kind, tuple(layers), None, (head,))
    _check_sizes(network, head.weight.shape[0])
    return network


def _kind(states: Sequence[Node]) -> tuple[Kind, int]:
    """The kind of layers, and how many outputs each has."""
    top = states[-1].type_name
    if top == "nn.Tanh":
        return "rnn", 1
    if top == "nn.CAddTable":
        return "gru", 1
    if top == "nn.CMulTable" and len(states) % 2 == 0:
        return "lstm", 2
    raise NotTheModel(f"its top state is made by {top or 'no module'}")


Maps = tuple[list[Node], list[Node], tuple[int, ...]]
"""The linear maps of what a layer reads, those of its state, and where the gates lie in their rows."""


def _lstm_maps(c: Node, h: Node) -> Maps:
    c.must_be("nn.CAddTable")
    h.must_be("nn.CMulTable")
    written, kept = _which_has(c.pair("nn.CMulTable"), "nn.Tanh")
    if h.the("nn.Tanh").only is not c:
        raise NotTheModel("its h is not made from its c")
    i, f, g, o = (
        written.the("nn.Sigmoid"),
        kept.the("nn.Sigmoid"),
        written.the("nn.Tanh"),
        h.the("nn.Sigmoid"),
    )
    picked = [gate.only for gate in (i, f, g, o)]
    split = picked[0].only
    rows = tuple((node.number or 0) - 1 for node in picked)
    if any(node.only is not split for node in picked) or sorted(rows) != [0, 1, 2, 3]:
        raise NotTheModel("its gates are not the four parts of one sum")
    input_map, recurrent_map = _sums(split.the("nn.SplitTable").the("nn.Reshape").the("nn.CAddTable"))
    return [input_map], [recurrent_map], rows


def _gru_maps(h: Node) -> Maps:
    h.must_be("nn.CAddTable")
    renewed, kept = _which_has(h.pair("nn.CMulTable"), "nn.Tanh")
    update, candidate = renewed.the("nn.Sigmoid"), renewed.the("nn.Tanh")
    one_minus = kept.with_state("nn.AddConstant")
    minus = one_minus.the("nn.MulConstant")
    if minus.only is not update or _constant(minus) != -1 or _constant(one_minus) != 1:
        raise NotTheModel("it does not keep 1 − z of its state")
    a, b = candidate.the("nn.CAddTable").pair("nn.Linear")
    recurrent, plain = (a, b) if a.source.type_name == "nn.CMulTable" else (b, a)
    reset = recurrent.the("nn.CMulTable").with_state("nn.Sigmoid")
    input_maps, recurrent_maps = zip(
        *(_sums(gate.the("nn.CAddTable")) for gate in (reset, update)), strict=True
    )
    return [*input_maps, plain], [*recurrent_maps, recurrent], (0, 1, 2)


def _rnn_maps(h: Node) -> Maps:
    h.must_be("nn.Tanh")
    input_map, recurrent_map = _sums(h.the("nn.CAddTable"))
    return [input_map], [recurrent_map], (0,)


def _sums(total: Node) -> tuple[Node, Node]:
    """The linear map of what the layer reads and the one of its state, of the two that are added."""
    a, b = total.pair("nn.Linear")
    if a.source.is_graph_input == b.source.is_graph_input:
        raise NotTheModel("its sums are not one of the input and one of the state")
    return (b, a) if a.source.is_graph_input else (a, b)


def _which_has(pair: tuple[Node, Node], type_name: str) -> tuple[Node, Node]:
    """The one that reads a module of this type first, the other second."""
    a, b = pair
    return (a, b) if any(node.type_name == type_name for node in a.inputs) else (b, a)


def _check_reads(linear: Node, below: Node | None) -> None:
    source = linear.source
    fits = source is below if below else source.type_name == "OneHot" and source.source.is_graph_input
    if not fits:
        raise NotTheModel("a layer reads neither one-hot symbols nor the layer below")


def _constant(node: Node) -> Value:
    return node.module.get("constant_scalar") if node.module else None


def _linear(node: Node) -> tuple[torch.Tensor, torch.Tensor | None]:
    node.must_be("nn.Linear")
    weight = array(node.module, "weight", None, None)
    has_bias = node.module is not None and node.module.get("bias") is not None
    bias = array(node.module, "bias", len(weight)) if has_bias else None
    return torch.from_numpy(weight), None if bias is None else torch.from_numpy(bias)


def _weights(inputs: Sequence[Node], recurrents: Sequence[Node], rows: Sequence[int]) -> Weights:
    """One layer, from maps that each have one or more gates in their rows, rearranged to the order of `rows`."""
    input_weights, input_biases = _stacked(inputs)
    recurrent_weights, recurrent_biases = _stacked(recurrents)
    gates = len(rows)
    hidden = recurrent_weights.shape[1]
    if len(input_weights) != gates * hidden or len(recurrent_weights) != gates * hidden:
        raise NotTheModel(f"the linear maps of a layer of {hidden} units have {len(input_weights)} rows")
    index = torch.from_numpy(np.concatenate([np.arange(row * hidden, (row + 1) * hidden) for row in rows]))
    return Weights(
        input_weights[index], recurrent_weights[index], input_biases[index], recurrent_biases[index]
    )


def _stacked(nodes: Sequence[Node]) -> tuple[torch.Tensor, torch.Tensor]:
    weights, biases = zip(*(_linear(node) for node in nodes), strict=True)
    if len({weight.shape[1] for weight in weights}) != 1:
        raise NotTheModel("the linear maps of a layer read different numbers of values")
    zeros = [weight.new_zeros(len(weight)) for weight in weights]
    return torch.cat(weights), torch.cat(
        [zero if b is None else b for zero, b in zip(zeros, biases, strict=True)]
    )


def _check_sizes(network: Network, first: int) -> None:
    """Raise NotTheModel unless each layer reads as many values as there are below it, `first` the first one."""
    width = first
    for layer in network.layers:
        if layer.input.shape[1] != width:
            raise NotTheModel(f"a layer reads {layer.input.shape[1]} values where there are {width}")
        width = layer.recurrent.shape[1]
    if (
        network.head[0].weight.shape[1] != width
        or len({layer.recurrent.shape for layer in network.layers}) != 1
    ):
        raise NotTheModel("its layers are not of one size")


def _torch_rnn(model: Instance) -> Network:
    modules = list(_modules(model))
    wanted = [module for module in modules if module.type_name not in _TORCH_RNN_PASSING]
    match wanted:
        case [lookup, *layers, linear] if (
            layers and lookup.type_name == "nn.LookupTable" and linear.type_name == "nn.Linear"
        ):
            pass
        case _:
            raise NotTheModel(
                f"its modules are {', '.join(printable(module.type_name) for module in modules[:12])}"
            )
    names = {layer.type_name for layer in layers}
    if len(names) != 1 or not names <= _TORCH_RNN_GATES.keys():
        raise NotTheModel(f"its layers are {', '.join(printable(name) for name in sorted(names))}")
    kind, order = _TORCH_RNN_GATES[names.pop()]
    embedding = torch.from_numpy(array(lookup, "weight", None, None))
    weights = tuple(_torch_rnn_layer(layer, order) for layer in layers)
    symbols = len(embedding)
    decoder = torch.from_numpy(array(linear, "weight", symbols, None))
    head = Linear(decoder, torch.from_numpy(array(linear, "bias", symbols)))
    network = Network(kind, weights, embedding, (head,))
    _check_sizes(network, embedding.shape[1])
    return network


def _modules(model: Instance) -> Iterator[Instance]:
    net = model.get("net")
    modules = net.get("modules") if isinstance(net, Instance) and net.type_name == "nn.Sequential" else None
    if not isinstance(modules, Table):
        raise NotTheModel("its net is no nn.Sequential")
    for module in modules.items():
        if not isinstance(module, Instance):
            raise NotTheModel("its net has something that is no module")
        yield module


def _torch_rnn_layer(layer: Instance, order: Sequence[int]) -> Weights:
    matrix = array(layer, "weight", None, None)
    columns = matrix.shape[1]
    hidden = columns // len(order)
    inputs = len(matrix) - hidden
    if hidden * len(order) != columns or inputs < 1:
        raise NotTheModel(f"a {layer.type_name} has a weight of {len(matrix)} × {columns} numbers")
    bias = array(layer, "bias", columns)
    index = np.concatenate([np.arange(gate * hidden, (gate + 1) * hidden) for gate in order])
    rows = torch.from_numpy(np.ascontiguousarray(matrix.T[index]))  # [G·H, inputs + H]
    return Weights(
        rows[:, :inputs],
        rows[:, inputs:],
        torch.from_numpy(bias[index]),
        torch.zeros(columns, dtype=torch.float64),
    )


def _table(value: Value) -> Table | None:
    return value if isinstance(value, Table) else None


def _outline(value: Value) -> str:
    """What a file holds, in a few words."""
    if isinstance(value, Instance):
        return f"a {printable(value.type_name[:60])}"
    if not isinstance(value, Table):
        return "one value"
    keys = [key.decode("utf-8", "replace") for key in value.entries if isinstance(key, bytes)]
    return (
        f"a table of {', '.join(printable(key[:30]) for key in keys[:12])}"
        if keys
        else "a table without names"
    )
