"""PyTorch files that want to be run, or claim more than they hold."""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from rnnviz.engine.importing.choices import Choices
from rnnviz.engine.importing.convert import VocabularyFile, read_checkpoint
from rnnviz.store.errors import InvalidCheckpoint, InvalidRequest, NotFound
from support.imports import imported_from
from support.language_models import LanguageModel


class Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.path,)


def refused(path: Path, sentence: str) -> InvalidCheckpoint:
    with pytest.raises(InvalidCheckpoint, match=sentence) as error:
        read_checkpoint(path, Choices())
    assert "\n" not in error.value.message
    return error.value


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickled_module_is_never_opened(zipped: bool, tmp_path: Path) -> None:
    module = LanguageModel("lstm", 11, 7)
    torch.save(module, tmp_path / "module.pt", _use_new_zipfile_serialization=zipped)
    error = refused(
        tmp_path / "module.pt", r"holds pickled objects \(support.language_models.LanguageModel\)"
    )
    assert "torch.save(model.state_dict(), 'weights.pt')" in error.hint


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_checkpoint_is_never_run(zipped: bool, tmp_path: Path) -> None:
    saved = {"state_dict": LanguageModel("lstm", 11, 7).state_dict(), "x": Touch(tmp_path / "ran")}
    torch.save(saved, tmp_path / "model.pt", _use_new_zipfile_serialization=zipped)
    refused(tmp_path / "model.pt", "pickled objects")
    (tmp_path / "bare.pt").write_bytes(pickle.dumps(Touch(tmp_path / "ran")))
    refused(tmp_path / "bare.pt", "pickled objects|no PyTorch checkpoint")
    assert not (tmp_path / "ran").exists()


def _rewritten(source: Path, target: Path, change: Callable[[bytes], bytes], method: int) -> None:
    """The archive with its pickle changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", method) as new:
        for entry in old.infolist():
            data = old.read(entry)
            new.writestr(entry.filename, change(data) if entry.filename.endswith("data.pkl") else data)


def test_a_tensor_that_claims_more_than_the_file_has(tmp_path: Path) -> None:
    torch.save({"rnn.weight_hh_l0": torch.zeros(28, 7)}, tmp_path / "small.pt")
    large = struct.pack("<i", 28 << 24)
    count, sizes = b"K\xc4t", b"K\x00K\x1cK\x07\x86"

    def claim(data: bytes) -> bytes:
        assert count in data
        assert sizes in data
        return data.replace(count, b"J" + large + b"t").replace(sizes, b"K\x00J" + large + b"K\x01\x86")

    _rewritten(tmp_path / "small.pt", tmp_path / "large.pt", claim, zipfile.ZIP_STORED)
    refused(tmp_path / "large.pt", "no PyTorch checkpoint, or a damaged one")


def test_an_archive_that_would_unpack_to_more_than_its_length(tmp_path: Path) -> None:
    torch.save({"rnn.weight_hh_l0": torch.zeros(2800, 700)}, tmp_path / "plain.pt")
    _rewritten(tmp_path / "plain.pt", tmp_path / "packed.pt", lambda data: data, zipfile.ZIP_DEFLATED)
    refused(tmp_path / "packed.pt", "a compressed archive")


def test_tensors_that_share_numbers_do_not_multiply(tmp_path: Path) -> None:
    state: dict[str, Any] = dict(LanguageModel("lstm", 11, 7).state_dict())
    torch.save(state | {"decoder.weight": torch.zeros(1).expand(1 << 20, 1 << 20)}, tmp_path / "model.pt")
    refused(tmp_path / "model.pt", "no tensors fit")


class Packed:
    """Pickled as a quantised module's weights are."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return torch.ScriptObject, ()


def test_a_quantised_model(tmp_path: Path) -> None:
    torch.save({"rnn._all_weight_values.0.param": Packed()}, tmp_path / "model.pt")
    refused(tmp_path / "model.pt", "packed weights of a quantised model")


def test_the_same_numbers_are_not_used_over_and_over(tmp_path: Path) -> None:
    state = dict(LanguageModel("lstm", 11, 7).state_dict())
    table = torch.zeros(400, 400)
    torch.save(state | {f"x{number}": table for number in range(8)}, tmp_path / "model.pt")
    refused(tmp_path / "model.pt", "has 14 tensors of .* bytes in all")


def test_a_program_is_not_run(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as archive:
        for name in ("script/data.pkl", "script/constants.pkl", "script/version"):
            archive.writestr(name, b"3")
    assert "torch.jit.load" in refused(tmp_path / "script.pt", "a TorchScript program").hint


def test_what_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"there is no file .*none\.pt"):
        read_checkpoint(tmp_path / "none.pt", Choices())
    refused(tmp_path, "is no file")
    for name, data in (("empty.pt", b""), ("text.pt", b"war and peace\n" * 40), ("short.pt", b"PK\x03\x04")):
        (tmp_path / name).write_bytes(data)
        refused(tmp_path / name, "no PyTorch checkpoint, or a damaged one")
    (tmp_path / "x.safetensors").write_bytes(struct.pack("<Q", 1 << 40) + b"{}")
    refused(tmp_path / "x.safetensors", "no safetensors file, or a damaged one")


def _bytes_of(folder: Path) -> dict[str, bytes]:
    state = LanguageModel("gru", 5, 3, embedding=2).state_dict()
    torch.save({"state_dict": state}, folder / "a.pt")
    torch.save(state, folder / "b.pth", _use_new_zipfile_serialization=False)
    save_file(state, folder / "c.safetensors")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module", name="whole")
def _whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return _bytes_of(tmp_path_factory.mktemp("whole"))


@given(st.data())
def test_a_damaged_file_is_refused_or_read_as_something(
    whole: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(whole)))
    damaged = bytearray(whole[name])
    # Half of the damage goes where the pickle or the header is, at the front.
    last = data.draw(st.sampled_from([600, len(damaged) - 1]))
    for place in data.draw(st.lists(st.integers(0, min(last, len(damaged) - 1)), min_size=1, max_size=5)):
        damaged[place] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("damaged")
    (folder / name).write_bytes(damaged[: data.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))])
    (folder / "vocabulary.json").write_text('["a", "b", "c", "d", "e"]')
    with suppress(InvalidCheckpoint, InvalidRequest):
        imported_from(folder / name, VocabularyFile(str(folder / "vocabulary.json")), Choices())
