"""Hidden states without a model: HDF5 as LSTMVis has it, .npy files, and what a stranger may have put into them."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from rnnviz.engine.capture import foreign_states as states
from rnnviz.engine.capture.foreign_states import capture_states
from rnnviz.engine.capture.numbered_words import NumberedWords, read_dictionary
from rnnviz.engine.capture.state_files import has_ids, open_ids, open_states
from rnnviz.engine.capture.state_text import StateText, text_of_file, text_of_words, vocabulary_of
from rnnviz.engine.progress import Computation
from rnnviz.engine.symbols import distinct_symbols as distinct
from rnnviz.engine.text.text import open_text, text_of_files
from rnnviz.store.errors import AlreadyExists, InvalidRequest, InvalidText, NotFound, RnnvizError, Unavailable
from rnnviz.store.reader import Capture, open_capture
from rnnviz.store.schema import SymbolUnit

WORDS = ("<s>", "<unk>", "</s>", "die", "Katze", "schläft", "🙂")
IDS = np.array([1, 4, 5, 6, 3, 1, 4, 7, 2, 3])
"""From 1, as LSTMVis writes them."""
READ = "<s> die Katze schläft </s>\n<s> die 🙂 <unk> </s>\n"


def random_states(rows: int, units: int = 4, greatest: float = 1.0, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(-greatest, greatest, (rows, units)).astype(np.float32)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """A project of LSTMVis."""
    with h5py.File(tmp_path / "states.h5", "w") as file:
        for layer in (1, 2, 10):
            file[f"states{layer}"] = random_states(10, greatest=3, seed=layer)
        file["output10"] = random_states(10)
    with h5py.File(tmp_path / "train.h5", "w") as file:
        file["word_ids"] = IDS
    (tmp_path / "words.dict").write_text(
        "".join(f"{word}\t{number}\n" for number, word in enumerate(WORDS, 1))
    )
    return tmp_path


def written(
    paths: list[Path], text: StateText, target: Path, names: list[str] | None = None, **options: Any
) -> Capture:
    with open_states(paths, names) as layers:
        for _ in capture_states(layers, text, target, name="mine", **options):
            pass
    return open_capture(target)


def words_of(folder: Path, ids: str = "train.h5") -> StateText:
    with open_ids(str(folder / ids)) as found:
        text = text_of_words("train", NumberedWords(found, read_dictionary(folder / "words.dict")))
        # The file is read again while it is written.
        return StateText(**{**vars(text), "source": _Again(text)})


class _Again:
    """The words as they were while the file was open."""

    def __init__(self, text: StateText) -> None:
        self._text, self._ends = list(text.source.text()), list(text.source.ends())

    def text(self) -> Any:
        return iter(self._text)

    def ends(self) -> Any:
        return iter(self._ends)


def file_text(path: Path, rows: int, unit: SymbolUnit | None = None) -> StateText:
    text = open_text(str(path))
    reading = Computation(text_of_file(text, vocabulary_of(text, rows, unit)))
    for _ in reading:
        pass
    return reading.result


def test_a_project_of_lstmvis(folder: Path) -> None:
    found = written([folder / "states.h5"], words_of(folder), folder / "a.zarr")
    model = found.models["mine"]
    assert (model.kind, model.has_next, model.has_surprisal) == ("states", False, False)
    assert [layer.signals for layer in model.layers] == [("c",)] * 3, "values beyond 1 are cell states"
    for layer, number in zip(model.layers, (1, 2, 10), strict=True):
        expected = random_states(10, greatest=3, seed=number).T.astype(np.float16)
        np.testing.assert_array_equal(layer.read_units("c", slice(None), 0, 10), expected)
        assert layer.statistics().of("c", 0).maximum == pytest.approx(np.tanh(expected[0].max()), abs=1e-3)
    assert (found.unit, found.symbols) == ("word", 10)
    assert found.text(0, found.text_bytes).tobytes().decode() == READ
    assert model.tokens == WORDS
    begins = [0, *found.ends(0, 10).tolist()]
    assert found.text(begins[3], begins[4]).tobytes().decode() == "schläft "
    assert sum(found.verify()) > 0


def test_named_layers_that_are_hidden_states(folder: Path) -> None:
    found = written([folder / "states.h5"], words_of(folder), folder / "a.zarr", names=["output10"])
    layer = found.models["mine"].layers[0]
    assert layer.signals == ("h",)
    np.testing.assert_array_equal(layer.read("h", 2, 0, 10), random_states(10)[:, 2].astype(np.float16))


def test_numpy_files_over_bytes(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"any \xff bytes\n" * 40)
    rows = 40 * 12
    for index in range(2):
        np.save(tmp_path / f"{index}.npy", np.asfortranarray(random_states(rows, seed=index).astype(">f8")))
    text = file_text(tmp_path / "text", rows)
    found = written([tmp_path / "0.npy", tmp_path / "1.npy"], text, tmp_path / "a.zarr", signal="c")
    assert (found.has_tokens, found.symbols) == (False, rows)
    assert found.text(0, rows).tobytes() == b"any \xff bytes\n" * 40
    for index, layer in enumerate(found.models["mine"].layers):
        expected = random_states(rows, seed=index).T.astype(np.float16)
        np.testing.assert_array_equal(layer.read_units("c", slice(None), 0, rows), expected)


@pytest.mark.parametrize(
    ("rows", "unit", "tokens"),
    [
        (26, "byte", None),
        (22, "character", ("\n", " ", "a", "d", "e", "f", "r", "s", "ü", "🙂")),
        (5, "word", ("das", "der", "für", "🙂")),
        (7, "word", ("das", "der", "für", "🙂", "<eos>")),
    ],
)
def test_a_text_is_cut_as_the_states_are_long(
    tmp_path: Path, rows: int, unit: SymbolUnit, tokens: tuple[str, ...] | None
) -> None:
    """Rows of bytes, of characters, of words, or of words and line ends."""
    (tmp_path / "text").write_text("der für 🙂 \n  das  das\n")
    text = file_text(tmp_path / "text", rows)
    assert (text.unit, text.symbols, text.tokens) == (unit, rows, tokens)
    np.save(tmp_path / "h.npy", random_states(rows))
    found = written([tmp_path / "h.npy"], text, tmp_path / "a.zarr")
    assert found.text(0, found.text_bytes).tobytes() == (tmp_path / "text").read_bytes()
    assert found.ends(0, rows)[-1] == 26


def test_words_of_several_files_do_not_run_into_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distinct, "PIECE", 3)
    for name, content in (("a", "ein Wört"), ("b", "chen am Ende")):
        (tmp_path / name).write_text(content)
    text = text_of_files("text", [tmp_path / "a", tmp_path / "b"])
    found = vocabulary_of(text, 5)
    assert found.tokens == ("Ende", "Wört", "am", "chen", "ein")  # type: ignore[union-attr]
    with pytest.raises(InvalidRequest, match="21 bytes, 20 characters, 5 words and 0 newlines") as caught:
        vocabulary_of(text, 99)
    assert "99 rows" in caught.value.message
    (tmp_path / "a").write_bytes(b"\xff")
    with pytest.raises(InvalidText, match="a is not UTF-8"):
        vocabulary_of(text_of_files("text", [tmp_path / "a"]), 5)


def test_a_text_of_characters_may_have_no_white_space(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("語" * 5000)
    assert file_text(tmp_path / "text", 5000).tokens == ("語",)
    with pytest.raises(InvalidText, match="very long ones"):
        file_text(tmp_path / "text", 1, "word")


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e6])
def test_values_that_are_no_states(tmp_path: Path, value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "PIECE_VALUES", 10)
    (tmp_path / "text").write_bytes(b"x" * 30)
    values = random_states(30)
    values[17, 2] = value
    np.save(tmp_path / "h.npy", values)
    text = file_text(tmp_path / "text", 30)
    with pytest.raises(InvalidRequest, match=r"h\.npy has a value at \[17, 2\]"):
        written([tmp_path / "h.npy"], text, tmp_path / "a.zarr")
    assert not (tmp_path / "a.zarr").exists()


def test_hidden_states_lie_within_one(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"x" * 30)
    text = file_text(tmp_path / "text", 30)
    np.save(tmp_path / "h.npy", random_states(30, greatest=1.5))
    with pytest.raises(InvalidRequest, match="hidden states h lie in") as caught:
        written([tmp_path / "h.npy"], text, tmp_path / "a.zarr", signal="h")
    assert "--signal c" in caught.value.hint
    np.save(tmp_path / "h.npy", np.full((30, 2), 1.0001))  # what rounding makes of 1 is no other signal
    assert written([tmp_path / "h.npy"], text, tmp_path / "a.zarr").models["mine"].layers[0].signals == ("h",)
    with pytest.raises(AlreadyExists):
        written([tmp_path / "h.npy"], text, tmp_path / "a.zarr")
    written([tmp_path / "h.npy"], text, tmp_path / "a.zarr", force=True)


def test_lengths_must_agree(folder: Path) -> None:
    np.save(folder / "h.npy", random_states(11))
    with pytest.raises(InvalidRequest, match="has 11 rows, and train 10 words"):
        written([folder / "h.npy"], words_of(folder), folder / "a.zarr")


def test_numbers_and_dictionaries_that_do_not_fit(folder: Path) -> None:
    np.save(folder / "ids.npy", np.append(IDS, 8))
    with pytest.raises(InvalidRequest, match=r"no word with the number 8, which .*ids\.npy has at 10"):
        words_of(folder, "ids.npy")
    np.save(folder / "ids.npy", -IDS)
    with pytest.raises(InvalidRequest, match="no word with the number -1"):
        words_of(folder, "ids.npy")
    np.save(folder / "ids.npy", IDS.astype(np.uint64) << np.uint64(63))
    with pytest.raises(InvalidRequest, match="no word with the number"):
        words_of(folder, "ids.npy")
    for content in (
        "die",
        "die\t1\nder\t1",
        "die\tx",
        "die\t1\n\nder\t2",
        "die\t99999999",
        "die\t1\ndie\t2",
        "",
    ):
        (folder / "words.dict").write_text(content)
        with pytest.raises(RnnvizError) as caught:
            read_dictionary(folder / "words.dict")
        assert caught.value.hint
    (folder / "words.dict").write_bytes(b"\xff\t1")
    with pytest.raises(InvalidRequest, match="not UTF-8"):
        read_dictionary(folder / "words.dict")


def test_characters_by_number(folder: Path) -> None:
    (folder / "words.dict").write_text("<s> 0\na 3\n  7\né 9\n")
    np.save(folder / "ids.npy", [0, 3, 7, 9, 3])
    text = words_of(folder, "ids.npy")
    assert (text.unit, text.tokens) == ("character", ("<s>", "a", " ", "é"))
    assert b"".join(piece.tobytes() for piece in text.source.text()).decode() == "<s>a éa"


def test_words_by_number_are_no_characters(folder: Path) -> None:
    with (
        open_ids(str(folder / "train.h5")) as ids,
        pytest.raises(InvalidRequest, match="dictionary has 'die', which is more than one character"),
    ):
        NumberedWords(ids, read_dictionary(folder / "words.dict"), "character")


Change = Callable[[h5py.File, Path], Any]


def outside(file: h5py.File, folder: Path) -> None:
    (folder / "secret").write_bytes(bytes(160))
    file.create_dataset("states0", (10, 4), "f4", external=[(str(folder / "secret"), 0, 160)])


def elsewhere(file: h5py.File, folder: Path) -> None:
    with h5py.File(folder / "other.h5", "w") as other:
        other["states0"] = random_states(10)
    file["states0"] = h5py.ExternalLink(str(folder / "other.h5"), "states0")


def virtual(file: h5py.File, folder: Path) -> None:
    layout = h5py.VirtualLayout((10, 4), "f4")
    layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "states0", (10, 4))
    file.create_virtual_dataset("states0", layout)


HOSTILE: dict[str, Change] = {
    "values outside of the file": outside,
    "a link to another file": elsewhere,
    "a soft link": lambda file, _: file.__setitem__("states0", h5py.SoftLink("/output")),
    "a virtual dataset": virtual,
    "a group": lambda file, _: file.create_group("states0"),
    "a scalar": lambda file, _: file.__setitem__("states0", 1.0),
    "three dimensions": lambda file, _: file.__setitem__("states0", np.zeros((2, 5, 4))),
    "nothing": lambda file, _: file.__setitem__("states0", np.zeros((0, 4))),
    "strings": lambda file, _: file.__setitem__("states0", np.full((10, 4), b"x")),
    "complex numbers": lambda file, _: file.__setitem__("states0", np.zeros((10, 4), complex)),
    "a compound": lambda file, _: file.__setitem__("states0", np.zeros((10, 4), "f4,i4")),
    "gigantic chunks": lambda file, _: file.create_dataset(
        "states0", (1 << 20, 1 << 12), "f4", chunks=(1 << 16, 1 << 12), compression="gzip"
    ),
    "no layer at all": lambda file, _: file.__setitem__("x\x1b[2J", random_states(10)),
    "nothing at all": lambda file, _: None,
    "layers of different widths": lambda file, _: file.update(
        {"states0": random_states(10), "states1": random_states(10, 5)}
    ),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
def test_files_of_a_stranger(tmp_path: Path, change: Change) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        change(file, tmp_path)
    tracemalloc.start()
    with pytest.raises(InvalidRequest) as caught, open_states([tmp_path / "a.h5"]):
        pass
    assert tracemalloc.get_traced_memory()[1] < 10 << 20
    tracemalloc.stop()
    assert caught.value.message.isprintable()
    assert caught.value.hint


def test_a_layer_that_claims_to_be_gigantic_is_not_read(tmp_path: Path) -> None:
    """HDF5 keeps no values that were never written: a small file may claim any number of them."""
    (tmp_path / "text").write_bytes(b"x" * 30)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("states0", (1 << 50, 64), "f4", chunks=(1024, 64))
    with pytest.raises(InvalidRequest, match="1,125,899,906,842,624 rows"):
        written([tmp_path / "a.h5"], file_text(tmp_path / "text", 30), tmp_path / "a.zarr")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (99999999, 9999), }".ljust(
            128
        ),
        b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }".ljust(128),
        b"\x93NUMPY\x01\x00v\x00__import__('os').mkdir('owned')".ljust(128),
        b"rubbish" * 100,
    ],
)
def test_arrays_of_a_stranger(tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.npy", "a.h5"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InvalidRequest) as caught, open_states([tmp_path / name]):
            pass
        assert caught.value.hint
    assert not (tmp_path / "owned").exists()


def test_what_is_not_there(folder: Path) -> None:
    with pytest.raises(NotFound), open_states([folder / "none.npy"]):
        pass
    with pytest.raises(InvalidRequest, match="no file"), open_ids(str(folder)):
        pass
    with pytest.raises(InvalidRequest, match="one file too many"), open_states([folder / "states.h5"] * 2):
        pass
    with pytest.raises(InvalidRequest, match="it has word_ids"), open_ids(f"{folder / 'train.h5'}:target"):
        pass
    named = f"{folder / 'states.h5'}:states1"
    with pytest.raises(InvalidRequest, match="no list of whole numbers"), open_ids(named):
        pass
    with open_ids(f"{folder / 'train.h5'}:word_ids") as ids:
        assert ids.read(2, 4).tolist() == [5, 6]
    assert has_ids(folder / "train.h5")
    assert not has_ids(folder / "states.h5")


def test_layers_in_groups_of_the_file_and_of_no_other(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["group/states0"] = random_states(10)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["group/deep/h"] = random_states(10)
        file["link"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "group")
    with open_states([tmp_path / "a.h5"], ["group/deep/h"]) as (layer,):
        assert layer.shape == (10, 4)
    for name in ("link/states0", "/link/states0", "group", "group/none", "", "/"):
        with pytest.raises(InvalidRequest, match="no dataset"), open_states([tmp_path / "a.h5"], [name]):
            pass


def test_without_h5py_a_sentence_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(Unavailable, match="h5py") as caught, open_states([folder / "states.h5"]):
        pass
    assert "pip install h5py" in caught.value.hint
