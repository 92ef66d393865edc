"""The order of the work when a text is captured.

A capture lays its segments one after the other on its time axis, and is written along that axis. A model,
however, is fast only when it reads many symbols side by side, and memory must not grow with the text. So

  - the time axis is cut into *blocks* of a size that fits into memory and is written as a whole;
  - a segment that is too long to lie in a block with others is cut into *pieces*;
  - the state at the start of each piece is found beforehand, by reading ahead over a *group* of segments side
    by side and keeping nothing else. Then the pieces of a block can be read side by side too.

Reading ahead costs a fifth to a half of what keeping every signal does, so only long segments are cut. A single
segment may also be *chained*: its blocks are one piece each, and each goes on where the one before ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST_TOGETHER: Final = 256
"""Segments of a group."""


@dataclass(frozen=True)
class Piece:
    """`length` symbols of a segment from `offset` on. `offset` is a multiple of the plan's `piece`."""

    segment: int
    offset: int
    length: int


@dataclass(frozen=True)
class Block:
    """Pieces that lie one after the other on the time axis, from `start` on."""

    start: int
    pieces: tuple[Piece, ...]

    @property
    def length(self) -> int:
        return sum(piece.length for piece in self.pieces)

    @property
    def stop(self) -> int:
        return self.start + self.length


@dataclass(frozen=True)
class Group:
    """Blocks whose segments are read ahead together."""

    blocks: tuple[Block, ...]

    @property
    def stop(self) -> int:
        return self.blocks[-1].stop

    def pieces(self) -> list[Piece]:
        return [piece for block in self.blocks for piece in block.pieces]


@dataclass(frozen=True)
class Plan:
    """All groups, in the order of time. Pieces begin at multiples of `piece` within their segment."""

    groups: tuple[Group, ...]
    piece: int
    chained: bool = False

    @property
    def longest(self) -> int:
        """The length of the longest block."""
        return max(block.length for group in self.groups for block in group.blocks)


def plan(lengths: Sequence[int], *, enough: int, most: int, together: int, piece: int, uncut: int) -> Plan:
    """Plan the work on segments of these lengths; equal arguments give equal plans.

    A block is closed once it has `enough` symbols in `together` pieces, and has at most `most` symbols unless a
    single piece is longer. Segments of more than `uncut` symbols are cut into pieces of `piece`, the last one
    having half as many to half as many more.
    """
    groups = []
    start = 0
    for first in range(0, len(lengths), MOST_TOGETHER):
        members = range(first, min(first + MOST_TOGETHER, len(lengths)))
        pieces = [found for segment in members for found in _cut(segment, lengths[segment], piece, uncut)]
        groups.append(Group(tuple(_blocks(pieces, start, enough, most, together))))
        start = groups[-1].stop
    return Plan(tuple(groups), piece)


def chain(length: int, piece: int) -> Plan:
    """The plan for a single segment, in blocks of `piece` symbols but for the last."""
    pieces = [Piece(0, offset, min(piece, length - offset)) for offset in range(0, length, piece)]
    return Plan((Group(tuple(Block(found.offset, (found,)) for found in pieces)),), piece, chained=True)


def _cut(segment: int, length: int, piece: int, uncut: int) -> list[Piece]:
    if length <= uncut:
        return [Piece(segment, 0, length)]
    last = max(0, (length + piece // 2) // piece - 1) * piece
    return [Piece(segment, offset, piece) for offset in range(0, last, piece)] + [
        Piece(segment, last, length - last)
    ]


def _blocks(pieces: Sequence[Piece], start: int, enough: int, most: int, together: int) -> list[Block]:
    blocks = []
    waiting: list[Piece] = []
    length = 0
    for piece in pieces:
        full = length >= enough and len(waiting) >= together
        if waiting and (full or length + piece.length > most):
            blocks.append(Block(start, tuple(waiting)))
            start += length
            waiting, length = [], 0
        waiting.append(piece)
        length += piece.length
    return [*blocks, Block(start, tuple(waiting))]
