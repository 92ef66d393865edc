"""What a typed page was before: steps back, and on again."""

from __future__ import annotations

from typing import Final

from rnnviz.tui.playground.document import Page

MOST_BYTES: Final = 16 << 20
"""Of all pages that are remembered; the oldest go first."""


class History:
    """The pages before this one and, after steps back, those after it.

    A page is a step unless the next key goes on in its word: so a word that is typed is one step, and so is each word
    that a model writes, anything pasted and anything taken away.
    """

    def __init__(self) -> None:
        self._before: list[Page] = []
        self._after: list[Page] = []
        self._size = 0
        self._end: int | None = None
        """Where the last change typed something; None where it did something else."""

    def change(self, old: Page, new: Page) -> None:
        """Remember that a page becomes another one. A cursor that moves is no change of the text, but ends a word."""
        if old.text == new.text:
            self._end = None if new.cursor != old.cursor else self._end
            return
        typed = new.text[old.cursor : new.cursor]
        is_typed = old.typed(typed) == new and len(typed.decode(errors="replace")) == 1
        if not (is_typed and self._end == old.cursor and not typed.isspace()):
            self._before.append(old)
            self._size += len(old.text)
        self._end = new.cursor if is_typed and not typed.isspace() else None
        self._after.clear()
        while self._size > MOST_BYTES and len(self._before) > 1:
            self._size -= len(self._before.pop(0).text)

    def back(self, page: Page) -> Page:
        """The page before this one; this one where there is none."""
        if not self._before:
            return page
        self._end = None
        self._after.append(page)
        found = self._before.pop()
        self._size -= len(found.text)
        return found

    def on(self, page: Page) -> Page:
        """The page that `back` came from; this one where it did not."""
        if not self._after:
            return page
        self._before.append(page)
        self._size += len(page.text)
        return self._after.pop()
