"""Sizes beyond a competition's, and odd shapes: memory stays bounded, and time grows no faster than the rows."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cohort.simulator import simulate
from tests.benches.performance import Measured, measure, record

pytestmark = pytest.mark.bench
PROGRAM = Path(sys.executable).with_name("uglyduck")
#: `UGLYDUCK_LOAD_SHARE` sets smaller sizes, to try the benches out; bounds on memory hold for the whole only.
SHARE = float(os.environ.get("UGLYDUCK_LOAD_SHARE", "1"))
SCORED, RANKED, OF_ONE, PATIENTS = (int(SHARE * full) for full in (5_000_000, 2_000_000, 100_000, 400_000))
COLUMNS, WIDE_ROWS = 1_000, int(SHARE * 50_000)
MOST_GB = 4.0
STEPS = 4
MOST_GROWTH = 1.25
"""How many times its share of rows a step may take, for a quarter of the rows to all of them."""
HEADER = ("what", "rows", "seconds", "peak GB", "seconds a million rows")
# What is measured does not depend on how good the models are.
_FEW_TREES = """
[data]
metadata = "train.parquet"
[folds]
n_folds = 2
[features]
groups = {groups}
[ensemble]
learners = ["lightgbm"]
[ensemble.parameters]
lightgbm = {{ n_trees = 30 }}
[metrics]
replicates = 1000
"""
_GROUPS = '["basic", "tbp", "patient.z", "context"]'
_BUILD = """
import sys
import polars as pl
from features import build, fit
frame = pl.read_parquet(sys.argv[1])
build(frame, sys.argv[2:], state=fit(frame))
"""


def tiled(lesions: int, *, seed: int = 0, part: str = "train") -> pl.DataFrame:
    """A simulated table of so many lesions, put together from copies of one with other patients in each."""
    base = simulate(min(lesions, 200_000), seed=seed, part="test" if part == "test" else "train").metadata
    ids = ("isic_id", "patient_id", "lesion_id")
    copies = [
        base.with_columns(pl.col([name for name in ids if name in base.columns]) + f"c{copy}")
        for copy in range(-(-lesions // base.height))
    ]
    return pl.concat(copies).head(lesions)


def trained(folder: Path, table: pl.DataFrame) -> tuple[Path, Measured]:
    """A run of few trees."""
    table.write_parquet(folder / "train.parquet")
    (folder / "load.toml").write_text(_FEW_TREES.format(groups=_GROUPS), "utf-8")
    return folder / "run", measure(PROGRAM, "run", folder / "load.toml", "--out", folder / "run")


def row(what: str, rows: int, taken: Measured) -> Sequence[str]:
    return (what, f"{rows:,}", f"{taken.seconds:.1f}", f"{taken.peak_gb:.2f}", f"{taken.seconds * 1e6 / rows:.1f}")


def grows_with_rows(quarter: Measured, whole: Measured) -> bool:
    return whole.seconds <= STEPS * MOST_GROWTH * quarter.seconds


def test_five_million_lesions_are_scored_within_four_gigabytes(tmp_path: Path) -> None:
    run, _ = trained(tmp_path, tiled(max(4_000, int(SHARE * 50_000))))
    taken = {}
    for rows in (SCORED // STEPS, SCORED):
        tiled(rows, seed=1, part="test").write_parquet(tmp_path / "new.parquet")
        call = (PROGRAM, "predict", run, "--metadata", tmp_path / "new.parquet", "--out", tmp_path / "submission.csv")
        taken[rows] = measure(*call)
        with (tmp_path / "submission.csv").open() as lines:
            assert sum(1 for _ in lines) == rows + 1
    record(
        "Load: `predict`",
        f"A Parquet table, {_GROUPS}, 2 models. Bound: {MOST_GB:g} GB.",
        HEADER,
        [row("`predict RUN`", rows, each) for rows, each in taken.items()],
    )
    assert SHARE < 1 or taken[SCORED].peak_gb <= MOST_GB
    assert grows_with_rows(taken[SCORED // STEPS], taken[SCORED])


def test_two_million_lesions_are_ranked_and_reported(tmp_path: Path) -> None:
    rows, taken = [], {}
    for lesions in (RANKED // STEPS, RANKED):
        (folder := tmp_path / f"{lesions}").mkdir()
        run, training = trained(folder, tiled(lesions))
        taken[lesions] = {
            "`run`": training,
            "`rank RUN`": measure(PROGRAM, "rank", run, "--out", folder / "ranking.csv"),
            "`report RUN`": measure(PROGRAM, "report", run),
        }
        rows += [row(what, lesions, each) for what, each in taken[lesions].items()]
    record("Load: `rank` and `report`", f"{_GROUPS}, 30 trees, 1,000 replicates.", HEADER, rows)
    quarter, whole = taken.values()
    assert all(grows_with_rows(quarter[what], whole[what]) for what in whole)


@pytest.mark.parametrize("groups", [("patient", "context"), ("neighbours",)], ids=["linear", "neighbours"])
def test_a_patient_with_a_hundred_thousand_lesions(groups: tuple[str, ...], tmp_path: Path) -> None:
    rows = []
    for lesions in (OF_ONE // STEPS, OF_ONE):
        frame = tiled(lesions).with_columns(pl.lit("IP_0000001").alias("patient_id")).sort("patient_id", "isic_id")
        frame.write_parquet(tmp_path / "one.parquet")
        taken = measure(sys.executable, "-c", _BUILD, tmp_path / "one.parquet", *groups)
        rows.append(row(", ".join(groups), lesions, taken))
        assert taken.peak_gb <= MOST_GB
    square = (
        "Neighbours are looked for among all pairs of a patient's lesions: time grows with the square, memory does not."
    )
    note = square if "neighbours" in groups else f"Bound: {MOST_GB:g} GB."
    record(f"Load: all lesions of one patient, {', '.join(groups)}", note, HEADER, rows)


def test_a_thousand_columns_and_patients_with_one_lesion_each(tmp_path: Path) -> None:
    rng, rows = np.random.default_rng(0), []
    (wide := tmp_path / "wide").mkdir()
    more = {f"measure_{place}": rng.normal(size=WIDE_ROWS).astype(np.float32) for place in range(COLUMNS)}
    _, taken = trained(wide, tiled(WIDE_ROWS).with_columns(**more))
    rows.append(row(f"`run`, {COLUMNS:,} columns more than are read", WIDE_ROWS, taken))
    (alone := tmp_path / "alone").mkdir()
    table = tiled(PATIENTS).with_row_index("row").with_columns(patient_id=pl.format("IP_{}", "row")).drop("row")
    run, taken = trained(alone, table)
    rows.append(row("`run`, a patient for each lesion", PATIENTS, taken))
    rows.append(
        row("`rank`, a patient for each lesion", PATIENTS, measure(PROGRAM, "rank", run, "--out", alone / "r.csv"))
    )
    record("Load: odd shapes", f"{_GROUPS}, 30 trees, 1,000 replicates.", HEADER, rows)
    assert all(float(each[3]) <= MOST_GB for each in rows)
