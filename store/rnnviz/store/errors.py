"""Errors a person can act on.

Every error that a user's input or machine can cause derives from `RnnvizError` and carries a title, one
line that says what is wrong, and a hint that says what to do next. The command line prints the two lines, the
explorer shows them below the answer that was mistyped, or else as a dialog. Each class also derives from the built-in
that fits, so that library users can catch `FileNotFoundError` or `ValueError` without knowing this module.

    RnnvizError
    ├── InvalidRequest      ValueError          an option or argument that makes no sense (exit code 2)
    │   └── Mistake                             the same of a typed line, with the place in it that is wrong
    ├── NotFound            FileNotFoundError   a path that is not there (2)
    ├── AlreadyExists       FileExistsError     a target that would be overwritten (2)
    ├── InvalidText         ValueError          a text that is empty, too short or has unknown bytes (2)
    ├── InvalidRun          ValueError          a directory that is no run, or a damaged one (1)
    ├── InvalidCheckpoint   ValueError          another program's file that cannot be imported (1)
    ├── InvalidCapture      ValueError          a directory that is no capture, or a damaged one (1)
    ├── InvalidModels       ValueError          a directory without n-gram models, or with damaged ones (1)
    ├── StorageFailure      OSError             a full disk, a missing permission (1)
    ├── Unavailable         RuntimeError        something this machine lacks: a GPU, lmplz (1)
    └── TrainingDiverged    ArithmeticError     a loss that is no longer a number (1)
"""

from __future__ import annotations


class RnnvizError(Exception):
    """The root of every error that rnnviz raises on purpose.

    `message` is one line without a final full stop; `hint` is a sentence that says what to do next.
    """

    title = "Error"
    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class InvalidRequest(RnnvizError, ValueError):
    title = "Invalid request"
    exit_code = 2


class Mistake(InvalidRequest):
    """Something typed that has no meaning.

    `span` are the characters of `text`, (start, stop), at which it has none; `advice` says how to write it. `hint` is
    for where the line itself is not to be seen: it shows the text with a caret under the place, and the advice.
    """

    def __init__(self, message: str, text: str, span: tuple[int, int], advice: str) -> None:
        super().__init__(message, f"{text}\n{' ' * span[0]}^\n{advice}")
        self.text = text
        self.span = span
        self.advice = advice


class NotFound(RnnvizError, FileNotFoundError):
    title = "Not found"
    exit_code = 2


class AlreadyExists(RnnvizError, FileExistsError):
    title = "Already exists"
    exit_code = 2


class InvalidText(RnnvizError, ValueError):
    title = "Unusable text"
    exit_code = 2


class InvalidRun(RnnvizError, ValueError):
    title = "Unusable run"


class InvalidCheckpoint(RnnvizError, ValueError):
    title = "Unusable checkpoint"


class InvalidCapture(RnnvizError, ValueError):
    title = "Unusable capture"


class InvalidModels(RnnvizError, ValueError):
    title = "Unusable n-gram models"


class StorageFailure(RnnvizError, OSError):
    title = "Storage failure"


class Unavailable(RnnvizError, RuntimeError):
    title = "Not available"


class TrainingDiverged(RnnvizError, ArithmeticError):
    title = "Training diverged"
