"""The recurrent model: one-hot symbols, layers of cells, a softmax over the next symbol."""

from __future__ import annotations

from typing import Final, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rnnviz.engine.models import equations
from rnnviz.engine.models.equations import Weights

Kind = Literal["lstm", "gru", "gru-torch", "rnn"]
"""What layers compute. `gru` is the paper's; `gru-torch` is the other function of that name, `torch.nn.GRU`'s."""
KINDS: tuple[Kind, ...] = get_args(Kind)

GATES: dict[Kind, int] = {"lstm": 4, "gru": 3, "gru-torch": 3, "rnn": 1}
"""Rows of weights per unit."""

STATE_PARTS: dict[Kind, int] = {"lstm": 2, "gru": 1, "gru-torch": 1, "rnn": 1}
"""Tensors that make up the state: h, and c for an LSTM."""

MOST_ONE_HOT: Final = 4096
"""Symbols of the largest vocabulary whose one-hot vectors are made (67 MB). Models of more can be read, by
look-up, but not trained."""

State = tuple[Tensor, ...]
"""h of every layer, and c for an LSTM; each [layers, batch, hidden]."""


class PaperGRU(nn.Module):
    """Layers of the paper's GRU, which `torch.nn.GRU` cannot compute; parameters named and shaped as there."""

    def __init__(self, inputs: int, hidden: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.hidden = hidden
        self.layers = layers
        self.dropout = dropout
        for layer in range(layers):
            width = inputs if layer == 0 else hidden
            self.register_parameter(f"weight_ih_l{layer}", nn.Parameter(torch.empty(3 * hidden, width)))
            self.register_parameter(f"weight_hh_l{layer}", nn.Parameter(torch.empty(3 * hidden, hidden)))
            self.register_parameter(f"bias_ih_l{layer}", nn.Parameter(torch.empty(3 * hidden)))
            self.register_parameter(f"bias_hh_l{layer}", nn.Parameter(torch.empty(3 * hidden)))

    def forward(self, symbols: Tensor, state: State) -> tuple[Tensor, State]:
        """symbols int64 [time, batch] -> the top layer's h [time, batch, hidden], the state after."""
        (h_before,) = state
        last = []
        x = symbols
        for layer in range(self.layers):
            weights = layer_weights(self, layer)
            if layer == 0:
                sums = equations.symbol_sums(symbols, weights)
            else:
                sums = equations.input_sums(F.dropout(x, self.dropout, self.training), weights)
            x = gru_layer(sums, h_before[layer], weights)
            last.append(x[-1])
        return x, (torch.stack(last),)


class RecurrentModel(nn.Module):
    """A recurrent model over K symbols. Parameters carry PyTorch's names and are float32.

    Dropout is applied to the inputs of the layers above the first and before the softmax, never on the
    recurrence (paper, section 4.1). The parameters are left as PyTorch's constructors make them: see
    `initialise` and `RecurrentModel.load_state_dict`.
    """

    rnn: nn.LSTM | nn.GRU | nn.RNN | PaperGRU

    def __init__(self, kind: Kind, symbols: int, hidden: int, layers: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.kind: Kind = kind
        self.symbols = symbols
        self.hidden = hidden
        self.layers = layers
        self.dropout = dropout
        between = dropout if layers > 1 else 0.0
        if kind == "lstm":
            self.rnn = nn.LSTM(symbols, hidden, layers, dropout=between)
        elif kind == "gru-torch":
            self.rnn = nn.GRU(symbols, hidden, layers, dropout=between)
        elif kind == "rnn":
            self.rnn = nn.RNN(symbols, hidden, layers, dropout=between)
        else:
            self.rnn = PaperGRU(symbols, hidden, layers, between)
        self.decoder = nn.Linear(hidden, symbols)
        self._eye: Tensor | None = None

    def zero_state(self, batch: int) -> State:
        """The state before anything was read: zeros, each [layers, batch, hidden]."""
        shape = (self.layers, batch, self.hidden)
        return tuple(self.decoder.weight.new_zeros(shape) for _ in range(STATE_PARTS[self.kind]))

    def forward(self, symbols: Tensor, state: State) -> tuple[Tensor, State]:
        """symbols int64 [time, batch] -> logits [time, batch, K], the state after."""
        after: State
        if isinstance(self.rnn, PaperGRU):
            h, after = self.rnn(symbols, state)
        elif isinstance(self.rnn, nn.LSTM):
            h, after = self.rnn(self._one_hot(symbols), state)
        else:
            h, last = self.rnn(self._one_hot(symbols), state[0])
            after = (last,)
        logits: Tensor = self.decoder(F.dropout(h, self.dropout, self.training))
        return logits, after

    @torch.inference_mode()
    def signals(self, symbols: Tensor, state: State) -> tuple[list[dict[str, Tensor]], Tensor, State]:
        """Every signal of every layer, with dropout off.

        symbols int64 [time, batch] -> (per layer a dict of signals, each [time, batch, hidden]; logits
        [time, batch, K]; the state after). h comes from the fused kernel; the gates of the whole window are
        then one matrix product over [x, h₋₁], and c is an elementwise recurrence. Windows of 25–50 steps are
        the fastest: longer ones leave the cache.
        """
        layers: list[dict[str, Tensor]] = []
        after: list[State] = []
        x = self._one_hot(symbols)
        for layer in range(self.layers):
            weights = layer_weights(self.rnn, layer)
            before = tuple(part[layer] for part in state)
            sums = equations.input_sums(x, weights) if layer else equations.symbol_sums(symbols, weights)
            if self.kind == "lstm":
                signals, last = _lstm_signals(x, sums, before, weights)
            elif self.kind == "gru-torch":
                signals, last = _torch_gru_signals(x, before, weights)
            elif self.kind == "rnn":
                signals, last = _rnn_signals(x, before, weights)
            else:
                signals, last = _gru_signals(sums, before, weights)
            layers.append(signals)
            after.append(last)
            x = signals["h"]
        logits: Tensor = self.decoder(x)
        return layers, logits, tuple(torch.stack(parts) for parts in zip(*after, strict=True))

    def _one_hot(self, symbols: Tensor) -> Tensor:
        """int64 [time, batch] -> [time, batch, K]. A look-up: `F.one_hot` takes three times as long."""
        weight = self.decoder.weight
        if self._eye is None or self._eye.device != weight.device or self._eye.dtype != weight.dtype:
            if self.symbols > MOST_ONE_HOT:
                raise ValueError(
                    f"one-hot vectors of {self.symbols} symbols are too large; read it with Steps"
                )
            with torch.inference_mode(False):  # training may go on with what an evaluation has made
                self._eye = torch.eye(self.symbols, dtype=weight.dtype, device=weight.device)
        return F.embedding(symbols, self._eye)


def build(kind: Kind, symbols: int, hidden: int, layers: int, dropout: float = 0.0) -> RecurrentModel:
    """A model whose parameters hold no values yet. Draws nothing from PyTorch's random generator."""
    with torch.device("meta"):
        model = RecurrentModel(kind, symbols, hidden, layers, dropout)
    take_memory(model)
    return model


def take_memory(model: nn.Module) -> None:
    """Give memory on the CPU, and no values, to the parameters of a module that was made without.

    `to_empty` does it by operations that load SymPy: 0.3 s of every command that has a model.
    """
    parameters = model.named_parameters()
    model.load_state_dict({name: torch.empty(value.shape) for name, value in parameters}, assign=True)


def initialise(model: nn.Module, seed: int, reach: float) -> None:
    """Draw every parameter, biases too, from U(−reach, reach), in the order of their names in the model."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(-reach, reach, generator=generator)


def parameter_shapes(kind: Kind, symbols: int, hidden: int, layers: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every parameter, without building a model."""
    rows = GATES[kind] * hidden
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(layers):
        shapes[f"rnn.weight_ih_l{layer}"] = (rows, symbols if layer == 0 else hidden)
        shapes[f"rnn.weight_hh_l{layer}"] = (rows, hidden)
        shapes[f"rnn.bias_ih_l{layer}"] = (rows,)
        shapes[f"rnn.bias_hh_l{layer}"] = (rows,)
    return shapes | {"decoder.weight": (symbols, hidden), "decoder.bias": (symbols,)}


def layer_weights(module: nn.Module, layer: int) -> Weights:
    """The parameters of one layer of an `nn.LSTM`, `nn.RNN`, `nn.GRU` or PaperGRU."""
    names = (f"weight_ih_l{layer}", f"weight_hh_l{layer}", f"bias_ih_l{layer}", f"bias_hh_l{layer}")
    return Weights(*(module.get_parameter(name) for name in names))


def gru_layer(sums: Tensor, h: Tensor, weights: Weights) -> Tensor:
    """h of every step of one layer of the paper's GRU: sums [time, batch, 3·H], h before [batch, H]."""
    rows = equations.GruRows.of(weights)
    steps = []
    for step_sums in sums.unbind():
        _, z, n = equations.gru_gates(step_sums, h, rows)
        h = equations.gru_output(z, n, h)
        steps.append(h)
    return torch.stack(steps)


def _lstm_signals(
    x: Tensor, sums: Tensor, before: State, weights: Weights
) -> tuple[dict[str, Tensor], State]:
    h_before, c_before = before
    state = (h_before[None], c_before[None])
    h, _, _ = torch.lstm(x, state, list(weights), True, 1, 0.0, False, False, False)
    i, f, g, o = equations.lstm_gates_(sums, _shifted(h, h_before), weights)
    c = equations.lstm_cells(i, f, g, c_before)
    return {"c": c, "h": h, "i": i, "f": f, "o": o, "g": g}, (h[-1], c[-1])


def _rnn_signals(x: Tensor, before: State, weights: Weights) -> tuple[dict[str, Tensor], State]:
    h, _ = torch.rnn_tanh(x, before[0][None], list(weights), True, 1, 0.0, False, False, False)
    return {"h": h}, (h[-1],)


def _gru_signals(sums: Tensor, before: State, weights: Weights) -> tuple[dict[str, Tensor], State]:
    h = gru_layer(sums, before[0], weights)
    r, z, n = equations.gru_gates(sums, _shifted(h, before[0]), equations.GruRows.of(weights))
    return {"h": h, "r": r, "z": z, "n": n}, (h[-1],)


def _torch_gru_signals(x: Tensor, before: State, weights: Weights) -> tuple[dict[str, Tensor], State]:
    h, _ = torch.gru(x, before[0][None], list(weights), True, 1, 0.0, False, False, False)
    r, z, n = equations.torch_gru_gates(x, _shifted(h, before[0]), weights)
    return {"h": h, "r": r, "z": z, "n": n}, (h[-1],)


def _shifted(h: Tensor, h_before: Tensor) -> Tensor:
    """h₋₁ of every step: h [time, batch, H] moved on by one step, h_before [batch, H] in front."""
    return torch.cat((h_before[None], h[:-1]))
