"""Our scorer: against the definition of a back-off model in plain Python, and against KenLM where it is installed."""

from __future__ import annotations

import gzip
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rnnviz.engine.ngram.scorers import arpa_reader
from rnnviz.engine.ngram.scorers.kenlm_build import greatest_order
from rnnviz.engine.ngram.scorers.scorer import NATS, NgramModel, open_model
from rnnviz.engine.ngram.scorers.trie_model import TrieModel
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.store.errors import InvalidModels, InvalidRequest
from support.ngrams import Entries, estimated, read_arpa, written

WITHOUT_KENLM = "KenLM is not installed (it does not compile on Python 3.13)"
ALPHABET = b"ab\x00\n"
READ = st.lists(st.sampled_from(b"ab\x00\nz\xff"), min_size=1, max_size=40).map(bytes)
"""Two symbols of it are never seen in training."""
KNOWN = Vocabulary(bytes(sorted(b"ab\x00\nz\xff")))


def texts(shortest: int) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(ALPHABET), min_size=shortest, max_size=80).map(bytes)


def word_of(byte: int, entries: Entries) -> str:
    word = f"{byte:02x}"
    return word if word in entries else "<unk>"


def log_by_definition(entries: Entries, context: Sequence[str], word: str) -> float:
    """log10 p: that of the longest n-gram there is, and the back-offs of the contexts that were given up."""
    gram = " ".join([*context, word])
    if gram in entries:
        return entries[gram][0]
    return entries.get(" ".join(context), (0.0, 0.0))[1] + log_by_definition(entries, context[1:], word)


def surprisals_by_definition(path: Path, order: int, data: bytes) -> NDArray[np.float64]:
    entries = {"<unk>": (-100.0, 0.0)} | read_arpa(path)
    words = [word_of(byte, entries) for byte in data]
    logs = [log_by_definition(entries, words[max(0, t - order + 1) : t], words[t]) for t in range(len(words))]
    unseen = max(1, sum(word_of(byte, entries) == "<unk>" for byte in KNOWN.symbols))
    shares = [math.log10(unseen) if word == "<unk>" else 0.0 for word in words]
    found: NDArray[np.float64] = (np.array(shares) - np.array(logs)) * NATS
    return found


def as_bytes(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8)


