"""Ablation beside as many separate runs, on the default features, folds and learners."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from cohort.simulator import write_folder
from tests.benches.performance import Measured, measure, record

pytestmark = pytest.mark.bench
#: Tried of the default features; each costs about as much as a whole run.
GROUPS = ("patient.rank", "context.counts", "engineered.formulas")
WANTED = 20
FULL = 401_059
#: At full size; a run of few lesions takes hardly longer than its start.
LEAST_TIMES_FASTER = 3.0
MOST_GB = 6.0


@pytest.mark.parametrize("lesions", [20_000, FULL])
def test_beside_separate_runs(lesions: int, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("uglyduck")
    write_folder(tmp_path / "data", lesions, seed=0, test_lesions=100)
    (tmp_path / "run.toml").write_text('[data]\nmetadata = "data/train-metadata.csv"\n')
    run = measure(program, "run", tmp_path / "run.toml", "--out", tmp_path / "run")
    ablate = (program, "ablate", tmp_path / "run", "--groups", ",".join(GROUPS), "--leave-out")
    quick = measure(*ablate, "--quick", "--out", "quick")
    same = measure(*ablate, "--out", "same")
    ways = {"--quick": quick, "the run's own models": same}
    counts = json.loads((tmp_path / "run/ablation/same/ablation.json").read_text())
    variants = len(GROUPS) + 1
    record(
        f"Ablation, {lesions:,} lesions",
        f"{counts['baseline']['features']} features, 5 folds × 3 learners × 1 seed. One `uglyduck run` took"
        f" {run.seconds:.0f} s. `uglyduck ablate --leave-out` of {len(GROUPS)} groups trains {variants} variants, all"
        f" features among them; from it the time of {WANTED} groups (that is {WANTED + 1} variants), beside that of"
        f" {WANTED} separate runs. Bound: {LEAST_TIMES_FASTER:g} times faster with `--quick` on {FULL:,} lesions.",
        ["models", f"seconds, {len(GROUPS)} groups", f"{WANTED} groups, times faster than runs", "peak GB"],
        [[name, f"{way.seconds:.0f}", f"{_faster(run, way):.1f}", f"{way.peak_gb:.2f}"] for name, way in ways.items()],
    )
    assert counts["baseline_is_the_run"]
    assert max(way.peak_gb for way in ways.values()) <= MOST_GB
    assert _faster(run, same) > 1
    assert lesions < FULL or _faster(run, quick) >= LEAST_TIMES_FASTER


def _faster(run: Measured, ablation: Measured) -> float:
    """Separate runs over ablation, for the wanted number of groups; fixed costs count as if each variant had them."""
    return WANTED * run.seconds / (ablation.seconds * (WANTED + 1) / (len(GROUPS) + 1))
