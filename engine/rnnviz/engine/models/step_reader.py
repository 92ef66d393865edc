"""Reading step by step on a CPU, with every signal kept, in memory that is used again and again.

A fused kernel gives h alone, and its gates have to be computed a second time; a loop has every signal at hand, and
on a CPU costs no more than the kernel if it is written for it (LSTM on one core, microseconds per symbol):
                                        50 streams          3 streams           one stream
                                        1×64    3×241       1×64    3×241       1×64    3×241
    `nn.LSTM`, nothing kept             1.1     29          1.2     36          1.9     63
    these steps, every signal kept      0.44    26          0.47    26          0.82    48
    the same, not compiled              0.81    33          5.0     80          11      111
    `RecurrentModel.signals`            2.3     64                              6       105

One-hot input is a look-up. All of a step's products are one call, in place. The hyperbolic tangent is taken as
tanh(x) = 1 − 2σ(−2x), whose error is 1e-7 at most, with the −2 in the weights where it can be: PyTorch's tanh
takes 3 ns a value, its sigmoid 0.5. The equations themselves are those of `equations`; tests hold them together.
The steps of an LSTM are compiled: see `lstm_steps`.

Each thread has `Steps` of its own: see `readers`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any, Final, Self

import torch
from torch import Tensor

from rnnviz.engine.models.equations import Weights
from rnnviz.engine.models.recurrent import MOST_ONE_HOT, Kind, PaperGRU, RecurrentModel, State, layer_weights

SHAPES: Final = 4
"""Windows of different shapes whose memory is kept cut to size. A text ends with a window or two of its own."""


class Steps:
    """Reads windows with one model, whose weights are taken as they are now."""

    def __init__(self, model: RecurrentModel, *, compiled: bool = True) -> None:
        """`compiled` steps are for the CPU and LSTMs alone. They load Numba (see `rnnviz.store.compiled`)."""
        self._model = model
        compiled = compiled and model.kind == "lstm" and model.decoder.weight.device.type == "cpu"
        layer = _CompiledLstm if compiled else LAYERS[model.kind]
        self._layers = [layer(layer_weights(model.rnn, index), index == 0) for index in range(model.layers)]

    @property
    def quick_alone(self) -> bool:
        """Whether a symbol of a stream that is read alone costs hardly more than one among many."""
        return isinstance(self._layers[0], _CompiledLstm)

    def twin(self) -> Steps:
        """Another reader with the same weights, for another thread."""
        other = copy(self)
        other._layers = [layer.twin() for layer in self._layers]
        return other

    @torch.inference_mode()
    def signals(self, symbols: Tensor, state: State) -> tuple[list[dict[str, Tensor]], Tensor, State]:
        """What `RecurrentModel.signals` returns; the signals are overwritten by the next call."""
        layers, after = self.layers(symbols, state)
        logits: Tensor = self._model.decoder(layers[-1]["h"])
        return layers, logits, after

    @torch.inference_mode()
    def layers(self, symbols: Tensor, state: State) -> tuple[list[dict[str, Tensor]], State]:
        """The same without the logits."""
        found = []
        after = []
        x = symbols
        for index, layer in enumerate(self._layers):
            signals = layer.read(x, tuple(part[index] for part in state))
            x = signals["h"]
            found.append(signals)
            after.append(tuple(signals[name][-1] for name in layer.state))
        return found, tuple(torch.stack(parts) for parts in zip(*after, strict=True))

    @torch.inference_mode()
    def state_after(self, symbols: Tensor, state: State) -> State:
        """The state after reading, and nothing else: symbols int64 [time, batch].

        By the fused kernel where there is one and the steps are not compiled.
        """
        if self.quick_alone or isinstance(self._model.rnn, PaperGRU) or self._model.symbols > MOST_ONE_HOT:
            return self.layers(symbols, state)[1]
        after: State = self._model(symbols, state)[1]
        return after


class _Layer(ABC):
    """One layer's weights, ready for steps, and its memory."""

    state: tuple[str, ...] = ("h",)
    """The signals that make up the state."""
    gates: int
    """Rows of weights per unit."""

    def __init__(self, weights: Weights, first: bool) -> None:
        self.hidden = weights.recurrent.shape[1]
        self._first = first
        self._forget()

    def twin(self) -> Self:
        """The same weights with memory of its own."""
        other = copy(self)
        other._forget()
        return other

    def _forget(self) -> None:
        self._memory = torch.empty(0)
        self._cut: dict[tuple[int, int], tuple[dict[str, Tensor], Any]] = {}

    def _take(self, weights: Tensor, bias: Tensor) -> None:
        """Remember the input weights [G·H, I] and their bias [G·H]."""
        self._input = weights.T.contiguous()
        self._bias = bias
        if self._first:
            self._input += bias

    def read(self, x: Tensor, before: State) -> dict[str, Tensor]:
        """Every signal [time, batch, H] of x: int64 [time, batch] in the first layer, else [time, batch, I].
        `before` is the state, each [batch, H]."""
        steps, batch = x.shape[:2]
        memory, views = self._views(steps, batch)
        sums = memory["sums"].view(steps * batch, -1)
        if self._first:
            torch.index_select(self._input, 0, x.reshape(-1), out=sums)
        else:
            torch.addmm(self._bias, x.reshape(steps * batch, -1), self._input, out=sums)
        for name, part in zip(self.state, before, strict=True):
            memory[name][0] = part
        self.step(views)
        return self.signals(memory)

    def _views(self, steps: int, batch: int) -> tuple[dict[str, Tensor], Any]:
        """The memory for a window, and what `step` wants of it."""
        key = steps, batch
        if key not in self._cut:
            H, states = self.hidden, len(self.state)
            need = batch * H * (steps * self.gates + (steps + 1) * states)
            if need > len(self._memory) or len(self._cut) >= SHAPES:
                self._cut.clear()
            if need > len(self._memory):
                self._memory = torch.empty(need, device=self._input.device)
            sums = self._memory[: steps * batch * self.gates * H].view(steps, batch, self.gates * H)
            memory = {"sums": sums}
            begin = sums.numel()
            for name in self.state:
                part = self._memory[begin : begin + (steps + 1) * batch * H]
                memory[name] = part.view(steps + 1, batch, H)
                begin += part.numel()
            self._cut[key] = memory, self.views(memory)
        return self._cut[key]

    def rows(self, sums: Tensor, *gates: int) -> Iterator[Tensor]:
        """The columns of some gates of `sums` [time, batch, G·H]."""
        return (sums[..., gate * self.hidden : (gate + 1) * self.hidden] for gate in gates)

    def views(self, memory: dict[str, Tensor]) -> Any:
        """What `step` gets: of each step what it touches."""
        return list(zip(*(part.unbind() for part in self.touched(memory)), strict=True))

    @abstractmethod
    def touched(self, memory: dict[str, Tensor]) -> Sequence[Tensor]:
        """Tensors whose first axis is time: a step gets its place of each."""

    @abstractmethod
    def step(self, views: Sequence[tuple[Tensor, ...]]) -> None:
        """Go through the steps."""

    @abstractmethod
    def signals(self, memory: dict[str, Tensor]) -> dict[str, Tensor]:
        """The signals of the window, once all steps are done."""


