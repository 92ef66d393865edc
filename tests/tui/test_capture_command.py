"""`rnnviz capture` and `rnnviz info` as a person uses them, and as a person ends them."""

from __future__ import annotations

import json
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnnviz.store.reader import open_capture
from rnnviz.store.schema import ModelSchema
from rnnviz.store.training_split import HELD_OUT, TrainingSplit
from rnnviz.tui.command_line.wanted_capture import size_note
from rnnviz.tui.playground.model_locations import FoundRun, find_run
from support.captures import hand_made, make_capture, several_columns, write_capture
from support.command import Command, ended, in_a_process
from support.files import contents
from support.texts import write_words

TRAIN = ["--hidden", "5", "--streams", "4", "--unroll", "10", "--split", "60/20/20", "--epochs", "1"]
TRAIN += ["--device", "cpu", "--threads", "1"]
COLUMN = 65_536


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, its text, and a longer text."""
    folder = tmp_path_factory.mktemp("work")
    write_words(folder / "short.txt", 3000)
    write_words(folder / "long.txt", 400_000)
    assert ended(in_a_process("train", "short.txt", "--out", "run", *TRAIN, folder=folder)).code == 0
    return folder


@pytest.fixture(name="here")
def _here(folder: Path, tmp_path: Path) -> Path:
    """A folder of the test's own with the same."""
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_the_own_text_is_captured_by_its_test_part_on_demand(here: Path, rnnviz: Command) -> None:
    done = rnnviz("capture", "run", "--split", "test", "--out", "a.zarr")
    assert done.code == 0
    assert "a.zarr: 600 symbols in 4 segments" in done.out
    assert "nats (held out)\n" in done.out
    evaluated = json.loads(rnnviz("eval", "run", "--json").out)
    facts = json.loads(rnnviz("info", "a.zarr", "--json", "--check").out)
    assert facts["models"][0]["mean_surprisal"] == pytest.approx(evaluated["loss"], abs=1e-6)
    assert (facts["complete"], facts["symbols"], facts["captured"], facts["segments"]) == (True, 600, 600, 4)
    assert facts["bytes_on_disk"] == sum(map(len, contents(here / "a.zarr").values()))


def test_a_small_text_of_the_run_is_captured_as_it_reads(here: Path, rnnviz: Command) -> None:
    """From its first symbol on in one piece, with the held-out symbols told apart, and the command says so."""
    done = rnnviz("capture", "run", "--out", "a.zarr")
    assert done.code == 0
    assert "reading all of short.txt, with what was trained on marked as such" in done.err
    assert "--split test" in done.err
    assert "3,000 symbols in 1 segment," in done.out
    whole = open_capture(here / "a.zarr")
    assert whole.text(0, 3000).tobytes() == (here / "short.txt").read_bytes()
    facts = json.loads(rnnviz("info", "a.zarr", "--json").out)
    parts = facts["models"][0]["parts"]
    assert {name: part["symbols"] for name, part in parts.items()} == {
        "trained on": 1800,
        "validated on": 600,
        "held out": 600,
    }
    split = TrainingSplit((60, 20, 20), 4, 10, 3000)
    held_out = split.parts(np.arange(3000)) == HELD_OUT
    values = whole.models["run"].surprisal(0, 3000)
    mean = np.nanmean(values[held_out], dtype=np.float64)
    assert f"{mean:.4f} over the 600 symbols held out" in done.out
    words = rnnviz("info", "a.zarr").out
    assert f"{mean:.4f} over the 600 symbols held out" in words
    assert "1,800 trained on, 600 validated on, 600 held out" in words
    first = rnnviz("capture", "run", "--first", "100", "--out", "b.zarr")
    assert "reading the first 100 symbols of short.txt" in first.err
    assert "nats (trained on)\n" in first.out
    assert "short.txt, the first 100: 100 symbols" in rnnviz("info", "b.zarr").out


def test_another_text_is_captured_as_a_whole(here: Path, rnnviz: Command) -> None:
    write_words(here / "other.txt", 500, seed=3)
    done = rnnviz("capture", "run", "other.txt", "--signals", "h,c", "--streams", "5", "--out", "sub/a.zarr")
    assert "reading all of other.txt" in done.err
    assert "500 symbols in 5 segments" in done.out
    layer = open_capture(here / "sub/a.zarr").models["run"].layers[0]
    assert layer.signals == ("c", "h")


