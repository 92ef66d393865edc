"""A run directory on disk: what is written, and what is refused when a stranger wrote it."""

from __future__ import annotations

import copy
import json
import resource
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save_file

from rnnviz.engine.runs.imported_file import ImportedFile
from rnnviz.engine.runs.run import RUN_FILE, Run, RunConfig, load_run
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.engine.text.split import Split
from rnnviz.engine.text.text import STANDARD_LIBRARY, open_text
from rnnviz.store.disk import replace_file
from rnnviz.store.errors import InvalidRequest, InvalidRun, InvalidText, NotFound, RnnvizError
from rnnviz.store.schema import SymbolUnit
from support.runs import SMALL, go_on, start
from support.texts import write_words

CPU = torch.device("cpu")


@pytest.fixture(name="run", scope="module")
def _run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("runs")
    text = open_text(str(write_words(folder / "text", 2500)))
    return go_on(start(folder / "run", text, replace(SMALL, epochs=2)).path, text)


def test_a_run_reads_back_as_it_was_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    moved = replace(run, path=tmp_path / "copy")
    moved.save()
    assert load_run(moved.path) == moved
    assert moved.name == "copy"


def test_the_record_says_what_was_done(run: Run) -> None:
    record = json.loads((run.path / RUN_FILE).read_text())
    assert record["format"] == 1
    assert record["config"]["split"] == {"train": 60, "val": 20, "test": 20, "streams": 4, "unroll": 10}
    assert record["vocabulary"] == sorted(set(record["vocabulary"]))
    assert record["text"]["name"] == "text"
    assert record["text"]["length"] == 2500
    assert len(record["text"]["sha256"]) == 64
    assert record["versions"].keys() == {"rnnviz", "torch", "python"}
    assert record["best_epoch"] in {epoch["epoch"] for epoch in record["history"]}
    assert record["test"]["symbols"] == 520
    assert str(run.path.parent) not in (run.path / RUN_FILE).read_text(), "nothing about this machine's paths"


def test_the_model_is_the_best_weights_ready_to_evaluate(run: Run) -> None:
    before = torch.get_rng_state()
    model = run.model(CPU)
    assert not model.training
    assert torch.equal(torch.get_rng_state(), before)
    weights = load((run.path / "model.safetensors").read_bytes())
    assert all(torch.equal(value, weights[name]) for name, value in model.named_parameters())


def test_the_text_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """Beside the run wherever both were moved to, as it was named from the working directory, where it was seen."""
    for folder in ("both/runs", "elsewhere", "seen"):
        (tmp_path / folder).mkdir(parents=True)
    original = tmp_path / "both/text"
    write_words(original, 2000)
    made = start(tmp_path / "both/runs/a", open_text(str(original)))
    assert made.text
    assert (made.text.spec, made.text.place) == (None, "../../text")
    assert str(tmp_path) not in (made.path / RUN_FILE).read_text()
    shutil.move(tmp_path / "both", tmp_path / "moved")
    moved = load_run(tmp_path / "moved/runs/a")
    monkeypatch.chdir(tmp_path / "elsewhere")
    opened = moved.open_text()
    assert (opened.sha256(), opened.origin) == (made.text.sha256, tmp_path / "moved/text")

    shutil.move(tmp_path / "moved/text", tmp_path / "seen/text")
    with pytest.raises(InvalidRequest, match="not to be found") as caught:
        moved.open_text()
    assert "TEXT" in caught.value.hint
    assert moved.open_text(known=[tmp_path / "gone", tmp_path / "seen/text"]).sha256() == made.text.sha256
    named = replace(moved, text=replace(made.text, spec="../seen/text"))
    assert named.open_text().sha256() == made.text.sha256
    library = replace(run, text=replace(made.text, spec=STANDARD_LIBRARY))
    with pytest.raises(InvalidText, match="python:stdlib has changed"):
        library.open_text()
    with pytest.raises(NotFound):
        run.open_text("gone")


def test_a_changed_text_is_told_by_its_hash(tmp_path: Path) -> None:
    write_words(tmp_path / "text", 2000)
    run = start(tmp_path / "run", open_text(str(tmp_path / "text")))
    (tmp_path / "copy").write_bytes((tmp_path / "text").read_bytes())
    (tmp_path / "text").write_text("the same name, and other words")
    with pytest.raises(InvalidText, match=r"text has changed: .* is not that of the text of .*run") as caught:
        run.open_text()
    assert str(tmp_path / "text") in caught.value.hint
    assert run.open_text(known=[tmp_path / "copy"]).length == 2000, "one that is whole goes before"
    assert run.open_text(str(tmp_path / "text")).length == 30
    assert run.open_text(glob="*t").length == 30, "another glob asks for another text"


def test_files_of_a_directory_come_in_the_order_of_training(tmp_path: Path, run: Run) -> None:
    for number in range(10):
        (tmp_path / f"{number}.txt").write_text(f"{number}")
        (tmp_path / f"{number}.md").write_text("x")
    assert run.text
    for seed in (0, 1):
        recorded = replace(run, config=replace(run.config, seed=seed), text=replace(run.text, glob="*.txt"))
        expected = open_text(str(tmp_path), glob="*.txt", seed=seed)
        assert recorded.open_text(str(tmp_path)).sha256() == expected.sha256()
    assert recorded.open_text(str(tmp_path), "*.md").length == 10


