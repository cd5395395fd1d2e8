"""The feature stage at full size, each measurement in a process of its own so that its peak memory is its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from cohort.simulator import simulate
from features import fit
from tests.benches.performance import Measured, measure, record

pytestmark = pytest.mark.bench
LESIONS = 401_059
COPIES = (1, 5, 25)
WIDE = ("basic", "tbp", "engineered", "patient", "location", "context", "neighbours.lof")
OUT_OF_CORE = ("basic", "tbp", "engineered.formulas", "patient", "context", "image")
WIDTH = 64
"""Numbers of an embedding."""
LEAST_COLUMNS = 650
MOST_SECONDS, MOST_GB = 15.0, 1.5
MOST_LOF_SECONDS = 4.0
MOST_GB_OUT_OF_CORE = 4.0
SECOND_PLACE = (275.0, 13.5)
"""Seconds and 10⁹ bytes of the second-place solution's 654 columns on the same shape."""
FIRST_PLACE_LOF = 71.0
"""Seconds of the first-place solution's local outlier factor on the same shape."""
_STAGE = """
import json, sys
from pathlib import Path
from features import FeatureState, run_stage
source, out, state, images, *groups = sys.argv[1:]
known = FeatureState.from_dict(json.loads(Path(state).read_text())) if state else None
stored = Path(out).with_suffix(".json")
images = Path(images) if images else None
run_stage(Path(source), groups, out=Path(out), dictionary=stored, state=known, images=images)
"""
_LOF = """
import json, sys, time
from pathlib import Path
import polars as pl
from features import FeatureState, build
frame = pl.read_parquet(sys.argv[1])
state = FeatureState.from_dict(json.loads(Path(sys.argv[2]).read_text()))
start = time.perf_counter()
build(frame, ["neighbours.lof"], state=state)
print(time.perf_counter() - start)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated cohort of the published size as canonical Parquet, and the constants fitted on it."""
    out = tmp_path_factory.mktemp("features")
    frame = simulate(LESIONS, seed=0).metadata.sort("patient_id", "isic_id")
    frame.write_parquet(out / "cohort.parquet", row_group_size=65_536)
    out.joinpath("state.json").write_text(json.dumps(fit(frame).as_dict()), "utf-8")
    return out


def built(folder: Path, groups: tuple[str, ...], repeats: int) -> tuple[Measured, int]:
    """The best of some runs in fresh processes with the constants given, and how many features were written."""
    out, state = folder / "out.parquet", folder / "state.json"
    command = (sys.executable, "-c", _STAGE, folder / "cohort.parquet", out, state, "", *groups)
    runs = [measure(*command) for _ in range(repeats)]
    return min(runs, key=lambda run: run.seconds), _written(out)


def fitted_and_built(folder: Path, copies: int, groups: tuple[str, ...]) -> tuple[Measured, int]:
    """One run in a fresh process that fits the constants and joins an image table too, and how many features."""
    out, images = folder / "out.parquet", folder / f"{copies}-images.parquet"
    run = measure(sys.executable, "-c", _STAGE, folder / f"{copies}.parquet", out, "", images, *groups)
    return run, _written(out)


def _written(out: Path) -> int:
    columns = len(pq.read_schema(out).names) - 1
    out.unlink()
    return columns


def multiply(folder: Path, copies: int) -> None:
    """Write a cohort of `copies` times the lesions, every copy of other patients, and an image table of it."""
    table = pl.read_parquet(folder / "cohort.parquet")
    rng = np.random.default_rng(0)
    embedding = pl.Series(rng.normal(size=(table.height, WIDTH)).astype(np.float32))
    images = pl.DataFrame({"score": rng.random(table.height), "embedding": embedding})
    with (
        _writer(folder / f"{copies}.parquet", table) as lesions,
        _writer(folder / f"{copies}-images.parquet", images.with_columns(table["isic_id"])) as scores,
    ):
        for copy in range(copies):
            renamed = table.with_columns(
                pl.format("{}_{}", pl.lit(f"{copy:02d}"), "isic_id").alias("isic_id"),
                pl.format("{}_{}", pl.lit(f"{copy:02d}"), "patient_id").alias("patient_id"),
            )
            lesions.write_table(renamed.to_arrow(), row_group_size=65_536)
            scores.write_table(images.with_columns(renamed["isic_id"]).to_arrow(), row_group_size=65_536)


def _writer(path: Path, like: pl.DataFrame) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, like.to_arrow().schema)


def test_full_size(folder: Path) -> None:
    wide, columns = built(folder, WIDE, repeats=3)
    groups = ("basic", "tbp", "engineered", "patient", "site", "region", "location", "tile", "context", "neighbours")
    whole, every = built(folder, (*groups, "hospital"), repeats=2)
    command = (sys.executable, "-c", _LOF, str(folder / "cohort.parquet"), str(folder / "state.json"))
    factor = min(float(subprocess.check_output(command)) for _ in range(3))
    seconds, memory = SECOND_PLACE
    record(
        "Features",
        f"{LESIONS:,} lesions of 1,042 patients, Parquet to Parquet in a fresh process on 2 threads; process start, "
        f"reading and writing included. Reference: the second-place solution's 654 columns, {seconds:.0f} s and "
        f"{memory} GB; the first-place solution's local outlier factor, {FIRST_PLACE_LOF:.0f} s (each on the same "
        f"shape). Bounds: {LEAST_COLUMNS} columns in {MOST_SECONDS:.0f} s and {MOST_GB} GB; local outlier factor in "
        f"{MOST_LOF_SECONDS:.0f} s.",
        ["what", "columns", "seconds", "peak GB", "reference seconds / ours", "reference GB / ours"],
        [
            _row(", ".join(WIDE), columns, wide, seconds / wide.seconds, memory / wide.peak_gb),
            _row("every group", every, whole, seconds / whole.seconds, memory / whole.peak_gb),
            ["local outlier factor, in memory", "3", f"{factor:.1f}", "", f"{FIRST_PLACE_LOF / factor:.0f}", ""],
        ],
    )
    assert columns >= LEAST_COLUMNS
    assert wide.seconds <= MOST_SECONDS
    assert wide.peak_gb <= MOST_GB
    assert factor <= MOST_LOF_SECONDS


def _row(what: str, columns: int, run: Measured, faster: float, smaller: float) -> list[str]:
    return [what, f"{columns}", f"{run.seconds:.1f}", f"{run.peak_gb:.2f}", f"{faster:.0f}", f"{smaller:.0f}"]


def test_out_of_core(folder: Path) -> None:
    rows, per_million = [], []
    for copies in COPIES:
        multiply(folder, copies)
        run, columns = fitted_and_built(folder, copies, OUT_OF_CORE)
        lesions = copies * LESIONS
        per_million.append(run.seconds / lesions * 1e6)
        rows.append(
            [f"{lesions:,}", f"{columns}", f"{run.seconds:.0f}", f"{per_million[-1]:.1f}", f"{run.peak_gb:.2f}"]
        )
        assert run.peak_gb <= MOST_GB_OUT_OF_CORE
    record(
        "Features out of core",
        "The same cohort several times over, every copy of other patients; the whole feature stage in a fresh process "
        f"on 2 threads: constants fitted, an image table with a score and embeddings of {WIDTH} numbers joined. "
        f"Bound: {MOST_GB_OUT_OF_CORE:.0f} GB.",
        ["lesions", "columns", "seconds", "seconds per million", "peak GB"],
        rows,
    )
    assert per_million[-1] <= 1.5 * per_million[0]