def test_refusals_are_one_line_and_a_hint(here: Path, rnnviz: Command) -> None:
    (here / "strange.txt").write_bytes(b"the prince\n said \xff\n")
    (here / "thesis").mkdir()
    (here / "thesis" / "chapter.tex").write_text("years of work")
    make_capture(here / "there.zarr")
    before = contents(here)
    for arguments, code, word in (
        (["nowhere", "short.txt", "--out", "a.zarr"], 2, "no run nowhere"),
        (["run", "nowhere.txt", "--out", "a.zarr"], 2, "nowhere.txt"),
        (["run", "strange.txt", "--out", "a.zarr"], 2, "offset 17, in line 2"),
        (["run", "short.txt", "--out", "a.zarr", "--signals", "c,z"], 2, "c,z"),
        (["run", "short.txt", "--out", "a.zarr", "--streams", "0"], 2, "--streams 0"),
        (["run", "short.txt", "--out", "a.zarr", "--streams", "5", "--split", "test"], 2, "--streams"),
        (["run", "short.txt", "--out", "there.zarr"], 2, "there.zarr exists already"),
        (["run", "short.txt", "--out", "there.zarr", "--resume"], 2, "begun with"),
        (["run", "short.txt", "--out", "thesis", "--force"], 2, "is no capture"),
        (["run", "short.txt", "--out", "thesis", "--resume"], 1, "is no capture"),
        (["run", "short.txt", "--out", "short.txt/a.zarr"], 1, "not a directory"),
        (["run", "short.txt", "--out", "a.zarr", "--resume", "--force"], 2, "exclude each other"),
    ):
        done = rnnviz("capture", *arguments)
        lines = [line for line in done.err.splitlines() if not line.startswith("reading ")]
        assert (done.code, len(lines), done.out) == (code, 2, ""), done
        assert word in lines[0]
        assert lines[1].startswith("  ")
    assert contents(here) == before


def test_unknown_bytes_can_be_replaced(here: Path, rnnviz: Command) -> None:
    (here / "strange.txt").write_bytes(b"the prince\n said \xff\n")
    done = rnnviz("capture", "run", "strange.txt", "--out", "a.zarr", "--unknown", "replace")
    assert done.code == 0
    assert "run has never seen 1 of the text's 19 bytes: it was read as a space\n" in done.err
    assert "1 byte that the model has never seen" in rnnviz("info", "a.zarr").out
    assert open_capture(here / "a.zarr").text(17, 18).tobytes() == b"\xff"


@pytest.fixture(scope="module", name="whole")
def _whole(folder: Path) -> tuple[dict[str, bytes], float]:
    """Every file of the capture of the long text that was never interrupted, and how long it took."""
    began = time.monotonic()
    process = in_a_process(
        "capture", "run", "long.txt", "--streams", "9", "--out", "whole.zarr", folder=folder
    )
    while not (folder / "whole.zarr").exists():
        time.sleep(0.001)
    began = time.monotonic()
    assert ended(process).code == 0
    seconds = time.monotonic() - began
    found = contents(folder / "whole.zarr")
    shutil.rmtree(folder / "whole.zarr")
    return found, seconds


