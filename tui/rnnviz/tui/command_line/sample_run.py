"""Where the samples are: beside the rooms in a checkout, inside the package when installed from a wheel."""

from __future__ import annotations

from pathlib import Path

from rnnviz.store.errors import NotFound

RUN = "python-lstm"


def sample_run() -> Path:
    """The directory of the run that rnnviz ships. Raises NotFound where an installation lost it."""
    here = Path(__file__).resolve()
    for samples in (here.parents[4] / "samples", here.parents[2] / "samples"):
        if (samples / RUN / "run.json").is_file():
            return samples / RUN
    raise NotFound("the sample run is missing from this installation", "Install rnnviz again.")
