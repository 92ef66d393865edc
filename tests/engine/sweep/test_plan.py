"""What a sweep trains, what it refuses to touch, and in which order it goes about it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rnnviz.engine.runs.run import RunConfig, load_run
from rnnviz.engine.sweep.grid import grid
from rnnviz.engine.sweep.job import Job, Report
from rnnviz.engine.sweep.local import Capacity, capacity, threads_of_each
from rnnviz.engine.sweep.plan import Sweep, held_sweep, load_sweep
from rnnviz.engine.sweep.schedule import Forecast, jobs_of
from rnnviz.engine.text.split import Split
from rnnviz.engine.text.text import open_text
from rnnviz.engine.training.train import EpochDone, start_run
from rnnviz.store import limits
from rnnviz.store.errors import AlreadyExists, InvalidRequest, InvalidRun, InvalidText, NotFound
from support.runs import go_on
from support.sweeps import SPLIT, plan_small, start_jobs, start_sweep
from support.texts import write_words


@pytest.fixture(name="text")
def _text(tmp_path: Path) -> Path:
    return write_words(tmp_path / "text", 2500)


def _train(sweep: Sweep, text: Path, number: int, **changes: object) -> Path:
    """Train one entry of a sweep to its end, with another config where that is asked for."""
    entry = sweep.entries[number]
    config = replace(sweep.config(entry), threads=3, **changes)  # type: ignore[arg-type]
    opened = open_text(str(text))
    run = start_run(sweep.path / entry.name, opened, config, command="", spec=None, glob="*", force=False)
    return go_on(run.path, opened).path


def test_runs_have_telling_names(tmp_path: Path, text: Path) -> None:
    sweep = plan_small(tmp_path / "sweep", text, sizes=(4, 8), dropouts=(0.0, 0.25))
    names = [entry.name for entry in sweep.entries]
    assert names[:4] == ["lstm-1x4-d0", "lstm-1x4-d0.25", "lstm-1x8-d0", "lstm-1x8-d0.25"]
    assert len(set(names)) == len(names) == 8


def test_a_sweep_is_read_as_it_was_written_and_may_grow(tmp_path: Path, text: Path) -> None:
    path = tmp_path / "a" / "sweep"
    first = start_sweep(plan_small(path, text, kinds=("gru",)))
    assert load_sweep(path) == first
    second = start_sweep(plan_small(path, text, kinds=("gru", "lstm"), sizes=(6, 4)))
    assert load_sweep(path) == second
    found = [(entry.model.kind, entry.model.size) for entry in second.entries]
    assert found == [("lstm", 4), ("lstm", 6), ("gru", 4), ("gru", 6)], "in the order of the paper's figure"
    assert start_sweep(plan_small(path, text, kinds=("lstm",))).entries == second.entries


def test_a_sweep_is_one_process_s_from_its_first_look_on(tmp_path: Path, text: Path) -> None:
    """Another one that asks for more models meanwhile is refused, and leaves the record alone."""
    path = tmp_path / "sweep"
    with held_sweep(plan_small(path, text, kinds=("lstm",))):
        before = (path / "sweep.json").read_bytes()
        with (
            pytest.raises(InvalidRequest, match="another process is writing"),
            held_sweep(plan_small(path, text)),
        ):
            pass
        assert (path / "sweep.json").read_bytes() == before
    assert len(start_sweep(plan_small(path, text)).entries) == 2


def test_another_text_or_protocol_is_refused(tmp_path: Path, text: Path) -> None:
    path = tmp_path / "sweep"
    start_sweep(plan_small(path, text))
    before = (path / "sweep.json").read_bytes()
    others: list[tuple[Sweep, str, str]] = [
        (plan_small(path, write_words(tmp_path / "other", 2500, seed=1)), "another text", "--out"),
        (plan_small(path, text, epochs=4), "--epochs 3, not 4", "--epochs 3"),
        (plan_small(path, text, seed=1), "--seed 0, not 1", "--seed 0"),
        (plan_small(path, text, split=Split(70, 15, 15, 4, 10)), "--split 60/20/20", "--split"),
        (plan_small(path, text, split=replace(SPLIT, unroll=5)), "--unroll 10, not 5", "--unroll 10"),
    ]
    for other, sentence, hint in others:
        with pytest.raises(InvalidRequest, match=sentence) as caught:
            start_sweep(other)
        assert hint in caught.value.hint
    assert (path / "sweep.json").read_bytes() == before


def test_what_is_in_the_way_is_kept(tmp_path: Path, text: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("")
    for path in (tmp_path / "mine", text):
        with pytest.raises(AlreadyExists, match="is no sweep"):
            start_sweep(plan_small(path, text))
    sweep = plan_small(tmp_path / "sweep", text)
    start_sweep(sweep)
    place = sweep.path / sweep.entries[0].name
    place.mkdir()
    (place / "thesis.tex").write_text("")
    with pytest.raises(AlreadyExists, match="is no run"):
        start_sweep(sweep)
    (place / "thesis.tex").unlink()
    (place / "run.json.new").write_text("{")
    assert start_sweep(sweep).run(sweep.entries[0]) is None, "a process was killed there, and left nothing"


def test_a_run_of_another_config_is_not_taken_for_its_own(tmp_path: Path, text: Path) -> None:
    sweep = start_sweep(plan_small(tmp_path / "sweep", text))
    _train(sweep, text, 0, rate=1e-3)
    with pytest.raises(InvalidRequest, match="its rate differs"):
        start_sweep(sweep)
    _train(sweep, write_words(tmp_path / "other", 2500, seed=1), 1)
    with pytest.raises(InvalidRequest, match="its text differs"):
        sweep.run(sweep.entries[1])


def test_damaged_records_are_refused(tmp_path: Path, text: Path) -> None:
    with pytest.raises(NotFound, match="no sweep"):
        load_sweep(tmp_path / "none")
    with pytest.raises(InvalidRun, match="is no sweep"):
        load_sweep(tmp_path)
    path = start_sweep(plan_small(tmp_path / "sweep", text)).path
    file = path / "sweep.json"
    good = json.loads(file.read_bytes())
    damages = [
        {"format": 2},
        {"symbols": 0},
        {"protocol": {}},
        {"protocol": good["protocol"] | {"epochs": 0}},
        {"protocol": good["protocol"] | {"split": good["protocol"]["split"] | {"train": 99}}},
        {"entries": [{"kind": "../x", "layers": 1, "size": 4, "dropout": 0}]},
        {"entries": [{"kind": "lstm", "layers": 1, "size": 1 << 60, "dropout": 0}]},
        {"entries": [{"kind": "lstm", "layers": 1, "size": 4, "dropout": 1e400}]},
        {"text": {"name": "\x1b[2J"}},
    ]
    for damage in damages:
        file.write_text(json.dumps(good | damage))
        with pytest.raises(InvalidRun):
            load_sweep(path)
    file.write_bytes(b"{")
    with pytest.raises(InvalidRun):
        load_sweep(path)


def test_a_text_too_short_and_dropouts_out_of_range(tmp_path: Path, text: Path) -> None:
    with pytest.raises(InvalidText, match="fewer than one mini-batch"):
        plan_small(tmp_path / "sweep", text, split=Split())
    for dropouts in ((), (1.0,), (0.0, -0.5), (float("nan"),)):
        with pytest.raises(InvalidRequest):
            plan_small(tmp_path / "sweep", text, dropouts=dropouts)
    assert not (tmp_path / "sweep").exists()


def test_the_longest_come_first_and_finished_ones_not_at_all(tmp_path: Path, text: Path) -> None:
    sweep = start_sweep(plan_small(tmp_path / "sweep", text, sizes=(4, 8, 12)))
    _train(sweep, text, 1)
    opened = open_text(str(text))
    half = sweep.path / sweep.entries[2].name
    config = replace(sweep.config(sweep.entries[2]), threads=3)
    start_run(half, opened, config, command="", spec=None, glob="*", force=False)
    go_on(half, opened, until=lambda event: isinstance(event, EpochDone) and event.epoch.epoch == 2)
    jobs, reports = jobs_of(
        sweep, sweep.entries, str(text), device="cpu", threads=1, command=lambda name, _: f"make {name}"
    )
    by_name = {entry.name: entry.model for entry in sweep.entries}
    assert len(jobs) == 5
    assert [by_name[job.name].size for job in jobs] == [12, 8, 12, 4, 4]
    assert jobs[2].name == half.name, "only a third is left of it"
    assert [job.config.threads for job in jobs] == [1, 1, 3, 1, 1], "what was begun keeps its threads"
    assert jobs[0].command == f"make {jobs[0].name}"
    phases = {report.name: (report.phase, report.epochs) for report in reports}
    assert phases[sweep.entries[1].name] == ("complete", 3)
    assert phases[half.name] == ("waiting", 2)
    for report in reports:
        run = sweep.path / report.name
        if run.exists() and load_run(run).complete:
            assert report.done == report.total == 3 * 4 * 10 * 37


def test_jobs_and_reports_survive_the_way_to_another_process(tmp_path: Path, text: Path) -> None:
    (job, *_) = start_jobs(plan_small(tmp_path / "sweep", text), text)
    assert Job.from_json(job.to_json()) == job
    assert "\n" not in job.to_json()
    report = Report("lstm", "training", 3, 7, 1, 2.5, None, 1e3, 12, "a\nb", "")
    assert Report.from_json(report.to_json()) == report
    assert "\n" not in report.to_json()


def test_the_time_left_follows_rates_and_parameters() -> None:
    reports = [Report(name, "waiting", 0, 1000) for name in "abc"]
    forecast = Forecast({"a": 10, "b": 10, "c": 40}, reports, places=2)
    assert forecast.seconds_left() is None
    forecast.note(Report("a", "training", 500, 1000, rate=100.0))
    # a: 5 s; b as a from the start: 10 s; c four times as slow: 40 s, longer than all by two.
    assert forecast.seconds_left() == pytest.approx(40)
    forecast.note(Report("c", "complete", 1000, 1000, rate=25.0))
    assert forecast.seconds_left() == pytest.approx(10)
    assert forecast.rate() == 100
    for name in "ab":
        forecast.note(Report(name, "complete", 1000, 1000))
    assert forecast.seconds_left() == 0
    assert forecast.rate() == 0


def test_the_time_left_where_runs_take_several_places() -> None:
    reports = [Report(name, "waiting", 0, 1000) for name in "abcd"]
    forecast = Forecast(dict.fromkeys("abcd", 10), reports, 4, {"a": 2, "b": 2, "c": 1, "d": 1})
    forecast.note(Report("a", "training", 500, 1000, rate=100.0))
    # a: 5 s in two places; b: 10 s in two; c and d: 20 s in one each.
    assert forecast.seconds_left() == pytest.approx(20)
    forecast.note(Report("c", "complete", 1000, 1000, rate=50.0))
    forecast.note(Report("d", "training", 900, 1000, rate=50.0))
    # The cores are enough for all three at once.
    assert forecast.seconds_left() == pytest.approx(10)


CPU = torch.device("cpu")


@pytest.fixture(name="container")
def _container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int, float], None]:
    """Puts this process where it has so many cores, and so many bytes of memory left."""
    system, group = tmp_path / "proc/self", tmp_path / "group"
    for directory in (system, group):
        directory.mkdir(parents=True)
    (system / "cgroup").write_text("0::/\n")
    (system / "mountinfo").write_text("30 23 0:26 / /group rw - cgroup2 cgroup2 rw\n")
    monkeypatch.setattr(limits, "ROOT", tmp_path)
    monkeypatch.setattr("os.sysconf", lambda _: 1 << 20)  # pages, and bytes in each: a terabyte
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(256))
    monkeypatch.setattr("os.process_cpu_count", lambda: 256, raising=False)

    def limit(cores: int, free: float) -> None:
        (group / "cpu.max").write_text(f"{cores}00000 100000\n")
        (group / "memory.max").write_text(f"{free + 1e8:.0f}\n")
        (group / "memory.current").write_text("100000000\n")

    return limit


def test_this_machines_cores_are_used_and_no_more(tmp_path: Path, text: Path) -> None:
    sweep = plan_small(tmp_path / "sweep", text)
    cores = limits.cores().amount
    configs = [sweep.config(entry) for entry in sweep.entries] * 50
    suited = capacity(configs, sweep.symbols, CPU)
    assert 1 <= suited.at_once <= cores
    assert (suited.cores, suited.gpus) == (cores, ())
    assert set(threads_of_each(configs, sweep.symbols, suited)) == {1}
    assert capacity(configs[:1], sweep.symbols, CPU).at_once == 1
    assert capacity(configs, sweep.symbols, CPU, at_once=3, threads=2) == Capacity(3), "as it is asked for"
    assert capacity(configs, sweep.symbols, CPU, threads=cores).at_once == 1


def test_threads_where_cores_would_lie_idle(
    tmp_path: Path, text: Path, container: Callable[[int, float], None]
) -> None:
    sweep = plan_small(tmp_path / "sweep", text, kinds=("lstm",))
    alone = [replace(sweep.config(sweep.entries[0]), split=Split(streams=100))]
    for configs, cores, expected in (
        (alone, 2, [2]),
        (alone, 64, [4]),
        (alone * 2, 4, [2, 2]),
        (alone * 3, 8, [3, 3, 3]),
        ([replace(alone[0], kind="gru")], 64, [2]),
        ([replace(alone[0], dropout=0.5)], 64, [1]),
        ([alone[0], replace(alone[0], dropout=0.5)], 16, [4, 1]),
    ):
        container(cores, 1e12)
        suited = capacity(configs, sweep.symbols, CPU)
        assert threads_of_each(configs, sweep.symbols, suited) == expected


def test_a_run_longer_than_all_together_gets_more_threads(container: Callable[[int, float], None]) -> None:
    """The paper's grid: on as many cores as it has models, one thread each would leave most waiting for the largest."""
    models = grid(87, ("lstm", "rnn", "gru"), (1, 2, 3), None)
    configs = [RunConfig(kind=model.kind, layers=model.layers, hidden=model.hidden) for model in models]
    total = sum(model.parameters for model in models)
    for cores in (1, 2, 8, 16, 24, 33, 64):
        container(cores, 1e12)
        suited = capacity(configs, 87, CPU)
        assert suited.at_once == min(cores, 33)
        each = threads_of_each(configs, 87, suited)
        assert (max(each) == 1) == (cores <= 8)
        for model, threads in zip(models, each, strict=True):
            shares = 2 if model.kind == "gru" else 4
            assert threads <= shares
            assert threads == shares or model.parameters / threads <= total / cores
    asked = capacity(configs, 87, CPU, at_once=64)
    assert set(threads_of_each(configs, 87, asked)) == {1}, "all are at work at once"