class _Lstm(_Layer):
    """Columns of `sums`: i, f, o, and σ(−2x) of g's argument x, until it is g itself at the end."""

    state = ("h", "c")
    gates = 4

    def __init__(self, weights: Weights, first: bool) -> None:
        super().__init__(weights, first)
        H = self.hidden
        order = torch.cat([torch.arange(2 * H), torch.arange(3 * H, 4 * H), torch.arange(2 * H, 3 * H)])
        scale = weights.input.new_ones(4 * H, 1)
        scale[3 * H :] = -2
        bias = weights.input_bias + weights.recurrent_bias
        self._take(weights.input[order] * scale, bias[order] * scale[:, 0])
        self._recurrent = (weights.recurrent[order] * scale).T.contiguous()

    def touched(self, memory: dict[str, Tensor]) -> Sequence[Tensor]:
        sums, h, c = memory["sums"], memory["h"], memory["c"]
        return sums, *self.rows(sums, 0, 1, 2, 3), c[:-1], c[1:], h[:-1], h[1:]

    def step(self, views: Sequence[tuple[Tensor, ...]]) -> None:
        recurrent = self._recurrent
        for sums, i, f, o, g, c_before, c, h_before, h in views:
            sums.addmm_(h_before, recurrent).sigmoid_()
            torch.mul(f, c_before, out=c).add_(i).addcmul_(i, g, value=-2)
            torch.mul(c, -2, out=h).sigmoid_().mul_(o)
            torch.sub(o, h, alpha=2, out=h)

    def signals(self, memory: dict[str, Tensor]) -> dict[str, Tensor]:
        i, f, o, g = self.rows(memory["sums"], 0, 1, 2, 3)
        g.mul_(-2).add_(1)
        return {"c": memory["c"][1:], "h": memory["h"][1:], "i": i, "f": f, "o": o, "g": g}


