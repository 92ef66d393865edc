"""What a sweep trains, what it refuses to touch, and in which order it goes about it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rnnviz.engine import limits
from rnnviz.engine.run import load_run
from rnnviz.engine.split import Split
from rnnviz.engine.sweep.job import Job, Report
from rnnviz.engine.sweep.local import Capacity, capacity
from rnnviz.engine.sweep.plan import Sweep, held_sweep, load_sweep
from rnnviz.engine.sweep.schedule import Forecast, jobs_of
from rnnviz.engine.text import open_text
from rnnviz.engine.train import EpochDone, start_run
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
    forecast = Forecast({"a": 10, "b": 10, "c": 40}, reports, at_once=2)
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


def test_this_machines_cores_are_used_and_no_more(tmp_path: Path, text: Path) -> None:
    import torch

    sweep = plan_small(tmp_path / "sweep", text)
    configs = [sweep.config(entry) for entry in sweep.entries] * 50
    cpu = torch.device("cpu")
    suited = capacity(configs, sweep.symbols, cpu)
    assert 1 <= suited.at_once * suited.threads <= limits.cores().amount
    assert suited.gpus == ()
    assert capacity(configs[:1], sweep.symbols, cpu).at_once == 1
    assert capacity(configs, sweep.symbols, cpu, at_once=3, threads=2) == replace(
        suited, at_once=3, threads=2
    )
    alone = [replace(configs[0], split=Split(streams=100))]
    assert capacity(alone, sweep.symbols, cpu).threads == min(limits.cores().amount, 4), (
        "a thread for each share"
    )
    dropping = [replace(alone[0], dropout=0.5)]
    assert capacity(dropping, sweep.symbols, cpu).threads == 1, "there are no shares with dropout"


def test_a_container_s_memory_and_cores_are_planned_with(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    proc = tmp_path / "proc/self"
    proc.mkdir(parents=True)
    (proc / "cgroup").write_text("0::/\n")
    (proc / "mountinfo").write_text("30 23 0:26 / /group rw - cgroup2 cgroup2 rw\n")
    group = tmp_path / "group"
    group.mkdir()
    (group / "cpu.max").write_text("100000 100000\n")
    monkeypatch.setattr(limits, "ROOT", tmp_path)
    sweep = plan_small(tmp_path / "sweep", text, kinds=("lstm",), sizes=(4, 8, 16, 512))
    configs = [replace(sweep.config(entry), split=Split()) for entry in sweep.entries]
    cpu = torch.device("cpu")
    assert capacity(configs, sweep.symbols, cpu) == Capacity(1, 1), "a quota of one core"
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(8))
    monkeypatch.setattr("os.process_cpu_count", lambda: 8, raising=False)
    (group / "cpu.max").write_text("max 100000\n")
    assert capacity(configs, sweep.symbols, cpu) == Capacity(4, 2)
    (group / "memory.current").write_text("100000000\n")
    # The largest takes about 420 MB, and 83 more for each further thread; a fifth stays free.
    for free, expected in ((3000, (4, 2)), (2400, (4, 1)), (1400, (2, 2)), (490, (1, 1))):
        (group / "memory.max").write_text(f"{free + 100}000000\n")
        assert capacity(configs, sweep.symbols, cpu) == Capacity(*expected)
    (group / "memory.max").write_text("500000000\n")
    with pytest.raises(
        InvalidRequest, match=r"lstm of 1×512 takes about 0\.42 GB, and 0\.40 are left \(/group/memory"
    ):
        capacity(configs, sweep.symbols, cpu)
    assert capacity(configs, sweep.symbols, cpu, at_once=1).at_once == 1, "as the hint says"
