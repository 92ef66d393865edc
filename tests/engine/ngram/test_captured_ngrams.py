"""N-gram models in a capture: aligned with the recurrent model, added whole or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from rnnviz.engine.capture.capture import capture
from rnnviz.engine.ngram.captured_ngrams import add_ngrams, refuse_tokens
from rnnviz.engine.ngram.directory import NgramModels
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.engine.text.text import Text, open_text
from rnnviz.store.errors import AlreadyExists, InvalidModels, InvalidRequest, RnnvizError
from rnnviz.store.reader import Capture, open_capture
from support.captures import make_capture
from support.ngrams import trained
from support.runs import go_on, start
from support.texts import write_words
from support.token_runs import imported_run

OTHER = b"{\x00}"


@pytest.fixture(autouse=True)
def _no_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")


@pytest.fixture
def text(tmp_path: Path) -> Text:
    return open_text(str(write_words(tmp_path / "words.txt", 2000)))


@pytest.fixture
def models(tmp_path: Path, text: Text) -> NgramModels:
    return trained(tmp_path / "models", text, 1, 3, 6)


@pytest.fixture
def path(tmp_path: Path, text: Text) -> Path:
    """A capture of a text in four streams, with bytes that no model knows at the end of the second."""
    start(tmp_path / "run", text)
    run = go_on(tmp_path / "run", text)
    words = write_words(tmp_path / "read.txt", 2000, seed=4).read_bytes()
    (tmp_path / "read.txt").write_bytes(words[:980] + OTHER + words[980:])
    reading = open_text(str(tmp_path / "read.txt"))
    for _ in capture(run, reading, tmp_path / "x.zarr", streams=4, replace_unknown=True):
        pass
    return tmp_path / "x.zarr"


def add(path: Path, models: NgramModels, predicting: tuple[int, ...] | None = None) -> Capture:
    for _ in add_ngrams(path, models, predicting):
        pass
    return open_capture(path)


def files(path: Path) -> dict[str, str]:
    return {
        str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in path.rglob("*")
        if file.is_file()
    }


def test_it_has_seen_what_the_recurrent_model_has_seen(path: Path, models: NgramModels) -> None:
    captured = add(path, models, (1, 3, 6))
    for n in models.orders:
        model, added = models.load(n), captured.models[f"ngram-{n}"]
        assert added.kind == "n-gram"
        assert added.vocabulary == models.vocabulary.symbols
        for (begin, length, _), after in zip(
            captured.segments.tolist(), captured.after.tolist(), strict=True
        ):
            data = captured.text(begin, begin + length).tobytes()
            surprisal = added.surprisal(begin, begin + length)
            logs = added.next(begin, begin + length)
            following = [*data[1:], after]
            for t, byte in enumerate(following):
                expected = model.distribution(data[: t + 1])
                np.testing.assert_allclose(logs[t], expected, atol=0.02)
                if byte in tuple(models.vocabulary.symbols):
                    symbol = models.vocabulary.symbols.index(byte)
                    assert surprisal[t] == pytest.approx(-expected[symbol], abs=1e-4)
                else:
                    assert np.isnan(surprisal[t])


def test_where_a_segment_begins_nothing_was_read_before(tmp_path: Path) -> None:
    """Of two symbols at random, every context was seen, whatever stands before a segment or is read twice."""
    random = np.random.default_rng(2)
    (tmp_path / "ab.txt").write_bytes(random.choice(list(b"ab"), 3000).astype(np.uint8).tobytes())
    models = trained(tmp_path / "models", open_text(str(tmp_path / "ab.txt")), 2, 5)
    text = random.choice(list(b"ab"), 400).astype(np.uint8).tobytes()
    captured = add(make_capture(tmp_path / "x.zarr", text, lengths=[1, 2, 97, 300]).path, models)
    for n in models.orders:
        model = models.load(n)
        surprisal = captured.models[f"ngram-{n}"].surprisal(0, len(text))
        for begin, length, _ in captured.segments.tolist():
            for t in range(begin, min(begin + length, len(text) - 1)):
                expected = -model.distribution(text[begin : t + 1])[text[t + 1] - ord("a")]
                assert surprisal[t] == pytest.approx(expected, abs=1e-5)


def test_surprisal_is_missing_where_the_recurrent_model_s_is(path: Path, models: NgramModels) -> None:
    captured = add(path, models)
    main, *added = captured.models.values()
    for model in added:
        np.testing.assert_array_equal(
            np.isnan(model.surprisal(0, captured.symbols)), np.isnan(main.surprisal(0, captured.symbols))
        )


def test_the_largest_predicts_unless_others_are_asked_for(path: Path, models: NgramModels) -> None:
    predicts = {name: model.has_next for name, model in add(path, models).models.items()}
    assert list(predicts.values()) == [True, False, False, True]
    assert list(predicts) == ["run", "ngram-1", "ngram-3", "ngram-6"]


def test_what_was_there_is_not_touched(path: Path, models: NgramModels) -> None:
    before = files(path)
    add(path, models)
    after = files(path)
    assert {name: after[name] for name in before if name != "zarr.json"} == {
        name: digest for name, digest in before.items() if name != "zarr.json"
    }
    assert not list(path.parent.glob(".*"))


def test_an_interrupted_addition_is_taken_up(path: Path, models: NgramModels) -> None:
    untouched = files(path)
    events = add_ngrams(path, models)
    for event in events:
        if event.detail == "n = 3":
            break
    events.close()
    captured = open_capture(path)
    assert list(captured.models) == ["run", "ngram-1"]
    list(captured.verify())
    kept = {name: digest for name, digest in files(path).items() if name in untouched and name != "zarr.json"}
    assert kept == {name: digest for name, digest in untouched.items() if name != "zarr.json"}
    assert list(add(path, models).models) == ["run", "ngram-1", "ngram-3", "ngram-6"]
    list(open_capture(path).verify())


def test_a_group_that_was_moved_but_never_listed_is_replaced(path: Path, models: NgramModels) -> None:
    """What a process killed between the two last steps leaves."""
    listed = (path / "zarr.json").read_bytes()
    add(path, models)
    expected = files(path)
    (path / "zarr.json").write_bytes(listed)
    assert list(open_capture(path).models) == ["run"]
    add(path, models)
    assert files(path) == expected


def test_a_second_time_adds_nothing(path: Path, models: NgramModels) -> None:
    add(path, models)
    before = files(path)
    assert list(add_ngrams(path, models)) == []
    assert files(path) == before


def test_another_model_of_that_name_is_refused(tmp_path: Path, path: Path, models: NgramModels) -> None:
    add(path, models)
    other = trained(tmp_path / "other", open_text(str(write_words(tmp_path / "o.txt", 2000, seed=9))), 1)
    with pytest.raises(AlreadyExists, match="another model ngram-1"):
        add(path, other)
    with pytest.raises(InvalidRequest, match="no model of n = 4"):
        add(path, models, (4,))


def test_a_damaged_model_leaves_the_capture_as_it_was(path: Path, models: NgramModels) -> None:
    models.arpa(1).write_bytes(b"\\data\\\n")
    before = files(path)
    with pytest.raises(InvalidModels):
        add(path, models)
    assert files(path) == before


def test_a_capture_of_words_is_refused(tmp_path: Path, text: Text, models: NgramModels) -> None:
    run = imported_run(tmp_path / "run", TokenVocabulary(("<unk>", "the", "a"), "word", unknown=0))
    for _ in capture(run, text, tmp_path / "x.zarr"):
        pass
    before = files(tmp_path / "x.zarr")
    with pytest.raises(InvalidRequest, match="are words, and n-gram models are over bytes") as refused:
        add(tmp_path / "x.zarr", models)
    assert "rnnviz train TEXT" in refused.value.hint
    assert files(tmp_path / "x.zarr") == before
    with pytest.raises(InvalidRequest, match="n-gram models are over bytes"):
        refuse_tokens(run)


def test_an_incomplete_capture_is_refused(tmp_path: Path, text: Text, models: NgramModels) -> None:
    start(tmp_path / "run", text)
    run = go_on(tmp_path / "run", text)
    events = capture(run, text, tmp_path / "x.zarr", device=torch.device("cpu"), part="all")
    next(iter(events))
    with pytest.raises(RnnvizError):
        add(tmp_path / "x.zarr", models)
