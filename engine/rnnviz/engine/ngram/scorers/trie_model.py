"""N-gram models as scored by the trie of this package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.ngram.arpa import claims_too_much
from rnnviz.engine.ngram.kneser_ney import Estimate
from rnnviz.engine.ngram.scorers.arpa_reader import read_arpa
from rnnviz.engine.ngram.scorers.scorer import NATS, Logs, shares_of_unknown
from rnnviz.engine.ngram.scorers.trie import DamagedModel, Trie, trie_of_estimate
from rnnviz.engine.ngram.scorers.trie_kernels import ROOT, UNKNOWN
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.store.errors import InvalidModels

_AGAIN = "Train the models again: rnnviz ngram train TEXT --out DIR --force"


class TrieModel:
    """A `rnnviz.engine.ngram.scorers.scorer.NgramModel`."""

    def __init__(self, trie: Trie, vocabulary: Vocabulary) -> None:
        self.n = trie.order - 1
        self.vocabulary = vocabulary
        self.trie = trie
        known = trie.unigrams[:256] >= 0
        self.words = np.where(known, np.arange(256), UNKNOWN).astype(np.uint16)
        """uint16 [byte]: its word in the trie."""
        symbols = np.frombuffer(vocabulary.symbols, np.uint8)
        self._columns = self.words[symbols]
        self._share = shares_of_unknown(~known[symbols])
        self._shares = np.full(256, np.nan, np.float32)
        self._shares[symbols] = self._share

    @classmethod
    def load(cls, path: Path, n: int, vocabulary: Vocabulary) -> TrieModel:
        """Read an ARPA file. War and Peace at n = 20, a file of 2 GB with 30 M n-grams, takes 15 s and 0.53 GB of
        memory; KenLM takes 19 s and 0.72 GB.

        Raises InvalidModels for a file that is missing, damaged, or of another order than n + 1, and InvalidRequest
        where the model would take more memory than this process may have.
        """
        if not path.is_file():
            raise InvalidModels(f"{path} is missing", _AGAIN)
        if claims_too_much(path):
            raise InvalidModels(f"{path} is damaged: it announces more n-grams than it has room for", _AGAIN)
        try:
            trie = read_arpa(path)
        except OSError as error:
            raise InvalidModels(f"{path} cannot be read: {error.strerror or error}", _AGAIN) from error
        except DamagedModel as error:
            raise InvalidModels(f"{path} is damaged or no n-gram model: {error}", _AGAIN) from error
        if trie.order != n + 1:
            raise InvalidModels(
                f"{path} is of order {trie.order}, and n = {n} is order {n + 1}",
                _AGAIN,
            )
        return cls(trie, vocabulary)

    @classmethod
    def of(cls, estimate: Estimate, n: int, vocabulary: Vocabulary) -> TrieModel:
        """The model of an estimate in memory that looks back n symbols: no file is written."""
        return cls(trie_of_estimate(estimate, n + 1), vocabulary)

    def reader(self) -> TrieReader:
        """A reader of a new text."""
        return TrieReader(self)

    def distribution(self, context: bytes) -> Logs:
        """Natural log p of every symbol of the vocabulary after `context`: float32 [K]."""
        read = self.words[np.frombuffer(context[max(0, len(context) - self.n) :], np.uint8)]
        _, state = self.trie.score(ROOT, read)
        logs, _ = self.trie.distributions(state, read[:0], self._columns, self._share)
        logs *= np.float32(NATS)
        return logs.reshape(-1)

    def distributions(self, data: NDArray[np.uint8], piece: int = 4096) -> Iterator[Logs]:
        """Natural log p of every symbol after each byte, read from nothing: float32 [piece, K], piece by piece."""
        state = ROOT
        for start in range(0, len(data), piece):
            read = self.words[data[start : start + piece]]
            logs, state = self.trie.distributions(state, read, self._columns, self._share)
            logs *= np.float32(NATS)
            yield logs[1:]

    def shares(self, data: NDArray[np.uint8]) -> Logs:
        """log10 of what each byte has of the probability of its word: float32 [byte], NaN outside the vocabulary."""
        return self._shares.take(data)


class TrieReader:
    """A `rnnviz.engine.ngram.scorers.scorer.NgramReader`."""

    def __init__(self, model: TrieModel) -> None:
        self._model = model
        self._state = ROOT

    def surprisal(self, piece: NDArray[np.uint8]) -> Logs:
        """-log p in nats of each byte of the next piece, given all before it: float32 [byte].

        NaN for a byte that is not in the vocabulary.
        """
        logs, self._state = self._model.trie.score(self._state, self._model.words[piece])
        logs += self._model.shares(piece)
        logs *= np.float32(-NATS)
        return logs
