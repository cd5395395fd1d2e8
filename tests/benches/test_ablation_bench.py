"""Ablation of 20 groups next to as many separate runs, with the default folds and learners."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from cohort.simulator import write_folder
from tests.benches.performance import Measured, measure, record

pytestmark = pytest.mark.bench
#: The default features have 14 groups and parts; these have 20.
FEATURES = (
    *("basic", "tbp", "engineered", "context"),
    *("patient.z", "patient.rank", "patient.ratio"),
    *("neighbours.lof", "neighbours.mahalanobis"),
)
GROUPS = (
    "basic",
    "tbp",
    *("engineered", "engineered.formulas", "engineered.redundant"),
    *("patient", "patient.z", "patient.rank", "patient.ratio"),
    *("context", "context.area", "context.counts", "context.lesion", "context.patient"),
    *("context.skin", "context.spread", "context.visits"),
    *("neighbours", "neighbours.lof", "neighbours.mahalanobis"),
)
FULL = 401_059
#: At full size; a run of few lesions takes hardly longer than its start.
LEAST_TIMES_FASTER = 3.0
MOST_GB = 6.0


@pytest.mark.parametrize("lesions", [20_000, FULL])
def test_beside_separate_runs(lesions: int, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("uglyduck")
    write_folder(tmp_path / "data", lesions, seed=0, test_lesions=100)
    chosen = json.dumps(FEATURES)
    (tmp_path / "run.toml").write_text(f'[data]\nmetadata = "data/train-metadata.csv"\n[features]\ngroups = {chosen}\n')
    run = measure(program, "run", tmp_path / "run.toml", "--out", tmp_path / "run")
    ablate = (program, "ablate", tmp_path / "run", "--groups", ",".join(GROUPS), "--leave-out")
    ways = {
        "the run's own": measure(*ablate, "--out", "same"),
        "--quick": measure(*ablate, "--quick", "--out", "quick"),
    }
    report = json.loads((tmp_path / "run/ablation/same/ablation.json").read_text())
    record(
        f"Ablation, {lesions:,} lesions",
        f"{report['baseline']['features']} features (chosen to have {len(GROUPS)} groups and parts), 5 folds × 3"
        f" learners × 1 seed. `uglyduck ablate --leave-out` of each, against {len(GROUPS)} times the"
        f" {run.seconds:.0f} s of one `uglyduck run`. Bound: {LEAST_TIMES_FASTER:g} times faster on {FULL:,} lesions.",
        ["models", "seconds", "times faster than runs", "peak GB"],
        [[name, f"{way.seconds:.0f}", f"{_faster(run, way):.1f}", f"{way.peak_gb:.2f}"] for name, way in ways.items()],
    )
    assert len(report["rows"]) == len(GROUPS)
    assert report["baseline_is_the_run"]
    shutil.rmtree(tmp_path / "run/results")
    measure(program, "ablate", tmp_path / "run", "--groups", "basic", "--leave-out", "--out", "trained")
    trained = json.loads((tmp_path / "run/ablation/trained/ablation.json").read_text())
    assert trained["baseline_is_the_run"]
    assert max(way.peak_gb for way in ways.values()) <= MOST_GB
    assert lesions < FULL or min(_faster(run, way) for way in ways.values()) >= LEAST_TIMES_FASTER


def _faster(run: Measured, ablation: Measured) -> float:
    return len(GROUPS) * run.seconds / ablation.seconds
