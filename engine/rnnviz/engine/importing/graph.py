"""The graph of modules in a Torch7 file (nngraph's `nn.gModule`), as nodes that know what they read.

In the file, a node's data is a table: `module` computes, `mapindex` lists the data of the nodes that it reads, and
`selectindex` picks one of several values. The graph's own inputs are the values picked from its `innode`, or, in
files from before 2015-08, the nodes that `innode` lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from rnnviz.engine.importing.torch7_file import Instance, Table, Tensor, Value
from rnnviz.engine.text.text import printable
from rnnviz.store.errors import InvalidCheckpoint

PASSING: Final = ("nn.Identity", "nn.Dropout")
"""Modules that hand on what they read, when nothing is trained."""

LONGEST_PASSING: Final = 100
"""Of them in a row: a graph from a stranger may be a circle."""

KNOWN_MODULES: Final = (
    *PASSING, "OneHot", "nn.Linear", "nn.CAddTable", "nn.CMulTable", "nn.Sigmoid", "nn.Tanh", "nn.Reshape",
    "nn.SplitTable", "nn.AddConstant", "nn.MulConstant", "nn.LogSoftMax",
)  # fmt: skip


class NotTheModel(Exception):
    """The objects are not put together as the model that is looked for."""


@dataclass(eq=False)
class Node:
    """`type_name` is the module's, empty for a node without one; `number` is the selectindex, or which of the
    graph's inputs this is, from 1."""

    type_name: str
    module: Instance | None
    number: int | None
    inputs: list[Node] = field(default_factory=list)
    is_graph_input: bool = False

    def must_be(self, type_name: str) -> None:
        """Raises NotTheModel for a node of another type."""
        if self.type_name != type_name:
            raise NotTheModel(f"{self} stands where a {type_name} should")

    def the(self, type_name: str) -> Node:
        """The one of what this node reads that has this type. Raises NotTheModel."""
        found = [node for node in self.inputs if node.type_name == type_name]
        if len(found) != 1:
            raise NotTheModel(f"{self} reads {len(found)} {type_name}, not one")
        return found[0]

    def pair(self, type_name: str) -> tuple[Node, Node]:
        """The two nodes that this one reads, both of this type. Raises NotTheModel."""
        match self.inputs:
            case [a, b] if a.type_name == b.type_name == type_name:
                return a, b
        raise NotTheModel(f"{self} does not read two {type_name}")

    @property
    def only(self) -> Node:
        """The one node that this one reads. Raises NotTheModel."""
        if len(self.inputs) != 1:
            raise NotTheModel(f"{self} reads {len(self.inputs)} values, not one")
        return self.inputs[0]

    @property
    def source(self) -> Node:
        """What this node reads, past modules that only hand on."""
        node = self.only
        for _ in range(LONGEST_PASSING):
            if node.type_name not in PASSING or node.is_graph_input:
                return node
            node = node.only
        raise NotTheModel("it has a circle of modules")

    def with_state(self, type_name: str) -> Node:
        """What this node reads beside one of the graph's inputs, if that has this type. Raises NotTheModel."""
        found = self.the(type_name)
        for node in self.inputs:
            if node is not found and (
                node.is_graph_input or (node.type_name in PASSING and node.source.is_graph_input)
            ):
                return found
        raise NotTheModel(f"{self} reads no state beside its {type_name}")

    def __str__(self) -> str:
        return self.type_name or "a node"


def read_graph(graph: Instance) -> list[Node]:
    """The nodes whose values a `nn.gModule` puts out, in order.

    Raises NotTheModel for anything that is not put together as nngraph does, InvalidCheckpoint for modules whose
    function is not known here.
    """
    outnode, innode = _data(graph.get("outnode")), _data(graph.get("innode"))
    nodes: dict[Table, Node] = {}
    waiting = [outnode]
    while waiting:
        data = waiting.pop()
        if data in nodes:
            continue
        module = data.get("module")
        if module is not None and not isinstance(module, Instance):
            raise NotTheModel("a node's module is none")
        select = data.get("selectindex")
        number = int(select) if isinstance(select, float) and 1 <= select <= 1 << 20 else None
        nodes[data] = Node(module.type_name if module else "", module, number)
        if data is not innode:
            waiting += _reads(data)
    _refuse_unknown(list(nodes.values()))
    listed = {data: number for number, data in enumerate(_reads(innode), 1)}
    for data, node in nodes.items():
        if data is innode:
            continue
        reads = _reads(data)
        node.inputs = [nodes[read] for read in reads]
        if innode in reads and data in listed:
            node.number, node.is_graph_input = listed[data], True
        elif node.number is not None:
            node.is_graph_input = any(innode in _reads(read) for read in reads) and not node.only.type_name
    return nodes[outnode].inputs


def array(
    module: Instance | None, name: str, *shape: int | None
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """A module's tensor, in float64, of this shape (None is any size). Raises NotTheModel."""
    value = module.get(name) if module else None
    if not isinstance(value, Tensor) or not _fits(value.values.shape, shape):
        wanted = " × ".join("?" if size is None else str(size) for size in shape)
        raise NotTheModel(f"{module.type_name if module else 'a node'} has no {name} of {wanted} numbers")
    return value.values.astype(np.float64)


def _fits(shape: Sequence[int], wanted: Sequence[int | None]) -> bool:
    return len(shape) == len(wanted) and all(b in (None, a) for a, b in zip(shape, wanted, strict=True))


def _data(node: Value) -> Table:
    data = node.get("data") if isinstance(node, Instance | Table) else None
    if not isinstance(data, Table):
        raise NotTheModel("a node of the graph has no data")
    return data


def _reads(data: Table) -> list[Table]:
    mapindex = data.get("mapindex")
    if not isinstance(mapindex, Table):
        return []
    return [read for read in mapindex.items() if isinstance(read, Table)]


def _refuse_unknown(nodes: Sequence[Node]) -> None:
    unknown = sorted({node.type_name for node in nodes if node.type_name} - set(KNOWN_MODULES))
    if unknown:
        batch_norm = " (char-rnn's bnlstm)" if "nn.BatchNormalization" in unknown else ""
        names = ", ".join(printable(name)[:60] for name in unknown[:8])
        raise InvalidCheckpoint(
            f"the model has {names}{batch_norm}, which rnnviz cannot compute",
            f"Of char-rnn's models, those made of {', '.join(KNOWN_MODULES)} can be imported: lstm, gru and rnn.",
        )
