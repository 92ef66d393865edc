"""The one list of the kinds of recurrent layers. Whoever needs to know what a kind is looks it up here."""

from __future__ import annotations

from rnnviz.engine.models.kinds.gru import GRU
from rnnviz.engine.models.kinds.gru_torch import TORCH_GRU
from rnnviz.engine.models.kinds.lstm import LSTM
from rnnviz.engine.models.kinds.rnn import RNN
from rnnviz.engine.models.layer_kind import LayerKind

Kind = str
"""The name of a kind: a key of `KINDS`."""

KINDS: dict[Kind, LayerKind] = {kind.name: kind for kind in (LSTM, GRU, TORCH_GRU, RNN)}
