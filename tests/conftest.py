"""Settings of the whole test run."""

from __future__ import annotations

import os

from hypothesis import settings

# What guards a change must not fail by luck: there the examples are the same every time.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
