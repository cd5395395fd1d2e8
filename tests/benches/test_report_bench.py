"""The report at full size: 401,059 lesions on one page that stays small."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cohort.simulator import write_folder
from tests.benches.performance import measure, record

LESIONS = 401_059
MOST_SECONDS, MOST_MB = 120.0, 1.0
# What the report costs does not depend on how the scores were made: few features, one small learner.
CONFIG = """
[data]
metadata = "data/train-metadata.csv"
truth = "data/truth.parquet"
[features]
groups = ["basic", "tbp"]
[ensemble]
learners = ["lightgbm"]
[ensemble.parameters]
lightgbm = { n_trees = 30 }
"""


@pytest.mark.bench
def test_the_report_at_full_size(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("uglyduck")
    write_folder(tmp_path / "data", LESIONS, seed=0)
    (tmp_path / "full.toml").write_text(CONFIG)
    run = tmp_path / "run"
    measure(program, "run", tmp_path / "full.toml", "--out", run)
    commands = {
        "`rank RUN`, curves included": ["rank", run, "--out", tmp_path / "ranking.csv"],
        "`report RUN`": ["report", run],
        "`card RUN`": ["card", run],
    }
    taken = {name: measure(program, *arguments) for name, arguments in commands.items()}
    megabytes = (run / "report.html").stat().st_size / 1e6
    record(
        "Report",
        f"{LESIONS:,} lesions, out of fold, 10,000 replicates; process start and reading the table included. The page "
        f"has {megabytes:.2f} MB without crops. Bounds: {MOST_SECONDS:.0f} s, {MOST_MB:g} MB.",
        ("command", "seconds", "peak GB"),
        [(name, f"{each.seconds:.1f}", f"{each.peak_gb:.2f}") for name, each in taken.items()],
    )
    assert megabytes <= MOST_MB
    assert taken["`report RUN`"].seconds <= MOST_SECONDS
