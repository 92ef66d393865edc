"""Directories of n-gram models: scores and distributions, what is refused, and with what sentence."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rnnviz.engine.ngram.directory import RECORD_FILE, NgramModels, load_ngrams, parse_orders
from rnnviz.engine.ngram.evaluation import evaluate_ngrams, paper_losses
from rnnviz.engine.ngram.scorers import kenlm_build
from rnnviz.engine.ngram.scorers.kenlm_model import KenlmModel
from rnnviz.engine.ngram.scorers.scorer import (
    SCORERS,
    NgramModel,
    ScorerName,
    open_model,
    scorer_note,
    scorer_of,
)
from rnnviz.engine.ngram.scorers.trie_kernels import END, ROOT
from rnnviz.engine.ngram.scorers.trie_model import TrieModel
from rnnviz.engine.ngram.training import part_of, start_ngrams, train_ngrams
from rnnviz.engine.progress import Computation
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.engine.text.split import Split
from rnnviz.engine.text.text import Text, open_text
from rnnviz.store.errors import (
    AlreadyExists,
    InvalidModels,
    InvalidRequest,
    InvalidText,
    NotFound,
    RnnvizError,
    Unavailable,
)
from support.ngrams import SMALL, trained, written
from support.texts import words, write_words

OTHER_BYTES = b"\x00\xff\xe4 caf\xc3\xa9\r\n"
TRAIN = words(4000) + OTHER_BYTES * 3
READ = words(900, seed=1) + OTHER_BYTES + b"{never seen}" + words(100)


PATH = os.environ["PATH"]


@pytest.fixture(autouse=True)
def _no_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is installed here, KenLM's programs are not found unless a test asks for them."""
    monkeypatch.setenv("PATH", "")


@pytest.fixture
def text(tmp_path: Path) -> Text:
    return open_text(str(write_words(tmp_path / "words.txt", 3000)))


def as_bytes(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8)


@pytest.fixture(params=SCORERS)
def scorer(request: pytest.FixtureRequest) -> ScorerName:
    if request.param == "kenlm":
        pytest.importorskip("kenlm", reason="KenLM is not installed (it does not compile on Python 3.13)")
        if (kenlm_build.greatest_order() or 0) < 21:
            pytest.skip("KenLM was built for models of smaller orders (MAX_ORDER=21 builds it for these)")
    name: ScorerName = request.param
    return name


def model_of(
    path: Path, n: int, scorer: ScorerName, data: bytes = TRAIN, known: bytes = TRAIN + READ
) -> NgramModel:
    arpa = written(path / f"n{n}.arpa", data, n + 1)
    return open_model(arpa, n, Vocabulary(bytes(sorted(set(known)))), scorer)


@pytest.mark.parametrize("n", [1, 2, 4, 5, 9, 20])
def test_distributions_sum_to_one_with_the_end_of_the_text(
    tmp_path: Path, n: int, scorer: ScorerName
) -> None:
    model = model_of(tmp_path, n, scorer)
    whole = np.concatenate(list(model.distributions(as_bytes(READ), piece=100)))
    for position in range(len(READ)):
        total = np.exp(whole[position].astype(np.float64)).sum()
        assert total + end_of_the_text(model, READ[: position + 1]) == pytest.approx(1, abs=1e-5)


def end_of_the_text(model: NgramModel, context: bytes) -> float:
    """p(</s>) after a context."""
    if isinstance(model, KenlmModel):
        state = model.state(context[-model.n :])
        return float(10 ** model.kenlm.BaseScore(state, "</s>", model.state()))
    assert isinstance(model, TrieModel)
    words = np.append(model.words[as_bytes(context[-model.n :])], np.uint16(END))
    return float(10 ** model.trie.score(ROOT, words)[0][-1])


@pytest.mark.parametrize("n", [1, 4, 5, 20])
def test_distributions_along_a_text_are_those_at_each_place(
    tmp_path: Path, n: int, scorer: ScorerName
) -> None:
    model = model_of(tmp_path, n, scorer)
    along = np.concatenate(list(model.distributions(as_bytes(READ), piece=77)))
    alone = [model.distribution(READ[: stop + 1]) for stop in range(len(READ))]
    np.testing.assert_allclose(along, alone, atol=1e-5)