class _CompiledLstm(_Lstm):
    """The same, compiled; g is itself after its step."""

    def __init__(self, weights: Weights, first: bool) -> None:
        from rnnviz.engine.models import lstm_kernel as lstm_steps
        from rnnviz.engine.models import matrix_kernel as products

        super().__init__(weights, first)
        self._window = lstm_steps.window
        self._panels = products.panels(self._recurrent.detach().numpy())

    def views(self, memory: dict[str, Tensor]) -> Any:
        return tuple(memory[name].numpy() for name in ("sums", "c", "h"))

    def step(self, views: Any) -> None:
        sums, c, h = views
        self._window(sums, self._panels, c, h)

    def signals(self, memory: dict[str, Tensor]) -> dict[str, Tensor]:
        i, f, o, g = self.rows(memory["sums"], 0, 1, 2, 3)
        return {"c": memory["c"][1:], "h": memory["h"][1:], "i": i, "f": f, "o": o, "g": g}


class _PaperGru(_Layer):
    """Columns of `sums`: r, z, and n."""

    gates = 3

    def __init__(self, weights: Weights, first: bool) -> None:
        super().__init__(weights, first)
        H = self.hidden
        self._take(weights.input, weights.input_bias + weights.recurrent_bias)
        self._recurrent = weights.recurrent[: 2 * H].T.contiguous()
        self._candidate = weights.recurrent[2 * H :].T.contiguous()

    def touched(self, memory: dict[str, Tensor]) -> Sequence[Tensor]:
        sums, h = memory["sums"], memory["h"]
        return sums[..., : 2 * self.hidden], *self.rows(sums, 0, 1, 2), h[:-1], h[1:]

    def step(self, views: Sequence[tuple[Tensor, ...]]) -> None:
        for gates, r, z, n, h_before, h in views:
            gates.addmm_(h_before, self._recurrent).sigmoid_()
            torch.mul(r, h_before, out=h)
            n.addmm_(h, self._candidate).mul_(-2).sigmoid_().mul_(-2).add_(1)
            torch.lerp(h_before, n, z, out=h)

    def signals(self, memory: dict[str, Tensor]) -> dict[str, Tensor]:
        r, z, n = self.rows(memory["sums"], 0, 1, 2)
        return {"h": memory["h"][1:], "r": r, "z": z, "n": n}


class _TorchGru(_Layer):
    """Columns of `sums`: r, z, and n."""

    gates = 3

    def __init__(self, weights: Weights, first: bool) -> None:
        super().__init__(weights, first)
        self._take(weights.input, weights.input_bias)
        self._recurrent = weights.recurrent.T.contiguous()
        self._recurrent_bias = weights.recurrent_bias

    def touched(self, memory: dict[str, Tensor]) -> Sequence[Tensor]:
        sums, h = memory["sums"], memory["h"]
        return sums[..., : 2 * self.hidden], *self.rows(sums, 0, 1, 2), h[:-1], h[1:]

    def step(self, views: Sequence[tuple[Tensor, ...]]) -> None:
        H = self.hidden
        for gates, r, z, n, h_before, h in views:
            product = torch.addmm(self._recurrent_bias, h_before, self._recurrent)
            gates.add_(product[:, : 2 * H]).sigmoid_()
            n.addcmul_(r, product[:, 2 * H :]).mul_(-2).sigmoid_().mul_(-2).add_(1)
            torch.lerp(n, h_before, z, out=h)

    def signals(self, memory: dict[str, Tensor]) -> dict[str, Tensor]:
        r, z, n = self.rows(memory["sums"], 0, 1, 2)
        return {"h": memory["h"][1:], "r": r, "z": z, "n": n}


class _Rnn(_Layer):
    """`sums` has −2 times the argument of the tanh, then its sigmoid."""

    gates = 1

    def __init__(self, weights: Weights, first: bool) -> None:
        super().__init__(weights, first)
        self._take(-2 * weights.input, -2 * (weights.input_bias + weights.recurrent_bias))
        self._recurrent = -2 * weights.recurrent.T

    def touched(self, memory: dict[str, Tensor]) -> Sequence[Tensor]:
        return memory["sums"], memory["h"][:-1], memory["h"][1:]

    def step(self, views: Sequence[tuple[Tensor, ...]]) -> None:
        for sums, h_before, h in views:
            torch.mul(sums.addmm_(h_before, self._recurrent).sigmoid_(), -2, out=h).add_(1)

    def signals(self, memory: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"h": memory["h"][1:]}


LAYERS: Final[dict[Kind, type[_Layer]]] = {
    "lstm": _Lstm,
    "gru": _PaperGru,
    "gru-torch": _TorchGru,
    "rnn": _Rnn,
}
