"""What an n-gram model expects of a text, and who computes it: KenLM, or the trie of this package.

A text is read from nothing: no `<s>` before it, no `</s>` after it. Probabilities are those of the model over its
symbols, `</s>` and `<unk>`. Bytes of the vocabulary that the train part does not have are `<unk>` to the model, and
share its probability. So a distribution over the vocabulary falls short of 1 by what the model gives to `</s>`, and
to `<unk>` where no byte is unknown: on a text of any length, next to nothing.

KenLM scores where it is installed and was built for models of the order, because what was published was scored by
it. Elsewhere the trie does, and gives the same values: KenLM adds in float32, the trie in float64, and on the test
part of War and Peace at n = 20 their mean surprisals agree to 1e-8 and each symbol's to 4e-6.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.ngram.scorers.kenlm_build import greatest_order
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary

NATS: Final = math.log(10)
"""The logarithms of ARPA files are to the base 10."""

ScorerName = Literal["kenlm", "own"]
SCORERS: tuple[ScorerName, ...] = get_args(ScorerName)

Logs = NDArray[np.float32]


class NgramReader(Protocol):
    """Goes through a text from nothing, a piece at a time."""

    def surprisal(self, piece: NDArray[np.uint8]) -> Logs:
        """-log p in nats of each byte of the next piece, given all before it: float32 [byte].

        NaN for a byte that is not in the vocabulary.
        """
        ...


class NgramModel(Protocol):
    """The model that looks back n symbols; the order of its n-grams is n + 1."""

    n: int
    vocabulary: Vocabulary

    def reader(self) -> NgramReader:
        """A reader of a new text."""
        ...

    def distribution(self, context: bytes) -> Logs:
        """Natural log p of every symbol of the vocabulary after `context`: float32 [K]."""
        ...

    def distributions(self, data: NDArray[np.uint8], piece: int = 4096) -> Iterator[Logs]:
        """Natural log p of every symbol after each byte, read from nothing: float32 [piece, K], piece by piece."""
        ...


def scorer_of(n: int) -> ScorerName:
    """Who scores with the model that looks back n symbols on this machine."""
    greatest = greatest_order()
    return "kenlm" if greatest is not None and n < greatest else "own"


def scorer_note(orders: Collection[int]) -> str | None:
    """A sentence to say before models that look back `orders` symbols are used; None where KenLM scores with all."""
    greatest = greatest_order()
    if greatest is None:
        return "KenLM is not installed: rnnviz scores the n-grams itself, with the same results"
    if max(orders) < greatest:
        return None
    return (
        f"KenLM was built for models up to n = {greatest - 1}: rnnviz scores those of larger n itself, with the same "
        "results"
    )


def open_model(path: Path, n: int, vocabulary: Vocabulary, scorer: ScorerName) -> NgramModel:
    """Load the model of an ARPA file, or for KenLM of one of its binaries.

    Raises InvalidModels when the file cannot be read or is of another order, and InvalidRequest when the trie would
    take more memory than this process may have.
    """
    if scorer == "kenlm":
        from rnnviz.engine.ngram.scorers.kenlm_model import KenlmModel

        return KenlmModel(path, n, vocabulary)
    from rnnviz.engine.ngram.scorers.trie_model import TrieModel

    return TrieModel.load(path, n, vocabulary)


def shares_of_unknown(unseen: NDArray[np.bool_]) -> Logs:
    """log10 of what each symbol has of the probability of its word: 0 for those that the model has seen, float32 [K].

    The others, where `unseen` is true, have one word, `<unk>`, and equal shares of it.
    """
    shares: Logs = (unseen * -np.log10(max(1, unseen.sum()))).astype(np.float32)
    return shares
