"""N-gram models as scored by KenLM: every probability is its, and nothing is scored here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.ngram.arpa import WORDS, claims_too_much, render
from rnnviz.engine.ngram.scorers.scorer import NATS, Logs, shares_of_unknown
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.store.errors import InvalidModels

CACHED_DEPTH: Final = 4
"""Symbols of context whose distributions are kept: few enough to recur, enough to rule out most symbols."""
MOST_CACHED: Final = 1 << 17
"""Contexts that are kept at most, 134 MB of them with 256 symbols."""


class KenlmModel:
    """A `rnnviz.engine.ngram.scorers.scorer.NgramModel`."""

    def __init__(self, path: Path, n: int, vocabulary: Vocabulary) -> None:
        """Load an ARPA file or a KenLM binary. KenLM is installed and was built for models of order n + 1.

        Raises InvalidModels when the file cannot be read or is of another order.
        """
        import kenlm

        config = kenlm.Config()
        config.show_progress = False
        config.arpa_complain = kenlm.ARPALoadComplain.NONE
        again = "Train the models again: rnnviz ngram train TEXT --out DIR --force"
        if not path.is_file():
            raise InvalidModels(f"{path} is missing", again)
        if claims_too_much(path):
            raise InvalidModels(f"{path} is damaged: it announces more n-grams than it has room for", again)
        try:
            self.kenlm: Any = kenlm.Model(str(path), config)
        except (OSError, ValueError) as error:
            raise InvalidModels(
                f"KenLM cannot read {path}: it is damaged or no n-gram model", again
            ) from error
        if self.kenlm.order != n + 1:
            raise InvalidModels(
                f"{path} is of order {self.kenlm.order}, and n = {n} is order {n + 1}",
                again,
            )
        self.n = n
        self.vocabulary = vocabulary
        self.words = tuple(WORDS[byte] for byte in vocabulary.symbols)
        """How the model writes each symbol of the vocabulary."""
        unseen = np.array([word not in self.kenlm for word in self.words])
        self.share: Logs = shares_of_unknown(unseen)
        """log10 of what each symbol has of the probability of its word: float32 [K], 0 for those it knows."""

    def state(self, context: bytes = b"") -> Any:
        """KenLM's state after reading `context` from nothing."""
        import kenlm

        state, after = kenlm.State(), kenlm.State()
        self.kenlm.NullContextWrite(state)
        for byte in context:
            self.kenlm.BaseScore(state, WORDS[byte], after)
            state, after = after, state
        return state

    def reader(self) -> KenlmReader:
        """A reader of a new text."""
        return KenlmReader(self)

    def distribution(self, context: bytes) -> Logs:
        """Natural log p of every symbol of the vocabulary after `context`: float32 [K]."""
        score, state, after = self.kenlm.BaseScore, self.state(context[-self.n :]), self.state()
        logs = np.array([score(state, word, after) for word in self.words], np.float32)
        return (logs + self.share) * np.float32(NATS)

    def distributions(self, data: NDArray[np.uint8], piece: int = 4096) -> Iterator[Logs]:
        """Natural log p of every symbol after each byte, read from nothing: float32 [piece, K], piece by piece."""
        return _Distributions(self).along(data, piece)


class KenlmReader:
    """A `rnnviz.engine.ngram.scorers.scorer.NgramReader`.

    KenLM's `full_scores` takes a whole sentence and no state, so the last n symbols are read again with each piece:
    nothing that comes depends on more of them. In pieces of some thousand symbols that is 1.2 (n = 20) to 1.6 times
    (n = 5) as fast as `BaseScore` and a state, and 1.05 to 1.15 times as fast as a loop over `full_scores`.
    """

    def __init__(self, model: KenlmModel) -> None:
        self._model = model
        self._before = np.empty(0, np.uint8)
        self._shares = np.full(256, np.nan, np.float32)
        self._shares[np.frombuffer(model.vocabulary.symbols, np.uint8)] = model.share

    def surprisal(self, piece: NDArray[np.uint8]) -> Logs:
        """-log p in nats of each byte of the next piece, given all before it: float32 [byte].

        NaN for a byte that is not in the vocabulary.
        """
        data = np.concatenate([self._before, piece])
        sentence = render(data).tobytes().decode("ascii")
        scores = self._model.kenlm.full_scores(sentence, bos=False, eos=False)
        logs = np.fromiter(map(itemgetter(0), scores), np.float32, len(data))[len(self._before) :]
        self._before = data[-self._model.n :]
        return (logs + self._shares[piece]) * np.float32(-NATS)


