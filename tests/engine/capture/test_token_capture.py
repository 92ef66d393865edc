"""Captures of models over characters and words, against the models reading by hand."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from rnnviz.engine.capture.capture import capture
from rnnviz.engine.capture.run_stream import source_of
from rnnviz.engine.progress import Computation
from rnnviz.engine.runs.run import Run
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.engine.text.segments import CapturedPart
from rnnviz.engine.text.text import Text, open_text
from rnnviz.engine.training.evaluate import Evaluation, evaluate_source
from rnnviz.store.errors import InvalidRequest, InvalidText
from rnnviz.store.reader import Capture, CapturedModel, open_capture
from rnnviz.store.summary import mean_surprisal
from support.files import contents
from support.token_runs import CHARACTERS, WORDS, imported_run

SPEECH = "der Hund schläft .\n  der 🙂 Kater\tschläft ...\n\nder Hund\n"
READ = [
    "der",
    "Hund",
    "schläft",
    ".",
    "<eos>",
    "der",
    "🙂",
    "<unk>",
    "schläft",
    "<unk>",
    "<eos>",
    "<eos>",
    "der",
    "Hund",
    "<eos>",
]


@pytest.fixture(name="words")
def _words(tmp_path: Path) -> Run:
    return imported_run(tmp_path / "words", WORDS)


@pytest.fixture(name="characters")
def _characters(tmp_path: Path) -> Run:
    return imported_run(tmp_path / "characters", CHARACTERS, kind="gru-torch")


@pytest.fixture(name="speech")
def _speech(tmp_path: Path) -> Text:
    (tmp_path / "speech.txt").write_text(SPEECH)
    return open_text(str(tmp_path / "speech.txt"))


def captured(run: Run, text: Text, path: Path, **options: Any) -> Capture:
    for _ in capture(run, text, path, **options):
        pass
    return open_capture(path)


def main(found: Capture) -> CapturedModel:
    return next(iter(found.models.values()))


def by_hand(run: Run, symbols: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """The top layer's h and log p of the next symbol of PyTorch's own module, one-hot, in one go: [time, …]."""
    weights = load_file(run.path / "model.safetensors")
    module = {"lstm": torch.nn.LSTM, "gru-torch": torch.nn.GRU}[run.config.kind]
    peer = module(len(run.vocabulary), run.config.hidden, run.config.layers)
    peer.load_state_dict({name.removeprefix("rnn."): w for name, w in weights.items() if "rnn" in name})
    with torch.inference_mode():
        h, _ = peer(F.one_hot(torch.tensor(symbols), len(run.vocabulary)).float())
        return h, F.log_softmax(h @ weights["decoder.weight"].T + weights["decoder.bias"], dim=-1)


def check(found: Capture, run: Run, symbols: list[int]) -> None:
    h, log_p = by_hand(run, symbols)
    N = len(symbols)
    assert found.symbols == N
    layer = main(found).layers[-1]
    np.testing.assert_allclose(layer.read_units("h", slice(None), 0, N).T, h.numpy(), atol=6e-4)
    np.testing.assert_allclose(main(found).next(0, N), log_p.numpy(), rtol=1e-3, atol=1e-3)
    expected = [-log_p[time, symbol].item() for time, symbol in enumerate(symbols[1:])]
    np.testing.assert_allclose(main(found).surprisal(0, N), [*expected, np.nan], rtol=1e-4, atol=1e-4)


def test_words_end_to_end(words: Run, speech: Text, tmp_path: Path) -> None:
    found = captured(words, speech, tmp_path / "a.zarr")
    assert (found.unit, main(found).tokens) == ("word", WORDS.tokens)
    check(found, words, [WORDS.tokens.index(token) for token in READ])
    begins = [0, *found.ends(0, found.symbols).tolist()]
    data = found.text(0, found.text_bytes).tobytes()
    assert data == SPEECH.encode()
    cut = [data[start:stop].decode() for start, stop in pairwise(begins)]
    assert cut[:6] == ["der ", "Hund ", "schläft ", ".", "\n  ", "der "]
    assert found.segments.tolist() == [[0, len(READ), 0]]
    assert found.after.tolist() == [-1]
    assert found.attributes["options"]["unknown"] == {"symbols": 0, "read_as": None}  # type: ignore[index]
    assert main(found).attributes["run"]["source"]["name"] == "model.pt"  # type: ignore[index]


def test_characters_end_to_end(characters: Run, tmp_path: Path) -> None:
    written = "ab é🙂 cab\né" * 300
    (tmp_path / "text").write_text(written)
    found = captured(characters, open_text(str(tmp_path / "text")), tmp_path / "a.zarr")
    assert (found.unit, found.symbols, found.text_bytes) == ("character", len(written), len(written.encode()))
    check(found, characters, [CHARACTERS.tokens.index(character) for character in written])
    ends = np.cumsum([len(character.encode()) for character in written])
    np.testing.assert_array_equal(found.ends(0, found.symbols), ends)


def test_streams_are_rows_of_symbols(words: Run, speech: Text, tmp_path: Path) -> None:
    found = captured(words, speech, tmp_path / "a.zarr", streams=3)
    symbols = [WORDS.tokens.index(token) for token in READ]
    assert found.segments[:, 1].tolist() == [5, 5, 5]
    assert found.after.tolist() == [symbols[5], symbols[10], -1]
    starts = [0, SPEECH.encode().index(b"der ", 5), SPEECH.encode().index(b"\n\n")]
    assert found.segments[:, 2].tolist() == starts, "in bytes of the source"
    assert found.text(0, found.text_bytes).tobytes() == SPEECH.encode()
    surprisal = main(found).surprisal(0, found.symbols)
    assert np.isnan(surprisal).nonzero()[0].tolist() == [14]
    for place in (0, 5, 10):
        _, log_p = by_hand(words, symbols[place : place + 5])
        followed = symbols[place + 1 : place + 6]
        expected = [-log_p[time, symbol].item() for time, symbol in enumerate(followed)]
        np.testing.assert_allclose(surprisal[place : place + len(expected)], expected, rtol=1e-4, atol=1e-4)


def test_each_file_is_a_segment(words: Run, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for name, content in (("a", "der Hund"), ("b", " \n"), ("c", "  .\n")):
        (folder / name).write_text(content)
    text = open_text(str(folder), seed=2)
    found = captured(words, text, tmp_path / "a.zarr")
    assert found.text(0, found.text_bytes).tobytes() == text.read(0, text.length).tobytes()
    lengths = {"a": 2, "b": 1, "c": 2}
    assert found.segments[:, 1].tolist() == [lengths[part.name] for part in text.parts]
    assert (found.after == -1).all()


def test_unknown_characters_are_refused_or_read_as_a_space(characters: Run, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes("ab\nß a".encode() + b"\xff c")
    text = open_text(str(tmp_path / "text"))
    with pytest.raises(InvalidText, match="the character 'ß', which is at offset 3, in line 2") as caught:
        captured(characters, text, tmp_path / "a.zarr")
    assert "--unknown replace" in caught.value.hint
    assert "characters as a space" in caught.value.hint
    assert not (tmp_path / "a.zarr").exists()
    found = captured(characters, text, tmp_path / "a.zarr", replace_unknown=True)
    assert found.text(0, found.text_bytes).tobytes() == text.read(0, text.length).tobytes()
    space = CHARACTERS.tokens.index(" ")
    assert found.attributes["options"]["unknown"] == {"symbols": 2, "read_as": space}  # type: ignore[index]
    read = [CHARACTERS.tokens.index(character) for character in "ab\n  a  c"]
    h, _ = by_hand(characters, read)
    np.testing.assert_allclose(main(found).layers[1].read_units("h", slice(None), 0, 9).T, h, atol=6e-4)
    assert np.isnan(main(found).surprisal(0, 9)).nonzero()[0].tolist() == [2, 5, 8]


def test_surprisal_alone(words: Run, speech: Text, tmp_path: Path) -> None:
    found = captured(words, speech, tmp_path / "a.zarr", predictions="surprisal")
    whole = captured(words, speech, tmp_path / "b.zarr")
    assert (main(found).has_next, main(found).has_surprisal) == (False, True)
    np.testing.assert_array_equal(
        main(found).surprisal(0, found.symbols), main(whole).surprisal(0, whole.symbols)
    )
    with pytest.raises(InvalidRequest, match="no predictions"):
        main(found).next(0, 1)


def test_predictions_that_no_disk_holds_are_refused(
    words: Run, speech: Text, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = (1000, 1000 - 100, 100)
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": usage[2]}))
    with pytest.raises(InvalidRequest, match="predictions of 7 symbols at each of 15") as caught:
        captured(words, speech, tmp_path / "deep" / "a.zarr")
    assert "--predictions surprisal" in caught.value.hint
    assert not (tmp_path / "deep").exists()
    captured(words, speech, tmp_path / "a.zarr", predictions="surprisal")


def test_a_resumed_capture_has_the_same_files(
    words: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnnviz.engine.capture.capture.BLOCK_BYTES", 1 << 20)
    monkeypatch.setattr("rnnviz.store.schema.TOKEN_COLUMN_BYTES", 1 << 20)
    (tmp_path / "text").write_text(SPEECH * 2000)
    text = open_text(str(tmp_path / "text"))
    whole = captured(words, text, tmp_path / "whole.zarr")
    assert 2 * whole.schema.column < whole.symbols
    path = tmp_path / "a.zarr"
    for after in (0, whole.schema.column + 100):
        events = capture(words, text, path, resume=path.exists())
        for event in events:
            if event.done > after:
                break
        events.close()
        half = open_capture(path)
        assert not half.complete
        assert half.text_bytes == (half.ends(half.captured - 1, half.captured)[0] if half.captured else 0)
    captured(words, text, path, resume=True)
    assert contents(path) == contents(whole.path)
    again = list(capture(words, text, path, resume=True))
    assert again[-1].done == again[-1].total
    other = open_text(str(tmp_path / "text"))
    with pytest.raises(InvalidRequest, match="begun with"):
        captured(words, other, path, resume=True, predictions="surprisal")


def test_an_imported_model_over_bytes(tmp_path: Path) -> None:
    run = imported_run(tmp_path / "run", Vocabulary(b"\n abc"))
    (tmp_path / "text").write_text("abc cab\n" * 20)
    found = captured(run, open_text(str(tmp_path / "text")), tmp_path / "a.zarr")
    assert not found.has_tokens
    check(found, run, [b"\n abc".index(byte) for byte in b"abc cab\n" * 20])


def evaluated(run: Run, text: Text, part: CapturedPart = "all") -> Evaluation:
    sourcing = Computation(source_of(run, text, part))
    for _ in sourcing:
        pass
    measuring = Computation(evaluate_source(run.model(torch.device("cpu")), sourcing.result[0]))
    for _ in measuring:
        pass
    return measuring.result


@pytest.mark.parametrize("vocabulary", [WORDS, CHARACTERS, Vocabulary(b"\n abc")])
def test_the_loss_is_the_mean_surprisal_of_the_capture(
    vocabulary: TokenVocabulary | Vocabulary, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for name, times in (("a", 30), ("b", 1), ("c", 12)):
        (folder / name).write_text("abc b\n" * times)
    text = open_text(str(folder))
    run = imported_run(tmp_path / "run", vocabulary)
    loss = evaluated(run, text)
    found = main(captured(run, text, tmp_path / "a.zarr"))
    assert loss.loss == pytest.approx(mean_surprisal(found), rel=1e-5)
    assert loss.symbols == found.captured - 3


def test_parts_of_a_text_of_tokens_are_spans_of_symbols(words: Run, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("Hund 🙂 der . schläft\n" * 20_000)
    text = open_text(str(tmp_path / "text"))
    loss = evaluated(words, text, "val")
    assert loss.symbols == 10_000, "one of the twelve columns of 100 streams × 100 symbols"
    found = captured(words, text, tmp_path / "a.zarr", part="val")
    assert loss.loss == pytest.approx(mean_surprisal(main(found)), rel=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_captures_words_as_the_cpu_does(words: Run, tmp_path: Path) -> None:
    (tmp_path / "text").write_text(SPEECH * 500)
    text = open_text(str(tmp_path / "text"))
    here = captured(words, text, tmp_path / "a.zarr", streams=20)
    there = captured(words, text, tmp_path / "b.zarr", streams=20, device=torch.device("cuda"))
    N = here.symbols
    np.testing.assert_array_equal(there.ends(0, N), here.ends(0, N))
    for signal in ("c", "h", "f"):
        np.testing.assert_allclose(
            main(there).layers[1].read_units(signal, slice(None), 0, N),
            main(here).layers[1].read_units(signal, slice(None), 0, N),
            rtol=2e-3,
            atol=2e-3,
        )
    np.testing.assert_allclose(main(there).surprisal(0, N), main(here).surprisal(0, N), rtol=1e-3, atol=1e-3)
