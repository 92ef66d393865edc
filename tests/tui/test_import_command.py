"""`rnnviz import` as a person uses it: what it prints, what the run can be used for, how it refuses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from rnnviz.store.reader import open_capture
from support.char_rnn import char_rnn_checkpoint, char_rnn_model, draw_maps
from support.command import Command, Done
from support.language_models import LanguageModel
from support.t7 import t7_bytes
from support.texts import words


@pytest.fixture(name="module")
def _module(tmp_path: Path) -> LanguageModel:
    """A module saved as model.pt, over the bytes of text.txt."""
    text = words(20_000)
    (tmp_path / "text.txt").write_bytes(text)
    module = LanguageModel("lstm", len(set(text)), 6, 2, embedding=5)
    torch.save({"state_dict": module.state_dict(), "epoch": 7}, tmp_path / "model.pt")
    return module


def refused(done: Done, code: int, sentence: str, hint: str) -> None:
    assert done.code == code
    first, second = done.err.splitlines()[:2]
    assert re.search(sentence, first), done.err
    assert hint in second
    assert "Traceback" not in done.err


def test_each_decision_is_printed_and_the_run_can_be_used(
    rnnviz: Command, module: LanguageModel, tmp_path: Path
) -> None:
    done = rnnviz("import", "model.pt", "--out", "runs/mine", "--vocab", "text.txt")
    assert (done.code, done.err) == (0, "next: rnnviz capture runs/mine text.txt --out mine.zarr\n")
    symbols = module.symbols
    assert done.out.splitlines() == [
        "weights: the dictionary state_dict",
        "layers: rnn.weight_ih_l0 … are an nn.LSTM, 2 × 6 units reading 5 values",
        f"input: encoder.weight ({symbols} × 5) is the embedding",
        f"output: decoder.weight ({symbols} × 6) and decoder.bias",
        f"symbols: {symbols} bytes, from text.txt (a text)",
        f"runs/mine: LSTM 2×6 over {symbols} bytes, imported from model.pt",
    ]
    (tmp_path / "model.pt").unlink()
    info = rnnviz("info", "runs/mine")
    assert "model.pt" in info.out
    measured = rnnviz("eval", "runs/mine", "text.txt", "--json")
    assert measured.code == 0, measured.err
    assert json.loads(measured.out)["loss"] > 0
    assert rnnviz("capture", "runs/mine", "text.txt", "--out", "mine.zarr").code == 0
    capture = open_capture(tmp_path / "mine.zarr")
    assert capture.complete
    text = (tmp_path / "text.txt").read_bytes()
    vocabulary = sorted(set(text))
    with torch.inference_mode():
        ids = torch.tensor([vocabulary.index(value) for value in text[:2001]])
        logits = module(ids[:, None])[:, 0]
    surprisal = -logits.log_softmax(-1)[torch.arange(len(ids) - 1), ids[1:]]
    found = torch.from_numpy(capture.models["mine"].surprisal(0, 2000).copy())
    torch.testing.assert_close(found, surprisal, rtol=0, atol=2e-5)


def test_the_record_has_the_command_but_no_path_of_this_machine(
    rnnviz: Command, module: LanguageModel, tmp_path: Path
) -> None:
    done = rnnviz(
        "import", str(tmp_path / "model.pt"), "--out", str(tmp_path / "run"), "--vocab", str(tmp_path / "text.txt"),
        "--no-tied", "--ignore", "a*", "--ignore", "b",
    )  # fmt: skip
    assert done.code == 0, done.err
    record = (tmp_path / "run" / "run.json").read_text()
    assert str(tmp_path) not in record
    assert json.loads(record)["command"] == (
        "rnnviz import model.pt --out run --vocab text.txt --no-tied --ignore 'a*' --ignore b"
    )


def test_the_vocabulary_of_a_t7_lies_in_it(rnnviz: Command, tmp_path: Path) -> None:
    model = char_rnn_model("lstm", draw_maps("lstm", 5, 4, 2), 5, 2)
    (tmp_path / "lm.t7").write_bytes(t7_bytes(char_rnn_checkpoint(model, b"\nabc ")))
    done = rnnviz("import", "lm.t7", "--out", "run")
    assert done.code == 0, done.err
    assert done.out.splitlines()[:2] == [
        "layers: 2 × 4 units of char-rnn's lstm on one-hot symbols",
        "symbols: 5 bytes, from the checkpoint's own vocabulary, put in ascending order",
    ]


def test_the_special_tokens_of_words_can_be_overruled(rnnviz: Command, tmp_path: Path) -> None:
    words_ = ["<eos>", "</s>", "the", "<unk>"]
    (tmp_path / "v.json").write_text(json.dumps(words_))
    torch.save(LanguageModel("lstm", 4, 3, 1, embedding=2).state_dict(), tmp_path / "words.pt")
    command = ("import", "words.pt", "--out", "run", "--vocab", "v.json")
    done = rnnviz(*command, "--line-end", "</s>", "--unknown-token", "none")
    assert done.code == 0, done.err
    assert "4 words, from v.json (JSON), </s> is read for line ends\n" in done.out
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (record["vocabulary"]["line_end"], record["vocabulary"]["unknown"]) == (1, None)
    assert record["command"].endswith("--line-end '</s>' --unknown-token none")
    refused(
        rnnviz(*command, "--force", "--unknown-token", "rare"),
        2,
        r"there is no token 'rare' in v\.json \(JSON\), for --unknown-token",
        "or none where",
    )


def test_a_taken_place_is_kept_without_force(rnnviz: Command, module: LanguageModel, tmp_path: Path) -> None:
    command = ("import", "model.pt", "--out", "run", "--vocab", "text.txt")
    assert rnnviz(*command).code == 0
    before = (tmp_path / "run" / "model.safetensors").read_bytes()
    refused(rnnviz(*command), 2, "run already holds a run", "--force")
    assert rnnviz(*command, "--force").code == 0
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").touch()
    done = rnnviz("import", "model.pt", "--out", "other", "--vocab", "text.txt", "--force")
    refused(done, 2, "other exists and is no run", "--out")
    assert (tmp_path / "other" / "letter.txt").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence", "hint"),
    [
        (["none.pt", "--vocab", "text.txt"], 2, r"there is no file none\.pt", ".safetensors"),
        (["--vocab", "text.txt"], 2, "there is no CHECKPOINT", "rnnviz import CHECKPOINT"),
        (
            ["model.pt"],
            2,
            r"the model has \d+ symbols, and the checkpoint does not say which",
            "--vocab FILE",
        ),
        (["model.pt", "--vocab", "none.json"], 2, r"no file or directory none\.json", "Give a file"),
        (["model.pt", "--vocab", "model.pt"], 2, "has .* symbols, and the model has", "--unit"),
        (["model.pt", "--vocab", "text.txt", "--nonlinearity", "relu"], 2, "relu cannot be imported", "tanh"),
        (
            ["model.pt", "--vocab", "text.txt", "--kind", "rnn"],
            1,
            "a rnn has 1 times as many rows",
            "nn.LSTM",
        ),
        (["text.txt", "--vocab", "text.txt"], 1, "no PyTorch checkpoint", ".t7"),
    ],
)
def test_refusals(
    arguments: list[str],
    code: int,
    sentence: str,
    hint: str,
    rnnviz: Command,
    module: LanguageModel,
    tmp_path: Path,
) -> None:
    refused(rnnviz("import", *arguments, "--out", "run"), code, sentence, hint)
    assert not (tmp_path / "run").exists()


def test_what_was_found_is_listed(rnnviz: Command, module: LanguageModel) -> None:
    done = rnnviz("import", "model.pt", "--out", "run", "--vocab", "text.txt", "--decoder", "head.weight")
    refused(done, 1, "there is no head.weight", "Give the name of a tensor")
    assert re.search(r"^    decoder\.weight +\d+ × 6$", done.err, re.MULTILINE)


def test_a_pickled_module_is_refused_in_a_sentence(rnnviz: Command, tmp_path: Path) -> None:
    torch.save(LanguageModel("lstm", 4, 3), tmp_path / "module.pt")
    refused(
        rnnviz("import", "module.pt", "--out", "run"),
        1,
        "could run code: they are never opened",
        "state_dict()",
    )


def test_help_says_what_is_not_supported_and_loads_no_torch() -> None:
    code = "import sys; sys.argv = ['rnnviz', 'import', '--help']\nfrom rnnviz.tui.cli import main\n"
    code += "try: main()\nexcept SystemExit: print('torch' in sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "False"
    for word in ("Not supported", "proj_size", "rnnviz import model.pt", "char-rnn", "<eos>", "<unk>"):
        assert word in done.stdout