def test_surprisal_is_that_of_the_distribution_before(tmp_path: Path, scorer: ScorerName) -> None:
    model = model_of(tmp_path, 5, scorer)
    along = np.concatenate(list(model.distributions(as_bytes(READ))))
    surprisal = model.reader().surprisal(as_bytes(READ))
    symbols = model.vocabulary.encode(as_bytes(READ))
    np.testing.assert_allclose(-along[np.arange(len(READ) - 1), symbols[1:]], surprisal[1:], atol=1e-5)
    assert surprisal[0] == pytest.approx(-model.distribution(b"")[symbols[0]], abs=1e-6)


def test_a_text_may_be_read_in_pieces(tmp_path: Path, scorer: ScorerName) -> None:
    model = model_of(tmp_path, 9, scorer)
    reader = model.reader()
    pieces = [
        reader.surprisal(as_bytes(READ[start:stop])) for start, stop in pairwise([0, 1, 2, 500, len(READ)])
    ]
    np.testing.assert_array_equal(np.concatenate(pieces), model.reader().surprisal(as_bytes(READ)))


def test_a_byte_outside_the_vocabulary_has_no_surprisal(tmp_path: Path, scorer: ScorerName) -> None:
    model = model_of(tmp_path, 2, scorer, known=TRAIN)
    surprisal = model.reader().surprisal(as_bytes(b"a{a"))
    assert np.isnan(surprisal).tolist() == [False, True, False]


def test_evaluation_is_the_mean_surprisal_of_the_joined_rows(tmp_path: Path, text: Text) -> None:
    models = trained(tmp_path / "models", text, 1, 5)
    loaded = load_ngrams(models.path)
    evaluation = Computation(evaluate_ngrams(loaded, text, "test"))
    *_, last = evaluation
    data = part_of(text, SMALL, "test")
    assert last.done == last.total == 2 * len(data)
    for loss in evaluation.result:
        assert loss.loss == pytest.approx(loaded.load(loss.n).reader().surprisal(data).mean(), abs=1e-5)
    assert [loss.n for loss in evaluation.result] == [1, 5]


def test_compressed_models_are_the_same(tmp_path: Path, text: Text) -> None:
    plain = trained(tmp_path / "plain", text, 3).load(3)
    packed = trained(tmp_path / "packed", text, 3, compressed=True).load(3)
    np.testing.assert_array_equal(plain.distribution(b"the "), packed.distribution(b"the "))


def test_the_paper_s_losses_stand_beside_its_texts_only() -> None:
    row = paper_losses(3_258_245, Split(), "test")
    assert row is not None
    assert row.losses[20] == 1.195
    assert paper_losses(3_258_245, Split(), "val") is None
    assert paper_losses(3_258_245, Split(90, 5, 5), "test") is None
    assert paper_losses(1000, Split(), "test") is None


@pytest.mark.parametrize(
    ("written_as", "orders"), [("1-9,20", (*range(1, 10), 20)), ("5", (5,)), ("3, 1-2,2", (1, 2, 3))]
)
def test_orders_are_lists_and_ranges(written_as: str, orders: tuple[int, ...]) -> None:
    assert parse_orders(written_as) == orders


@pytest.mark.parametrize("written_as", ["", "0", "9-1", "1-", "a", "64", "1,,2", "1-999", "٣"])
def test_other_orders_are_refused(written_as: str) -> None:
    with pytest.raises(InvalidRequest, match="list of numbers"):
        parse_orders(written_as)


@pytest.mark.parametrize("data", [b"a" * 200, b"\x00" * 200, bytes(range(256)) * 2, b"ab" * 100])
def test_strange_texts_are_texts(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "text").write_bytes(data)
    text = open_text(str(tmp_path / "text"))
    model = trained(tmp_path / "models", text, 1, 4).load(4)
    assert np.isfinite(model.reader().surprisal(as_bytes(data))).all()


def test_a_text_shorter_than_n_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"abcdefghij")
    text = open_text(str(tmp_path / "text"))
    with pytest.raises(InvalidText, match="looks back n = 9"):
        trained(tmp_path / "models", text, 9, split=Split(60, 20, 20, streams=1, unroll=1))
    with pytest.raises(InvalidText, match="fewer than one mini-batch"):
        trained(tmp_path / "models", text, 1, split=Split())
    assert not (tmp_path / "models").exists()


