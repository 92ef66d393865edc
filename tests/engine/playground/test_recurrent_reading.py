"""Reading while typing gives what a capture of the same text holds, whatever was typed and taken back on the way."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rnnviz.engine.models.kinds.registry import KINDS, Kind
from rnnviz.engine.models.recurrent import MOST_ONE_HOT, build, initialise
from rnnviz.engine.playground import recurrent_reading as live_recurrent
from rnnviz.engine.playground.reading import LiveReading, drawn, likeliest, tempered
from rnnviz.engine.playground.recurrent_reading import LiveRecurrent, open_recurrent
from rnnviz.engine.runs.run import Run
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.store.errors import InvalidRequest, InvalidRun, NotFound
from rnnviz.store.reader import CapturedModel, open_capture
from support.lively import capture_of, lively_run, over_tokens
from support.ngrams import trained
from support.texts import words, write_words
from support.token_runs import CHARACTERS, WORDS, imported_run

UNSEEN = b"{\x00\xc3\xa9}"
TEXT = words(300, seed=5) + UNSEEN + words(200, seed=6)


def read(reading: LiveReading, text: bytes) -> list[int]:
    """Make it follow a text; the lengths it came by."""
    return list(reading.follow(np.frombuffer(text, np.uint8)))


@pytest.fixture(scope="module", name="runs")
def _runs(tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Run]:
    folder = tmp_path_factory.mktemp("live")
    text = write_words(folder / "words.txt", 2000)
    return {kind: lively_run(folder / kind, text, kind) for kind in KINDS}


def agrees(reading: LiveRecurrent, model: CapturedModel, length: int) -> None:
    """Everything a reading holds is what a capture of its text does, up to float16 and the order of sums."""
    for index, layer in enumerate(model.layers):
        for signal in layer.signals:
            captured = layer.read_units(signal, slice(None), 0, length).astype(np.float32)
            typed = [reading.values(index, signal, unit, 0, length) for unit in range(layer.units)]
            np.testing.assert_allclose(np.stack(typed).astype(np.float32), captured, rtol=2e-3, atol=2e-3)
    next = np.stack([reading.next(time + 1) for time in range(length)])
    np.testing.assert_allclose(next, model.next(0, length).astype(np.float32), rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(
        reading.surprisal(0, length), model.surprisal(0, length), rtol=1e-4, atol=1e-4, equal_nan=True
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_typed_text_has_the_values_of_its_capture(
    runs: dict[Kind, Run], kind: Kind, tmp_path: Path
) -> None:
    (tmp_path / "typed.txt").write_bytes(TEXT)
    path = capture_of(runs[kind], tmp_path / "typed.txt", tmp_path / "x.zarr")
    (model,) = open_capture(path).models.values()
    reading = open_recurrent(runs[kind].path)
    for typed in range(1, 60):  # key by key
        read(reading, TEXT[:typed])
    read(reading, TEXT[:40] + b"pasted in between " + TEXT[40:200])
    read(reading, TEXT[:45])  # taken away again
    assert reading.length == 45
    assert read(reading, TEXT)[-1] == len(TEXT)
    agrees(reading, model, len(TEXT))


@pytest.mark.parametrize("vocabulary", [WORDS, CHARACTERS])
def test_typed_tokens_have_the_values_of_their_capture(tmp_path: Path, vocabulary: TokenVocabulary) -> None:
    text = "der Hund\nschläft . 🙂 der \n\n" if vocabulary is WORDS else "aé bc🙂\ncab  "
    made = over_tokens(tmp_path, vocabulary, text * 9)
    reading = open_recurrent(made.run.path)
    typed = (text * 9).encode()
    for length in range(1, 70):  # ends inside characters, too
        for _ in reading.follow(np.frombuffer(typed[:length], np.uint8), unfinished=True):
            pass
    read(reading, typed[:50] + b"\xff der x" + typed[40:])
    read(reading, typed[:61])
    assert read(reading, typed)[-1] == made.capture.symbols
    agrees(reading, made.capture.models["tokens"], made.capture.symbols)


Parts = st.lists(st.sampled_from(["der", "Hund", " ", "\n", "🙂", "é", "x", "a"]), max_size=30).map("".join)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([WORDS, CHARACTERS]),
    st.lists(
        st.tuples(Parts, st.booleans()),
        min_size=1,
        max_size=6,
    ),
)
def test_any_sequence_of_tokens_ends_like_the_last_one_alone(
    vocabulary: TokenVocabulary, texts: list[tuple[str, bool]]
) -> None:
    model = build("lstm", len(vocabulary), 4, 2)
    initialise(model, 0, 1.5)
    reading, fresh = LiveRecurrent(model, vocabulary), LiveRecurrent(model, vocabulary)
    for text, unfinished in texts:
        for _ in reading.follow(np.frombuffer(text.encode(), np.uint8), unfinished=unfinished):
            pass
    last, unfinished = texts[-1]
    for _ in fresh.follow(np.frombuffer(last.encode(), np.uint8), unfinished=unfinished):
        pass
    assert reading.length == fresh.length
    np.testing.assert_array_equal(reading.typed.edges, fresh.typed.edges)
    np.testing.assert_allclose(
        reading.surprisal(0, reading.length), fresh.surprisal(0, fresh.length), atol=1e-4, equal_nan=True
    )
    for length in range(1, reading.length + 1):
        np.testing.assert_allclose(reading.next(length), fresh.next(length), rtol=1e-3, atol=1e-4)


def test_a_word_that_may_still_grow_is_read_when_it_cannot(tmp_path: Path) -> None:
    reading = LiveRecurrent(imported_run(tmp_path / "run", WORDS).model(torch.device("cpu")), WORDS)
    lengths = [
        list(reading.follow(np.frombuffer(text, np.uint8), unfinished=True))
        for text in (b"d", b"der", b"der ", b"der .", b"der .x", b"der .x\n", b"der .\n")
    ]
    assert lengths == [[], [], [1], [], [], [3], [3]]
    assert read(reading, b"der .\nHund") == [4]
    assert list(reading.follow(np.frombuffer(b"der .\nHund", np.uint8), unfinished=True)) == []
    assert reading.length == 3


def test_nothing_is_read_from_an_unknown_character_on(tmp_path: Path) -> None:
    run = imported_run(tmp_path / "run", CHARACTERS)
    reading = LiveRecurrent(run.model(torch.device("cpu")), CHARACTERS)
    assert read(reading, "abß c".encode()) == [2]
    assert len(reading.typed.codes) == 5
    assert np.isnan(reading.surprisal(0, 2)).tolist() == [False, True]
    assert read(reading, b"ab c") == [4]


def test_a_vocabulary_too_large_for_one_hot_vectors_is_read(tmp_path: Path) -> None:
    many = TokenVocabulary([f"w{number}" for number in range(MOST_ONE_HOT + 1)], "word")
    model = build("lstm", len(many), 3, 1)
    initialise(model, 0, 1.0)
    reading = LiveRecurrent(model, many)
    read(reading, b"w1 w4096 w7 w4000")
    x = F.one_hot(torch.tensor([1, 4096, 7, 4000]), len(many)).float()
    with torch.inference_mode():
        expected = torch.log_softmax(model.decoder(model.rnn(x)[0]), dim=-1).numpy()
    np.testing.assert_allclose(np.stack([reading.next(time + 1) for time in range(4)]), expected, atol=1e-4)
    np.testing.assert_allclose(
        reading.surprisal(0, 4), [-expected[0, 4096], -expected[1, 7], -expected[2, 4000], np.nan], atol=1e-4
    )


def test_a_key_is_one_step_and_a_deletion_none(runs: dict[Kind, Run]) -> None:
    reading = open_recurrent(runs["lstm"].path)
    assert read(reading, TEXT[:100]) == [live_recurrent.WINDOW, 100]
    assert read(reading, TEXT[:101]) == [101]
    assert read(reading, TEXT[:90]) == []
    assert reading.length == 90
    assert read(reading, TEXT[:90]) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("ab no\n\x00é", max_size=90).map(str.encode), min_size=1, max_size=6))
def test_any_sequence_of_texts_ends_like_the_last_one_alone(
    runs: dict[Kind, Run], texts: list[bytes]
) -> None:
    reading, fresh = open_recurrent(runs["gru"].path), open_recurrent(runs["gru"].path)
    for text in texts:
        read(reading, text)
    read(fresh, texts[-1])
    assert reading.length == fresh.length == len(texts[-1])
    for time in range(1, reading.length + 1):
        np.testing.assert_allclose(reading.next(time), fresh.next(time), rtol=1e-3, atol=1e-4)


def test_reading_that_is_broken_off_goes_on_with_another_text(runs: dict[Kind, Run]) -> None:
    reading, fresh = open_recurrent(runs["lstm"].path), open_recurrent(runs["lstm"].path)
    for _ in reading.follow(np.frombuffer(TEXT, np.uint8)):
        break
    other = TEXT[:50] + b"said " * 50
    read(reading, other)
    read(fresh, other)
    np.testing.assert_allclose(reading.next(len(other)), fresh.next(len(other)), rtol=1e-3, atol=1e-4)


def test_a_text_longer_than_memory_allows_is_read_as_far_as_that(
    runs: dict[Kind, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_recurrent, "MOST_SYMBOLS", 100)
    reading = open_recurrent(runs["lstm"].path)
    assert reading.longest == 100
    assert read(reading, TEXT)[-1] == 100
    assert np.isnan(reading.surprisal(0, 100)[-1])
    monkeypatch.setattr(live_recurrent, "MOST_BYTES", 10 * 2 * 5 * (2 * 4 + 4 * 2))
    assert open_recurrent(runs["lstm"].path).longest == 10


def test_what_is_not_there_is_refused(runs: dict[Kind, Run], tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_recurrent(tmp_path / "nothing")
    with pytest.raises(InvalidRun):
        open_recurrent(tmp_path)
    reading = open_recurrent(runs["rnn"].path)
    read(reading, b"a")
    for layer, signal, unit in ((2, "h", 0), (0, "c", 0), (0, "h", 5), (0, "h", -1)):
        with pytest.raises(InvalidRequest):
            reading.values(layer, signal, unit, 0, 1)


def test_an_ngram_model_reads_as_its_definition_says(tmp_path: Path) -> None:
    from rnnviz.engine.playground.ngram_reading import open_ngram
    from rnnviz.engine.text.text import open_text

    models = trained(tmp_path / "models", open_text(str(write_words(tmp_path / "w.txt", 2000))), 1, 3)
    reading = open_ngram(models.path, 3)
    for text in (TEXT[:10], TEXT[:11], TEXT[:5] + b"no", TEXT[:3], TEXT):
        read(reading, text)
        assert reading.length == len(text)
        surprisal = reading.surprisal(0, len(text))
        for time in range(len(text) - 1):
            expected = models.load(3).distribution(text[: time + 1]) if time < 20 else reading.next(time + 1)
            np.testing.assert_allclose(reading.next(time + 1), expected, rtol=1e-5)
            if text[time + 1] in models.vocabulary.symbols:
                symbol = models.vocabulary.symbols.index(text[time + 1])
                assert surprisal[time] == pytest.approx(-expected[symbol], rel=1e-5)
            else:
                assert np.isnan(surprisal[time])
        assert np.isnan(surprisal[-1])
    with pytest.raises(InvalidRequest):
        open_ngram(models.path, 2)


Logs = st.lists(st.floats(-20, 0, width=32), min_size=1, max_size=40).map(lambda v: np.array(v, np.float32))


@given(Logs, st.floats(0.05, 5), st.integers(0, 5), st.integers(0, 5))
def test_a_draw_is_the_inverse_of_the_tempered_distribution(
    log_p: NDArray[np.float32], temperature: float, seed: int, position: int
) -> None:
    powers = np.exp(log_p.astype(np.float64)) ** (1 / temperature)
    share = tempered(log_p, temperature)
    np.testing.assert_allclose(share, powers / powers.sum(), rtol=1e-6, atol=1e-300)
    symbol = drawn(log_p, temperature, seed, position)
    chance = Random(f"{seed} {position}").random()
    below = float(share[:symbol].sum())
    assert below - 1e-9 <= chance <= below + float(share[symbol]) + 1e-9
    assert symbol == drawn(log_p, temperature, seed, position)


@given(Logs)
def test_without_temperature_the_likeliest_is_drawn_and_little_temperature_is_close(
    log_p: NDArray[np.float32],
) -> None:
    assert drawn(log_p, 0, 1, 1) == int(np.argmax(log_p))
    best = np.flatnonzero(log_p >= log_p.max() - 1e-3)
    assert drawn(log_p, 1e-6, 1, 1) in best


def test_what_cannot_come_is_never_drawn() -> None:
    log_p = np.array([-np.inf, -0.5, -np.inf, -1.0, -np.inf], np.float32)
    assert {drawn(log_p, 1.0, 0, position) for position in range(200)} == {1, 3}


@given(
    st.lists(st.sampled_from([-3.0, -2.0, -1.0, -0.5, -np.inf]), min_size=1, max_size=30), st.integers(1, 12)
)
def test_the_likeliest_are_those_that_sorting_all_would_give(values: list[float], count: int) -> None:
    log_p = np.array(values, np.float32)
    assert likeliest(log_p, count) == sorted(range(len(values)), key=lambda code: -values[code])[:count]


def test_where_weights_overflow_nothing_is_likeliest() -> None:
    assert likeliest(np.full(20, np.nan, np.float32), 10) == []
    assert likeliest(np.full(3, np.nan, np.float32), 10) == []
