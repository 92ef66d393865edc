"""SVG pictures and HTML pages as a browser draws them: every glyph stands in the column that it has on the screen.

They are rendered by Chromium, which needs no screen for it; where it is not installed, these tests are skipped.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from typing import NamedTuple

import pytest

from rnnviz.store.reader import open_capture
from rnnviz.tui.paint.lines import Inks
from rnnviz.tui.paint.palette import Depth, palette
from rnnviz.tui.pictures.html_page import as_html
from rnnviz.tui.pictures.picture_shapes import CELL_HEIGHT, CELL_WIDTH, has_shapes
from rnnviz.tui.pictures.svg_picture import FONTS, as_svg
from rnnviz.tui.scenes.snapshot import Sheet, as_text, picture
from rnnviz.tui.text.character_widths import is_wide
from rnnviz.tui.view.address import view_at
from support.captures import make_capture, model_schema

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic"]
OPTIONS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
"""Without its sandbox it also runs as root, as in a container. It needs no network."""
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome is installed")

TEXT = ("for x in  y:\r\n\treturn 'naïve'  # 漢字, Привет\r\n    x   =\t(1 ≥ 2)\x1b\n" * 40).encode()
VIEW = "1:1.f,top=300,cursor=340,pin=0:2.c,above=gates,condition=1:1.f%20%3E%200.5,size=100x30"
PATIENCE = 120
"""Seconds: a bound for a browser that hangs, not a measure."""

SCRIPT = """
const seen = {};
for (const svg of document.querySelectorAll("svg")) {
  const corner = svg.getBoundingClientRect();
  seen[svg.id] = [...svg.querySelectorAll("text")].flatMap(text => [...text.textContent].map((glyph, n) => {
    const at = text.getStartPositionOfChar(n);
    return [glyph, at.x, at.y, n];
  }));
}
const ruler = document.getElementById("ruler").getBoundingClientRect().width / 100;
const pre = document.querySelector("pre"), corner = pre.getBoundingClientRect();
const nodes = document.createTreeWalker(pre, NodeFilter.SHOW_TEXT), range = document.createRange();
seen.page = [];
while (nodes.nextNode()) {
  [...nodes.currentNode.data].forEach((glyph, n) => {
    range.setStart(nodes.currentNode, n);
    range.setEnd(nodes.currentNode, n + 1);
    const box = range.getBoundingClientRect();
    const middle = nodes.currentNode.parentNode.tagName == "I" ? box.width / 2 : 0;
    if (glyph != "\\n") seen.page.push([glyph, (box.left - corner.left) / ruler, box.top - corner.top, middle]);
  });
}
document.getElementById("seen").textContent = JSON.stringify(seen);
"""


class Glyph(NamedTuple):
    """A glyph where the browser drew it; `place`: how many of the same element stand before it."""

    text: str
    x: float
    y: float
    place: float


class Rendered(NamedTuple):
    """The rows of the screen as plain text, and what the browser drew of each picture and of the page."""

    rows: list[str]
    seen: dict[str, list[Glyph]]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    folder = tmp_path_factory.mktemp("browser")
    models = [model_schema(TEXT, layers=2, signals=("c", "h", "f"))]
    made = make_capture(folder / "text.zarr", TEXT, models=models, text_name="漢字.py")
    capture = open_capture(made.path)
    lines = picture(capture, view_at(VIEW, capture), Sheet(100, 29), Depth.TRUE, "dark")
    ground = Inks.of(palette(Depth.TRUE, "dark", "diverging")).plain
    svg, page = as_svg(lines, ground, "a picture"), as_html(lines, ground, "a page")
    pictures = [
        svg.replace("<svg ", '<svg id="monospaced" '),
        svg.replace("<svg ", '<svg id="proportional" ').replace(FONTS, "serif"),
    ]
    ruler = f"<pre><span id='ruler'>{'0' * 100}</span></pre>"
    ending = f"{''.join(pictures)}{ruler}<pre id='seen'></pre><script>{SCRIPT}</script></body>"
    file = folder / "page.html"
    file.write_text(page.replace("</body>", ending), encoding="utf-8")
    assert BROWSER is not None
    done = subprocess.run(
        [BROWSER, *OPTIONS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", file.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    seen = re.search("<pre id=.seen.>(.*?)</pre>", done.stdout, re.DOTALL)
    assert seen is not None, done.stderr
    found = json.loads(html.unescape(seen[1]))
    return Rendered(
        as_text(lines).splitlines(), {name: [Glyph(*glyph) for glyph in found[name]] for name in found}
    )


def columns_of_rows(rows: list[str]) -> dict[tuple[int, int], str]:
    """The glyph in each (row, column) that is not blank."""
    placed = {}
    for y, row in enumerate(rows):
        x = 0
        for glyph in row:
            if glyph != " ":
                placed[y, x] = glyph
            x += 2 if is_wide(glyph) else 1
    return placed


def test_in_a_picture_every_glyph_is_in_its_column(rendered: Rendered) -> None:
    expected = {
        place: glyph for place, glyph in columns_of_rows(rendered.rows).items() if not has_shapes(glyph)
    }
    drawn = {}
    for glyph in rendered.seen["monospaced"]:
        column, row = glyph.x / CELL_WIDTH - 1, (glyph.y - 12.5) / CELL_HEIGHT - 0.5
        assert abs(column - round(column)) < 0.2, glyph
        assert row == pytest.approx(round(row), abs=0.01), glyph
        if glyph.text != " ":
            drawn[round(row), round(column)] = glyph.text
    assert drawn == expected
    assert {"漢", "≥", "П"} <= set(drawn.values())


def test_a_picture_holds_together_in_a_font_of_another_width(rendered: Rendered) -> None:
    """Whatever the font, each run of glyphs begins in its column and ends there too."""
    expected = columns_of_rows(rendered.rows)
    starts = [glyph for glyph in rendered.seen["proportional"] if glyph.place == 0]
    assert len(starts) > 100
    for glyph in starts:
        column, row = glyph.x / CELL_WIDTH - 1, (glyph.y - 12.5) / CELL_HEIGHT - 0.5
        assert abs(column - round(column)) < 0.02, glyph
        assert expected[round(row), round(column)] == glyph.text


def test_in_a_page_every_glyph_is_in_its_column(rendered: Rendered) -> None:
    expected = columns_of_rows(rendered.rows)
    drawn = {}
    for glyph in rendered.seen["page"]:
        assert abs(glyph.x - round(glyph.x)) < 0.2 or glyph.place, glyph
        if glyph.text != " ":
            drawn[round(glyph.y / 16), round(glyph.x)] = glyph.text
    assert drawn == expected
