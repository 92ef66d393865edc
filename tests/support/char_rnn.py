"""char-rnn's models as its checkpoints have them, and what they compute, in float64.

A model is built as nngraph builds it: nodes that read others, between a node that hands out the inputs and one that
collects the outputs, with the graphs of both directions beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from support.t7 import Instance, Table, Tensor, instance, listed, share_storage, table, tensor

Array = NDArray[np.float64]
Kind = Literal["lstm", "gru", "rnn"]


@dataclass(eq=False)
class Map:
    """W x + b."""

    weight: Array
    bias: Array

    def __call__(self, x: Array) -> Array:
        return x @ self.weight.T + self.bias


def draw_maps(kind: Kind, symbols: int, hidden: int, layers: int) -> dict[str, Map]:
    """The linear maps of a model, by names of our own: `i2h_1`, `reset_h2h_2`, `decoder`."""
    generator = np.random.default_rng(symbols + hidden)

    def draw(inputs: int, outputs: int) -> Map:
        return Map(generator.normal(0, 0.7, (outputs, inputs)), generator.normal(0, 0.7, outputs))

    maps: dict[str, Map] = {}
    for layer in range(1, layers + 1):
        inputs = symbols if layer == 1 else hidden
        gates = ("update_", "reset_", "candidate_") if kind == "gru" else ("",)
        rows = 4 * hidden if kind == "lstm" else hidden
        for gate in gates:
            maps[f"{gate}i2h_{layer}"] = draw(inputs, rows)
            maps[f"{gate}h2h_{layer}"] = draw(hidden, rows)
    return maps | {"decoder": draw(hidden, symbols)}


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def predictions(
    kind: Kind, maps: dict[str, Map], symbols: NDArray[np.int64], hidden: int, layers: int
) -> Array:
    """Log probabilities after each of `symbols` [time], read from zero state: [time, K]."""
    count = len(maps["decoder"].bias)
    state = [(np.zeros(hidden), np.zeros(hidden)) for _ in range(layers)]
    rows = []
    for symbol in symbols:
        x = np.eye(count)[symbol]
        for layer in range(1, layers + 1):
            h, c = state[layer - 1]
            if kind == "lstm":
                i, f, o, g = np.split(maps[f"i2h_{layer}"](x) + maps[f"h2h_{layer}"](h), 4)
                c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
                h = sigmoid(o) * np.tanh(c)
            elif kind == "gru":
                z = sigmoid(maps[f"update_i2h_{layer}"](x) + maps[f"update_h2h_{layer}"](h))
                r = sigmoid(maps[f"reset_i2h_{layer}"](x) + maps[f"reset_h2h_{layer}"](h))
                n = np.tanh(maps[f"candidate_i2h_{layer}"](x) + maps[f"candidate_h2h_{layer}"](r * h))
                h = (1 - z) * h + z * n
            else:
                h = np.tanh(maps[f"i2h_{layer}"](x) + maps[f"h2h_{layer}"](h))
            state[layer - 1] = (h, c)
            x = h
        logits = maps["decoder"](x)
        rows.append(logits - np.log(np.exp(logits).sum()))
    return np.array(rows)


class Graph:
    """Nodes as nngraph makes them. `old` is how it was until August 2015."""

    def __init__(self, *, old: bool = False) -> None:
        self.old = old
        self.nodes: list[Table] = []
        self.parameters: list[Tensor] = []

    def node(self, module: Instance | None, *reads: Table, **more: object) -> Table:
        """The data of a new node that reads these."""
        mapindex = listed(*reads)
        for number, read in enumerate(reads, 1):
            mapindex.put(read, number)
        data = table(annotations=table(_debugLabel="[model.lua]:1"), mapindex=mapindex, **more)
        if module is not None:
            data.put("module", module)
        self.nodes.append(data)
        return data

    def call(self, type_name: str, *reads: Table, **fields: object) -> Table:
        buffers = {
            "output": tensor(np.empty(0)),
            "gradInput": tensor(np.empty(0)),
            "_type": "torch.DoubleTensor",
        }
        return self.node(instance(type_name, **buffers, **fields), *reads)

    def linear(self, linear_map: Map, read: Table) -> Table:
        weight, bias = tensor(linear_map.weight), tensor(linear_map.bias)
        self.parameters += [weight, bias]
        grad = tensor(np.zeros_like(linear_map.weight))
        return self.call("nn.Linear", read, weight=weight, bias=bias, gradWeight=grad)

    def split(self, read: Table, count: int) -> list[Table]:
        several = self.node(None, read, nSplitOutputs=count)
        return [self.node(None, several, selectindex=number, input=Table()) for number in range(1, count + 1)]

    def inputs(self, count: int) -> list[Table]:
        self.root = self.node(None, input=Table())
        if self.old:
            identities = [self.call("nn.Identity", self.root) for _ in range(count)]
            for number, data in enumerate(identities, 1):
                self.root.get("mapindex").put(number, data)
                self.root.get("mapindex").put(data, number)
            return identities
        return [self.call("nn.Identity", picked) for picked in self.split(self.root, count)]

    def module(self, outputs: list[Table]) -> Instance:
        """The nn.gModule that puts out these."""
        share_storage(self.parameters)
        last = self.node(None, *outputs, input=Table())
        nodes = {
            id(data): instance("nngraph.Node", data=data, id=n, children=Table())
            for n, data in enumerate(self.nodes)
        }
        back = {
            id(data): instance("nngraph.Node", data=data, id=n, children=Table())
            for n, data in enumerate(self.nodes)
        }
        for data in self.nodes:
            reads = [
                held
                for key, held in data.get("mapindex").entries
                if isinstance(key, int) and data is not self.root
            ]
            for read in reads:
                _append(nodes[id(read)], nodes[id(data)])
                _append(back[id(data)], back[id(read)])
        forward = listed(*(nodes[id(data)] for data in self.nodes))
        backward = listed(*(back[id(data)] for data in reversed(self.nodes)))
        return instance(
            "nn.gModule",
            fg=instance("graph.Graph", nodes=forward, edges=Table()),
            bg=instance("graph.Graph", nodes=backward, edges=Table()),
            forwardnodes=forward,
            backwardnodes=backward,
            innode=nodes[id(self.root)],
            outnode=back[id(last)],
            verbose=False,
        )


def _append(node: Instance, child: Instance) -> None:
    children = node.fields.get("children")
    children.put(len(children.entries) + 1, child)


def char_rnn_model(
    kind: Kind, maps: dict[str, Map], symbols: int, layers: int, *, dropout: bool = False, old: bool = False
) -> Instance:
    """The nn.gModule of one step."""
    graph = Graph(old=old)
    per_layer = 2 if kind == "lstm" else 1
    first, *states = graph.inputs(1 + per_layer * layers)
    x = graph.call("OneHot", first, outputSize=symbols, _eye=tensor(np.eye(symbols)))
    outputs: list[Table] = []
    for layer in range(1, layers + 1):
        if layer > 1 and dropout:
            x = graph.call("nn.Dropout", x, p=0.5, train=False)
        before = states[per_layer * (layer - 1) : per_layer * layer]
        if kind == "lstm":
            outputs += _lstm(graph, maps, layer, x, *before)
        elif kind == "gru":
            outputs.append(_gru(graph, maps, layer, x, *before))
        else:
            outputs.append(graph.call("nn.Tanh", _sums(graph, maps, "", layer, x, *before)))
        x = outputs[-1]
    if dropout:
        x = graph.call("nn.Dropout", x, p=0.5, train=False)
    outputs.append(graph.call("nn.LogSoftMax", graph.linear(maps["decoder"], x)))
    return graph.module(outputs)


def _sums(graph: Graph, maps: dict[str, Map], gate: str, layer: int, x: Table, h: Table) -> Table:
    i2h = graph.linear(maps[f"{gate}i2h_{layer}"], x)
    h2h = graph.linear(maps[f"{gate}h2h_{layer}"], h)
    return graph.call("nn.CAddTable", i2h, h2h)


def _lstm(graph: Graph, maps: dict[str, Map], layer: int, x: Table, c: Table, h: Table) -> list[Table]:
    sums = _sums(graph, maps, "", layer, x, h)
    table_of_gates = graph.call("nn.SplitTable", graph.call("nn.Reshape", sums), dimension=2)
    n1, n2, n3, n4 = graph.split(table_of_gates, 4)
    i, f, o = (graph.call("nn.Sigmoid", n) for n in (n1, n2, n3))
    g = graph.call("nn.Tanh", n4)
    kept, written = graph.call("nn.CMulTable", f, c), graph.call("nn.CMulTable", i, g)
    c = graph.call("nn.CAddTable", kept, written)
    return [c, graph.call("nn.CMulTable", o, graph.call("nn.Tanh", c))]


def _gru(graph: Graph, maps: dict[str, Map], layer: int, x: Table, h: Table) -> Table:
    update = graph.call("nn.Sigmoid", _sums(graph, maps, "update_", layer, x, h))
    reset = graph.call("nn.Sigmoid", _sums(graph, maps, "reset_", layer, x, h))
    gated = graph.linear(maps[f"candidate_h2h_{layer}"], graph.call("nn.CMulTable", reset, h))
    plain = graph.linear(maps[f"candidate_i2h_{layer}"], x)
    candidate = graph.call("nn.Tanh", graph.call("nn.CAddTable", plain, gated))
    renewed = graph.call("nn.CMulTable", update, candidate)
    minus = graph.call("nn.MulConstant", update, constant_scalar=-1, inplace=False)
    kept = graph.call("nn.CMulTable", graph.call("nn.AddConstant", minus, constant_scalar=1), h)
    return graph.call("nn.CAddTable", renewed, kept)


def char_rnn_checkpoint(rnn: Instance, vocabulary: bytes, **options: object) -> Table:
    """What char-rnn saves: the model of one step, and each byte's number, from 1."""
    vocab: Any = Table([(bytes([value]), number) for number, value in enumerate(vocabulary, 1)])
    return table(
        protos=table(rnn=rnn, criterion=instance("nn.ClassNLLCriterion", sizeAverage=True)),
        opt=table(**options),
        train_losses=listed(3.1, 2.9, 2.7),
        val_losses=Table([(1000, 2.5)]),
        i=1000,
        epoch=1.5,
        vocab=vocab,
    )