def test_killed_at_any_moment_it_tells_the_truth_and_goes_on(
    here: Path, whole: tuple[dict[str, bytes], float], rnnviz: Command
) -> None:
    """SIGKILL to the real program, again and again, until there is nothing left to kill."""
    files, seconds = whole
    wanted = here / "whole.zarr"
    for name, content in files.items():
        (wanted / name).parent.mkdir(parents=True, exist_ok=True)
        (wanted / name).write_bytes(content)
    expected = open_capture(wanted).models["run"].layers[0]
    target = here / "a.zarr"
    arguments = ["capture", "run", "long.txt", "--streams", "9", "--out", "a.zarr"]
    moments = random.Random(5)
    reached = []
    for attempt in range(4):
        process = in_a_process(*arguments, "--resume", folder=here)
        if attempt == 0:  # while the first files are being made
            while not list(here.glob(".a.zarr*")) and process.poll() is None:
                time.sleep(0.001)
        else:  # after the first column, or the next
            note = target / "progress.npz"
            before = note.stat().st_mtime_ns if note.exists() else 0
            while process.poll() is None and (not note.exists() or note.stat().st_mtime_ns == before):
                time.sleep(0.001)
            time.sleep(moments.random() * seconds / 100)
        process.kill()
        ended(process)
        if not target.exists():
            continue
        found = open_capture(target)
        told = rnnviz("info", "a.zarr", "--json", "--check")
        assert told.code == 0, told.err
        facts = json.loads(told.out)
        assert facts["captured"] == found.captured
        if found.complete:
            break
        reached.append(found.captured)
        words = rnnviz("info", "a.zarr").out
        assert f"incomplete, {found.captured:,} of 400,000 symbols" in words
        assert f"go on with rnnviz capture --resume --out {here / 'a.zarr'}\n" in words
        for signal_name in ("c", "o"):
            values = found.models["run"].layers[0].read_units(signal_name, slice(None), 0, found.captured)
            expected_values = expected.read_units(signal_name, slice(None), 0, found.captured)
            np.testing.assert_array_equal(values, expected_values)
    assert sorted(reached) == reached
    assert any(0 < captured < 400_000 for captured in reached)
    assert ended(in_a_process("capture", "--resume", "--out", "a.zarr", folder=here)).code == 0
    assert contents(target) == files
    done = rnnviz("capture", "--resume", "--out", "a.zarr")
    assert (done.code, "was complete" in done.err) == (0, True)
    done = rnnviz(*arguments, "--resume")
    assert (done.code, "was complete" in done.err) == (0, True)
    assert contents(target) == files


def test_ctrl_c_says_how_to_go_on(here: Path, whole: tuple[dict[str, bytes], float]) -> None:
    arguments = ["capture", "run", "long.txt", "--streams", "9", "--out", "a.zarr"]
    process = in_a_process(*arguments, "--force", folder=here)
    while not (here / "a.zarr").exists():
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    done = ended(process)
    assert done.code == 130
    again = "rnnviz capture --resume --out a.zarr"
    assert done.err.splitlines()[-2:] == ["rnnviz: stopped", f"next: {again}"]
    assert "Traceback" not in done.err
    assert ended(in_a_process(*again.split()[1:], folder=here)).code == 0
    assert contents(here / "a.zarr") == whole[0]


