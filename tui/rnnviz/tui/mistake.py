"""The error of a line that was typed wrong, which knows where in the line it is wrong."""

from __future__ import annotations

from rnnviz.store.errors import InvalidRequest


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