def test_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no run"):
        load_run(tmp_path / "none")
    with pytest.raises(NotFound):
        load_run(tmp_path / ("x" * 300))
    with pytest.raises(InvalidRun, match=r"has no run\.json"):
        load_run(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidRun):
        load_run(tmp_path / "file")
    (tmp_path / RUN_FILE).mkdir()
    with pytest.raises(InvalidRun):
        load_run(tmp_path)


SOURCE = ImportedFile("model.pt", "0" * 64, "PyTorch state_dict")


@pytest.fixture(name="imported")
def _imported(run: Run, tmp_path: Path) -> Run:
    """A run of the same weights as an import leaves it: no text, no history."""
    path = tmp_path / "imported"
    path.mkdir()
    config = RunConfig(kind="lstm", layers=run.config.layers, hidden=run.config.hidden)
    found = Run(
        path, config, run.vocabulary, None, (), run.versions, "rnnviz import", source=SOURCE, complete=True
    )
    found.save()
    found.save_model(run.predictor(CPU))
    return found


def test_an_imported_run_has_no_training(imported: Run) -> None:
    assert load_run(imported.path) == imported
    record = json.loads((imported.path / RUN_FILE).read_text())
    assert record["config"] == {"kind": "lstm", "layers": 1, "hidden": 5}, "nothing is said that is not known"
    assert record["text"] is None
    assert record["source"] == {"name": "model.pt", "sha256": "0" * 64, "format": "PyTorch state_dict"}
    assert imported.best is None
    assert imported.model(CPU).hidden == 5
    with pytest.raises(InvalidRequest, match="was imported") as caught:
        imported.open_text()
    assert "TEXT" in caught.value.hint


@pytest.mark.parametrize("unit", ["character", "word"])
def test_a_run_over_tokens_reads_back(imported: Run, unit: SymbolUnit) -> None:
    odd = ["<unk>", "<eos>", "é", "\n", "", "\x1b[2J", "🙂", "zwei Wörter"]
    run = replace(imported, vocabulary=TokenVocabulary(odd, unit, unknown=0, line_end=1))
    run.save()
    assert load_run(run.path) == run
    run = replace(imported, vocabulary=TokenVocabulary(odd, unit))
    run.save()
    assert load_run(run.path).vocabulary != TokenVocabulary(odd, unit, unknown=0)
    with pytest.raises(InvalidRequest, match=f"over {unit}s"):
        _ = run.byte_vocabulary


@pytest.mark.parametrize(
    "vocabulary",
    [
        {"unit": "word", "tokens": ["a", "a"]},
        {"unit": "word", "tokens": []},
        {"unit": "word", "tokens": ["a", 1]},
        {"unit": "word", "tokens": "ab"},
        {"unit": "word", "tokens": ["\ud800"]},
        {"unit": "word", "tokens": ["a" * 5000]},
        {"unit": "word", "tokens": [f"{n:04000}" for n in range(600)]},
        {"unit": "syllable", "tokens": ["a"]},
        {"unit": "word", "tokens": ["a"], "unknown": 1},
        {"unit": "word", "tokens": ["a"], "line_end": -1},
        {"tokens": ["a"]},
        "a b",
        None,
    ],
)
def test_vocabularies_that_cannot_be(imported: Run, vocabulary: object) -> None:
    file = imported.path / RUN_FILE
    record = json.loads(file.read_text())
    file.write_text(json.dumps(record | {"vocabulary": vocabulary}))
    with pytest.raises(InvalidRun) as caught:
        load_run(imported.path)
    assert caught.value.message.isprintable()
    assert caught.value.hint


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"format": NaN}',
        b"[" * 100_000,
        b'{"format": ' + b"9" * 5000 + b"}",
    ],
    ids=["empty", "cut", "not UTF-8", "a list", "null", "NaN", "deep", "a long number"],
)
def test_what_is_no_record(tmp_path: Path, data: bytes) -> None:
    (tmp_path / RUN_FILE).write_bytes(data)
    with pytest.raises(InvalidRun):
        load_run(tmp_path)


def test_a_newer_format_says_to_update(tmp_path: Path) -> None:
    (tmp_path / RUN_FILE).write_text('{"format": 2}')
    with pytest.raises(InvalidRun, match="format") as caught:
        load_run(tmp_path)
    assert "Update" in caught.value.hint


def test_a_huge_record_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / RUN_FILE).open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InvalidRun, match="too large"):
        load_run(tmp_path)


