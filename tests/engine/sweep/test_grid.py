"""The grid against the paper's table of sizes, and its Figure 1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.engine.models.kinds.registry import KINDS, Kind
from rnnviz.engine.models.recurrent import build
from rnnviz.engine.sweep.grid import PAPER_SIZES, grid, matched_hidden, parameter_count
from rnnviz.engine.sweep.paper import FIGURES, LINUX_KERNEL, WAR_AND_PEACE, recognise
from rnnviz.engine.text.split import Split
from rnnviz.store.errors import InvalidRequest

SIZES: list[tuple[int, Kind, int, list[int]]] = [
    (87, "lstm", 1, [64, 128, 256, 512]),
    (87, "lstm", 2, [45, 84, 159, 308]),
    (87, "lstm", 3, [37, 68, 126, 241]),
    (87, "rnn", 1, [141, 273, 531]),
    (87, "rnn", 2, [96, 174, 325]),
    (87, "rnn", 3, [78, 139, 257]),
    (87, "gru", 1, [77, 151, 300, 596]),
    (87, "gru", 2, [53, 98, 185, 357]),
    (87, "gru", 3, [44, 79, 146, 280]),
    (101, "lstm", 1, [64, 128, 256, 512]),
    (101, "lstm", 2, [46, 85, 161, 310]),
    (101, "lstm", 3, [38, 69, 128, 243]),
    (101, "rnn", 1, [142, 274, 534]),
    (101, "rnn", 2, [98, 178, 329]),
    (101, "rnn", 3, [81, 143, 260]),
    (101, "gru", 1, [77, 152, 300, 596]),
    (101, "gru", 2, [54, 100, 187, 359]),
    (101, "gru", 3, [45, 81, 149, 282]),
]
"""K of War and Peace or of the kernel, kind, layers, hidden sizes: every row of the paper's grid."""


@pytest.mark.parametrize(("symbols", "kind", "layers", "hidden"), SIZES)
def test_the_papers_hidden_sizes_come_out(symbols: int, kind: Kind, layers: int, hidden: list[int]) -> None:
    found = [model.hidden for model in grid(symbols, [kind], [layers])]
    assert found == hidden


@given(st.sampled_from(list(KINDS)), st.integers(1, 256), st.integers(1, 4), st.integers(1, 90))
def test_no_other_hidden_size_comes_closer(kind: Kind, symbols: int, layers: int, size: int) -> None:
    aim = parameter_count("lstm", symbols, size, 1)
    hidden = matched_hidden(kind, symbols, layers, size)
    miss = abs(parameter_count(kind, symbols, hidden, layers) - aim)
    others = (abs(parameter_count(kind, symbols, other, layers) - aim) for other in range(1, 5 * size + 9))
    assert miss == min(others)
    if (kind, layers) == ("lstm", 1):
        assert hidden == size


def test_parameters_are_counted_as_models_have_them() -> None:
    for kind in KINDS:
        model = build(kind, 11, 6, 3)
        assert parameter_count(kind, 11, 6, 3) == sum(value.numel() for value in model.parameters())


def test_the_papers_grid_has_no_rnn_of_the_largest_size() -> None:
    models = grid(87)
    assert len(models) == 33
    assert {model.size for model in models if model.kind == "rnn"} == {64, 128, 256}
    named = grid(87, ["rnn"], [1], PAPER_SIZES)
    assert [model.size for model in named] == [64, 128, 256, 512], "sizes that are named hold for all"


def test_an_axis_named_twice_counts_once() -> None:
    assert len(grid(87, ["gru", "gru"], [2, 2], [8, 8])) == 1


@pytest.mark.parametrize(
    ("kinds", "layers", "sizes", "option"),
    [
        (["lstm", "cnn"], [1], [8], "--models"),
        ([], [1], [8], "--models"),
        (["lstm"], [0], [8], "--layers"),
        (["lstm"], [], [8], "--layers"),
        (["lstm"], [1], [0], "--sizes"),
        (["lstm"], [1], [1 << 40], "--sizes"),
    ],
)
def test_axes_out_of_range(kinds: list[str], layers: list[int], sizes: list[int], option: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        grid(87, kinds, layers, sizes)
    assert option in caught.value.hint


def test_the_papers_figure_has_a_loss_for_every_model_of_its_grid() -> None:
    for figure in FIGURES.values():
        assert figure.keys() == {(model.kind, model.layers, model.size) for model in grid(87)}
    assert WAR_AND_PEACE["lstm", 1, 64] == 1.449
    assert WAR_AND_PEACE["lstm", 3, 512] == 1.082
    assert WAR_AND_PEACE["rnn", 3, 256] == 1.239
    assert WAR_AND_PEACE["gru", 2, 512] == 1.201
    assert LINUX_KERNEL["rnn", 2, 128] == 1.120
    assert LINUX_KERNEL["gru", 3, 512] == 0.829


def test_the_papers_texts_are_known_by_length_and_split() -> None:
    assert recognise(3_258_245, Split()) == "War and Peace"
    assert recognise(6_206_996, Split(90, 5, 5)) == "the Linux kernel"
    assert recognise(3_258_245, Split(90, 5, 5)) is None
    assert recognise(3_258_244, Split()) is None
    assert {recognise(3_258_246, Split()), recognise(6_206_996, Split(90, 5, 5))} == FIGURES.keys()
