"""Settings of the whole test run."""

from __future__ import annotations

import os

from hypothesis import settings

# How long an example takes says how busy the machine is. And what guards a change must not fail by luck: there the
# examples are the same every time.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