def _places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of every value inside a JSON value."""
    items: Any = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [path] + [place for key, item in items for place in _places(item, (*path, key))]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([2**31, 2**63, -1, 1e308]),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("over", ["bytes", "tokens"])
@given(data=st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_record_does_harm(over: str, run: Run, imported: Run, tmp_path: Path, data: st.DataObject) -> None:
    """Whatever one value of a record becomes, the run is loaded or refused with a sentence."""
    if over == "tokens":
        words = [f"w{number}" for number in range(len(run.vocabulary))]
        run = replace(imported, vocabulary=TokenVocabulary(words, "word", unknown=0, line_end=1))
        run.save()
    record = json.loads((run.path / RUN_FILE).read_text())
    section = data.draw(st.sampled_from(sorted(record)))
    *parents, last = data.draw(st.sampled_from(_places(record[section], (section,))))
    holder: Any = record
    for key in parents:
        holder = holder[key]
    if data.draw(st.booleans()) and isinstance(holder, dict):
        del holder[last]
    else:
        holder[last] = data.draw(JSON)
    (tmp_path / RUN_FILE).write_text(json.dumps(record))
    replace_file(tmp_path / "model.safetensors", (run.path / "model.safetensors").read_bytes())
    refusal: RnnvizError | None = None
    try:
        loaded = load_run(tmp_path)
        assert not loaded.text or loaded.text.name.isprintable()
        assert loaded.command.isprintable()
        loaded.model(CPU)
    except InvalidRun as error:
        refusal = error
    assert refusal is None or (refusal.hint and str(refusal).isprintable())


def _change(section: str, **values: object) -> Callable[[dict[str, Any]], None]:
    return lambda record: record[section].update(values)


@pytest.mark.parametrize(
    "change",
    [
        _change("config", hidden=1 << 19),
        _change("config", hidden=1 << 40),
        _change("config", layers=1 << 10),
        _change("config", layers=1 << 30),
        _change("config", kind="transformer"),
        _change("config", dropout=1.0),
        _change("config", split={"train": 80, "val": 10, "test": 11, "streams": 1, "unroll": 1}),
        _change("config", hidden=True),
        _change("config", hidden=5.0),
        _change("text", name="\x1b]0;gotcha\x07"),
        _change("text", name="two\nlines"),
        lambda record: record.update(command="\x1b[2J"),
        lambda record: record.update(vocabulary=list(range(300))),
        lambda record: record.update(vocabulary=[1, 1]),
        lambda record: record.update(vocabulary=[]),
        lambda record: record.update(vocabulary="abc"),
        lambda record: record["versions"].update({"\x1b[2J": "1"}),
        lambda record: record["history"][0].update(validation=float("inf")),
    ],
)
def test_hostile_records_are_refused(
    run: Run, tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    """None of these claims costs the memory that it claims."""
    record = json.loads((run.path / RUN_FILE).read_text())
    change(record)
    (tmp_path / RUN_FILE).write_text(json.dumps(record))
    (tmp_path / "model.safetensors").write_bytes((run.path / "model.safetensors").read_bytes())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InvalidRun):
        load_run(tmp_path).model(CPU)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000, "kilobytes"


def test_damaged_weights_are_refused(run: Run, tmp_path: Path) -> None:
    damaged = replace(run, path=tmp_path)
    with pytest.raises(InvalidRun, match="is gone, which held the weights"):
        damaged.model(CPU)
    with pytest.raises(InvalidRun, match="no weights yet"):
        replace(damaged, history=()).model(CPU)
    file = tmp_path / "model.safetensors"
    good = (run.path / "model.safetensors").read_bytes()
    for data in (b"", good[:-4], good[:20], b"\xff" * 100, b"\x80\x04pickled"):
        replace_file(file, data)
        with pytest.raises(InvalidRun, match="damaged"):
            damaged.model(CPU)
    tensors = load(good)
    for name, value in (
        ("decoder.bias", None),
        ("decoder.bias", torch.zeros(1)),
        ("decoder.bias", tensors["decoder.bias"].half()),
        ("\x1b[2J", torch.zeros(1)),
    ):
        changed = copy.copy(tensors)
        if value is None:
            del changed[name]
        else:
            changed[name] = value
        save_file(changed, file)
        with pytest.raises(InvalidRun, match="does not hold the weights") as caught:
            damaged.model(CPU)
        assert str(caught.value).isprintable()


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace_file(path, b"old")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            replace_file(path, b"x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"layers": 0}, "--layers"),
        ({"hidden": -1}, "--hidden"),
        ({"epochs": 0}, "--epochs"),
        ({"dropout": 1.0}, "--dropout"),
        ({"dropout": float("nan")}, "--dropout"),
        ({"seed": -1}, "--seed"),
        ({"threads": 0}, "--threads"),
    ],
)
def test_senseless_configs_name_their_option(options: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidRequest, match=named):
        RunConfig(**options)


def test_the_defaults_are_the_papers() -> None:
    config = RunConfig()
    assert (config.rate, config.smoothing, config.epsilon, config.reach) == (2e-3, 0.95, 1e-8, 0.08)
    assert (config.epochs, config.rate_decay, config.decay_after, config.clip) == (50, 0.95, 10, 5.0)
    assert config.split == Split(80, 10, 10, 100, 100)
    assert config.dropout == 0


def test_a_dropout_of_everything_is_refused_in_words_that_are_true() -> None:
    with pytest.raises(InvalidRequest, match="--dropout 1 is no share from 0 up to, but not, 1"):
        RunConfig(dropout=1.0)
