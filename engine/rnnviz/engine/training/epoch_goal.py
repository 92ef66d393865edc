"""How many epochs a run is to have, when that is changed after it began."""

from __future__ import annotations

from dataclasses import replace

from rnnviz.engine.runs.checkpoint import load_checkpoint
from rnnviz.engine.runs.run import CHECKPOINT_FILE, Run
from rnnviz.engine.text.text import Text
from rnnviz.engine.training.train import refuse_other_text
from rnnviz.store.disk import DirectoryLock
from rnnviz.store.errors import InvalidRequest, InvalidRun


def change_epochs(run: Run, text: Text, epochs: int, *, command: str) -> Run:
    """Write down that a run is to have `epochs` epochs, made again by `command`; `train` then goes on to there.

    The learning rate of an epoch depends on its number alone, so the run comes to the same bits as one that was begun
    with this number of epochs. A run that was complete is so no longer, and has no test loss, until it is trained on.

    Raises InvalidText when `text` is not the run's; InvalidRequest for fewer epochs than are behind the run, for an
    imported model, and while another process trains the run; InvalidRun where its checkpoint is damaged or gone, as
    it is in the finished runs of a sweep and of versions that did not keep it. The run is then as it was.
    """
    refuse_other_text(run, text)
    done = len(run.history)
    if epochs < done:
        raise InvalidRequest(
            f"--epochs {epochs} is less than the {done} epochs that {run.path} has behind it",
            f"Give --epochs {done} or more.",
        )
    changed = replace(
        run, config=replace(run.config, epochs=epochs), command=command, test=None, complete=False
    )
    lock = DirectoryLock(run.path)
    try:
        if run.complete and not (run.path / CHECKPOINT_FILE).is_file():
            raise InvalidRun(
                f"{run.path} cannot go on beyond its {done} epochs: it has no {CHECKPOINT_FILE}, which runs of a "
                "sweep and of older versions do not keep",
                f"Train it from the start with --force; its command is in `rnnviz info {run.path}`.",
            )
        load_checkpoint(run)
        changed.save()
    finally:
        lock.release()
    return changed
