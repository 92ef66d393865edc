"""Settings of the whole test run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is. And what guards a change must not fail by luck: there the
# examples are the same every time.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

RUN_MODELS = (
    "engine",
    "accept",
    "bench",
    "tui/test_capture_command.py",
    "tui/test_capture_ngram.py",
    "tui/test_capture_runs.py",
    "tui/test_first_hour.py",
    "tui/test_import_command.py",
    "tui/test_import_states.py",
    "tui/test_ngram_command.py",
    "tui/test_sweep_command.py",
    "tui/test_train_command.py",
    "tui/test_typing.py",
    "tui/test_typing_keys.py",
    "tui/test_typing_models.py",
    "tui/test_typing_tokens.py",
)
"""The tests that run models. All others must pass without PyTorch too: `.ci/newest` shows that they do."""

collect_ignore = [] if find_spec("torch") else list(RUN_MODELS)


@pytest.fixture(scope="session", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What rnnviz keeps between sessions belongs to the tests while they run, and not to who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield
