"""What counts as the code of a run."""

from __future__ import annotations

from uglyduck.provenance import _files, code_fingerprint


def names(package: str) -> set[str]:
    return {path.parent.name for path in _files(package)}


def test_what_works_on_finished_runs_is_not_their_code() -> None:
    assert {"ensemble", "learners"} <= names("ensemble")
    assert not {"ablation", "tuning", "run_checks", "explanation"} & names("ensemble")
    assert "simulator" not in names("cohort")
    assert "ablation" in names("ensemble.ablation")


def test_what_is_named_itself_counts() -> None:
    assert code_fingerprint(("ensemble",)) != code_fingerprint(("ensemble", "ensemble.ablation"))