def test_a_capture_finds_its_run_where_it_was_seen_and_where_both_were_moved(
    here: Path, rnnviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = here / "a" / "b" / "c"
    deep.mkdir(parents=True)
    shutil.move(here / "run", deep / "run")
    assert rnnviz("capture", "a/b/c/run", "short.txt", "--out", "far/from/a.zarr").code == 0
    document = (here / "far/from/a.zarr/zarr.json").read_text()
    assert str(here) not in document + (here / "far/from/a.zarr/models/run/zarr.json").read_text()
    monkeypatch.chdir(here / "far")
    capture = open_capture(Path("from/a.zarr"))
    assert find_run(capture, "run", Path.cwd()) == FoundRun(deep / "run", same=True)
    shutil.copytree(here / "far/from", here / "x/y/z")
    copied = open_capture(here / "x/y/z/a.zarr")
    assert find_run(copied, "run", Path.cwd()) == FoundRun(deep / "run", same=True), "by this user's state"
    monkeypatch.setenv("XDG_STATE_HOME", str(here / "another user"))
    assert find_run(copied, "run", Path.cwd()) is None
    assert find_run(capture, "run", Path.cwd()) == FoundRun(deep / "run", same=True), "by the capture itself"
    (here / "moved").mkdir()
    for name in ("a", "far"):
        shutil.move(here / name, here / "moved" / name)
    monkeypatch.chdir(here)
    found = find_run(open_capture(here / "moved/far/from/a.zarr"), "run", here)
    assert found == FoundRun(here / "moved/a/b/c/run", same=True)
    shutil.move(here / "moved/a", here / "moved/b")
    assert find_run(open_capture(here / "moved/far/from/a.zarr"), "run", here / "moved") is None


def test_an_interrupted_capture_goes_on_by_what_it_says_itself(
    here: Path, rnnviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From another directory, after a move, with another user's state; what is not found is named."""
    process = in_a_process("capture", "run", "long.txt", "--streams", "9", "--out", "a.zarr", folder=here)
    while process.poll() is None and not (here / "a.zarr").exists():
        time.sleep(0.001)
    process.send_signal(signal.SIGSTOP)
    growing = rnnviz("info", "a.zarr").out
    process.kill()
    ended(process)
    assert "it is being written" in growing
    assert not open_capture(here / "a.zarr").complete
    monkeypatch.setenv("XDG_STATE_HOME", str(here / "another user"))
    both = here / "moved to" / "both"
    both.mkdir(parents=True)
    for name in ("run", "long.txt", "a.zarr"):
        shutil.move(here / name, both / name)
    words = rnnviz("info", str(both / "a.zarr")).out
    command = re.search(r"go on with rnnviz (.*)$", words, re.MULTILINE)
    assert command is not None, words
    assert shlex.split(command[1]) == ["capture", "--resume", "--out", str(both / "a.zarr")]

    away = here / "far" / "away" / "run"
    away.parent.mkdir(parents=True)
    (here / "moved to/deeper").mkdir()
    monkeypatch.chdir(here / "moved to/deeper")
    shutil.move(both / "run", away)
    shutil.move(both / "long.txt", here / "other.txt")
    lost = rnnviz(*shlex.split(command[1]))
    assert (lost.code, "the run run that" in lost.err, "Give its path" in lost.err) == (2, True, True), lost
    words = rnnviz("info", str(both / "a.zarr")).out
    assert f"rnnviz capture RUN TEXT --resume --out '{both / 'a.zarr'}'" in words
    assert "(RUN is the path of the run run, TEXT is that of the text long.txt)" in words
    lost = rnnviz("capture", str(away), "--resume", "--out", str(both / "a.zarr"))
    assert (lost.code, "long.txt" in lost.err, "TEXT --resume" in lost.err) == (2, True, True), lost
    done = rnnviz("capture", str(away), str(here / "short.txt"), "--resume", "--out", str(both / "a.zarr"))
    assert (done.code, "begun with another text" in done.err) == (2, True), done
    shutil.move(away, both / "run")
    (both / "long.txt").write_bytes((here / "other.txt").read_bytes() + b"a")
    changed = rnnviz(*shlex.split(command[1]))
    assert (changed.code, "long.txt has changed" in changed.err) == (2, True), changed
    shutil.move(here / "other.txt", both / "long.txt")
    assert rnnviz(*shlex.split(command[1])).code == 0
    assert open_capture(both / "a.zarr").complete


def test_what_is_still_to_be_added_is_added_by_resuming(here: Path, rnnviz: Command) -> None:
    """A further run that was asked for and is missing, as after a kill between the two."""
    shutil.copytree(here / "run", here / "second")
    given = ["--run", "second", "--signals", "h", "--predictions", "surprisal"]
    assert rnnviz("capture", "run", "--out", "a.zarr", *given).code == 0
    expected = contents(here / "a.zarr")
    root = here / "a.zarr/zarr.json"
    document = json.loads(root.read_text())
    document["attributes"]["rnnviz"]["models"] = ["run"]
    root.write_text(json.dumps(document))
    shutil.rmtree(here / "a.zarr/models/second")
    assert list(open_capture(here / "a.zarr").models) == ["run"]
    assert rnnviz("capture", "--resume", "--out", "a.zarr").code == 0
    found = contents(here / "a.zarr")
    assert json.loads(found.pop("zarr.json")) == json.loads(expected.pop("zarr.json"))
    assert found == expected


def test_a_state_directory_that_cannot_be_written_costs_nothing(
    here: Path, rnnviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = rnnviz("capture", "run", "--out", "a.zarr")
    monkeypatch.setenv("XDG_STATE_HOME", str(here / "short.txt"))
    done = rnnviz("capture", "run", "--out", "b.zarr")
    assert (done.code, len(done.err.splitlines())) == (0, len(usual.err.splitlines())), done.err


def test_info_of_a_run(here: Path, rnnviz: Command) -> None:
    facts = json.loads(rnnviz("info", "run", "--json").out)
    assert (facts["kind"], facts["complete"], facts["model"], facts["layers"]) == ("run", True, "lstm", 1)
    assert facts["hidden"] == 5
    assert facts["text"]["name"] == "short.txt"
    words = rnnviz("info", "run").out
    assert "1 of 1 epochs, complete" in words
    assert "lstm, 1 × 5 units" in words


def test_a_run_is_made_again_by_the_command_of_info_from_anywhere(
    here: Path, rnnviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the paths that lead there today, whatever they hold."""
    odd = here / "a b's"
    odd.mkdir()
    for name in ("run", "short.txt"):
        (here / name).rename(odd / name)
    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    command = shlex.split(json.loads(rnnviz("info", str(odd / "run"), "--json").out)["made_by"])
    assert command[:5] == ["rnnviz", "train", str(odd / "short.txt"), "--out", str(odd / "run")]
    again = rnnviz(*command[1:], "--force")
    assert again.code == 0, again.err
    assert not any((here / "elsewhere").iterdir())
    (odd / "short.txt").unlink()
    assert "(where short.txt is)" in rnnviz("info", str(odd / "run")).out


def test_a_large_capture_is_announced_with_what_makes_it_smaller() -> None:
    """Its size is that of the values: two bytes for each of units × signals and of the symbols predicted, and four for
    the surprisal."""
    large = ModelSchema("a", "lstm", bytes(range(95)), 2, 128, ("c", "h", "i", "f", "o", "g"))
    note = size_note(300_000, [large], whole_text=True)
    assert note is not None
    size = 300_000 * (2 * 2 * 128 * 6 + 2 * 95 + 4)
    assert f"about {size / 1e6:.1f} MB" in note
    assert note.endswith("--signals c, --first N or --predictions surprisal")
    small = replace(large, signals=("c",), next=False)
    assert size_note(300_000, [small]) is None
    alone = size_note(3_000_000, [small], at_most=True)
    assert alone is not None
    assert "at most 1.5 GB" in alone
    assert "--" not in alone, "nothing more can be left out"


def test_info_of_what_is_nothing(here: Path, rnnviz: Command) -> None:
    newer = make_capture(here / "newer.zarr").path / "zarr.json"
    newer.write_text(newer.read_text().replace('"format": 1', '"format": 7'))
    (here / "empty").mkdir()
    for path, code, word in (
        ("nowhere", 2, "there is no run, no capture and no directory of n-gram models nowhere"),
        ("short.txt", 1, "neither a run nor a capture"),
        ("empty", 1, "neither a run nor a capture"),
        ("newer.zarr", 1, "format 7"),
    ):
        done = rnnviz("info", path)
        lines = done.err.splitlines()
        assert (done.code, len(lines), done.out) == (code, 2, "")
        assert word in lines[0]
        assert lines[1].startswith("  ")


def test_info_obeys_no_control_character(here: Path, rnnviz: Command) -> None:
    """What a stranger put into the fields that are free is shown, but not to the terminal."""
    made = make_capture(here / "a.zarr")
    group = made.path / "models/model/zarr.json"
    document = json.loads(group.read_text())
    document["attributes"]["run"] = {"name": "\x1b]0;owned\x07", "more": "\x1b[2J"}
    group.write_text(json.dumps(document))
    root = made.path / "zarr.json"
    document = json.loads(root.read_text())
    document["attributes"]["rnnviz"]["complete"] = False
    document["attributes"]["rnnviz"]["options"] = {"streams": "\x1b[2J", "unknown": []}
    root.write_text(json.dumps(document))
    for arguments in (["info", "a.zarr"], ["info", "a.zarr", "--json"]):
        done = rnnviz(*arguments)
        assert done.code == 0
        assert all(line.isprintable() for line in done.out.splitlines())


def test_info_loads_no_torch_for_a_capture(here: Path) -> None:
    make_capture(here / "a.zarr")
    code = (
        "import sys\nfrom pathlib import Path\nfrom rnnviz.tui.commands.info import info\n"
        "info(Path('a.zarr'))\nassert 'torch' not in sys.modules and 'textual' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=here, check=True, stdout=subprocess.DEVNULL)


def test_info_of_an_incomplete_capture_tells_its_statistics_so_far(here: Path, rnnviz: Command) -> None:
    write_capture(several_columns(here / "a.zarr"), captured=COLUMN)
    facts = json.loads(rnnviz("info", "a.zarr", "--json").out)
    assert (facts["complete"], facts["captured"], facts["symbols"]) == (False, COLUMN, 200_000)
    shares = facts["models"][0]["saturated"][1]["o"]
    assert shares["low"] == pytest.approx(0.1, abs=0.01)
    hand_made(here / "b.zarr").create().__exit__(None, None, None)
    facts = json.loads(rnnviz("info", "b.zarr", "--json").out)
    assert (facts["captured"], facts["models"][0]["mean_surprisal"]) == (0, None)
    assert rnnviz("info", "b.zarr").code == 0
