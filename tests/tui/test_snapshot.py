"""Snapshots: golden bytes for ANSI, and what every format must keep of the text and its colours."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyte
import pytest

from rnnviz.store.signals import SIGNALS
from rnnviz.tui.paint.palette import Depth, palette
from rnnviz.tui.paint.text_frame import LEVELS
from support.captures import HandMade, make_capture, model_schema
from support.command import Command

GOLDEN = Path(__file__).parent / "golden"
TEXT = 'if x:\n\treturn "naïve\x1b[31m"\r\n'.encode() + b"\xff" + "漢字 is wide\n".encode()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    """Cell 0:0 runs evenly from -1 to 1 over the text in tanh(c), gate f of it from 0 to 1."""
    model = model_schema(TEXT, hidden=2)
    ramp = np.linspace(-0.999, 0.999, len(TEXT))
    values = {
        "models/model/layers/0/c": np.arctanh(np.stack([ramp, -ramp])).astype(np.float16),
        "models/model/layers/0/f": np.stack([(ramp + 1) / 2, (1 - ramp) / 2]).astype(np.float16),
    }
    path = tmp_path_factory.mktemp("snapshot") / "ramp.zarr"
    return make_capture(path, TEXT, models=[model], values=values, text_name="ramp.py")


def snapshot(made: HandMade, *options: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "rnnviz", "snapshot", str(made.path), *options],
        capture_output=True,
        check=False,
    )
    assert done.returncode == code, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    return (done.stdout if code == 0 else done.stderr).decode()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("c-16m", ["--color", "16m"]),
        ("c-256", ["--color", "256"]),
        ("c-16", ["--color", "16"]),
        ("c-none", ["--color", "none"]),
        ("f-16m-light", ["--signal", "f", "--theme", "light", "--color", "16m"]),
        ("c-narrow", ["--cell", "0:1", "--width", "20", "--lines", "4", "--color", "16m"]),
    ],
)
def test_ansi_is_byte_for_byte_what_it_was(made: HandMade, name: str, options: list[str]) -> None:
    """A changed golden file is a changed format: look at it with `cat` before accepting it."""
    drawn = snapshot(made, "--width", "60", *options)
    assert drawn.encode() == (GOLDEN / f"{name}.ans").read_bytes()


def test_the_ansi_form_shows_every_value_when_printed(made: HandMade) -> None:
    screen = pyte.Screen(60, 8)
    pyte.Stream(screen).feed(snapshot(made, "--width", "60").replace("\n", "\r\n"))
    assert screen.display[1].startswith("if x:↵")
    assert screen.display[2].startswith('⇥   return "naï·ve▯[31m"↵·')
    assert screen.display[3].startswith("�漢·字· is wide↵".replace("漢", "漢").replace("字", "字"))
    shades = palette(Depth.TRUE, "dark", "diverging")
    values = made.signal(0, "c")[0]
    for x in range(6):
        share = (np.tanh(np.float32(values[x])) + 1) / 2
        colour = shades.paint(round(float(share) * (LEVELS - 1))).background
        assert isinstance(colour, tuple)
        assert screen.buffer[1][x].bg == "{:02x}{:02x}{:02x}".format(*colour)


def test_every_line_of_ansi_stands_alone(made: HandMade) -> None:
    for line in snapshot(made).splitlines():
        assert line.endswith("\x1b[0m")
        assert "\x1b[31m" not in line
        assert not re.search(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]", line)


def test_plain_text_has_the_glyphs_and_nothing_else(made: HandMade) -> None:
    drawn = snapshot(made, "--format", "txt")
    assert "\x1b" not in drawn
    assert '⇥   return "naï·ve▯[31m"↵·\n' in drawn


def test_html_is_well_formed_and_escaped(made: HandMade, tmp_path: Path) -> None:
    class Text(HTMLParser):
        content = ""

        def handle_data(self, data: str) -> None:
            self.content += data

    parser = Text()
    parser.feed(snapshot(made, "--format", "html"))
    assert '⇥   return "naï·ve▯[31m"↵·' in parser.content

    evil = make_capture(tmp_path / "evil.zarr", b"<script>&\n", text_name="</title><script>.py")
    drawn = snapshot(evil, "--format", "html")
    assert "<script>" not in drawn
    assert "script" in drawn


def test_svg_is_xml_with_a_rectangle_of_the_right_colour_for_every_value(made: HandMade) -> None:
    root = ElementTree.fromstring(snapshot(made, "--format", "svg", "--cell", "0:0"))
    paths = root.iter("{http://www.w3.org/2000/svg}path")
    shapes = {path.get("fill"): path.get("d", "") for path in paths}
    shades = palette(Depth.TRUE, "dark", "diverging")
    values = SIGNALS["c"].view(made.signal(0, "c")[0])
    # "if x:" is the first row of the text, below one that names the cell; columns are 8.4 wide, rows 17 high.
    for column, value in enumerate(values[:6]):
        colour = shades.paint(round(float(value + 1) / 2 * (LEVELS - 1))).background
        assert isinstance(colour, tuple)
        drawn = shapes["#{:02x}{:02x}{:02x}".format(*colour)]
        corners = re.findall(r"M([\d.]+) 25.5h([\d.]+)V42.5H", drawn)
        middle = (column + 1.5) * 8.4
        assert any(float(left) < middle < float(left) + float(width) for left, width in corners)
    text = "".join(element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text"))
    assert "return" in text


def test_a_file_takes_its_format_from_its_suffix(made: HandMade, tmp_path: Path) -> None:
    for suffix, start in (
        (".svg", "<svg"),
        (".html", "<!DOCTYPE html>"),
        (".txt", " 0:0"),
        (".ans", "\x1b["),
    ):
        path = tmp_path / f"x{suffix}"
        snapshot(made, "-o", str(path))
        assert path.read_text().startswith(start)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--color", "16", "--format", "svg"], True),
        (["--color", "none", "--format", "html"], True),
        (["--color", "256", "--format", "txt"], True),
        (["--color", "16m", "--format", "svg"], False),
        (["--color", "none", "--format", "txt"], False),
        (["--color", "16", "--format", "ansi"], False),
        (["--format", "svg"], False),
    ],
)
def test_a_choice_of_colours_without_effect_is_told(
    made: HandMade, rnnviz: Command, options: list[str], told: bool
) -> None:
    for out in ([], ["-o", "x"]):
        done = rnnviz("snapshot", str(made.path), *options, *out)
        assert done.code == 0
        assert (f"--color {options[1]} is for ANSI text" in done.err) == told


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cell", "0:2"], "no unit 2 in layer 0"),
        (["--cell", "7:0"], "no layer 7"),
        (["--cell", "what"], "is no cell"),
        (["--signal", "z"], "no signal 'z'"),
        (["--start", "100000"], "outside the text"),
        (["-o", "picture.jpeg"], "does not say by its suffix how to draw it"),
        (["-o", "nowhere/x.svg"], "there is no folder"),
        (["-o", "/dev/full", "--format", "svg"], "cannot write"),
        (["-o", "/proc/x.svg"], "cannot write"),
    ],
)
def test_mistakes_get_a_sentence_and_a_hint(made: HandMade, options: list[str], said: str) -> None:
    code = 1 if said == "cannot write" else 2
    message = snapshot(made, *options, code=code)
    assert said in message
    assert len(message.strip().splitlines()) == 2


@pytest.mark.parametrize(
    ("command", "path", "code"),
    [
        ("browse", "missing.zarr", 2),
        ("snapshot", "missing.zarr", 2),
        ("browse", ".", 1),
        ("snapshot", ".", 1),
    ],
)
def test_a_path_that_is_no_capture(tmp_path: Path, command: str, path: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rnnviz", command, path],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2
