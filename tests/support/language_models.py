"""Language models as people write them in PyTorch, in all the ways that they can be imported in."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn


class LanguageModel(nn.Module):
    """K symbols in, K logits out. Weights are large enough for gates to open and close."""

    def __init__(
        self,
        kind: Literal["lstm", "gru", "rnn"],
        symbols: int,
        hidden: int,
        layers: int = 1,
        *,
        embedding: int | None = None,
        tied: bool = False,
        projection: int | None = None,
        bias: bool = True,
        decoder_bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.symbols = symbols
        self.batch_first = batch_first
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(symbols, embedding) if embedding else None
        self.rnn = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[kind](
            embedding or symbols, hidden, layers, bias=bias, batch_first=batch_first, dropout=dropout
        )
        self.projection = nn.Linear(hidden, projection) if projection else None
        self.decoder = nn.Linear(projection or hidden, symbols, bias=decoder_bias)
        if tied:
            assert self.encoder is not None
            self.decoder.weight = self.encoder.weight
        generator = torch.Generator().manual_seed(symbols + hidden)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-1.5, 1.5, generator=generator)
        self.eval()

    def forward(self, symbols: Tensor) -> Tensor:
        """int64 [time, batch] -> logits [time, batch, K]."""
        if self.batch_first:
            symbols = symbols.T
        one_hot = nn.functional.one_hot(symbols, self.symbols).float()
        x = one_hot if self.encoder is None else self.drop(self.encoder(symbols))
        h, _ = self.rnn(x)
        h = self.drop(h)
        if self.projection is not None:
            h = self.projection(h)
        logits: Tensor = self.decoder(h)
        return logits.transpose(0, 1) if self.batch_first else logits
