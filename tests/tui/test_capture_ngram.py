"""`rnnviz capture --ngram` and `--add`, as they are typed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rnnviz.engine.capture.capture import capture
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.engine.text.text import open_text
from rnnviz.store.errors import RnnvizError
from rnnviz.store.reader import open_capture
from rnnviz.tui.playground.model_locations import find_ngrams
from rnnviz.tui.typer_app import app
from support.ngrams import trained
from support.runs import go_on, start
from support.texts import write_words
from support.token_runs import imported_run


def rnnviz(*arguments: str, directory: Path, without: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command, as if the module `without` were not installed."""
    hide = f"import sys; sys.modules[{without!r}] = None; " if without else ""
    return subprocess.run(
        [sys.executable, "-c", f"{hide}from rnnviz.tui.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=directory,
        env=os.environ | {"PATH": ""},
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a text, a run, n-gram models, and a capture without them."""
    place = tmp_path_factory.mktemp("capture")
    text = open_text(str(write_words(place / "words.txt", 2000)))
    start(place / "run", text)
    run = go_on(place / "run", text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "")
        trained(place / "models", text, 1, 4)
    for name in ("alone.zarr", "other.zarr"):
        for _ in capture(run, text, place / name, part="test"):
            pass
    return place


def test_a_capture_with_n_grams_is_one_to_which_they_were_added(place: Path) -> None:
    made = rnnviz(
        "capture",
        *["run", "words.txt", "--split", "test", "--ngram", "models", "--out", "both.zarr"],
        directory=place,
    )
    assert made.returncode == 0, made.stderr
    assert "ngram-4: mean surprisal" in made.stdout
    added = rnnviz("capture", "--add", "alone.zarr", "--ngram", "models", directory=place)
    assert added.returncode == 0, added.stderr
    both, later = open_capture(place / "both.zarr"), open_capture(place / "alone.zarr")
    assert list(both.models) == list(later.models) == ["run", "ngram-1", "ngram-4"]
    assert both.schema == later.schema, "apart from how it was made"
    for name, model in both.models.items():
        assert (
            model.surprisal(0, both.symbols).tobytes()
            == later.models[name].surprisal(0, both.symbols).tobytes()
        )
    assert "ngram-4: n-gram" in rnnviz("info", "both.zarr", directory=place).stdout
    for made_here in (both, later):  # where they are is known from anywhere
        found = find_ngrams(made_here, "ngram-4", Path("/"))
        assert found is not None
        assert found.path == place / "models"


def test_without_kenlm_the_same_is_added_and_who_scores_is_said(place: Path, tmp_path: Path) -> None:
    values = []
    for without in ("", "kenlm"):
        path = tmp_path / f"without {without}.zarr"
        shutil.copytree(place / "other.zarr", path)
        added = rnnviz("capture", "--add", str(path), "--ngram", "models", directory=place, without=without)
        assert added.returncode == 0, added.stderr
        model = open_capture(path).models["ngram-4"]
        values.append((model.surprisal(0, 100), model.next(0, 100)))
    assert "KenLM is not installed: rnnviz scores the n-grams itself" in added.stderr
    np.testing.assert_allclose(values[0][0], values[1][0], atol=1e-5)
    np.testing.assert_allclose(values[0][1], values[1][1], rtol=1e-3)  # float16


def test_a_run_over_words_is_told_the_way_out(place: Path, tmp_path: Path) -> None:
    """Before any work, whether the capture is still to be made or there."""
    run = imported_run(tmp_path / "words", TokenVocabulary(("<unk>", "the", "a"), "word", unknown=0))
    text = open_text(str(place / "words.txt"))
    for _ in capture(run, text, tmp_path / "words.zarr"):
        pass
    for arguments in (
        (str(run.path), "words.txt", "--out", str(tmp_path / "x.zarr")),
        ("--add", str(tmp_path / "words.zarr"), "--run", str(run.path)),
    ):
        refused = rnnviz("capture", *arguments, "--ngram", "models", directory=place)
        assert refused.returncode == 2
        assert "n-gram models are over bytes" in refused.stderr
        assert "rnnviz train TEXT --out RUN" in " ".join(refused.stderr.split())
    assert not (tmp_path / "x.zarr").exists()


def test_killed_it_leaves_the_capture_valid_and_can_be_done_again(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "other.zarr", tmp_path / "killed.zarr")
    before = list(open_capture(tmp_path / "killed.zarr").models)
    arguments = ["capture", "--add", str(tmp_path / "killed.zarr"), "--ngram", str(place / "models")]
    with subprocess.Popen([sys.executable, "-m", "rnnviz", *arguments], stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not (tmp_path / ".killed.zarr.adding").exists():
            time.sleep(0.001)
        process.kill()
    captured = open_capture(tmp_path / "killed.zarr")
    list(captured.verify())
    assert list(captured.models)[: len(before)] == before
    again = rnnviz(*arguments, directory=tmp_path)
    assert again.returncode == 0, again.stderr
    captured = open_capture(tmp_path / "killed.zarr")
    list(captured.verify())
    assert {"ngram-1", "ngram-4"} <= captured.models.keys()
    assert [file.name for file in tmp_path.iterdir()] == ["killed.zarr"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--add", "alone.zarr"), "there is nothing to add"),
        (("run", "--add", "alone.zarr", "--ngram", "models"), "RUN does not go with --add"),
        (("--add", "alone.zarr", "--ngram", "models", "--signals", "c"), "--signals does not go with --add"),
        (("--add", "alone.zarr", "--ngram", "models", "--next", "3"), "has no model of n = 3"),
        (("--add", "nowhere.zarr", "--ngram", "models"), "there is no capture nowhere.zarr"),
        (("--add", "alone.zarr", "--ngram", "nowhere"), "there is no directory nowhere"),
        (("--add", "alone.zarr", "--ngram", "run"), "holds no n-gram models"),
        (("run", "--out", "x.zarr", "--next", "3"), "--next is for n-gram models"),
        (("run",), "there is no --out"),
        (("--out", "x.zarr"), "there is no RUN"),
        (("--resume", "--out", "x.zarr"), "there is no capture x.zarr"),
        (("run", "--out", "alone.zarr"), "alone.zarr exists already"),
        (("run", "--out", "x.zarr", "--first", "-4"), "--first -4 is less than 1"),
        (
            ("run", "--out", "x.zarr", "--first", "9", "--streams", "10"),
            "not a number from 1 to the text's 9",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_work(
    place: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.chdir(place)
    done = CliRunner().invoke(app, ["capture", *arguments])
    refused = done.exception
    assert isinstance(refused, RnnvizError)
    assert done.output == "", "nothing is announced that is then refused"
    assert sentence in refused.message
    assert refused.hint
    assert not (place / "x.zarr").exists()


def test_the_same_models_kept_otherwise_are_told_as_such(place: Path, tmp_path: Path) -> None:
    """Distributions that were not kept cannot be added later; those that were kept do no harm."""
    shutil.copytree(place / "other.zarr", tmp_path / "x.zarr")
    for part in ("run", "models"):
        (tmp_path / part).symlink_to(place / part)
    added = rnnviz("capture", "--add", "x.zarr", "--ngram", "models", directory=tmp_path)
    assert added.returncode == 0, added.stderr
    refused = rnnviz("capture", "--add", "x.zarr", "--ngram", "models", "--next", "1", directory=tmp_path)
    assert refused.returncode == 2
    assert "holds this very model ngram-1, and its distributions were not kept" in refused.stderr
    assert "capture the text anew" in refused.stderr
    asked = rnnviz("capture", "--add", "x.zarr", "--ngram", "models", "--next", "4", directory=tmp_path)
    assert asked.returncode == 0, asked.stderr
    words = rnnviz("info", "x.zarr", directory=tmp_path).stdout.splitlines()
    assert sum(line.startswith("symbols:") for line in words) <= 1
