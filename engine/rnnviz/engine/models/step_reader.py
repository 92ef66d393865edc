"""Reading step by step on a CPU, with every signal kept, in memory that is used again and again.

A fused kernel gives h alone, and its gates have to be computed a second time; a loop has every signal at hand, and
on a CPU costs no more than the kernel if it is written for it (LSTM on one core, microseconds per symbol):
                                        50 streams          3 streams           one stream
                                        1×64    3×241       1×64    3×241       1×64    3×241
    `nn.LSTM`, nothing kept             1.1     29          1.2     36          1.9     63
    these steps, every signal kept      0.44    26          0.47    26          0.82    48
    the same, not compiled              0.81    33          5.0     80          11      111
    `RecurrentModel.signals`            2.3     64                              6       105

The steps are those of each kind of layer, see `kinds` and `layer_steps`; those of an LSTM are compiled, see
`lstm_kernel`. Each thread has `Steps` of its own: see `parallel_readers`.
"""

from __future__ import annotations

from copy import copy

import torch
from torch import Tensor

from rnnviz.engine.models.layer_weights import State, layer_weights
from rnnviz.engine.models.recurrent import MOST_ONE_HOT, RecurrentModel


class Steps:
    """Reads windows with one model, whose weights are taken as they are now."""

    def __init__(self, model: RecurrentModel, *, compiled: bool = True) -> None:
        """`compiled` steps are for the CPU and for kinds that have them. They load Numba (see
        `rnnviz.store.compiled`)."""
        self._model = model
        compiled = compiled and model.decoder.weight.device.type == "cpu"
        self._layers = [
            model.layer_kind.layer_steps(layer_weights(model.rnn, index), index == 0, compiled=compiled)
            for index in range(model.layers)
        ]

    @property
    def quick_alone(self) -> bool:
        """Whether a symbol of a stream that is read alone costs hardly more than one among many."""
        return self._layers[0].quick_alone

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
            after.append(self._model.layer_kind.last(signals))
        return found, tuple(torch.stack(parts) for parts in zip(*after, strict=True))

    @torch.inference_mode()
    def state_after(self, symbols: Tensor, state: State) -> State:
        """The state after reading, and nothing else: symbols int64 [time, batch].

        By the fused kernel where there is one and the steps are not compiled.
        """
        fused = self._model.layer_kind.module is not None
        if self.quick_alone or not fused or self._model.symbols > MOST_ONE_HOT:
            return self.layers(symbols, state)[1]
        after: State = self._model(symbols, state)[1]
        return after
