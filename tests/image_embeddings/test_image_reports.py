"""What `uglyduck images` says while it works."""

from __future__ import annotations

import logging

import pytest

from engine.console import log
from uglyduck.terminal import images as image_reports


def test_the_rate_counts_from_the_last_start(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    clock = iter([0.0, 0.0, 10.0, 100.0, 105.0])
    monkeypatch.setattr(image_reports.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(log, "propagate", True)
    with caplog.at_level(logging.INFO, "uglyduck"), image_reports.crop_progress() as tell:
        tell("score", 10, 110)
        tell("score", 110, 110)
        tell("score", 10, 110)
        tell("score", 110, 110)
    # 100 crops in 10 s, then, from a new start, 100 in 5 s.
    assert [record.getMessage() for record in caplog.records if "110 of 110" in record.getMessage()] == [
        "score  110 of 110 crops, 10 images/s",
        "score  110 of 110 crops, 20 images/s",
    ]


def test_time_left_is_said_under_way(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    clock = iter([0.0, 0.0, 40.0])
    monkeypatch.setattr(image_reports.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(log, "propagate", True)
    with caplog.at_level(logging.INFO, "uglyduck"), image_reports.crop_progress() as tell:
        tell("fold0", 0, 1000)
        tell("fold0", 200, 1000)
    assert caplog.records[-1].getMessage() == "fold0  200 of 1,000 crops, 5 images/s, 160 s left"
