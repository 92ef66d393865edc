"""The environment of a fresh Python process that imports what the tests import."""

from __future__ import annotations

import os
from pathlib import Path

TESTS = Path(__file__).parents[1]


def with_support() -> dict[str, str]:
    """This process's environment, in which a child process finds the package `support` as well."""
    paths = [str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
