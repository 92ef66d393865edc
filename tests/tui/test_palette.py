"""Colours tell the sign and the size of a value at every depth, and text on them can be read."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rnnviz.tui.paint.palette import (
    THEMES,
    Depth,
    Palette,
    contrast,
    luminance,
    nearest_eight_bit,
    next_map,
    other_base,
    palette,
)
from rnnviz.tui.paint.text_frame import CURSOR, LEVELS, MATCH, PLAIN
from rnnviz.tui.terminal.colour_depth import colour_depth

ZERO = LEVELS // 2


@pytest.mark.parametrize("theme", list(THEMES))
def test_truecolor_runs_from_red_over_the_ground_to_blue(theme: str) -> None:
    shades = palette(Depth.TRUE, theme, "diverging")
    assert shades.paint(ZERO).background == THEMES[theme].neutral
    assert shades.paint(0).background == THEMES[theme].negative
    assert shades.paint(LEVELS - 1).background == THEMES[theme].positive
    assert len({shades.paint(level).background for level in range(LEVELS)}) == LEVELS


@pytest.mark.parametrize("theme", list(THEMES))
@pytest.mark.parametrize("scale", ["diverging", "sequential"])
def test_text_is_readable_on_every_level(theme: str, scale: str) -> None:
    shades = Palette(Depth.TRUE, THEMES[theme], scale)  # type: ignore[arg-type]
    for level in range(LEVELS):
        paint = shades.paint(level)
        assert isinstance(paint.foreground, tuple)
        assert isinstance(paint.background, tuple)
        # 4.5 (WCAG AA for small text) cannot be had between black and white on mid greys: 4.0 is the floor.
        assert contrast(paint.foreground, paint.background) >= 4.0


@pytest.mark.parametrize(("depth", "steps"), [(Depth.EIGHT_BIT, 9), (Depth.FOUR_BIT, 7), (Depth.NONE, 5)])
def test_lower_depths_keep_sign_and_size_apart(depth: Depth, steps: int) -> None:
    shades = palette(depth, "dark", "diverging")
    paints = [shades.paint(level) for level in range(LEVELS)]
    assert len(set(paints)) >= steps
    assert set(paints[: ZERO - 6]).isdisjoint(paints[ZERO + 7 :])
    assert paints[ZERO] == shades.paint(PLAIN)


@pytest.mark.parametrize("depth", list(Depth))
@pytest.mark.parametrize("scale", ["diverging", "sequential"])
def test_the_cursor_looks_like_nothing_else(depth: Depth, scale: str) -> None:
    shades = Palette(depth, THEMES["dark"], scale)  # type: ignore[arg-type]
    others = {shades.paint(style) for style in range(LEVELS + 1)}
    assert {shades.paint(level | CURSOR) for level in range(LEVELS + 1)}.isdisjoint(others)
    assert all(shades.paint(level | MATCH).underline for level in range(LEVELS + 1))
    assert {shades.paint(level | MATCH) for level in range(LEVELS + 1)}.isdisjoint(others)


def test_without_colour_no_colour_is_sent() -> None:
    for scale in ("diverging", "sequential"):
        shades = Palette(Depth.NONE, THEMES["dark"], scale)
        for style in range(256):
            codes = shades.paint(style).sgr.split(";")
            assert set(codes) <= {"", "1", "4", "7"}


@pytest.mark.parametrize(
    ("colour", "index"),
    [((0, 0, 0), 16), ((255, 255, 255), 231), ((255, 0, 0), 196), ((8, 8, 8), 232), ((128, 128, 128), 244)],
)
def test_nearest_of_256(colour: tuple[int, int, int], index: int) -> None:
    assert nearest_eight_bit(colour) == index


def test_sgr_of_each_kind_of_colour() -> None:
    shades = palette(Depth.TRUE, "dark", "diverging")
    assert shades.paint(0).sgr.endswith("48;2;238;50;52")
    assert palette(Depth.EIGHT_BIT, "dark", "diverging").paint(0).sgr.endswith("48;5;203")
    assert palette(Depth.FOUR_BIT, "dark", "diverging").paint(0).sgr == "30;101"


def test_luminance_is_that_of_wcag() -> None:
    assert luminance((255, 255, 255)) == pytest.approx(1.0)
    assert luminance((0, 0, 0)) == 0.0
    assert contrast((255, 255, 255), (0, 0, 0)) == pytest.approx(21.0)


@pytest.mark.parametrize(
    ("asked", "environment", "depth", "reason"),
    [
        ("auto", {"TERM": "xterm-256color", "COLORTERM": "truecolor"}, Depth.TRUE, "COLORTERM"),
        ("auto", {"TERM": "xterm-256color"}, Depth.EIGHT_BIT, "--color 16m"),
        ("auto", {"TERM": "tmux-256color"}, Depth.EIGHT_BIT, "TERM"),
        ("auto", {"TERM": "xterm-direct"}, Depth.TRUE, "TERM"),
        ("auto", {"TERM": "xterm"}, Depth.FOUR_BIT, "TERM"),
        ("auto", {"TERM": "dumb"}, Depth.NONE, "dumb"),
        ("auto", {"TERM": "vt220"}, Depth.NONE, "vt220"),
        ("auto", {"TERM": "xterm-kitty"}, Depth.TRUE, "kitty"),
        ("auto", {"TERM": "alacritty"}, Depth.TRUE, "alacritty"),
        ("auto", {"TERM": "xterm-ghostty"}, Depth.TRUE, "ghostty"),
        ("auto", {"TERM": "linux"}, Depth.FOUR_BIT, "linux"),
        ("auto", {}, Depth.NONE, "not set"),
        ("auto", {"TERM": "xterm", "COLORTERM": "truecolor", "NO_COLOR": "1"}, Depth.NONE, "NO_COLOR"),
        ("auto", {"TERM": "xterm", "NO_COLOR": ""}, Depth.FOUR_BIT, "TERM"),
        ("16m", {"NO_COLOR": "1"}, Depth.TRUE, "--color"),
    ],
)
def test_the_depth_and_why(asked: str, environment: dict[str, str], depth: Depth, reason: str) -> None:
    found = colour_depth(asked, environment)
    assert found.depth is depth
    assert reason in found.reason


SIGHT = {
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
"""What is seen of linear RGB without one kind of cones (Machado, Oliveira, Fernandes 2009, severity 1)."""

XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
"""Of linear sRGB (IEC 61966-2-1)."""


@pytest.mark.parametrize("name", sorted(THEMES))
@pytest.mark.parametrize("sight", sorted(SIGHT))
def test_the_ends_of_every_map_can_be_told_apart_by_every_eye(name: str, sight: str) -> None:
    theme = THEMES[name]

    def seen(colour: tuple[int, int, int]) -> NDArray[np.float64]:
        """CIELAB coordinates of what is seen of an sRGB colour, for the white point D65."""
        linear = np.clip(np.array(SIGHT[sight]) @ ((np.array(colour) / 255) ** 2.2), 0, 1)
        x, y, z = np.cbrt(np.maximum(np.array(XYZ) @ linear / np.array([0.9505, 1.0, 1.089]), 0.008856))
        return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])

    def apart(a: tuple[int, int, int], b: tuple[int, int, int]) -> float:
        return float(np.linalg.norm(seen(a) - seen(b)))

    # 2.3 is a difference that is just noticed.
    assert apart(theme.negative, theme.positive) > 40
    assert min(apart(end, theme.neutral) for end in (theme.negative, theme.positive)) > 40


def test_maps_and_themes_follow_one_another_and_come_round() -> None:
    name, seen = "dark", []
    for _ in range(4):
        seen.append(name)
        name = next_map(name)
    assert name == "dark"
    assert len(set(seen)) == 4
    assert other_base(other_base("light:brown-teal")) == "light:brown-teal"
    assert all(other_base(one) in THEMES for one in THEMES)