def assert_scores(path: Path, order: int, data: bytes) -> None:
    """Our scorer gives what the definition does, and KenLM, where it is there and reads models of the order."""
    model = TrieModel.load(path, order - 1, KNOWN)
    found = model.reader().surprisal(as_bytes(data))
    np.testing.assert_allclose(found, surprisals_by_definition(path, order, data), rtol=2e-6, atol=1e-5)
    along = np.concatenate(list(model.distributions(as_bytes(data), piece=7)))
    symbols = KNOWN.encode(as_bytes(data))
    np.testing.assert_allclose(-along[np.arange(len(data) - 1), symbols[1:]], found[1:], rtol=1e-6, atol=1e-6)
    alone = [model.distribution(data[: t + 1]) for t in range(len(data))]
    np.testing.assert_allclose(along, alone, rtol=1e-6, atol=1e-6)
    if (greatest_order() or 0) >= max(2, order):
        peer: NgramModel = open_model(path, order - 1, KNOWN, "kenlm")
        np.testing.assert_allclose(found, peer.reader().surprisal(as_bytes(data)), rtol=2e-6, atol=1e-5)
        theirs = [peer.distribution(data[: t + 1]) for t in range(len(data))]
        np.testing.assert_allclose(along, theirs, rtol=2e-6, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(data=texts(21), order=st.sampled_from([2, 3, 4, 5, 21]), read=READ)
def test_any_text_is_scored_as_the_definition_and_kenlm_do(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, order: int, read: bytes
) -> None:
    path = written(tmp_path_factory.mktemp("any") / "m.arpa", data, order)
    assert_scores(path, order, read + data[:20] + read)


@settings(max_examples=60, deadline=None)
@given(
    data=texts(6),
    order=st.integers(3, 6),
    share=st.sampled_from([0.5, 0.9]),
    seed=st.integers(0, 99),
    read=READ,
)
def test_so_is_a_pruned_model_whose_n_grams_lack_their_suffixes(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, order: int, share: float, seed: int, read: bytes
) -> None:
    path = written(tmp_path_factory.mktemp("pruned") / "m.arpa", data, order)
    prune(path, share, seed)
    try:
        assert_scores(path, order, read + data + read)
    except InvalidModels as error:
        # KenLM keeps room for few n-grams that lack their suffix, and says so.
        if "probing_multiplier" not in str(error.__cause__):
            raise


def test_kenlm_reads_a_model_that_is_pruned_a_little(tmp_path: Path) -> None:
    """So that the test above compares with it."""
    pytest.importorskip("kenlm", reason=WITHOUT_KENLM)
    data = bytes(np.random.default_rng(3).choice(list(ALPHABET), 800).astype(np.uint8))
    path = written(tmp_path / "m.arpa", data, 5)
    assert prune(path, 0.95, 1) > 50
    assert_scores(path, 5, data[:200] + b"z" + data[300:400])


def prune(path: Path, share: float, seed: int) -> int:
    """Keep about a share of the n-grams, and how many have lost their suffix by it. An n-gram needs its context, that
    is all its words but the last; all but the first may be gone. One of the highest order stays, or it would be lower.
    """
    entries, random = read_arpa(path), np.random.default_rng(seed)
    order = max(gram.count(" ") for gram in entries) + 1
    kept = set(prefixes(max(entries, key=lambda gram: gram.count(" "))))
    for gram in sorted(entries, key=lambda gram: gram.count(" ")):
        context = gram.rpartition(" ")[0]
        if not context or (context in kept and random.random() < share):
            kept.add(gram)
    grams = [gram for gram in entries if gram in kept]
    path.write_text(
        arpa([[line(gram, *entries[gram]) for gram in grams if gram.count(" ") == k] for k in range(order)])
    )
    return sum(gram.partition(" ")[2] not in kept for gram in grams if " " in gram)


def prefixes(gram: str) -> list[str]:
    words = gram.split(" ")
    return [" ".join(words[:count]) for count in range(1, len(words) + 1)]


def line(gram: str, log: float, backoff: float) -> str:
    """A toolkit may leave out a back-off of nothing."""
    return f"{log:.7g}\t{gram}" + (f"\t{backoff:.7g}" if backoff else "")


def arpa(sections: Sequence[Sequence[str]]) -> str:
    lines = ["\\data\\", *(f"ngram {order}={len(found)}" for order, found in enumerate(sections, 1))]
    for order, found in enumerate(sections, 1):
        lines += ["", f"\\{order}-grams:", *found]
    return "\n".join([*lines, "", "\\end\\", ""])


UNIGRAMS = ("-0.5\t61\t-0.25", "-0.75\t62\t-0.5", "-1\t<s>\t-0.125", "-1.5\t</s>", "-2\t<unk>")
BIGRAMS = ("-0.25\t61 62", "-0.125\t62 61", "-0.5\t<s> 61")
PLAIN = arpa([UNIGRAMS, BIGRAMS])
AB = Vocabulary(b"abc")


@pytest.mark.parametrize(
    "other",
    [
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\t", "  "),
        PLAIN.replace("-0.75\t", "-7.5e-01\t").replace("-2\t", "-.2E+1\t").replace("-1\t", "-1.\t"),
        PLAIN.replace("<unk>", "<UNK>"),
        PLAIN.removesuffix("\n"),
        "made by a toolkit that says so\n\n" + PLAIN,
        PLAIN.replace("ngram 1=5", "ngram 1 = 5 "),
        PLAIN.replace("-0.25\t61 62", "-0.25000000000000000000000000000000\t61 62"),
        arpa([tuple(reversed(UNIGRAMS)), tuple(reversed(BIGRAMS))]),
        arpa([(*UNIGRAMS, "-3\tword\t-1"), (*BIGRAMS, "-0.1\t61 word", "-0.2\tword 61", "-0.1\tword zz")]),
    ],
)
def test_files_of_other_toolkits_are_read(tmp_path: Path, other: str) -> None:
    """p(b | a) and p(a | b) are there; p(a | a) = p(a) γ(a), p(c | b) = p(<unk>) γ(b), and <unk> has no back-off."""
    path = tmp_path / "m.arpa"
    for text in (PLAIN, other):
        path.write_text(text, newline="")
        model = TrieModel.load(path, 1, AB)
        read = model.reader().surprisal(as_bytes(b"abaabca"))
        np.testing.assert_allclose(-read / NATS, [-0.5, -0.25, -0.125, -0.75, -0.25, -2.5, -0.5], rtol=1e-6)


def test_a_model_without_unk_gives_next_to_nothing_to_what_it_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "m.arpa"
    path.write_text(arpa([UNIGRAMS[:-1], BIGRAMS]))
    logs = TrieModel.load(path, 1, AB).reader().surprisal(as_bytes(b"cac")) / -NATS
    np.testing.assert_allclose(logs, [-100, -0.5, -100.25], rtol=1e-6)


def test_a_probability_of_nothing_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "m.arpa"
    path.write_text(PLAIN.replace("-0.25\t61 62", "-inf\t61 62"))
    assert TrieModel.load(path, 1, AB).reader().surprisal(as_bytes(b"ab"))[1] == np.inf


def test_unigrams_alone_are_a_model(tmp_path: Path) -> None:
    path = tmp_path / "m.arpa"
    path.write_text(arpa([[text.rpartition("\t")[0] if text.count("\t") > 1 else text for text in UNIGRAMS]]))
    model = TrieModel.load(path, 0, AB)
    np.testing.assert_allclose(model.reader().surprisal(as_bytes(b"abc")) / -NATS, [-0.5, -0.75, -2])
    np.testing.assert_allclose(model.distribution(b"abab") / -NATS, [0.5, 0.75, 2])


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        ("", "it ends too early"),
        ("\\data\\\n", "it ends too early"),
        ("x\n" * 2000, "it has no 1-grams"),
        (PLAIN.replace("ngram 2=3", "ngram 3=3"), "every order from 1 up"),
        (PLAIN.replace("ngram 2=3", "two"), "a line that announces no n-grams"),
        (PLAIN.replace("ngram 2=3", "ngram 2=4"), "fewer 2-grams"),
        (PLAIN.replace("ngram 2=3", "ngram 2=2"), "more 2-grams"),
        (PLAIN.replace("ngram 2=3", "ngram 2=999999"), "more n-grams than it has room for"),
        (PLAIN.replace("\\2-grams:", "\\3-grams:"), "no section of 2-grams"),
        (PLAIN.replace("\\end\\", "\\3-grams:"), "does not end"),
        (PLAIN.partition("\\end")[0], "it ends too early"),
        (PLAIN[: len(PLAIN) // 2], "damaged"),
        (PLAIN.replace("61 62", "61"), "a line of its 2-grams is no n-gram"),
        (PLAIN.replace("61 62", "61 62\t0\t0"), "a line of its 2-grams is no n-gram"),
        (PLAIN.replace("-0.25\t61 62", "nan\t61 62"), "a line of its 2-grams is no n-gram"),
        (PLAIN.replace("-0.25\t61 62", "-0.2.5\t61 62"), "a line of its 2-grams is no n-gram"),
        (PLAIN.replace("-0.25\t61 62", "-0.2e\t61 62"), "a line of its 2-grams is no n-gram"),
        (PLAIN.replace("-0.75\t62\t-0.5", "-0.75\t62\t-inf"), "a line of its 1-grams is no n-gram"),
        (PLAIN.replace("-0.25\t61 62", "0.25\t61 62"), "a probability greater than 1"),
        (PLAIN.replace("61 62", "62 61"), "one of its 2-grams is there twice"),
        (PLAIN.replace("61 62", "63 62"), "the context of one of its 2-grams is missing"),
        (PLAIN.replace("61 62", "61 63"), "a word of its 2-grams is not among its 1-grams"),
    ],
)
def test_a_damaged_file_is_refused_with_what_is_wrong(tmp_path: Path, damaged: str, reason: str) -> None:
    (tmp_path / "m.arpa").write_text(damaged)
    with pytest.raises(InvalidModels, match=reason) as refused:
        TrieModel.load(tmp_path / "m.arpa", 1, AB)
    assert "damaged" in refused.value.message
    assert refused.value.hint


def test_damaged_compression_and_a_line_without_end_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = gzip.compress(PLAIN.encode())
    for damaged in (packed[:-20], packed[:30] + b"\x00\x01" + packed[32:], PLAIN.encode()):
        (tmp_path / "m.arpa.gz").write_bytes(damaged)
        with pytest.raises(InvalidModels, match="damaged"):
            TrieModel.load(tmp_path / "m.arpa.gz", 1, AB)
    monkeypatch.setattr(arpa_reader, "PIECE", 64)
    (tmp_path / "m.arpa").write_text(PLAIN.replace("61 62", "61" + " " * 64 + "62"))
    with pytest.raises(InvalidModels, match="damaged"):
        TrieModel.load(tmp_path / "m.arpa", 1, AB)


@pytest.mark.parametrize("piece", [50, 51, 64, 1 << 22])
@pytest.mark.parametrize("name", ["m.arpa", "m.arpa.gz"])
def test_where_the_pieces_of_a_file_end_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int, name: str
) -> None:
    data = b"abracadabra and again abracadabra"
    whole = TrieModel.load(written(tmp_path / "whole.arpa", data, 3), 2, KNOWN).trie
    monkeypatch.setattr(arpa_reader, "PIECE", piece)
    pieces = TrieModel.load(written(tmp_path / name, data, 3), 2, KNOWN).trie
    for mine, other in ((whole.nodes, pieces.nodes), (whole.labels, pieces.labels)):
        np.testing.assert_array_equal(mine, other)
    np.testing.assert_array_equal(whole.top_logs, pieces.top_logs)
    np.testing.assert_array_equal(whole.top_suffixes, pieces.top_suffixes)


