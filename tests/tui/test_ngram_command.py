"""`rnnviz ngram` as it is typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rnnviz.engine.ngram.scorers.kenlm_build import greatest_order
from rnnviz.engine.text.text import open_text
from rnnviz.store.errors import RnnvizError
from rnnviz.tui.typer_app import app
from support.command import Command
from support.ngrams import trained
from support.texts import write_words

SPLIT = ("--split", "60/20/20", "--streams", "4", "--unroll", "10")


def ngram(*arguments: str | Path, directory: Path, without: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command, as if the module `without` were not installed."""
    hide = f"import sys; sys.modules[{without!r}] = None; " if without else ""
    return subprocess.run(
        [
            sys.executable,
            "-c",
            f"{hide}from rnnviz.tui.cli import main; main()",
            "ngram",
            *map(str, arguments),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=directory,
        # No programs of KenLM's, whatever is installed here.
        env=os.environ | {"PATH": ""},
    )


def test_train_and_eval_from_the_text_s_own_directory(tmp_path: Path) -> None:
    write_words(tmp_path / "words.txt", 3000)
    trained = ngram("train", "words.txt", "--n", "1-2,5", *SPLIT, "--out", "models", directory=tmp_path)
    assert trained.returncode == 0, trained.stderr
    assert "3 models, n = 1-2,5" in trained.stdout
    assert ("build_binary is not on the PATH" in trained.stderr) == (greatest_order() is not None)
    found = ngram("eval", "models", "--json", directory=tmp_path)
    assert found.returncode == 0, found.stderr
    losses = json.loads(found.stdout)
    assert [set(entry) for entry in losses] == [{"n", "loss"}] * 3
    assert [entry["n"] for entry in losses] == [1, 2, 5]
    assert 0 < losses[2]["loss"] < losses[1]["loss"] < losses[0]["loss"] < 3
    table = ngram("eval", "models", "words.txt", "--split", "val", directory=tmp_path).stdout.splitlines()
    assert [line.split()[0] for line in table] == ["n", "1", "2", "5", "nats"]
    again = ngram("train", "words.txt", "--out", "models", directory=tmp_path)
    assert again.returncode == 2
    assert "already holds n-gram models" in again.stderr


def test_info_describes_n_gram_models(tmp_path: Path, rnnviz: Command) -> None:
    text = open_text(str(write_words(tmp_path / "words.txt", 3000)))
    trained(tmp_path / "models", text, 1, 2, 5)
    facts = json.loads(rnnviz("info", "models", "--json").out)
    assert (facts["kind"], facts["complete"], facts["n"]) == ("n-gram models", True, [1, 2, 5])
    assert facts["text"] == {"name": "words.txt", "sha256": text.sha256(), "bytes": 3000}
    assert facts["bytes_on_disk"] == sum(file.stat().st_size for file in (tmp_path / "models").iterdir())
    words = rnnviz("info", "models")
    assert (words.code, words.err) == (0, "")
    assert "3 models, n = 1-2,5" in words.out
    record = tmp_path / "models" / "ngram.json"
    record.write_text(record.read_text().replace('"complete": true', '"complete": false'))
    assert "incomplete: " in rnnviz("info", "models").out
    record.write_text("{")
    assert rnnviz("info", "models").code == 1


def test_without_kenlm_any_n_is_scored_and_who_scores_is_said(tmp_path: Path) -> None:
    write_words(tmp_path / "words.txt", 3000)
    trained = ngram(
        "train", "words.txt", "--n", "2,63", *SPLIT, "--out", "models", "--gz", directory=tmp_path
    )
    assert trained.returncode == 0, trained.stderr
    both = [
        ngram("eval", "models", "--json", directory=tmp_path, without=without) for without in ("", "kenlm")
    ]
    assert [done.returncode for done in both] == [0, 0], both
    usual, alone = (json.loads(done.stdout) for done in both)
    assert [entry["n"] for entry in alone] == [2, 63]
    for mine, other in zip(alone, usual, strict=True):
        assert mine["loss"] == pytest.approx(other["loss"], abs=1e-6)
    assert "KenLM is not installed: rnnviz scores the n-grams itself" in both[1].stderr
    assert "rnnviz scores" in both[0].stderr  # KenLM is not built for n = 63 here


@pytest.mark.parametrize(
    ("data", "arguments", "sentence"),
    [
        (b"", SPLIT, "is empty"),
        (b"a", SPLIT, "fewer than one mini-batch"),
        (b"abcdefghij", ("--streams", "1", "--unroll", "1"), "nothing looks back n = 20"),
        (b"a" * 2000, (*SPLIT, "--n", "0"), "is not a list of numbers"),
        (b"a" * 2000, ("--split", "1/2"), "not three whole numbers"),
        (b"a" * 2000, (*SPLIT, "--n", "64"), "is not a list of numbers"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    data: bytes,
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    (tmp_path / "text").write_bytes(data)
    monkeypatch.chdir(tmp_path)
    refused = CliRunner().invoke(app, ["ngram", "train", "text", "--out", "models", *arguments]).exception
    assert isinstance(refused, RnnvizError)
    assert sentence in f"{refused.message} {refused.hint}"
    assert not (tmp_path / "models").exists()


def test_a_text_with_unknown_bytes_has_no_loss(tmp_path: Path) -> None:
    write_words(tmp_path / "words.txt", 3000)
    (tmp_path / "other.txt").write_bytes(b"a prince\x00" * 300)
    ngram("train", "words.txt", "--n", "1", *SPLIT, "--out", "models", directory=tmp_path)
    done = ngram("eval", "models", "other.txt", directory=tmp_path)
    assert done.returncode == 2
    assert "byte 0x00" in done.stderr
    missing = ngram("eval", "nowhere", directory=tmp_path)
    assert missing.returncode == 2
    assert "there is no directory nowhere" in missing.stderr


@pytest.mark.parametrize("command", ["train", "eval"])
def test_the_help_has_examples_and_says_what_memory_it_takes(command: str, tmp_path: Path) -> None:
    done = ngram(command, "--help", directory=tmp_path)
    assert f"rnnviz ngram {command}" in done.stdout.split("Examples")[1]
    assert command == "eval" or "works in 2 GB" in " ".join(done.stdout.split())


def test_a_small_text_is_split_as_for_training(rnnviz: Command, tmp_path: Path) -> None:
    (tmp_path / "small.txt").write_text("".join(f"{n} sheep, and then " for n in range(3000)))
    assert rnnviz("ngram", "train", "small.txt", "--n", "2", "--out", "ngrams").code == 0
    trained = rnnviz("train", "small.txt", "--hidden", "3", "--epochs", "1", "--out", "run")
    assert trained.code == 0, trained.err
    of_models = json.loads((tmp_path / "ngrams" / "ngram.json").read_text())["split"]
    of_run = json.loads((tmp_path / "run" / "run.json").read_text())["config"]["split"]
    assert of_models == of_run
    assert of_run["streams"] == 4