def test_a_container_s_memory_is_planned_with(
    tmp_path: Path, text: Path, container: Callable[[int, float], None]
) -> None:
    sweep = plan_small(tmp_path / "sweep", text, kinds=("lstm",), sizes=(4, 8, 16, 512))
    configs = [replace(sweep.config(entry), split=Split()) for entry in sweep.entries]
    # The largest takes about 420 MB, and 83 more for each further thread; a fifth stays free.
    for free, at_once, each in (
        (3600, 4, [2, 2, 2, 4]),
        (3000, 4, [2, 2, 2, 3]),
        (2400, 4, [1, 1, 1, 1]),
        (1400, 2, [2, 2, 2, 2]),
        (490, 1, [1, 1, 1, 1]),
    ):
        container(8, free * 1e6)
        suited = capacity(configs, sweep.symbols, CPU)
        assert suited == Capacity(at_once, 8)
        assert threads_of_each(configs, sweep.symbols, suited) == each
    container(8, 400e6)
    with pytest.raises(
        InvalidRequest, match=r"lstm of 1×512 takes about 0\.42 GB, and 0\.40 are left \(/group/memory\.max\)"
    ):
        capacity(configs, sweep.symbols, CPU)
    assert capacity(configs, sweep.symbols, CPU, at_once=1).at_once == 1, "as the hint says"
