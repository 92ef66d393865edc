"""Small texts for tests of the engine."""

from __future__ import annotations

import random
from pathlib import Path

WORDS = ("a", "the", "prince", "said", "war,", "peace.", '"no"', "went\n", "(home)", "42")


def words(length: int, seed: int = 0) -> bytes:
    """Bytes that a model can learn something about."""
    generator = random.Random(seed)
    pieces: list[str] = []
    size = 0
    while size < length:
        pieces.append(generator.choice(WORDS) + " ")
        size += len(pieces[-1])
    return "".join(pieces).encode()[:length]


def write_words(path: Path, length: int, seed: int = 0) -> Path:
    path.write_bytes(words(length, seed))
    return path
