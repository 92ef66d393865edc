"""Conditions on cells: what they mean, against numpy written out by hand, and what a mistake is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.analysis.cells import Cell, Reading
from rnnviz.analysis.conditions import DEEPEST, Condition, parse_condition
from rnnviz.store.errors import InvalidRequest
from rnnviz.store.reader import CapturedModel, open_capture
from support.captures import HandMade, make_capture, model_schema

TEXT = b"abc\n" * 50


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    path: Path = tmp_path_factory.mktemp("conditions") / "hand.zarr"
    return make_capture(path, TEXT, models=[model_schema(TEXT, layers=2, hidden=5)])


@pytest.fixture(scope="module")
def model(made: HandMade) -> CapturedModel:
    return open_capture(made.path).models["model"]


def holds(condition: Condition, model: CapturedModel) -> list[bool]:
    found: list[bool] = condition.holds(model, 0, len(TEXT)).tolist()
    return found


def test_it_reads_what_the_screen_shows(made: HandMade, model: CapturedModel) -> None:
    c = np.tanh(made.signal(1, "c")[3].astype(np.float32))
    f = made.signal(0, "f")[2].astype(np.float32)
    cases = {
        "1:3 > 0.5": c > 0.5,
        "1:3.c > .5": c > 0.5,
        "0:2.f <= 0.25": f <= 0.25,
        "1:3 > 0.5 and 0:2.f < 0.5": (c > 0.5) & (f < 0.5),
        "1:3 > 0.5 or 0:2.f < 0.5": (c > 0.5) | (f < 0.5),
        "not 1:3 > 0.5": ~(c > 0.5),
        "1:3 > 0.9 or 1:3 < -0.9 and 0:2.f > 0.5": (c > 0.9) | ((c < -0.9) & (f > 0.5)),
        "(1:3 > 0.9 or 1:3 < -0.9) and 0:2.f > 0.5": (np.abs(c) > 0.9) & (f > 0.5),
        "abs(1:3) > 0.9 & ! 0:2.f > 0.5": (np.abs(c) > 0.9) & ~(f > 0.5),
        "-0.5 < 1:3 <= 0.5": (c > -0.5) & (c <= 0.5),
        "−1:3 ≥ 0.5": -c >= 0.5,
        "0:2.f > 1:3": f > c,
        "0 < 1": np.ones(len(TEXT), bool),
        "1:3 = 1:3 and 1:3 != 0:2.f": c != f,
    }
    for text, expected in cases.items():
        assert holds(parse_condition(text, model), model) == expected.tolist(), text


def test_a_window_is_a_part_of_the_whole(model: CapturedModel) -> None:
    condition = parse_condition("abs(1:3) > 0.5", model)
    assert condition.holds(model, 37, 90).tolist() == holds(condition, model)[37:90]
    assert condition.readings == (Reading(Cell(1, 3), "c"),)


MISTAKES = {
    "1:3 >": ("a number or a cell, as in 1:37, is expected after >", 5),
    "1:3 >> 0.8": ("a number or a cell, as in 1:37, is expected after >, not >", 5),
    "1:3 >= > 0.8": ("a number or a cell, as in 1:37, is expected after >=, not >", 7),
    "> 0.8": ("a number or a cell, as in 1:37, is expected first, not >", 0),
    "1:3": ("one of < <= > >= = != is expected after 1:3", 3),
    "1:3 0.8": ("one of < <= > >= = != is expected after 1:3, not 0.8", 4),
    "1:3 > 0.5 and": ("a number or a cell, as in 1:37, is expected after and", 13),
    "1:3 > 0.5 0:2 < 1": ("'and', 'or' or the end is expected after 0.5, not 0:2", 10),
    "(1:3 > 0.5": ("this ( is never closed", 0),
    "(1:3 > 0.5 )) or 1:3 > 1": ("'and', 'or' or the end is expected after ), not )", 12),
    "abs 1:3 > 1": ("( is expected after abs, not 1:3", 4),
    "abs(1:3 > 1)": (") is expected after 1:3, not >", 8),
    "1:3 > 0.5 xor 1:2 > 0": ("'and', 'or' or the end is expected after 0.5, not xor", 10),
    "2:3 > 0.5": ("there is no layer 2", 0),
    "1:3 > 0.5 and 0:9 > 0": ("there is no unit 9 in layer 0", 14),
    "1:3.z > 0.5": ("the capture has no signal 'z'", 4),
    "1:3 > 0.5 ; rm": ("';' has no meaning in a condition", 10),
    "1:3 > 0.5 and ( not )": ("a number or a cell, as in 1:37, is expected after not, not )", 20),
    "": ("a number or a cell, as in 1:37, is expected first", 0),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_shown_with_a_caret_at_its_place(text: str, model: CapturedModel) -> None:
    message, place = MISTAKES[text]
    with pytest.raises(InvalidRequest) as caught:
        parse_condition(text, model)
    assert caught.value.message.startswith(message)
    assert caught.value.message == message or message.startswith(("there is", "the capture"))
    shown, caret, advice = caught.value.hint.split("\n", 2)
    assert shown == text
    assert caret == " " * place + "^"
    assert advice.endswith(".")


ATOMS = st.sampled_from(["1:3 > 0.2", "0:2.f < 0.6", "abs(1:0) >= 0.5", "-0.3 < 0:1.h < 0.3"])
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"),
        inner.map(lambda text: f"not ({text})"),
    ),
    max_leaves=8,
)


def test_a_cell_alone_means_the_signal_on_the_screen_and_is_written_out(model: CapturedModel) -> None:
    condition = parse_condition(" abs(1:3)>.5 and 0:2.i < 1:0 or 1:3.c>0", model, "f")
    assert condition.text == "abs(1:3.f)>.5 and 0:2.i < 1:0.f or 1:3.c>0"
    assert [str(reading) for reading in condition.readings] == ["1:3.f", "0:2.i", "1:0.f", "1:3.c"]
    unknown = parse_condition("1:3 > 0", model, "r")  # of a model of another kind
    assert unknown.text == "1:3.c > 0"


@given(text=CONDITIONS, signal=st.sampled_from(["c", "h", "i", "f", "o", "g", None]))
def test_what_is_written_out_means_the_same_whatever_is_on_the_screen(
    text: str, signal: str | None, model: CapturedModel
) -> None:
    condition = parse_condition(text, model, signal)
    for other in ("c", "o"):
        assert parse_condition(condition.text, model, other) == condition


def test_conditions_have_bounds(model: CapturedModel) -> None:
    deep = "(" * DEEPEST + "1:3 > 0" + ")" * DEEPEST
    assert holds(parse_condition(deep, model), model)
    for too_deep in (f"({deep})", "not " * 5000 + "1:3 > 0", "abs(" * 5000, "-" * 5000 + "1 < 0"):
        with pytest.raises(InvalidRequest, match="levels"):
            parse_condition(too_deep, model)


@given(left=CONDITIONS, right=CONDITIONS)
def test_de_morgan(left: str, right: str, model: CapturedModel) -> None:
    one = parse_condition(f"not (({left}) and ({right}))", model)
    other = parse_condition(f"(not ({left})) or not ({right})", model)
    assert holds(one, model) == holds(other, model)


@given(text=st.text(alphabet="01:.<>=!()absndort &|-f 5", max_size=30))
def test_any_text_is_a_condition_or_a_mistake(text: str, model: CapturedModel) -> None:
    try:
        condition = parse_condition(text, model)
    except InvalidRequest:
        return
    assert len(holds(condition, model)) == len(TEXT)