@dataclass(frozen=True)
class _Known:
    """What is kept of a short context."""

    logs: Logs
    """log10 p of every symbol after it: float32 [K]."""
    candidates: tuple[int, ...]
    """The symbols that the model has seen after it, and so may have seen after longer contexts that end in it."""
    other: tuple[str, float] | None
    """The word of a symbol that is none of them, and its log10 p."""


class _Distributions:
    """The full distributions of a model along a text.

    After a long context, the probability of a symbol never seen there is that after a shorter context times a
    factor, the product of the back-offs, that is one for all such symbols. So the distribution after the last
    CACHED_DEPTH symbols is kept, and of a longer context KenLM is asked only for the symbols that were seen after
    the short one, and for one that was not, which gives the factor.
    """

    def __init__(self, model: KenlmModel) -> None:
        self._model = model
        self._depth = min(model.n, CACHED_DEPTH)
        self._known: dict[bytes, _Known] = {}

    def along(self, data: NDArray[np.uint8], piece: int) -> Iterator[Logs]:
        """Natural log p of every symbol after each byte, read from nothing: float32 [piece, K], piece by piece."""
        text = data.tobytes()
        score = self._model.kenlm.BaseScore
        words = self._model.words
        state, after, spare = (self._model.state() for _ in range(3))
        for start in range(0, len(text), piece):
            stop = min(start + piece, len(text))
            knowns: list[_Known] = []
            factors = np.zeros(stop - start, np.float32)
            rows: list[int] = []
            columns: list[int] = []
            logs: list[float] = []
            for position in range(start, stop):
                score(state, WORDS[text[position]], after)
                state, after = after, state
                known = self._look_up(text[max(0, position + 1 - self._depth) : position + 1])
                knowns.append(known)
                if not known.candidates or position < self._depth:
                    continue
                columns += known.candidates
                rows += [position - start] * len(known.candidates)
                logs += [score(state, words[symbol], spare) for symbol in known.candidates]
                if known.other is not None:
                    word, log = known.other
                    factors[position - start] = score(state, word, spare) - log
            result = np.stack([known.logs for known in knowns])
            result += factors[:, None]
            result[rows, columns] = logs
            result *= np.float32(NATS)
            yield result

    def _look_up(self, context: bytes) -> _Known:
        known = self._known.get(context)
        if known is None:
            if len(self._known) >= MOST_CACHED:
                self._known.clear()
            known = self._known[context] = self._ask(context)
        return known

    def _ask(self, context: bytes) -> _Known:
        """Ask KenLM only for what the context without its first symbol leaves open."""
        state, spare = self._model.state(context), self._model.state()
        words = self._model.words
        if len(context) > 1:
            shorter = self._look_up(context[1:])
            logs, asked, other = shorter.logs.copy(), shorter.candidates, shorter.other
        else:
            logs, asked, other = self._model.share.copy(), tuple(range(len(words))), None
        if other is not None:
            word, log = other
            there = self._model.kenlm.BaseScore(state, word, spare)
            logs += np.float32(there - log)
            other = word, there
        candidates = []
        for symbol in asked:
            score = self._model.kenlm.BaseFullScore(state, words[symbol], spare)
            logs[symbol] = score.log_prob + self._model.share[symbol]
            if score.ngram_length > len(context):
                candidates.append(symbol)
            else:
                other = words[symbol], score.log_prob
        if len(context) == self._model.n:
            return _Known(logs, (), None)
        return _Known(logs, tuple(candidates), other)