def test_kenlm_scores_up_to_its_order_and_the_trie_beyond(monkeypatch: pytest.MonkeyPatch) -> None:
    greatest = kenlm_build.greatest_order()
    if greatest is not None:
        assert [scorer_of(n) for n in (1, greatest - 1, greatest)] == ["kenlm", "kenlm", "own"]
        assert scorer_note([1, greatest - 1]) is None
        assert f"up to n = {greatest - 1}:" in (scorer_note([1, greatest]) or "")
    monkeypatch.setitem(sys.modules, "kenlm", None)  # as if it were not installed
    assert kenlm_build.greatest_order() is None
    assert scorer_of(1) == "own"
    assert "KenLM is not installed: rnnviz scores" in (scorer_note([1]) or "")


def test_an_arpa_file_that_is_damaged_is_refused(tmp_path: Path, text: Text, scorer: ScorerName) -> None:
    models = trained(tmp_path / "models", text, 2)
    arpa = models.arpa(2)
    whole = arpa.read_bytes()
    boastful = whole.replace(b"ngram 3=", b"ngram 3=9999999")
    for damaged in (
        b"",
        b"\\data\\\n",
        whole[: len(whole) // 2],
        whole.replace(b"\t", b""),
        b"\x00" * 500,
        boastful,
    ):
        arpa.write_bytes(damaged)
        with pytest.raises(InvalidModels, match="damaged"):
            models.load(2, scorer)
    arpa.unlink()
    with pytest.raises(InvalidModels, match="missing"):
        models.load(2, scorer)


def test_a_model_of_another_order_is_refused(tmp_path: Path, text: Text, scorer: ScorerName) -> None:
    models = trained(tmp_path / "models", text, 2, 3)
    models.arpa(2).replace(models.arpa(3))
    with pytest.raises(InvalidModels, match="is of order 3, and n = 3 is order 4"):
        models.load(3, scorer)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", []), ("n", [3, 1]), ("n", ["2"]), ("n", [10**9]), ("n", None), ("format", 2), ("split", {"train": 1e9}),
        ("vocabulary", [3, 2]), ("vocabulary", [256]), ("command", "\x1b[2J"), ("complete", 1),
        ("split", {"train": 50, "val": 60, "test": 1, "streams": 1, "unroll": 1}),
    ],
)  # fmt: skip
def test_a_record_that_is_not_what_it_should_be_is_refused(
    tmp_path: Path, text: Text, field: str, value: object
) -> None:
    models = trained(tmp_path / "models", text, 1)
    record = json.loads((models.path / RECORD_FILE).read_text())
    (models.path / RECORD_FILE).write_text(json.dumps(record | {field: value}))
    with pytest.raises(InvalidModels) as refused:
        load_ngrams(models.path)
    assert refused.value.message.isprintable()
    assert refused.value.hint


def test_what_is_no_directory_of_models_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load_ngrams(tmp_path / "nowhere")
    with pytest.raises(InvalidModels, match="holds no n-gram models"):
        load_ngrams(tmp_path)


def test_an_interrupted_training_is_neither_used_nor_in_the_way(tmp_path: Path, text: Text) -> None:
    path = tmp_path / "models"
    events = train_ngrams(begin(path, text), text)
    for event in events:
        if "n1.arpa" in event.detail:
            break
    events.close()
    with pytest.raises(InvalidModels, match="interrupted"):
        load_ngrams(path)
    trained(path, text, 1)
    assert sorted(file.name for file in path.iterdir()) == ["n1.arpa", RECORD_FILE]


def test_only_models_are_replaced_and_only_when_asked(tmp_path: Path, text: Text) -> None:
    path = tmp_path / "models"
    trained(path, text, 1, 2)
    with pytest.raises(AlreadyExists, match="already holds"):
        begin(path, text)
    begin(path, text, force=True)
    assert [file.name for file in path.iterdir()] == [RECORD_FILE]
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("!")
    with pytest.raises(AlreadyExists, match="holds no n-gram models"):
        begin(other, text, force=True)


