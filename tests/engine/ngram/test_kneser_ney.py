"""Estimation: against closed forms worked out by hand, by a slow second implementation, and by KenLM's lmplz."""

from __future__ import annotations

import math
import shutil
import subprocess
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnnviz.engine.ngram import kneser_ney
from rnnviz.engine.ngram import packed_counts as parts
from rnnviz.engine.ngram.counting import Sentence
from rnnviz.engine.ngram.kneser_ney import FALLBACK, LEAST_LOG10, discounts, estimate
from rnnviz.engine.ngram.memory_bounds import most_grams, refuse_too_large
from rnnviz.store.errors import InvalidRequest
from support.ngrams import Entries, estimated, read_arpa, words, written
from support.texts import words as text_of_words

BEGIN, END = "<s>", "</s>"

TEXTS = {
    "abracadabra": b"abracadabra",
    "one byte": b"a",
    "one byte repeated": b"a" * 40,
    "every byte, NUL first": bytes(range(256)) * 3 + b"\x00\xff\x00",
    "random": bytes(np.random.default_rng(3).integers(97, 100, 300).astype(np.uint8)),
    "words": text_of_words(5000),
}


def by_definition(data: bytes, order: int) -> dict[str, tuple[float, float]]:
    """The model straight from the definition, gram by gram, in plain Python. Falls back where it must."""
    sentence = [BEGIN, *(f"{byte:02x}" for byte in data), END]
    plain = [
        Counter(tuple(sentence[i : i + k]) for i in range(len(sentence) - k + 1)) for k in range(order + 1)
    ]
    seen = {word: rank for rank, word in enumerate(dict.fromkeys(sentence[1:-1]), 2)} | {BEGIN: 0, END: 1}

    def counts(k: int) -> dict[tuple[str, ...], int]:
        if k == order:
            return dict(plain[k])
        left: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
        for gram in plain[k + 1]:
            left[gram[1:]].add(gram[0])
        return {g: plain[k][g] if g[0] == BEGIN else len(left[g]) for g in plain[k] if g != (BEGIN,)}

    def for_discounts(k: int) -> list[int]:
        found = counts(k)
        last = max(found, key=lambda gram: [seen[word] for word in reversed(gram)])
        full = max(plain[order], key=lambda gram: [seen[word] for word in reversed(gram)])
        # lmplz counts the last gram of the sort, as an inner one, with its plain count.
        return [plain[k][g] if k < order and g == last and full[-k:] == g else c for g, c in found.items()]

    p: dict[tuple[str, ...], float] = {}
    gamma: dict[tuple[str, ...], float] = {}
    types = len(set(data)) + 2
    for k in range(1, order + 1):
        d = discounts(np.array(for_discounts(k), np.int32))
        found = counts(k)
        totals: Counter[tuple[str, ...]] = Counter()
        taken: Counter[tuple[str, ...]] = Counter()
        for gram, count in found.items():
            totals[gram[:-1]] += count
            taken[gram[:-1]] += d[min(count, 3)]  # type: ignore[assignment]
        for gram, count in found.items():
            below = p[gram[1:]] if k > 1 else 1 / types
            gamma[gram[:-1]] = taken[gram[:-1]] / totals[gram[:-1]]
            p[gram] = (count - d[min(count, 3)]) / totals[gram[:-1]] + gamma[gram[:-1]] * below
    p[(BEGIN,)] = 1.0
    entries = {
        " ".join(gram): (log10(value), log10(gamma.get(gram, 1.0)) if len(gram) < order else 0.0)
        for gram, value in p.items()
    }
    return entries | {"<unk>": (log10(gamma[()] / types), 0.0)}


def log10(value: float) -> float:
    """A discount of 0 makes a γ of 0, whose logarithm an ARPA file cannot hold: it gets the least there is."""
    return math.log10(value) if value > 0 else LEAST_LOG10


def assert_agree(found: Entries, expected: Entries, tolerance: float) -> None:
    assert found.keys() == expected.keys()
    for gram, (probability, backoff) in expected.items():
        assert found[gram][0] == pytest.approx(probability, abs=tolerance), gram
        assert found[gram][1] == pytest.approx(backoff, abs=tolerance), gram


def test_a_bigram_worked_out_by_hand(tmp_path: Path) -> None:
    """`<s> a b a </s>`, by hand, with the fall-back discounts (no bigram occurs twice).

    Unigrams count what precedes them: a 2 (<s>, b), b 1, </s> 1; A = 4, but the last of the sort, b, counts plain,
    which changes nothing. γ = (1 + 0.5 + 0.5) / 4 = 1/2, spread over a, b, </s> and <unk>: 1/8 each.
    p(a) = (2 - 1) / 4 + 1/8 = 3/8, p(b) = p(</s>) = 0.5 / 4 + 1/8 = 1/4.
    After a come b and </s>, once each: γ(a) = (0.5 + 0.5) / 2 = 1/2, p(b | a) = 0.5 / 2 + 1/2 · 1/4 = 3/8.
    """
    found = read_arpa(written(tmp_path / "m.arpa", b"aba", 2))
    expected = {
        "<unk>": (1 / 8, 1), "<s>": (1, 1 / 2), "</s>": (1 / 4, 1), "61": (3 / 8, 1 / 2), "62": (1 / 4, 1 / 2),
        "<s> 61": (0.5 + 0.5 * 3 / 8, 1), "61 62": (3 / 8, 1), "62 61": (0.5 + 0.5 * 3 / 8, 1),
        "61 </s>": (3 / 8, 1),
    }  # fmt: skip
    assert_agree(found, {g: (math.log10(p), math.log10(b)) for g, (p, b) in expected.items()}, 1e-6)


