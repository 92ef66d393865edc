"""How fast n-gram models are made and asked, beside KenLM's own program and plain loops over its Python module.

python -m pytest tests/bench/test_ngram.py -s -q

The text is the file that RNNVIZ_BENCH_TEXT names (War and Peace for the figures in the notes), or a made-up one. Prints
a table of medians of REPEATS; asserts nothing about time.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rnnviz.engine.ngram.arpa import WORDS, write_arpa
from rnnviz.engine.ngram.captured_ngrams import PIECE
from rnnviz.engine.ngram.counting import Sentence
from rnnviz.engine.ngram.kneser_ney import Estimate, estimate
from rnnviz.engine.ngram.scorers.kenlm_build import greatest_order
from rnnviz.engine.ngram.scorers.kenlm_model import KenlmModel
from rnnviz.engine.ngram.scorers.trie_model import TrieModel
from rnnviz.engine.ngram.training import part_of
from rnnviz.engine.progress import Computation
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.engine.text.split import Split
from rnnviz.engine.text.text import open_text
from support.texts import write_words

ORDERS = (*range(2, 11), 21)
REPEATS = int(os.environ.get("RNNVIZ_BENCH_REPEATS", "3"))
Model = TypeVar("Model")

SCORINGS = 3 * REPEATS
"""They are short, so a median needs more of them."""


def median(action: Callable[[], object], repeats: int = REPEATS) -> float:
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def row(what: str, ours: float, peer: str, theirs: float | None) -> None:
    beside = f"{theirs:9.2f} s  {theirs / ours:5.1f}×" if theirs is not None else "        –       –"
    print(f"{what:<48}{ours:9.2f} s   {peer:<34}{beside}", flush=True)


def test_ngrams(tmp_path: Path) -> None:
    path = os.environ.get("RNNVIZ_BENCH_TEXT")
    text = open_text(path or str(write_words(tmp_path / "words.txt", 1_000_000)))
    train, test = part_of(text, Split(), "train"), part_of(text, Split(), "test")
    print(
        f"\n{text.name}: {len(train):,} symbols to train on, {len(test):,} to score; load {os.getloadavg()[0]:.1f}"
    )
    estimated = _estimate(train)
    peer = _lmplz(tmp_path, train) if shutil.which("lmplz") else None
    row("estimating n = 1…9, 20", median(lambda: _estimate(train)), "lmplz -o 21 to ARPA", peer)
    print(f"peak memory until here {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")

    arpa = tmp_path / "n20.arpa"
    began = time.perf_counter()
    _write(arpa, estimated)
    took = time.perf_counter() - began
    row(f"writing n = 20, {arpa.stat().st_size / 1e9:.2f} GB", took, "", None)
    del estimated
    _score(arpa, Vocabulary.of(text), test)


def _score(arpa: Path, vocabulary: Vocabulary, test: NDArray[np.uint8]) -> None:
    """Our scorer beside loops over KenLM's module, on the model of n = 20; then rnnviz's own use of KenLM."""
    model, load, memory = _loaded(lambda: TrieModel.load(arpa, 20, vocabulary))
    peer, its_load, its_memory = None, None, 0.0
    if (greatest_order() or 0) > 20:
        peer, its_load, its_memory = _loaded(lambda: KenlmModel(arpa, 20, vocabulary))
    row("loading n = 20", load, "KenLM, loading", its_load)
    print(f"{'memory of n = 20':<48}{memory:9.2f} GB  {'KenLM':<34}{its_memory:9.2f} GB")
    # By turns, so that both have the same neighbours on the machine.
    surprisals = [
        (median(lambda: _surprisal(model, test), 1), None if peer is None else _full_scores(peer, test))
        for _ in range(SCORINGS)
    ]
    row(
        "surprisal, n = 20",
        statistics.median(mine for mine, _ in surprisals),
        "full_scores loop",
        None if peer is None else statistics.median(its for _, its in surprisals if its is not None),
    )
    columns = len(vocabulary)
    mine = median(lambda: [None for _ in model.distributions(test)])
    row(
        f"distributions of {columns} symbols, n = 20",
        mine,
        "BaseScore loop",
        None if peer is None else median(lambda: _base_scores(peer, test), 1),
    )
    if peer is not None:
        row("", mine, "rnnviz through KenLM", median(lambda: [None for _ in peer.distributions(test)], 1))
    contexts = [test[stop - 20 : stop].tobytes() for stop in range(20, 1020)]
    for name, each in (("", model), ("KenLM", peer)):
        if each is not None:
            one = median(lambda each=each: [each.distribution(context) for context in contexts])  # type: ignore[misc]
            print(f"{f'distribution at one position {name}':<48}{one:9.3f} ms")
    if peer is not None:
        ours, theirs = (each.reader().surprisal(test).astype(np.float64) for each in (model, peer))
        print(
            f"mean surprisal {ours.mean():.7f}, KenLM's {theirs.mean():.7f}; greatest difference of a symbol "
            f"{np.abs(ours - theirs).max():.1e}"
        )


def _loaded(load: Callable[[], Model]) -> tuple[Model, float, float]:
    """What was loaded, the seconds it took and the GB of memory it takes."""
    before, began = _resident(), time.perf_counter()
    model = load()
    return model, time.perf_counter() - began, (_resident() - before) / 1e9


def _resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _estimate(data: NDArray[np.uint8]) -> Estimate:
    computation = Computation(estimate(Sentence.of(data), ORDERS))
    for _ in computation:
        pass
    return computation.result


def _write(path: Path, estimated: Estimate) -> None:
    for _ in write_arpa(path, estimated, 21):
        pass


def _lmplz(directory: Path, data: NDArray[np.uint8]) -> float:
    """Seconds that KenLM's estimator takes for the model of order 21 alone, its writing included."""
    (directory / "tokens").write_text(" ".join(WORDS[byte] for byte in data.tobytes()) + "\n")
    command = ["lmplz", "-o", "21", "--discount_fallback", "-S", "4G", "-T", str(directory)]
    command += ["--text", str(directory / "tokens"), "--arpa", str(directory / "peer.arpa")]
    took = median(lambda: subprocess.run(command, check=True, capture_output=True), 1)
    (directory / "peer.arpa").unlink()
    return took


def _surprisal(model: TrieModel, data: NDArray[np.uint8]) -> None:
    """In the pieces that a capture is computed by."""
    reader = model.reader()
    for start in range(0, len(data), PIECE):
        reader.surprisal(data[start : start + PIECE])


def _full_scores(model: KenlmModel, data: NDArray[np.uint8]) -> float:
    sentence = " ".join(WORDS[byte] for byte in data.tobytes())
    scores = model.kenlm.full_scores
    return median(lambda: [log for log, _, _ in scores(sentence, bos=False, eos=False)], 1)


def _base_scores(model: KenlmModel, data: NDArray[np.uint8]) -> None:
    """Every distribution, as one would write it first."""
    state, after, spare = model.state(), model.state(), model.state()
    score = model.kenlm.BaseScore
    result = np.empty((len(data), len(model.words)), np.float32)
    for position, byte in enumerate(data.tobytes()):
        score(state, WORDS[byte], after)
        state, after = after, state
        for symbol, word in enumerate(model.words):
            result[position, symbol] = score(state, word, spare)
