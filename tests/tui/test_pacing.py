"""One frame at a time to a terminal that answers; no waiting for one that does not."""

from __future__ import annotations

from rnnviz.tui.terminal.frame_pacing import PATIENCE, Pace


def test_a_terminal_that_answers_gets_the_next_frame_when_it_has_shown_the_last() -> None:
    pace = Pace()
    assert pace.free(0.0)
    pace.sent(0.0)
    pace.answered()
    assert pace.free(0.1)
    pace.sent(0.1)
    assert pace.waiting
    assert not pace.free(0.2)
    pace.answered()
    assert pace.free(0.3)
    assert not pace.waiting


def test_a_terminal_that_never_answers_is_never_waited_for() -> None:
    pace = Pace()
    for frame in range(100):
        assert pace.free(frame * 0.01)
        pace.sent(frame * 0.01)


def test_a_terminal_that_stops_answering_holds_the_screen_only_so_long() -> None:
    pace = Pace()
    pace.sent(0.0)
    pace.answered()
    pace.sent(1.0)
    assert not pace.free(1.0 + PATIENCE / 2)
    assert pace.free(1.0 + PATIENCE)
    pace.sent(1.0 + PATIENCE)
    assert pace.free(1.1 + PATIENCE)  # it is not waited for until it answers again
    pace.answered()
    pace.sent(2.0 + PATIENCE)
    assert not pace.free(2.1 + PATIENCE)


def test_answers_nobody_asked_for_do_no_harm() -> None:
    pace = Pace()
    for _ in range(3):
        pace.answered()
    pace.sent(0.0)
    assert not pace.free(0.1)
