"""Keys that go to places of the text by number and note, and mark them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import ClassVar

from textual.binding import BindingType

from rnnviz.store.errors import InvalidRequest
from rnnviz.tui.screens.base.keys import key
from rnnviz.tui.screens.base.number_prefix import Numbered
from rnnviz.tui.screens.text.bookmarks_dialog import MarksScreen
from rnnviz.tui.view.address import address_of, outside, view_at
from rnnviz.tui.view.user_state import Mark, read_marks, write_marks
from rnnviz.tui.widgets.prompt import Question


class Marking(Numbered):
    GROUP = "Places"
    BINDINGS: ClassVar[list[BindingType]] = [
        key(
            "number_sign",
            "ask_place",
            "go to",
            "Go to an offset, a line (l120), a segment (s3) or a share (50%)",
            show=True,
        ),
        key("m", "ask_mark", "mark", "Mark this place, with a note", show=True),
        key("M", "marks", "marks", "The list of marks"),
    ]

    def action_ask_place(self) -> None:
        self.put_question(self._place_asked, "")

    @property
    def _place_asked(self) -> Question:
        return Question("go to offset, l120 line, s3 segment, 50%:", self._go_to_place)

    def _go_to_place(self, answer: str) -> None:
        match = re.fullmatch(r"\s*(l|line|s|segment|)\s*([0-9][0-9,_]{0,20})\s*(%?)\s*", answer.lower())
        if match is None or (match[1] and match[3]):
            raise InvalidRequest(
                f"{answer!r} is no place", "Write 4000, l120 for a line, s3 for a segment, or 50%."
            )
        number = int(re.sub("[,_]", "", match[2]))
        length = self.capture.captured
        if match[3]:
            self.go_to_share(number)
        elif match[1][:1] == "l":
            self.go_to_line(number, lambda error: self.ask_again(self._place_asked, answer, error))
        elif match[1]:
            starts = self.capture.segments[:, 0]
            if not 1 <= number <= len(starts) or starts[number - 1] >= length:
                raise InvalidRequest(
                    f"there is no segment {number:,}", f"They count from 1 to {len(starts):,}."
                )
            self.go_to(int(starts[number - 1]))
        elif number >= length:
            raise outside(f"offset {number:,}", number, self.capture)
        else:
            self.go_to(number)

    def action_ask_mark(self) -> None:
        here = next((mark.note for mark in self._marks() if mark.symbol == self.view.cursor), "")
        self.ask("note for this place", here or f"{self.view.cell} ", self._mark, kept=bool(here))

    def _marks(self) -> list[Mark]:
        try:
            return read_marks(self.capture.path)
        except InvalidRequest as error:
            self.report(error)
            return []

    def _mark(self, note: str) -> None:
        marks = [mark for mark in read_marks(self.capture.path) if mark.symbol != self.view.cursor]
        marks.append(Mark(self.view.cursor, address_of(self.view), note.strip()))
        kept = write_marks(self.capture.path, sorted(marks, key=lambda mark: mark.symbol))
        where = kept.name if kept.parent == self.capture.path.resolve().parent else kept
        self.say(f"marked, in {where}", about=lambda: self.view.cursor)

    def action_marks(self) -> None:
        marks = self._marks()
        if not marks:
            self.say("no marks yet: m marks a place")
            return

        def back(result: tuple[list[Mark], Mark | None] | None) -> None:
            left, chosen = result if result is not None else (marks, None)
            try:
                if len(left) < len(before):
                    write_marks(self.capture.path, left)
                if chosen is not None:
                    view = view_at(chosen.view, self.capture)
                    self.look(replace(view, top=self.view.top, cursor=self.view.cursor))
                    self.go_to(min(chosen.symbol, self.capture.captured - 1))
            except InvalidRequest as error:
                self.report(error)

        before = list(marks)
        self.app.push_screen(MarksScreen(marks), back)