def test_what_lmplz_complains_of_is_said(tmp_path: Path, text: Text, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "lmplz").write_text("#!/bin/sh\necho first >&2\necho 'no room left' >&2\nexit 1\n")
    (programs / "lmplz").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(programs))
    models = start_ngrams(
        tmp_path / "models",
        text,
        (1,),
        SMALL,
        estimator="lmplz",
        command="rnnviz",
        spec=None,
        glob="*",
        force=False,
    )
    with pytest.raises(Unavailable, match="lmplz failed: no room left"):
        for _ in train_ngrams(models, text):
            pass
    assert [file.name for file in models.path.iterdir()] == [RECORD_FILE]


@pytest.mark.skipif(shutil.which("build_binary") is None, reason="KenLM's build_binary is not on the PATH")
def test_binaries_are_built_where_that_can_be_done(
    tmp_path: Path, text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = trained(tmp_path / "plain", text, 3).load(3)
    monkeypatch.setenv("PATH", PATH)
    models = trained(tmp_path / "models", text, 3)
    assert models.binary(3).is_file()
    models.arpa(3).unlink()
    np.testing.assert_array_equal(models.load(3).distribution(b"the "), plain.distribution(b"the "))
    models.binary(3).write_bytes(models.binary(3).read_bytes()[:100])
    with pytest.raises(InvalidModels, match="damaged"):
        models.load(3)


@pytest.mark.skipif(shutil.which("lmplz") is None, reason="lmplz, KenLM's estimator, is not on the PATH")
def test_lmplz_makes_the_same_models(tmp_path: Path, text: Text, monkeypatch: pytest.MonkeyPatch) -> None:
    own = trained(tmp_path / "own", text, 3).load(3)
    monkeypatch.setenv("PATH", PATH)
    models = start_ngrams(
        tmp_path / "peer", text, (3,), SMALL, estimator="lmplz", compressed=True, command="", spec=None, glob="*",
        force=False,
    )  # fmt: skip
    for _ in train_ngrams(models, text):
        pass
    np.testing.assert_allclose(
        load_ngrams(models.path).load(3).distribution(b"the "), own.distribution(b"the "), atol=1e-4
    )


LMPLZ = """#!/bin/sh
while [ $# -gt 1 ]; do case $1 in --text) cp "$2" "$0.words";; --arpa) target=$2;; esac; shift; done
printf '=== 1/5 Counting and sorting n-grams ===\\n***' >&2
sleep 0.3
printf '***\\n=== 3/5 Calculating and sorting initial probabilities ===\\n' >&2
printf '==================================================****************' >&2
sleep 0.3
cp "$0.arpa" "$target"
"""
"""A program that says what KenLM's says, and gives a model made before."""


def test_what_lmplz_is_given_and_what_it_says_of_its_progress(
    tmp_path: Path, text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "lmplz"
    program.write_text(LMPLZ)
    program.chmod(0o755)
    trained(tmp_path / "own", text, 3).arpa(3).rename(tmp_path / "lmplz.arpa")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    models = start_ngrams(
        tmp_path / "models",
        text,
        (3,),
        SMALL,
        estimator="lmplz",
        command="",
        spec=None,
        glob="*",
        force=False,
    )
    events = [event for event in train_ngrams(models, text) if event.detail.startswith("lmplz")]
    train = part_of(text, SMALL, "train")
    assert (tmp_path / "lmplz.words").read_text() == " ".join(f"{byte:02x}" for byte in train) + " \n"
    steps = dict.fromkeys((round(100 * event.done / event.total), event.detail) for event in events)
    assert list(steps)[-2:] == [
        (1, "lmplz, n = 3: counting and sorting n-grams"),
        (43, "lmplz, n = 3: calculating and sorting initial probabilities"),
    ]
    assert load_ngrams(models.path).load(3).n == 3
    assert not (models.path / "words.new").exists()


def test_without_lmplz_its_estimates_are_refused(
    tmp_path: Path, text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RnnvizError, match="lmplz, KenLM's estimator, is not on the PATH"):
        start_ngrams(
            tmp_path / "models",
            text,
            (1,),
            SMALL,
            estimator="lmplz",
            command="",
            spec=None,
            glob="*",
            force=False,
        )


def begin(path: Path, text: Text, *, force: bool = False) -> NgramModels:
    return start_ngrams(path, text, (1,), SMALL, command="rnnviz", spec=None, glob="*", force=force)
