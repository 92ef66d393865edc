"""What `rnnviz train` says before it starts: how many updates an epoch has, and when they are few, what helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnviz.engine.text.split import Split


def notice(split: Split, length: int, *, chosen: bool, done: int = 0, epochs: int) -> list[str]:
    """The lines about training on a text of `length` symbols.

    `chosen` says that the program chose the mini-batches' shape for the text's size; `done` epochs of `epochs` are
    behind the run.
    """
    from rnnviz.engine.training.mini_batch import FEW_UPDATES, MEASURED, PAPER, suited

    updates = split.columns(length)["train"]
    words = (
        f"training on {updates * split.streams * split.unroll:,} symbols: {_updates(updates)} an epoch, each of "
        f"{split.streams} streams × {split.unroll} steps"
    )
    if chosen and (split.streams, split.unroll) != (PAPER.streams, PAPER.unroll):
        words += f" (for a text this small, not the paper's {PAPER.streams} × {PAPER.unroll})"
    if done:
        words += f"; {done} of {epochs} epochs are done"
    lines = [words]
    better = suited(split.shares, length)
    more = better.columns(length)["train"]
    if updates < FEW_UPDATES:
        helps = (
            f"--streams {better.streams} --unroll {better.unroll} make {more:,} an epoch"
            if more > updates
            else "a longer text or more --epochs help"
        )
        lines.append(f"{_updates(updates)} an epoch are few: {helps} ({MEASURED})")
    return lines


def _updates(count: int) -> str:
    return f"{count:,} update{'s' if count != 1 else ''}"
