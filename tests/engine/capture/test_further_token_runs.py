"""Further runs in captures of characters and words: only those that cut the text alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnnviz.engine.capture.further_runs import check_readable
from rnnviz.engine.runs.run import Run
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.engine.text.text import Text, open_text
from rnnviz.store.errors import InvalidRequest, InvalidText
from rnnviz.store.reader import open_capture
from support.capturing import add, captured
from support.files import contents
from support.token_runs import imported_run

MAIN = TokenVocabulary(("<unk>", "<eos>", "der", "Hund", "schläft", "."), "word", unknown=0, line_end=1)
OTHER = TokenVocabulary(("Kater", "<eos>", "Hund", "der", "."), "word", line_end=1)
CUT_OTHERWISE = TokenVocabulary(("<unk>", "der", "Hund"), "word", unknown=0)
SPEECH = "der Hund schläft .\n  der Hund schläft ...\n\nder Hund\n" * 3


@pytest.fixture(name="words")
def _words(tmp_path: Path) -> Run:
    return imported_run(tmp_path / "words", MAIN)


@pytest.fixture(name="speech")
def _speech(tmp_path: Path) -> Text:
    (tmp_path / "speech.txt").write_text(SPEECH)
    return open_text(str(tmp_path / "speech.txt"))


@pytest.mark.parametrize("streams", [None, 4])
def test_it_is_what_the_run_alone_makes_of_the_text(
    tmp_path: Path, words: Run, speech: Text, streams: int | None
) -> None:
    other = imported_run(tmp_path / "other", OTHER, kind="gru-torch")
    path = captured(words, speech, tmp_path / "x.zarr", streams=streams)
    alone = captured(other, speech, tmp_path / "alone.zarr", streams=streams, replace_unknown=True)
    found = add(path, other, replace_unknown=True)
    added, expected = found.models["other"], open_capture(alone).models["other"]
    assert added.tokens == OTHER.tokens
    for name in expected.layers[0].signals:
        np.testing.assert_array_equal(
            added.layers[0].read_units(name, slice(None), 0, found.symbols),
            expected.layers[0].read_units(name, slice(None), 0, found.symbols),
        )
    np.testing.assert_array_equal(added.next(0, found.symbols), expected.next(0, found.symbols))
    np.testing.assert_array_equal(added.surprisal(0, found.symbols), expected.surprisal(0, found.symbols))


def test_only_the_surprisal(tmp_path: Path, words: Run, speech: Text) -> None:
    other = imported_run(tmp_path / "other", MAIN)
    path = captured(words, speech, tmp_path / "x.zarr")
    assert not add(path, other, predictions="surprisal").models["other"].has_next


@pytest.mark.parametrize(
    ("vocabulary", "sentence"),
    [
        (CUT_OTHERWISE, "cuts the text of .* into other words"),
        (TokenVocabulary(tuple("adefhlnru .\n"), "character"), "over characters, and .* are words"),
        (Vocabulary(bytes(range(256))), "over bytes, and .* are words"),
    ],
)
def test_other_symbols_are_refused(
    tmp_path: Path, words: Run, speech: Text, vocabulary: TokenVocabulary | Vocabulary, sentence: str
) -> None:
    other = imported_run(tmp_path / "other", vocabulary)
    path = captured(words, speech, tmp_path / "x.zarr")
    before = contents(path)
    with pytest.raises(InvalidRequest, match=sentence):
        add(path, other, replace_unknown=True)
    assert contents(path) == before


def test_words_the_run_has_never_seen(tmp_path: Path, words: Run, speech: Text) -> None:
    other = imported_run(tmp_path / "other", OTHER)
    path = captured(words, speech, tmp_path / "x.zarr")
    with pytest.raises(
        InvalidText, match=r"never seen the word 'schläft', which is symbol 2 .*, the first of 9 places"
    ):
        add(path, other)
    with pytest.raises(InvalidText, match=r"other: the model has never seen the word 'schläft'"):
        list(check_readable(words, [other], speech, "all", None, replace_unknown=False))


def test_runs_of_several_kinds_of_symbols_are_refused_before_any_work(
    tmp_path: Path, words: Run, speech: Text
) -> None:
    other = imported_run(tmp_path / "other", Vocabulary(bytes(range(256))))
    with pytest.raises(InvalidRequest, match=r"over bytes, and .* one over words"):
        list(check_readable(words, [other], speech, "all", None, replace_unknown=True))
