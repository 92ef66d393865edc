"""`rnnviz browse --picture`: which keys it takes, and what it and `snapshot -o` say in the end."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from rnnviz.tui.launch.browse import plain_wishes
from rnnviz.tui.launch.open_view import open_at
from support.captures import make_capture, model_schema
from support.command import Command

TEXT = b"one two three\nfour five six\n" * 20


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_capture(
        tmp_path_factory.mktemp("picture") / "a b.zarr", TEXT, models=[model_schema(TEXT, hidden=3)]
    ).path


def picture(rnnviz: Command, capture: Path, keys: str, code: int = 0) -> str:
    """What it says on standard error, with a hand on the file."""
    done = rnnviz("browse", str(capture), "--picture", "x.svg", "--size", "60x20", "--press", keys)
    assert done.code == code, done.err
    assert Path("x.svg").exists() == (code == 0)
    return done.err


@pytest.mark.parametrize("name", ["foo", "j,foo", "crtl+l", "pgdn", "j;k", "wait:100", "ctrl+foo"])
def test_a_name_that_is_no_key_s_is_refused_before_anything_is_drawn(
    rnnviz: Command, capture: Path, name: str
) -> None:
    first, second = picture(rnnviz, capture, name, code=2).splitlines()
    assert first == f"rnnviz: {name.split(',')[-1]!r} is no key"
    assert "pagedown" in second


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("f12", "'f12' does nothing"),
        ("j,@", "'@' does nothing after j"),
        ("ctrl+k,j", "'ctrl+k' does nothing"),
        ("c,f12", "'f12' does nothing after c"),
        ("?,escape,f12", "'f12' does nothing after ?,escape"),
    ],
)
def test_a_key_that_does_nothing_where_it_is_pressed_is_refused(
    rnnviz: Command, capture: Path, keys: str, said: str
) -> None:
    first, second = picture(rnnviz, capture, keys, code=2).splitlines()
    assert said in first
    assert second == "  ? in the explorer lists the keys."


@pytest.mark.parametrize(
    "keys",
    [
        "j,k,pagedown,G",
        "question_mark",
        "?,escape,j",
        "c,right,right,enter",
        "c,1,backspace,escape",
        "c,/,1,enter",
        "/,t,w,o,enter,n",
        "#,1,2,enter",
        "h,v,escape",
        "ctrl+f,space,ctrl+p,escape",
        "/,q,comma,(,[,enter",
    ],
)
def test_keys_that_do_something_are_taken(rnnviz: Command, capture: Path, keys: str) -> None:
    picture(rnnviz, capture, keys)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--press", "j"], "--press is for --picture"),
        (["--size", "80x24"], "--size is for --picture"),
        (["--picture", "nowhere/x.svg"], "there is no folder nowhere"),
        (["--picture", "x.png"], "does not end in .svg"),
        (["--picture", "x.svg", "--size", "big"], "'big' is no size"),
    ],
)
def test_a_picture_that_cannot_be_is_refused_with_a_hint(
    rnnviz: Command, capture: Path, options: list[str], said: str
) -> None:
    done = rnnviz("browse", str(capture), *options)
    assert done.code == 2
    first, second = done.err.splitlines()
    assert said in first
    assert second.startswith("  ")


def test_a_picture_says_what_it_is_of_and_leads_to_the_place_that_it_shows(
    rnnviz: Command, capture: Path
) -> None:
    done = rnnviz(
        "browse", str(capture), "--cell", "0:0", "--picture", "x.svg", "--size", "60x20", "--press", "j"
    )
    assert done.out.startswith("x.svg: cell 0:1, signal c, over ")
    assert "60×20" in done.out
    _follow(done.err, "0:1")


def test_so_does_a_snapshot(rnnviz: Command, capture: Path) -> None:
    done = rnnviz("snapshot", str(capture), "--cell", "0:2", "--start", "14", "-o", "x.txt")
    assert done.out.startswith("x.txt: cell 0:2, signal c, over ")
    _follow(done.err, "0:2")
    assert "next:" not in rnnviz("snapshot", str(capture)).err, "what goes to a pipe is the snapshot alone"


def _follow(said: str, cell: str) -> None:
    """Paste the line that says what comes next."""
    (line,) = said.splitlines()
    next_, *words = shlex.split(line)
    assert (next_, words[:2]) == ("next:", ["rnnviz", "browse"])
    wishes = plain_wishes(words[2:])
    assert wishes is not None
    assert wishes.view is not None
    _, view = open_at(wishes.capture, wishes.view)
    assert str(view.cell) == cell
