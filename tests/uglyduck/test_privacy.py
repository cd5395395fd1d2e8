"""What a report, a model card and a log hold may be shown to others: no patient, no path of the machine.

What leaves with a bundle: tests/uglyduck/test_bundle.py.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tests.uglyduck.conftest import Command


def test_report_card_and_log_name_no_patient_and_no_path(pictured: Path, tmp_path: Path, command: Command) -> None:
    run = pictured / "run"
    said = [
        command("report", run, "--out", tmp_path / "report.html", "--picture", tmp_path / "picture.svg").stderr,
        command("card", run, "--out", tmp_path / "card.md").stderr,
        command("check", run, check=False).stdout,
        command("run", pictured / "pictured.toml", "--out", run).stderr,
    ]
    patients = pl.read_csv(pictured / "data/train-metadata.csv", columns=["patient_id"])["patient_id"].unique()
    shared = [*tmp_path.iterdir(), *run.glob("*.log")]
    texts = {path.name: path.read_text("utf-8") for path in shared}
    assert len(texts) >= 5
    for name, text in texts.items():
        assert str(pictured) not in text, name
        assert str(Path.home()) not in text, name
    for name, text in [*texts.items(), ("what was said", "\n".join(said))]:
        assert not [patient for patient in patients if patient in text], name
