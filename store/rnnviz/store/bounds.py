"""Bounds of a believable capture: a reader allocates by segments and by rows, so a stranger's must be bounded."""

from __future__ import annotations

from typing import Final

MOST_LAYERS: Final = 256
MOST_UNITS: Final = 1 << 16
MOST_ROWS: Final = 1 << 18
"""Rows are the units of all signals and layers of a model."""
MOST_MODELS: Final = 256
MOST_SYMBOLS: Final = 1 << 48
MOST_SEGMENTS: Final = 1 << 22
MOST_TOKENS: Final = 1 << 18
LONGEST_TOKEN: Final = 4096
MOST_TOKEN_BYTES: Final = 2 << 20
"""Tokens are counted in bytes of UTF-8: as many as may be fit into a JSON document of 16 MB, however they are
escaped."""