@pytest.mark.parametrize("order", [2, 3, 4, 6])
@pytest.mark.parametrize("name", TEXTS)
def test_every_entry_is_what_the_definition_says(tmp_path: Path, name: str, order: int) -> None:
    data = TEXTS[name] if len(TEXTS[name]) >= order else TEXTS[name] * order
    found = read_arpa(written(tmp_path / "m.arpa", data, order))
    assert_agree(found, by_definition(data, order), 1e-6)


@settings(max_examples=60, deadline=None)
@given(
    data=st.lists(st.sampled_from(list(b"ab\x00\n")), min_size=4, max_size=60).map(bytes),
    order=st.integers(2, 5),
)
@example(data=b"\x00ababbbb", order=2)  # a discount of 0
def test_any_text_agrees_with_the_definition(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, order: int
) -> None:
    found = read_arpa(written(tmp_path_factory.mktemp("any") / "m.arpa", data, order))
    assert_agree(found, by_definition(data, order), 1e-6)


@pytest.mark.skipif(shutil.which("lmplz") is None, reason="lmplz, KenLM's estimator, is not on the PATH")
@pytest.mark.parametrize("order", [2, 3, 6, 21])
@pytest.mark.parametrize("name", TEXTS)
def test_every_entry_is_lmplz_s(tmp_path: Path, name: str, order: int) -> None:
    data = TEXTS[name] if len(TEXTS[name]) >= order else TEXTS[name] * order
    (tmp_path / "words").write_text(words(data) + "\n")
    command = ["lmplz", "-o", str(order), "--discount_fallback", "-S", "200M", "-T", str(tmp_path)]
    command += ["--text", str(tmp_path / "words"), "--arpa", str(tmp_path / "peer.arpa")]
    subprocess.run(command, check=True, capture_output=True)
    found = read_arpa(written(tmp_path / "m.arpa", data, order))
    assert_agree(found, read_arpa(tmp_path / "peer.arpa"), 1e-4)


@settings(max_examples=60, deadline=None)
@given(
    data=st.lists(st.sampled_from(list(b"ab\x00\n")), min_size=4, max_size=60).map(bytes),
    order=st.integers(2, 5),
    part=st.integers(1, 70),
)
def test_counting_in_parts_is_sorting_the_whole(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, order: int, part: int
) -> None:
    path = tmp_path_factory.mktemp("any") / "m.arpa"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kneser_ney, "can_pack", lambda *_: False)
        whole = written(path, data, order).read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "PART", part)
        assert written(path, data, order).read_bytes() == whole


def test_grams_are_packed_while_they_fit_into_a_number(tmp_path: Path) -> None:
    """Of 87 symbols and three marks, 90⁹ < 2⁶³ < 90¹⁰; of 256, 259⁷ < 2⁶³ < 259⁸."""
    assert [parts.can_pack(87, depth) for depth in (9, 10)] == [True, False]
    assert [parts.can_pack(256, depth) for depth in (7, 8)] == [True, False]
    every = bytes(range(256)) * 3
    for order in (7, 8):
        assert_agree(read_arpa(written(tmp_path / "m.arpa", every, order)), by_definition(every, order), 1e-6)


def test_more_grams_than_memory_holds_are_refused() -> None:
    sentence = Sentence.of(np.frombuffer(TEXTS["words"], np.uint8))
    with pytest.raises(InvalidRequest, match="more than 10 different n-grams of order 3"):
        list(estimate(sentence, [3], 10))


def test_what_does_not_fit_into_the_machine_s_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", lambda _: 1 << 15)  # pages, and bytes in each: 1 GB
    refuse_too_large(80_000_000, 100, 6)
    assert 1_000_000 < most_grams(80_000_000, 6) < 5_000_000
    for symbols, depth in ((80_000_000, 21), (500_000_000, 6), (1 << 31, 2)):
        with pytest.raises(InvalidRequest, match=f"{symbols:,} symbols") as caught:
            refuse_too_large(symbols, 100, depth)
        assert "lmplz" in caught.value.hint


def test_models_estimated_together_are_those_estimated_alone() -> None:
    data = TEXTS["words"]
    together = estimated(data, 2, 3, 7)
    for order in (2, 3, 7):
        alone = estimated(data, order)
        for k in range(1, order + 1):
            np.testing.assert_array_equal(together.probabilities(k, order), alone.probabilities(k, order))
        for k in range(1, order):
            np.testing.assert_array_equal(together.backoffs(k, order), alone.backoffs(k, order))


def test_discounts_are_those_of_chen_and_goodman() -> None:
    """n₁…n₄ = 40, 20, 10, 5: Y = 40 / 80 = 1/2; D₁ = 1 - 2·Y·20/40, D₂ = 2 - 3·Y·10/20, D₃ = 3 - 4·Y·5/10."""
    counts = np.repeat([1, 2, 3, 4, 9], [40, 20, 10, 5, 3]).astype(np.int32)
    assert discounts(counts) == pytest.approx((0, 0.5, 1.25, 2))


@pytest.mark.parametrize("spread", [(0, 5, 5, 5), (5, 0, 5, 5), (5, 5, 0, 5), (1, 1, 9, 90)])
def test_discounts_fall_back_where_they_cannot_be_estimated(spread: tuple[int, ...]) -> None:
    assert discounts(np.repeat([1, 2, 3, 4], spread).astype(np.int32)) == FALLBACK