@pytest.mark.parametrize("order", [2, 3, 6, 21, 64])
def test_an_estimate_in_memory_is_scored_as_its_file(tmp_path: Path, order: int) -> None:
    data = bytes(np.random.default_rng(3).choice(list(ALPHABET), 400).astype(np.uint8))
    read = as_bytes(data[:100] + b"z" + data[200:300] + b"\xff\xff" + data[:70])
    both = (
        TrieModel.load(written(tmp_path / "m.arpa", data, order), order - 1, KNOWN),
        TrieModel.of(estimated(data, order, 5), order - 1, KNOWN),
    )
    files, memory = (model.reader().surprisal(read) for model in both)
    np.testing.assert_allclose(files, memory, rtol=1e-6, atol=1e-7)
    assert both[0].trie.nbytes == both[1].trie.nbytes


def test_a_model_that_does_not_fit_into_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "m.arpa", b"abracadabra", 3)
    monkeypatch.setattr("os.sysconf", lambda _: 32)  # pages, and bytes in each: 1 KB
    with pytest.raises(InvalidRequest, match=r"n-grams takes 0\.00 GB, and this process may have 0\.00"):
        TrieModel.load(path, 2, KNOWN)


def test_its_memory_is_told_and_bounded(tmp_path: Path) -> None:
    """18 bytes for each n-gram of an inner order and 10 for each of the highest; the root and its end are two more."""
    data = bytes(np.random.default_rng(3).choice(list(ALPHABET), 4000).astype(np.uint8))
    path = written(tmp_path / "m.arpa", data, 6)
    grams = [entry.count(" ") + 1 for entry in read_arpa(path)]
    counts = np.bincount(grams)[1:]
    trie = TrieModel.load(path, 5, KNOWN).trie
    assert trie.nbytes == 18 * counts[:-1].sum() + 10 * counts[-1] + 2 * 16 + 2
