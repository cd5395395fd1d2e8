"""How far work is, where nobody watches a terminal."""

from __future__ import annotations

import logging

import pytest

from engine import console
from engine.errors import InputError, within


def test_a_log_line_now_and_then_says_how_far_work_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "uglyduck")
    monkeypatch.setattr(console, "EVERY", 0.0)
    with console.progress("drawing", 1_500) as step:
        step()
        monkeypatch.setattr(console, "EVERY", 1e9)
        step()
    (line,) = caplog.messages
    assert line.startswith("drawing  1 of 1,500, ")
    assert line.endswith(" s left")


def test_a_larger_place_is_named_before_the_smaller_one() -> None:
    with pytest.raises(InputError, match=r"^\[folds\] seed: bad. mend it.$"), within("[folds]"):
        raise InputError("bad", where="seed", remedy="mend it")
    with pytest.raises(InputError, match=r"^\[folds\]: bad. mend it.$"), within("[folds]"):
        raise InputError("bad", remedy="mend it")
