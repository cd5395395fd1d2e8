"""How far work is, on a terminal and where nobody watches one."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Iterator

import pytest
from rich.console import Console

from engine import console
from engine.errors import InputError, within
from engine.progress import report, steps


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Seconds on the clock, to be set."""
    seconds = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: seconds[0])
    return seconds


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is logged."""
    monkeypatch.setattr(console.log, "propagate", True)
    caplog.set_level(logging.INFO, "uglyduck")
    return caplog


def test_a_log_line_now_and_then_says_how_far_work_is(clock: list[float], logged: pytest.LogCaptureFixture) -> None:
    with console.showing_progress():
        step = steps("drawing", 1_500)
        for clock[0] in (20.0, 40.0, 50.0, 100.0):
            step()
    assert logged.messages == ["drawing  2 of 1,500, 29,960 s left", "drawing  4 of 1,500, 37,400 s left"]


def test_the_rate_counts_from_the_last_start(clock: list[float], logged: pytest.LogCaptureFixture) -> None:
    with console.showing_progress():
        report("score", 10, 220)
        clock[0] = 50.0
        report("score", 110, 220)
        report("score", 10, 220)
        clock[0] = 100.0
        report("score", 210, 220)
    assert logged.messages == ["score  110 of 220, 2 a second, 55 s left", "score  210 of 220, 4 a second, 2 s left"]


def test_pieces_at_once_have_a_clock_each_and_a_long_one_an_end(
    clock: list[float], logged: pytest.LogCaptureFixture
) -> None:
    with console.showing_progress():
        report("fold0", 0, 100)
        clock[0] = 30.0
        report("fold1", 0, 100)
        clock[0] = 60.0
        report("fold0", 60, 100)
        report("fold1", 60, 100)
        clock[0] = 100.0
        report("fold0", 100, 100)
        report("fold2", 0, 10)
        report("fold2", 10, 10)
    assert logged.messages == [
        "fold0  60 of 100, 1 a second, 40 s left",
        "fold1  60 of 100, 2 a second, 20 s left",
        "fold0  all 100, 100 s",
    ]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _fail_after(step: Callable[[], None]) -> None:
    step()
    raise InputError("broken", remedy="mend it")


def test_a_bar_on_a_terminal_is_gone_when_work_is_done_or_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, answers = _Terminal(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(sys, "stdout", answers)
    monkeypatch.setattr(console, "errors", lambda: Console(file=screen, force_terminal=True, width=100))
    hidden, shown = "\x1b[?25l", "\x1b[?25h"  # the cursor, which a bar hides
    with console.showing_progress():
        step = steps("drawing", 2)
        step()
        sys.stdout.write("an answer\n")
        step()
        assert "drawing" in screen.getvalue()
        assert screen.getvalue().rindex(shown) > screen.getvalue().rindex(hidden)
    with pytest.raises(InputError), console.showing_progress():
        _fail_after(steps("training", 3))
    assert screen.getvalue().count(hidden) == screen.getvalue().count(shown) == 2
    assert answers.getvalue() == "an answer\n"


def test_a_larger_place_is_named_before_the_smaller_one() -> None:
    with pytest.raises(InputError, match=r"^\[folds\] seed: bad. mend it.$"), within("[folds]"):
        raise InputError("bad", where="seed", remedy="mend it")
    with pytest.raises(InputError, match=r"^\[folds\]: bad. mend it.$"), within("[folds]"):
        raise InputError("bad", remedy="mend it")
