"""The paper's n-NN: one tanh layer over the last n symbols, and a softmax over the next one (section 4.2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rnnviz.engine.models.layer_weights import State
from rnnviz.engine.models.recurrent import RecurrentModel, take_memory


class WindowNetwork(nn.Module):
    """h = tanh(Σⱼ Wⱼ xₜ₋ⱼ + b) over j = 0 … n - 1, one-hot x by look-up; then a softmax over K symbols.

    `weight` is [n, K, hidden], `bias` [hidden], the decoder as a recurrent model's. Before the first symbol of a
    stream there is nothing, which adds nothing. The state is what is still to be looked back on: the numbers of the
    last n - 1 symbols, from 1, and 0 where there was none, as float32 [n - 1, batch] like any other model's state.
    """

    def __init__(self, symbols: int, hidden: int, n: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.symbols = symbols
        self.hidden = hidden
        self.n = n
        self.dropout = dropout
        self.weight = nn.Parameter(torch.empty(n, symbols, hidden))
        self.bias = nn.Parameter(torch.empty(hidden))
        self.decoder = nn.Linear(hidden, symbols)

    def zero_state(self, batch: int) -> State:
        """Nothing was read: zeros [n - 1, batch]."""
        return (self.bias.new_zeros(self.n - 1, batch),)

    def forward(self, symbols: Tensor, state: State) -> tuple[Tensor, State]:
        """symbols int64 [time, batch] -> logits [time, batch, K], the state after."""
        (before,) = state
        read = torch.cat((before.long(), symbols + 1))  # [n - 1 + time, batch]
        time = len(symbols)
        # Row 0 of every table is what nothing adds: zeros that no gradient reaches.
        tables = F.pad(self.weight, (0, 0, 1, 0))  # [n, 1 + K, hidden]
        rows = [
            read[self.n - 1 - back : self.n - 1 - back + time] + back * (self.symbols + 1)
            for back in range(self.n)
        ]
        indices = torch.stack(rows, dim=-1).flatten(0, 1)  # [time · batch, n]
        sums = F.embedding_bag(indices, tables.flatten(0, 1), mode="sum")
        h = torch.tanh(sums + self.bias).view(*symbols.shape, self.hidden)
        logits: Tensor = self.decoder(F.dropout(h, self.dropout, self.training))
        return logits, (read[time:].to(before.dtype),)


Predictor = RecurrentModel | WindowNetwork
"""What can be trained: reads symbols from a state, gives logits of the next ones and the state after."""


def build_window(symbols: int, hidden: int, n: int, dropout: float = 0.0) -> WindowNetwork:
    """A network whose parameters hold no values yet. Draws nothing from PyTorch's random generator."""
    with torch.device("meta"):
        model = WindowNetwork(symbols, hidden, n, dropout)
    take_memory(model)
    return model


def window_shapes(symbols: int, hidden: int, n: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every parameter, without building a network."""
    return {
        "weight": (n, symbols, hidden),
        "bias": (hidden,),
        "decoder.weight": (symbols, hidden),
        "decoder.bias": (symbols,),
    }
