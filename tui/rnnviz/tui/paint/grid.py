"""A screen as a grid of characters and paints. `difference` has the bytes that turn one such grid into another."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnviz.tui.paint.lines import Line
from rnnviz.tui.paint.palette import Paint, Palette
from rnnviz.tui.paint.text_frame import BLANK, STYLES, Frame
from rnnviz.tui.text.character_widths import FIRST_WIDE, is_wide
from rnnviz.tui.text.glyphs import COVERED, UNSHOWABLE

_paints: list[Paint] = [Paint()]
_inks: dict[Paint, int] = {_paints[0]: 0}
_tables: dict[Palette, NDArray[np.uint16]] = {}


def ink(paint: Paint) -> int:
    """The number of a paint: equal paints have equal numbers, in every grid of this process."""
    number = _inks.get(paint)
    if number is None:
        number = _inks[paint] = len(_paints)
        _paints.append(paint)
    return number


def paint_of(number: int) -> Paint:
    return _paints[number]


def inks_of(palette: Palette) -> NDArray[np.uint16]:
    """uint16 [style]: the ink of every style of a palette."""
    table = _tables.get(palette)
    if table is None:
        table = np.array([ink(palette.paint(style)) for style in range(STYLES)], dtype=np.uint16)
        _tables[palette] = table
    return table


@dataclass(frozen=True)
class Band:
    """Rows of a grid that hold a text: the first of them, and the offset in the text at which each starts.

    Where two grids have bands of the same text one of which is the other moved up or down, so is what they show.
    """

    top: int
    starts: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Grid:
    """codes: uint32 [row, column], `COVERED` right of a wide character; inks: uint16 [row, column], see `ink`."""

    codes: NDArray[np.uint32]
    inks: NDArray[np.uint16]
    band: Band | None = None

    @classmethod
    def blank(cls, width: int, height: int, ground: Paint, band: Band | None = None) -> Grid:
        return cls(
            np.full((height, width), BLANK, dtype=np.uint32),
            np.full((height, width), ink(ground), dtype=np.uint16),
            band,
        )

    @property
    def width(self) -> int:
        return int(self.codes.shape[1])

    @property
    def height(self) -> int:
        return int(self.codes.shape[0])

    def put_frame(self, frame: Frame, palette: Palette, x: int, y: int) -> None:
        """Draw shaded text with its top left corner at column x, row y."""
        height, width = frame.codes.shape
        self.codes[y : y + height, x : x + width] = frame.codes
        self.inks[y : y + height, x : x + width] = inks_of(palette)[frame.styles]

    def put_line(self, line: Line, x: int, y: int, width: int) -> None:
        """Draw a painted line from column x on, `width` columns at most."""
        if not 0 <= y < self.height:
            return
        text = "".join(piece for piece, _ in line)[: max(0, min(width, self.width - x))]
        if not text:
            return
        stop = x + len(text)
        # Pieces often share a paint, whose hash takes longer than all else here.
        paints = {id(paint): paint for _, paint in line}
        inks = {key: ink(paint) for key, paint in paints.items()}
        numbers = np.repeat([inks[id(paint)] for _, paint in line], [len(piece) for piece, _ in line])
        self.codes[y, x:stop] = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        self.inks[y, x:stop] = numbers[: len(text)]
        if self.codes[y, x] == COVERED:
            self.codes[y, x] = UNSHOWABLE  # its left half was cut off
        last = int(self.codes[y, stop - 1])
        if last >= FIRST_WIDE and is_wide(chr(last)):
            self.codes[y, stop - 1] = UNSHOWABLE  # its right half was cut off

    def row(self, y: int) -> Line:
        """A row as pieces of one paint each."""
        codes, inks = self.codes[y], self.inks[y]
        cuts = [0, *(np.flatnonzero(np.diff(inks)) + 1).tolist(), len(inks)]
        return [(_text(codes[a:b]), paint_of(int(inks[a]))) for a, b in itertools.pairwise(cuts) if b > a]


def _text(codes: NDArray[np.uint32]) -> str:
    return "".join(map(chr, codes[codes != COVERED].tolist()))
