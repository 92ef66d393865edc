"""How well a model predicts a part of a text: nats per symbol, with a bootstrap deviation."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from rnnviz.engine.capture.plan import MOST_TOGETHER
from rnnviz.engine.models.layer_weights import State
from rnnviz.engine.models.recurrent import MOST_ONE_HOT, RecurrentModel
from rnnviz.engine.models.step_reader import Steps
from rnnviz.engine.models.threads import Threads
from rnnviz.engine.models.window_network import Predictor
from rnnviz.engine.progress import Progress
from rnnviz.engine.symbols.byte_vocabulary import UNKNOWN, Vocabulary
from rnnviz.engine.text.segments import Source
from rnnviz.engine.text.split import PartName, Split, spans, windows
from rnnviz.engine.text.text import Text
from rnnviz.store.errors import InvalidText

WINDOW = 50
"""Steps at a time: the logits of 100 streams over 50 steps stay in cache."""

LOGITS = 1 << 22
"""Of a window, at most, where a single step has no more."""

DRAWS = 1 << 20
"""Symbols drawn at a time for a bootstrap sample, so that memory does not grow with the text."""


@dataclass(frozen=True)
class Evaluation:
    """The mean loss over `symbols` symbols, in nats, and its standard deviation."""

    loss: float
    deviation: float
    symbols: int

    @property
    def bits(self) -> float:
        """The loss in bits per symbol."""
        return self.loss / math.log(2)


def evaluate(
    model: Predictor, vocabulary: Vocabulary, text: Text, split: Split, part: PartName
) -> Generator[Progress, None, Evaluation]:
    """The loss of a model on a part of a text, as in the paper: zero state at the start of each span, carried
    to its end, dropout off. Every byte of the text must be in the vocabulary.
    """
    values = yield from losses(model, vocabulary, text, split, part)
    mean = float(values.mean(dtype=np.float64))
    return Evaluation(mean, bootstrap_deviation(values), values.size)


def losses(
    model: Predictor, vocabulary: Vocabulary, text: Text, split: Split, part: PartName
) -> Generator[Progress, None, NDArray[np.float32]]:
    """The surprisal of every symbol of a part in nats: float32 [time · streams], step by step."""
    steps = spans(text.length, split, part)[0].length
    device = model.decoder.weight.device
    values = np.empty(steps * split.streams, dtype=np.float32)
    done = 0
    training = model.training
    model.eval()
    try:
        with Threads() as threads:
            shares = 1 if device.type == "cuda" else threads.for_streams(split.streams)
            states = [part.chunk(shares, dim=1) for part in model.zero_state(split.streams)]
            state: list[State] = list(zip(*states, strict=True))
            for window in windows(text, split, part, WINDOW):
                symbols = torch.from_numpy(vocabulary.encode(window)).to(device)
                work = zip(symbols.chunk(shares, dim=1), state, strict=True)
                found = threads.map(lambda share: _window_losses(model, *share), work)
                loss = torch.cat([losses for losses, _ in found], dim=1).flatten()
                state = [after for _, after in found]
                values[done : done + len(loss)] = loss.cpu().numpy()
                done += len(loss)
                yield Progress(done, values.size)
    finally:
        model.train(training)
    return values


@torch.inference_mode()
def _window_losses(model: Predictor, symbols: Tensor, state: State) -> tuple[Tensor, State]:
    """The losses [time, batch] of symbols [time + 1, batch] from the second on, and the state after."""
    state = tuple(part.contiguous() for part in state)
    logits, after = model(symbols[:-1], state)
    loss = F.cross_entropy(logits.flatten(0, 1), symbols[1:].flatten(), reduction="none")
    return loss.view(logits.shape[:2]), after


def evaluate_source(model: Predictor, source: Source) -> Generator[Progress, None, Evaluation]:
    """The loss over segments of a text, each read from zero state, dropout off: of every symbol that something
    follows. Raises InvalidText where nothing follows any."""
    values = yield from source_losses(model, source)
    if not values.size:
        raise InvalidText("there is nothing to predict: no symbol follows another", "Give a longer text.")
    mean = float(values.mean(dtype=np.float64))
    return Evaluation(mean, bootstrap_deviation(values), values.size)


@torch.inference_mode()
def source_losses(model: Predictor, source: Source) -> Generator[Progress, None, NDArray[np.float32]]:
    """The surprisal of every symbol that came after one of the source's, in nats: float32 [symbols], in no order."""
    device = model.decoder.weight.device
    read_by_steps = device.type == "cpu" or model.symbols > MOST_ONE_HOT
    # Compiled they would save a tenth of the time, and cost every process of a sweep 110 MB.
    steps = Steps(model, compiled=False) if isinstance(model, RecurrentModel) and read_by_steps else None
    lengths = source.segments.lengths
    order = sorted(range(len(lengths)), key=lambda segment: -lengths[segment])
    found: list[NDArray[np.float32]] = []
    done, total = 0, sum(lengths)
    training = model.training
    model.eval()
    try:
        for first in range(0, len(order), MOST_TOGETHER):
            group = order[first : first + MOST_TOGETHER]
            state = model.zero_state(len(group))
            start, longest = 0, lengths[group[0]]
            while start < longest:
                group = [segment for segment in group if lengths[segment] > start]
                most = max(1, LOGITS // (len(group) * model.symbols))
                stop = min(start + min(WINDOW, most), lengths[group[-1]])
                stretch = [(segment, start, stop) for segment in group]
                symbols = np.stack([source.symbols(*place) for place in stretch], axis=1)
                targets = np.stack([source.targets(*place) for place in stretch], axis=1)
                state = tuple(part[:, : len(group)].contiguous() for part in state)
                read = torch.from_numpy(symbols).to(device)
                logits, state = steps.signals(read, state)[1:] if steps else model(read, state)
                wanted = torch.from_numpy(targets.ravel()).to(device)
                loss = F.cross_entropy(logits.flatten(0, 1), wanted, ignore_index=UNKNOWN, reduction="none")
                found.append(loss[wanted != UNKNOWN].cpu().numpy())
                done += symbols.size
                start = stop
                yield Progress(done, total)
    finally:
        model.train(training)
    return np.concatenate(found)


def bootstrap_deviation(values: NDArray[np.float32], samples: int = 100, seed: int = 0) -> float:
    """The standard deviation of the mean over `samples` bootstrap samples of the values.

    The unit drawn, with replacement, is the symbol. The paper does not name its unit, but reports deviations
    below 4e-3 for all its models. With symbols as units it is the deviation of one symbol's loss, 1.3 to 1.4
    nats for the models measured here, over the root of 330,000: 2.2e-3 to 2.5e-3. Longer units, such as lines
    or streams, would give more, because losses of neighbours are alike.
    """
    generator = np.random.default_rng(seed)
    sums = np.zeros(samples)
    for sample in range(samples):
        for start in range(0, values.size, DRAWS):
            drawn = generator.integers(0, values.size, min(DRAWS, values.size - start), dtype=np.int64)
            sums[sample] += values[drawn].sum(dtype=np.float64)
    return float(sums.std(ddof=1)) / values.size
