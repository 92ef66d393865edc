"""Two models beside each other: which pair, where they err, where one knows more, and what the screen shows of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rnnviz.analysis.events import next_occurrence, occurrences
from rnnviz.analysis.model_comparison import (
    Advantage,
    comparable,
    default_pair,
    erring,
    next_largest,
    parting,
    stepped,
)
from rnnviz.store.reader import open_capture
from rnnviz.store.schema import ModelSchema
from rnnviz.tui.launch.app import Explorer
from rnnviz.tui.launch.open_view import open_view
from rnnviz.tui.paint.palette import Depth
from rnnviz.tui.paint.shading import averaged
from rnnviz.tui.screens.text.text_screen import TextScreen
from support.captures import HandMade, make_capture, model_schema
from support.explored import remark_of

TEXT = b"".join(b"%d words of text\n" % number for number in range(300))


def ngram(n: int, *, next: bool) -> ModelSchema:
    return model_schema(TEXT, name=f"ngram-{n}", kind="n-gram", layers=0, next=next)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    models = [model_schema(TEXT), ngram(20, next=True), ngram(3, next=True), ngram(5, next=False)]
    path = tmp_path_factory.mktemp("comparison") / "a.zarr"
    return make_capture(path, TEXT, models=models, lengths=[2000, len(TEXT) - 2000])


def surprisals(made: HandMade) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return made.surprisal(0), made.surprisal(1)


def test_the_main_model_is_compared_with_the_largest_n_gram_that_keeps_distributions(made: HandMade) -> None:
    capture = open_capture(made.path)
    assert comparable(capture) == ["model", "ngram-3", "ngram-5", "ngram-20"]
    assert default_pair(capture, "model") == ("model", "ngram-20")
    names = comparable(capture)
    assert stepped(names, "ngram-3", "model", 1) == "ngram-5"
    assert stepped(names, "ngram-20", "ngram-5", -1) == "ngram-3"
    assert stepped(names, "ngram-20", "model", 1) is None
    assert stepped(names, "ngram-3", "model", -1) is None
    assert stepped(["model"], None, "model", 1) is None


def test_errors_are_symbols_given_less_than_a_half(made: HandMade) -> None:
    capture = open_capture(made.path)
    mine, other = surprisals(made)
    breaks = capture.segments[:, 0]
    wrong, wrong_other = np.exp(-mine) < 0.5, np.exp(-other) < 0.5
    found = occurrences(erring(capture.models["model"]), breaks, 0, capture.captured)
    np.testing.assert_array_equal(found, np.flatnonzero(wrong & ~np.isnan(mine)))
    apart = parting(capture.models["model"], capture.models["ngram-20"])
    known = ~np.isnan(mine) & ~np.isnan(other)
    expected = np.flatnonzero((wrong != wrong_other) & known)
    np.testing.assert_array_equal(occurrences(apart, breaks, 0, capture.captured), expected)
    first = next_occurrence(apart, breaks, capture.captured, 0)
    assert first is not None
    assert first.position == expected[expected > 0][0]


def test_advantages_come_from_the_largest_down_each_once(made: HandMade) -> None:
    capture = open_capture(made.path)
    mine, other = surprisals(made)
    better, worse = capture.models["model"], capture.models["ngram-20"]
    ahead = np.where(np.isnan(other - mine), -1, other - mine)
    order = [place for place in np.argsort(-ahead, kind="stable").tolist() if ahead[place] > 0][:25]
    last: Advantage | None = None
    found = []
    for _ in order:
        last = next_largest(better, worse, capture.captured, last)
        assert last is not None
        found.append(last.symbol)
    assert found == order
    assert next_largest(better, worse, capture.captured, Advantage(0, 0.0)) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-3, 3) | st.just(float("nan")), min_size=1, max_size=60), st.integers(1, 40))
def test_a_strip_averages_what_is_known(values: list[float], columns: int) -> None:
    array = np.array(values, dtype=np.float32)
    means = averaged(array, columns)
    assert len(means) == columns
    for column, mean in enumerate(means):
        start = column * len(array) // columns
        stop = max(start + 1, (column + 1) * len(array) // columns)
        part = array[start:stop]
        known = part[~np.isnan(part)]
        if len(known):
            assert mean == pytest.approx(known.mean(), abs=1e-5)
        else:
            assert np.isnan(mean)


async def test_keys_change_shading_models_and_place(made: HandMade) -> None:
    app = Explorer(*open_view(made.path, "0:0", None, 0), Depth.TRUE, "dark")
    mine, other = surprisals(made)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = app.screen
        assert isinstance(screen, TextScreen)

        async def press(*keys: str) -> None:
            for key in keys:
                await pilot.press(key)
                for _ in range(200):
                    await pilot.pause(0.01)
                    if app.settled and not screen.workers:
                        break

        await press("t", "t", "t")
        assert str(screen.view.shade) == "difference"
        await press("t")
        assert str(screen.view.shade) == "cell"
        await press("minus")
        assert screen.view.right == "ngram-5"
        assert "a capture made with --next 5 keeps all" in remark_of(screen)
        await press("plus", "plus")
        assert screen.view.right == "ngram-20"
        assert remark_of(screen) == "20-gram: that is the largest n in this capture"
        await press("minus", "minus", "minus")
        assert screen.view.right == "ngram-3"
        assert remark_of(screen) == "3-gram: that is the smallest n in this capture"
        await press("plus", "plus", "backslash")
        assert screen.view.pair == ("ngram-20", "model")
        await press("backslash", "a")
        ahead = np.where(np.isnan(other - mine), -9, other - mine)
        assert screen.view.cursor == int(ahead.argmax())
        await press("a")
        assert screen.view.cursor == int(np.argsort(-ahead, kind="stable")[1])
        await press("g", "e")
        wrong = np.flatnonzero(np.exp(-mine) < 0.5)
        assert screen.view.cursor == wrong[wrong > 0][0]


async def test_a_capture_with_one_model_says_how_to_add_another(tmp_path: Path) -> None:
    path = make_capture(tmp_path / "one.zarr").path
    app = Explorer(*open_view(path, "0:0", None, 0), Depth.TRUE, "dark")
    async with app.run_test(size=(120, 30)) as pilot:
        screen = app.screen
        assert isinstance(screen, TextScreen)
        assert screen.view.pair is None
        await pilot.press("d")
        await pilot.pause(0.1)
        assert "--ngram" in remark_of(screen)
