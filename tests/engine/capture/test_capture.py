"""Captures of real models: every signal, every prediction, whatever the order of the work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from rnnviz.engine.capture.capture import capture
from rnnviz.engine.capture.extent import Extent, default_extent
from rnnviz.engine.progress import Computation
from rnnviz.engine.runs.run import Run, RunConfig, load_run
from rnnviz.engine.text.segments import CapturedPart, segments_of
from rnnviz.engine.text.split import PARTS, Split, spans
from rnnviz.engine.text.text import Text, open_text
from rnnviz.engine.text.text_record import TextRecord
from rnnviz.engine.training.evaluate import evaluate
from rnnviz.store.errors import (
    AlreadyExists,
    InvalidCapture,
    InvalidRequest,
    InvalidRun,
    InvalidText,
)
from rnnviz.store.reader import Capture, CapturedModel, open_capture
from rnnviz.store.summary import mean_surprisal, surprisal_by_part
from rnnviz.store.training_split import HELD_OUT, TRAINED, parts_of, training_split
from support.captures import SIGNALS_OF_KIND
from support.files import contents
from support.runs import SMALL, go_on, start
from support.texts import write_words

LONG = 150_000
"""Symbols that are several columns of a small model, and as one segment several pieces and blocks."""


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module", name="short")
def _short(folder: Path) -> Text:
    return open_text(str(write_words(folder / "short.txt", 3000)))


@pytest.fixture(scope="module", name="long")
def _long(folder: Path) -> Text:
    return open_text(str(write_words(folder / "long.txt", LONG)))


def trained(folder: Path, text: Text, config: RunConfig) -> Run:
    name = f"{config.kind}-{config.layers}"
    start(folder / name, text, config)
    # Untrained weights of 0.08 hardly move the cells; larger ones give values that tell units and signals apart.
    run = go_on(folder / name, text)
    weights = load_file(run.path / "model.safetensors")
    generator = torch.Generator().manual_seed(1)
    for tensor in weights.values():
        tensor.uniform_(-1.5, 1.5, generator=generator)
    save_file(weights, run.path / "model.safetensors")
    return load_run(run.path)


@pytest.fixture(scope="module", name="lstm")
def _lstm(folder: Path, short: Text) -> Run:
    return trained(folder, short, replace(SMALL, layers=2, epochs=1))


@pytest.fixture(scope="module", name="rnn")
def _rnn(folder: Path, short: Text) -> Run:
    return trained(folder, short, replace(SMALL, kind="rnn", epochs=1))


@pytest.fixture(scope="module", name="gru")
def _gru(folder: Path, short: Text) -> Run:
    return trained(folder, short, replace(SMALL, kind="gru", epochs=1))


def captured(
    run: Run,
    text: Text,
    path: Path,
    *,
    part: CapturedPart = "all",
    signals: list[str] | None = None,
    streams: int | None = None,
    replace_unknown: bool = False,
    resume: bool = False,
) -> Capture:
    for _ in capture(
        run,
        text,
        path,
        part=part,
        signals=signals,
        streams=streams,
        replace_unknown=replace_unknown,
        resume=resume,
    ):
        pass
    return open_capture(path)


def main(found: Capture) -> CapturedModel:
    return next(iter(found.models.values()))


def symbols_of(run: Run, text: Text, start: int, length: int) -> torch.Tensor:
    return torch.from_numpy(run.byte_vocabulary.encode(text.read(start, start + length)))


@pytest.mark.parametrize(("streams", "part"), [(None, "all"), (7, "all"), (None, "test")])
def test_signals_are_those_of_pytorch(
    lstm: Run,
    long: Text,
    tmp_path: Path,
    streams: int | None,
    part: CapturedPart,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """h of every symbol and c at the end of every segment, against `torch.nn.LSTM` reading it in one go."""
    monkeypatch.setattr(
        "rnnviz.engine.capture.capture.BLOCK_BYTES", 2 << 20
    )  # a short text is cut like a long one
    found = captured(lstm, long, tmp_path / "a.zarr", part=part, streams=streams)
    weights = load_file(lstm.path / "model.safetensors")
    peer = torch.nn.LSTM(len(lstm.vocabulary), lstm.config.hidden, lstm.config.layers)
    peer.load_state_dict({name.removeprefix("rnn."): w for name, w in weights.items() if "rnn" in name})
    for place, length, source in found.segments.tolist():
        one_hot = F.one_hot(symbols_of(lstm, long, source, length), len(lstm.vocabulary)).float()
        with torch.inference_mode():
            h, (last_h, last_c) = peer(one_hot)
            log_p = F.log_softmax(h @ weights["decoder.weight"].T + weights["decoder.bias"], dim=-1)
        top, bottom = main(found).layers[1], main(found).layers[0]
        stop = place + length
        np.testing.assert_allclose(top.read_units("h", slice(None), place, stop).T, h.numpy(), atol=6e-4)
        for number, layer in enumerate((bottom, top)):
            last = layer.read_units("c", slice(None), stop - 1, stop)[:, 0]
            np.testing.assert_allclose(last, last_c[number].numpy(), rtol=1e-3, atol=1e-3)
            last = layer.read_units("h", slice(None), stop - 1, stop)[:, 0]
            np.testing.assert_allclose(last, last_h[number].numpy(), atol=6e-4)
        np.testing.assert_allclose(main(found).next(place, stop), log_p.numpy(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_every_signal_of_every_kind(
    kind: str, request: pytest.FixtureRequest, short: Text, tmp_path: Path
) -> None:
    """Against the model's own step by step reading of each segment; and the cells' equations hold in what is stored."""
    run: Run = request.getfixturevalue(kind)
    found = captured(run, short, tmp_path / "a.zarr", streams=3)
    model = run.model(torch.device("cpu"))
    assert main(found).layers[0].signals == SIGNALS_OF_KIND[kind]
    for place, length, source in found.segments.tolist():
        state = model.zero_state(1)
        for step, symbol in enumerate(symbols_of(run, short, source, length)[:60]):
            layers, logits, state = model.signals(symbol.view(1, 1), state)
            at = place + step
            for layer, signals in zip(main(found).layers, layers, strict=True):
                for name, tensor in signals.items():
                    stored = layer.read_units(name, slice(None), at, at + 1)[:, 0]
                    np.testing.assert_allclose(stored, tensor[0, 0].numpy(), rtol=2e-3, atol=2e-3)
            log_p = torch.log_softmax(logits[0, 0], dim=-1).numpy()
            np.testing.assert_allclose(main(found).next(at, at + 1)[0], log_p, rtol=2e-3, atol=2e-3)


def test_surprisal_is_of_the_symbol_that_came(lstm: Run, short: Text, tmp_path: Path) -> None:
    found = captured(lstm, short, tmp_path / "a.zarr", streams=3)
    data = np.append(found.text(0, 3000), found.after[-1:]).astype(np.int16)
    targets = data[1:]
    for (place, length, _), after in zip(found.segments.tolist(), found.after, strict=True):
        targets[place + length - 1] = after
    next, surprisal = main(found).next(0, 3000).astype(np.float32), main(found).surprisal(0, 3000)
    assert np.isnan(surprisal).nonzero()[0].tolist() == [2999]
    assert found.after.tolist() == [*short.read(1000, 1001), *short.read(2000, 2001), -1]
    place_of = {byte: index for index, byte in enumerate(main(found).vocabulary)}
    expected = [-next[time, place_of[int(target)]] for time, target in enumerate(targets[:-1])]
    np.testing.assert_allclose(surprisal[:-1], expected, rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(np.exp(next).sum(axis=1), 1, atol=2e-3)


def test_signals_alone_are_the_same_signals(lstm: Run, short: Text, tmp_path: Path) -> None:
    whole = captured(lstm, short, tmp_path / "whole.zarr")
    for _ in capture(lstm, short, tmp_path / "a.zarr", predictions="none"):
        pass
    alone = open_capture(tmp_path / "a.zarr")
    assert alone.complete
    assert (main(alone).has_next, main(alone).has_surprisal) == (False, False)
    for layer, other in zip(main(alone).layers, main(whole).layers, strict=True):
        for signal in other.signals:
            np.testing.assert_array_equal(
                layer.read_units(signal, slice(None), 0, 3000), other.read_units(signal, slice(None), 0, 3000)
            )


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_mean_surprisal_is_the_loss(lstm: Run, short: Text, tmp_path: Path, part: CapturedPart) -> None:
    assert part != "all"
    found = captured(lstm, short, tmp_path / "a.zarr", part=part)
    measuring = Computation(
        evaluate(lstm.model(torch.device("cpu")), lstm.byte_vocabulary, short, lstm.config.split, part)
    )
    list(measuring)
    assert found.symbols == measuring.result.symbols
    assert mean_surprisal(main(found)) == pytest.approx(measuring.result.loss, abs=1e-6)
    assert found.attributes["text"] == {"name": "short.txt", "sha256": short.sha256(), "part": part}


def test_the_last_target_of_the_last_span_is_the_text_s_first_byte(
    lstm: Run, short: Text, tmp_path: Path
) -> None:
    found = captured(lstm, short, tmp_path / "a.zarr", part="test")
    ends = (found.segments[:, 2] + found.segments[:, 1]) % lstm.config.split.truncated(short.length)
    assert found.after.tolist() == [int(short.read(end, end + 1)[0]) for end in ends.tolist()]
    assert ends[-1] == 0
    assert not np.isnan(main(found).surprisal(0, found.symbols)).any()


def test_each_file_is_a_segment_that_nothing_follows(lstm: Run, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for index, length in enumerate((700, 1, 90, 400)):
        write_words(folder / f"{index}.txt", length, seed=index)
    text = open_text(str(folder), seed=4)
    found = captured(lstm, text, tmp_path / "a.zarr")
    assert found.segments[:, 1].tolist() == [part.length for part in text.parts]
    assert (found.after == -1).all()
    assert np.isnan(main(found).surprisal(0, found.symbols)).sum() == 4
    h = main(found).layers[0].read_units("h", slice(None), 0, found.symbols)
    alone = open_text(str(folder / text.parts[2].name))
    again = captured(lstm, alone, tmp_path / "b.zarr")
    start = text.parts[2].start
    np.testing.assert_allclose(
        h[:, start : start + alone.length],
        main(again).layers[0].read_units("h", slice(None), 0, alone.length),
        atol=1e-3,
    )


def test_only_the_signals_asked_for_in_the_order_of_the_kind(lstm: Run, short: Text, tmp_path: Path) -> None:
    found = captured(lstm, short, tmp_path / "a.zarr", signals=["o", "c"])
    assert main(found).layers[1].signals == ("c", "o")
    with pytest.raises(InvalidRequest) as caught:
        captured(lstm, short, tmp_path / "b.zarr", signals=["c", "z"])
    assert "c, h, i, f, o, g" in caught.value.hint
    for none in ([], [""], ["c", "c"]):
        with pytest.raises(InvalidRequest):
            captured(lstm, short, tmp_path / "b.zarr", signals=none)
    assert not (tmp_path / "b.zarr").exists()


def test_streams_that_cannot_be(lstm: Run, short: Text, tmp_path: Path) -> None:
    for streams, part in ((0, "all"), (3001, "all"), (2, "test")):
        with pytest.raises(InvalidRequest, match="--streams") as caught:
            captured(lstm, short, tmp_path / "a.zarr", streams=streams, part=part)  # type: ignore[arg-type]
        assert caught.value.hint
    found = captured(lstm, short, tmp_path / "a.zarr", streams=3000)
    assert found.segments[:, 1].tolist() == [1] * 3000


@pytest.fixture(name="strange")
def _strange(tmp_path: Path) -> Text:
    """A text with a byte that no model of these tests has seen, at 120, 121 and 300, one of them after a newline."""
    path = write_words(tmp_path / "strange.txt", 400)
    data = bytearray(path.read_bytes().replace(b"\n", b" "))
    data[50:51] = b"\n"
    data[120:122] = b"\xff\xff"
    data[300:301] = b"\xff"
    path.write_bytes(data)
    return open_text(str(path))


def test_unknown_bytes_are_refused_before_anything_is_written(
    lstm: Run, strange: Text, tmp_path: Path
) -> None:
    with pytest.raises(InvalidText, match=r"0xFF.*offset 120, in line 2") as caught:
        captured(lstm, strange, tmp_path / "a.zarr")
    assert "--unknown replace" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["strange.txt"]


def test_unknown_bytes_are_read_as_spaces_and_kept_as_they_are(
    lstm: Run, strange: Text, tmp_path: Path
) -> None:
    found = captured(lstm, strange, tmp_path / "a.zarr", replace_unknown=True)
    assert found.text(0, 400).tobytes() == strange.read(0, 400).tobytes()
    assert found.attributes["options"] == {"streams": None, "unknown": {"symbols": 3, "read_as": 32}}
    surprisal = main(found).surprisal(0, 400)
    assert np.isnan(surprisal).nonzero()[0].tolist() == [119, 120, 299, 399]
    spaces = tmp_path / "spaces.txt"
    spaces.write_bytes(strange.read(0, 400).tobytes().replace(b"\xff", b" "))
    same = captured(lstm, open_text(str(spaces)), tmp_path / "b.zarr")
    np.testing.assert_array_equal(
        main(found).layers[0].read_units("c", slice(None), 0, 400),
        main(same).layers[0].read_units("c", slice(None), 0, 400),
    )


def test_unknown_bytes_outside_the_part_do_not_matter(lstm: Run, tmp_path: Path) -> None:
    path = write_words(tmp_path / "text.txt", 3000)
    data = bytearray(path.read_bytes())
    data[5] = 0xFF
    path.write_bytes(data)
    found = captured(lstm, open_text(str(path)), tmp_path / "a.zarr", part="test")
    assert found.complete


def interrupted(run: Run, text: Text, path: Path, after: int, streams: int | None) -> None:
    """Capture until `after` symbols are behind and leave, as Ctrl-C does."""
    events = capture(run, text, path, resume=path.exists(), streams=streams)
    for event in events:
        if event.done > after:
            break
    events.close()


@pytest.mark.parametrize(("kind", "streams"), [("lstm", None), ("gru", None), ("lstm", 20)])
def test_resumed_captures_have_the_same_files(
    kind: str,
    request: pytest.FixtureRequest,
    long: Text,
    tmp_path: Path,
    streams: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rnnviz.engine.capture.capture.BLOCK_BYTES", 2 << 20)  # many blocks in a short text
    monkeypatch.setattr("rnnviz.engine.capture.capture.CPU_TOGETHER", 4)
    run: Run = request.getfixturevalue(kind)
    whole = captured(run, long, tmp_path / "whole.zarr", streams=streams)
    column = whole.schema.column
    path = tmp_path / "a.zarr"
    reached = []
    for after in (0, column + 20_000, 2 * column + 5_000):
        interrupted(run, long, path, after, streams)
        found = open_capture(path)
        assert not found.complete
        reached.append(found.captured)
        np.testing.assert_array_equal(
            main(found).layers[-1].read("h", 2, 0, found.captured),
            main(whole).layers[-1].read("h", 2, 0, found.captured),
        )
    assert reached[-1] >= column
    captured(run, long, path, streams=streams, resume=True)
    assert contents(path) == contents(whole.path)


def test_resuming_what_is_complete_does_nothing(lstm: Run, short: Text, tmp_path: Path) -> None:
    found = captured(lstm, short, tmp_path / "a.zarr", resume=True)  # where nothing is, it begins
    before = contents(found.path)
    events = list(capture(lstm, short, found.path, resume=True))
    assert [(event.done, event.total) for event in events] == [(3000, 3000)]
    assert contents(found.path) == before


def test_resuming_something_else_is_refused(lstm: Run, rnn: Run, short: Text, tmp_path: Path) -> None:
    path = captured(lstm, short, tmp_path / "a.zarr").path
    other = open_text(str(write_words(tmp_path / "other.txt", 3000, seed=9)))
    before = contents(path)
    for run, text, part, word in (
        (lstm, other, "all", "text"),
        (rnn, short, "all", "model"),
        (lstm, short, "test", "part"),
    ):
        with pytest.raises(InvalidRequest, match=f"another .*{word}"):
            captured(run, text, path, part=part, resume=True)  # type: ignore[arg-type]
    with pytest.raises(AlreadyExists):
        captured(lstm, short, path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidCapture):
        captured(lstm, short, tmp_path / "file", resume=True)
    assert contents(path) == before


def test_weights_that_are_no_numbers(lstm: Run, short: Text, tmp_path: Path) -> None:
    weights = load_file(lstm.path / "model.safetensors")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "run.json").write_bytes((lstm.path / "run.json").read_bytes())
    weights["decoder.bias"][0] = float("nan")
    save_file(weights, broken / "model.safetensors")
    with pytest.raises(InvalidRun, match="no numbers"):
        captured(load_run(broken), short, tmp_path / "a.zarr")
    assert not (tmp_path / "a.zarr").exists()


def test_threads_are_given_back(lstm: Run, short: Text, tmp_path: Path) -> None:
    torch.set_num_threads(2)
    events = capture(lstm, short, tmp_path / "a.zarr")
    next(events)
    next(events)
    assert torch.get_num_threads() == 1
    events.close()
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("length", "streams", "extent"),
    [
        (3000, 4, Extent("all")),  # 4 stretches of 600 symbols
        (300_000, 100, Extent("all")),  # 100 stretches of 300
        (900_000, 10, Extent("all", 400_000)),  # 10 of 9,000, which are few symbols
        (1_900_000, 100, Extent("all", 400_000)),  # 100 of 1,900
        (3_258_245, 100, Extent("test")),  # 100 of 3,300
    ],
)
def test_what_is_captured_of_the_own_text_can_be_read_as_text(
    lstm: Run, long: Text, tmp_path: Path, length: int, streams: int, extent: Extent
) -> None:
    path = tmp_path / "text"
    with path.open("wb") as file:
        file.truncate(length)
    text = open_text(str(path))
    split = Split(80, 10, 10, streams=streams, unroll=100 if length > 9000 else 10)
    own = replace(
        lstm, text=TextRecord.of(text, lstm.path, None, "*"), config=replace(lstm.config, split=split)
    )
    assert default_extent(own, text) == extent
    assert default_extent(own, long) == Extent("all"), "another text is captured as a whole"


def test_a_capture_tells_what_its_model_was_trained_on(lstm: Run, short: Text, tmp_path: Path) -> None:
    """The parts of a capture of the whole text are those that `eval` and training read, and their means."""
    whole, part = (
        captured(lstm, short, tmp_path / "a.zarr", part="all"),
        captured(lstm, short, tmp_path / "b.zarr", part="test"),
    )
    name = next(iter(whole.models))
    split = training_split(whole, name)
    assert split is not None
    found = parts_of(whole, split, 0, short.length)
    for number, among in enumerate(PARTS):
        for span in spans(short.length, lstm.config.split, among):
            assert (found[span.start : span.start + span.length] == number).all()
    assert (found == TRAINED).sum() == 4 * spans(short.length, lstm.config.split, "train")[0].length
    assert surprisal_by_part(whole, name)[HELD_OUT].symbols == (found == HELD_OUT).sum()
    values = whole.models[name].surprisal(0, short.length)
    expected = np.nanmean(values[found == HELD_OUT], dtype=np.float64)
    assert surprisal_by_part(whole, name)[HELD_OUT].mean == pytest.approx(expected, abs=1e-6)
    only = surprisal_by_part(part, name)
    assert list(only) == [HELD_OUT]
    assert only[HELD_OUT].mean == pytest.approx(mean_surprisal(part.models[name]), abs=1e-9)
    other = captured(lstm, open_text(str(write_words(tmp_path / "other", 900))), tmp_path / "c.zarr")
    assert training_split(other, name) is None
    assert surprisal_by_part(other, name) == {}


def test_the_beginning_of_a_text_has_whole_files(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    for name in "abc":
        write_words(tmp_path / "texts" / name, 500, seed=ord(name))
    text = open_text(str(tmp_path / "texts"))
    for first, lengths in ((1, [1]), (499, [499]), (500, [500]), (1400, [500, 500]), (9000, [500] * 3)):
        segments = segments_of(text, Split(), "all", first=first)
        assert segments.lengths == lengths
        assert segments.table[:, 2].tolist() == [part.start for part in text.parts[: len(lengths)]]
        follows = text.read(first, first + 1).item() if first < 500 else -1
        assert segments.after.tolist() == [*[-1] * (len(lengths) - 1), follows]
    rows = segments_of(text, Split(), "all", 3, first=1400)
    assert (rows.lengths, rows.after.tolist()) == (
        [333, 333, 334],
        [text.read(edge, edge + 1).item() for edge in (333, 666, 1000)],
    )
    wrong: list[tuple[CapturedPart, int]] = [("test", 5), ("all", 0)]
    for part, first in wrong:
        with pytest.raises(InvalidRequest, match="--first"):
            segments_of(text, Split(), part, first=first)


def test_the_reference_split_has_330_000_symbols_in_100_segments(tmp_path: Path) -> None:
    path = tmp_path / "as-long-as-war-and-peace"
    with path.open("wb") as file:
        file.truncate(3_258_245)
    segments = segments_of(open_text(str(path)), Split(), "test")
    assert (segments.symbols, len(segments.table)) == (330_000, 100)
    assert segments.lengths == [3300] * 100


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_captures_what_the_cpu_does(lstm: Run, long: Text, tmp_path: Path) -> None:
    here = captured(lstm, long, tmp_path / "a.zarr", streams=20)
    for _ in capture(lstm, long, tmp_path / "b.zarr", streams=20, device=torch.device("cuda")):
        pass
    there = open_capture(tmp_path / "b.zarr")
    for signal in ("c", "h", "f"):
        np.testing.assert_allclose(
            main(there).layers[1].read_units(signal, slice(None), 0, LONG),
            main(here).layers[1].read_units(signal, slice(None), 0, LONG),
            rtol=2e-3,
            atol=2e-3,
        )
