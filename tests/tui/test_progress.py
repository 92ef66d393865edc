from __future__ import annotations

from collections.abc import Generator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.engine.progress import Computation, Progress
from rnnviz.tui.command_line import progress_bar as shown
from rnnviz.tui.command_line.progress_bar import compact, duration, show, watch


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0"),
        (999, "999"),
        (999.7, "1K"),
        (1000, "1K"),
        (12_345, "12.3K"),
        (210_400, "210K"),
        (999_999, "1M"),
    ],
)
def test_counts_are_compact(count: float, words: str) -> None:
    assert compact(count) == words


@given(st.floats(0, 1e11))
def test_compact_counts_are_short_and_right_to_three_figures(count: float) -> None:
    words = compact(count)
    assert len(words) <= 5
    unit = {"K": 1e3, "M": 1e6, "G": 1e9}.get(words[-1], 1)
    assert float(words.rstrip("KMG")) * unit == pytest.approx(count, rel=0.0051, abs=0.5)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0:00"), (59.6, "1:00"), (3599, "59:59"), (3661, "1:01:01")]
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_without_a_terminal_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    show("reading", [Progress(done, 100) for done in range(101)])
    assert capsys.readouterr() == ("", ""), "a short computation says nothing"
    monkeypatch.setattr(shown, "PLAIN_SECONDS", 0.0)
    show("reading", [Progress(50, 100, "first"), Progress(75, 100), Progress(100, 100, "last")])
    out, err = capsys.readouterr()
    assert out == ""
    first, middle, last = err.splitlines()
    assert first == "reading 50 % · 0 symbols/s · first", "what an earlier process did is no speed"
    assert "reading 75 %" in middle
    assert " left" in middle
    assert last.endswith("0:00 left · last")


def test_a_computation_keeps_what_it_returns() -> None:
    def count() -> Generator[Progress, None, str]:
        yield Progress(1, 2)
        yield Progress(2, 2)
        return "counted"

    counting = Computation(count())
    assert [progress.done for progress in watch("counting", counting)] == [1, 2]
    assert counting.result == "counted"
