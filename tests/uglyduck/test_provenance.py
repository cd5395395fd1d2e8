"""What counts as the code of a run."""

from __future__ import annotations

import pytest

from uglyduck.run import provenance
from uglyduck.run.provenance import _files, code_fingerprint, made_by


def names(package: str) -> set[str]:
    return {path.parent.name for path in _files(package)}


def test_what_works_on_finished_runs_is_not_their_code() -> None:
    assert {"ensemble", "learners"} <= names("ensemble")
    assert not {"ablation", "tuning", "run_checks", "explanation"} & names("ensemble")
    assert "simulator" not in names("cohort")
    assert "ablation" in names("ensemble.ablation")


def test_what_is_named_itself_counts() -> None:
    assert code_fingerprint(("ensemble",)) != code_fingerprint(("ensemble", "ensemble.ablation"))


def test_another_library_is_another_maker(monkeypatch: pytest.MonkeyPatch) -> None:
    before = made_by(("ensemble",))
    assert before != made_by(("ensemble", "ensemble.ablation"))
    monkeypatch.setattr(provenance, "version", lambda _name: "0.0.1")
    made_by.cache_clear()
    assert made_by(("ensemble",)) != before
    made_by.cache_clear()
