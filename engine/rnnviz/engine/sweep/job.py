"""A job: one run to train, as it is handed to another process. A report: what that process says of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from rnnviz.engine.runs.run import RunConfig
from rnnviz.engine.text.split import Split

Phase = Literal["waiting", "training", "complete", "stopped", "failed"]
"""`stopped`: before its end, on request, with all saved."""

ENDS: tuple[Phase, ...] = ("complete", "stopped", "failed")


@dataclass(frozen=True)
class Job:
    """What a process needs to know to begin a run, or to go on with it."""

    path: Path
    """Of the run, absolute."""
    text: str
    """What `open_text` takes: an absolute path, or a `python:` spec."""
    sha256: str
    """Of the text."""
    spec: str | None
    """How the run's record says to open the text again, where that means something elsewhere."""
    glob: str
    config: RunConfig
    command: str
    """That trains the same run alone."""

    @property
    def name(self) -> str:
        return self.path.name

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self) | {"path": str(self.path)})

    @classmethod
    def from_json(cls, line: str | bytes) -> Job:
        """The job that `to_json` wrote."""
        values = json.loads(line)
        config = values.pop("config")
        split = Split(**config.pop("split"))
        return cls(**values | {"path": Path(values["path"]), "config": RunConfig(**config, split=split)})


@dataclass(frozen=True)
class Report:
    """Where a job is. Losses are nats per symbol, of the last whole epoch."""

    name: str
    phase: Phase
    done: int = 0
    """Symbols, of `total`, over all epochs."""
    total: int = 0
    epochs: int = 0
    """That are behind it."""
    train: float | None = None
    validation: float | None = None
    rate: float | None = None
    """Symbols a second in this process."""
    pid: int | None = None
    """Of the process at work."""
    message: str = ""
    """What went wrong, if anything."""
    hint: str = ""

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str | bytes) -> Report:
        """The report that `to_json` wrote."""
        return cls(**json.loads(line))
