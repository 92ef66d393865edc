"""Which cells of a run track something a person can name in Python source?

    rnnviz capture samples/python-lstm tui --glob '*.py' --split all --signals c --unknown replace --out own.zarr
    python samples/find_cells.py own.zarr

The text is this project's own source, which the run was not trained on, one segment a file. For each property of
the text (a *track*: a number per symbol) and each cell, the measure is Pearson's correlation over all symbols
between the track and tanh(c) after the symbol was read. The cell with the largest |r| is named, whatever it is.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from rnnviz.analysis.tracks.python_source import correlations, tracks_over
from rnnviz.store.reader import open_capture


def main() -> None:
    capture = open_capture(Path(sys.argv[1]))
    model = next(iter(capture.models.values()))
    names = [f"{layer}:{unit}" for layer, stored in enumerate(model.layers) for unit in range(stored.units)]
    print(f"{capture.captured:,} symbols, {len(capture.segments)} files, {len(names)} cells")
    for name, track in tracks_over(capture).items():
        r = np.concatenate(correlations(model, track))
        best = np.argsort(-np.abs(r))[:5]
        print(f"{name:18}", "  ".join(f"{names[cell]} {r[cell]:+.3f}" for cell in best))


if __name__ == "__main__":
    main()
