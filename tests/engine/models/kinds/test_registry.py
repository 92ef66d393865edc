"""A kind of layers that is only registered: the rest of the program trains, imports, captures, reads and shows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from rnnviz.engine.importing.choices import Choices
from rnnviz.engine.importing.convert import VocabularyFile, write_run
from rnnviz.engine.models.kinds.registry import KINDS
from rnnviz.engine.models.layer_kind import LayerKind
from rnnviz.engine.models.layer_weights import State, Weights
from rnnviz.engine.playground.recurrent_reading import open_recurrent
from rnnviz.engine.runs.run import Run, load_run
from rnnviz.store.reader import open_capture
from rnnviz.store.signals import SIGNALS
from rnnviz.tui.commands.import_ import KindChoice
from rnnviz.tui.commands.train import ModelChoice
from support.imports import imported_from
from support.lively import capture_of, lively_run
from support.shades import wrong_columns
from support.terminal import Terminal
from support.texts import write_words

LAYERS, HIDDEN = 2, 6


def leaky_step(sums: Tensor, before: State, weights: Weights) -> dict[str, Tensor]:
    """A leaky integrator whose leak depends on its input.

    z = σ(W_z x + b_z)               h = (1 − z)∘h₋₁ + z∘tanh(W [x; h₋₁] + b)
    """
    (h_before,) = before
    leak, drive = sums.chunk(2, dim=-1)
    z = torch.sigmoid(leak)
    n = torch.tanh(drive + F.linear(h_before, weights.recurrent[len(weights.recurrent) // 2 :]))
    return {"h": torch.lerp(h_before, n, z), "z": z}


LEAKY = LayerKind(
    name="leaky",
    title="a leaky integrator",
    gates=2,
    state=("h",),
    signals=(SIGNALS["h"], SIGNALS["z"]),
    step=leaky_step,
    assumed=True,
)


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KINDS, LEAKY.name, LEAKY)
        yield


@pytest.fixture(name="text")
def _text(tmp_path: Path) -> Path:
    return write_words(tmp_path / "words.txt", 2000)


@pytest.fixture(name="run")
def _run(tmp_path: Path, text: Path) -> Run:
    """It is trained for an epoch, and then its weights are drawn anew, larger."""
    return lively_run(tmp_path / "runs" / "leaky", text, "leaky", LAYERS, HIDDEN)


def integrated(run: Run, symbols: NDArray[np.int64]) -> list[dict[str, NDArray[np.float64]]]:
    """Every signal of every layer [time, unit] in NumPy, from a state of zeros."""
    found = []
    weights = {
        name: value.double().numpy() for name, value in load_file(run.path / "model.safetensors").items()
    }
    x = np.eye(len(run.vocabulary))[symbols]
    for layer in range(LAYERS):
        w, u, b, v = (
            weights[f"rnn.{name}_l{layer}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        sums = x @ w.T + b + v
        h, z, states = np.zeros(HIDDEN), 1 / (1 + np.exp(-sums[:, :HIDDEN])), []
        for step, leak in zip(sums[:, HIDDEN:], z, strict=True):
            h = (1 - leak) * h + leak * np.tanh(step + u[HIDDEN:] @ h)
            states.append(h)
        x = np.array(states)
        found.append({"h": x, "z": z})
    return found


def codes(run: Run, text: bytes) -> NDArray[np.int64]:
    order = {byte: code for code, byte in enumerate(run.vocabulary.symbols)}  # type: ignore[union-attr]
    return np.array([order[byte] for byte in text])


def test_it_is_trained_and_captured_and_read_while_typed(run: Run, text: Path, tmp_path: Path) -> None:
    assert run.config.kind == "leaky"
    assert run.history[0].train < np.log(len(run.vocabulary)), "an epoch has taught it something"
    data = text.read_bytes()
    (model,) = open_capture(capture_of(run, text, tmp_path / "x.zarr")).models.values()
    reading = open_recurrent(run.path)
    list(reading.follow(np.frombuffer(data, np.uint8)))
    assert (model.kind, model.layers[0].signals, reading.signals) == ("leaky", ("h", "z"), ("h", "z"))
    for layer, expected in enumerate(integrated(run, codes(run, data))):
        for signal, values in expected.items():
            captured = model.layers[layer].read_units(signal, slice(None), 0, len(data))
            np.testing.assert_allclose(captured.T, values, rtol=0, atol=1e-3)
            typed = [reading.values(layer, signal, unit, 0, len(data)) for unit in range(HIDDEN)]
            np.testing.assert_allclose(np.stack(typed).T, values, rtol=0, atol=1e-3)


def test_it_is_imported(run: Run, text: Path, tmp_path: Path) -> None:
    """Nobody says what the weights are: no other kind has two rows per unit."""
    torch.save(load_file(run.path / "model.safetensors"), tmp_path / "model.pt")
    imported = imported_from(tmp_path / "model.pt", VocabularyFile(str(text)), Choices())
    write_run(imported, tmp_path / "again", command="rnnviz import")
    again = load_run(tmp_path / "again")
    assert (again.config.kind, again.config.layers, again.config.hidden) == ("leaky", LAYERS, HIDDEN)
    model, same = run.model(torch.device("cpu")), again.model(torch.device("cpu"))
    symbols = torch.from_numpy(codes(run, text.read_bytes()[:200]))[:, None]
    with torch.inference_mode():
        expected, _ = model(symbols, model.zero_state(1))
        logits, _ = same(symbols, same.zero_state(1))
    torch.testing.assert_close(logits, expected)


def test_the_explorer_shows_it_in_a_process_that_does_not_know_it(
    run: Run, text: Path, tmp_path: Path
) -> None:
    path = capture_of(run, text, tmp_path / "x.zarr")
    (model,) = open_capture(path).models.values()
    line = text.read_bytes().index(b"\n") + 1
    with Terminal(["browse", str(path), "--cell", "1:3", "--signal", "z"], columns=120, rows=24) as terminal:
        for signal in ("z", "h"):
            values = model.layers[1].read(signal, 3, 0, line)
            terminal.wait_for_text(f"1:3 {signal}")
            wrong = wrong_columns(terminal, 1, values, SIGNALS[signal])
            assert [column for column in wrong if not column.startswith("0:")] == []  # where the cursor is
            terminal.press("s")


def test_the_command_line_offers_every_kind() -> None:
    """Its options have words of their own, because help comes without PyTorch: they are held to the registry here."""
    known = [name for name in KINDS if name != LEAKY.name]
    assert sorted(get_args(KindChoice)) == sorted(known)
    assert set(get_args(ModelChoice)) - {"n-nn"} <= set(known)
