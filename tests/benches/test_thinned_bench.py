"""What models learned from whole patients, and from a draw of their lesions, are worth on tables of either kind.

What a cohort gave is kept in the folder that the environment variable UGLYDUCK_THINNED names: all of them take half an
hour, and one that is there is not done again.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean

import polars as pl
import pytest

from cohort.simulator import write_folder
from cv_folds.formats import difference
from cv_folds.metrics.partial_auc import partial_auc
from engine.files import write_json
from tests.benches.performance import over_cohorts, record

pytestmark = pytest.mark.bench
DOCUMENT = Path(__file__).parents[2] / "docs" / "thinned-tables.md"
HEAD = """# Tables that hold few of a patient's lesions

Written by `make bench` (tests/benches/test_thinned_bench.py). When to set `[data] benign_share`, and what was tried:
[tuning](tuning.md#tables-that-hold-few-of-a-patients-lesions).
"""
COHORTS, FULL, FRESH, SHARE = (31, 32, 33, 34, 35), 401_059, 100_000, 0.0095
WHOLE, THINNED = "every lesion", f"every malignant one, {SHARE} of the benign"
TABLES = ("whole patients", "a share of their lesions", "real rows")


def test_thinned(real_data: Path, tmp_path: Path) -> None:
    kept = Path(os.environ.get("UGLYDUCK_THINNED", tmp_path))
    real = real_data / "slice3d" / "train-metadata.csv"
    record_thinned([one_cohort(seed, kept / f"{seed}.json", tmp_path / str(seed), real) for seed in COHORTS])


def one_cohort(seed: int, kept: Path, folder: Path, real: Path) -> dict[str, list[float]]:
    """By what was trained on, the pAUC on each of `TABLES`; read where it is there already."""
    if kept.exists():
        return dict(json.loads(kept.read_text("utf-8")))
    write_folder(folder, FULL, seed=seed, test_lesions=FRESH)
    tables = fresh_tables(folder, real)
    found = {name: reached(folder, number, tables) for number, name in enumerate((WHOLE, THINNED))}
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_json(found, kept)
    shutil.rmtree(folder)
    return found


def fresh_tables(folder: Path, real: Path) -> list[tuple[Path, pl.DataFrame]]:
    """Each of `TABLES`, and the labels of its lesions."""
    known = pl.read_parquet(folder / "test-truth.parquet", columns=["isic_id", "target"])
    benign = known.filter(pl.col("target") == 0).sample(fraction=SHARE, seed=0)
    some = pl.concat([known.filter(pl.col("target") == 1), benign])
    whole = folder / "test-metadata.csv"
    thinned = folder / "thinned.csv"
    text = pl.read_csv(whole, infer_schema=False)
    text.join(some, on="isic_id", how="semi", maintain_order="left").write_csv(thinned)
    labels = pl.read_csv(real, columns=["isic_id", "target"])
    return [(whole, known), (thinned, some), (real, labels)]


def reached(folder: Path, number: int, tables: Sequence[tuple[Path, pl.DataFrame]]) -> list[float]:
    """Train a run, score each table, and return the pAUC on each."""
    program, run = Path(sys.executable).with_name("uglyduck"), folder / f"run{number}"
    more = f"benign_share = {SHARE}\n" if number else ""
    run.with_suffix(".toml").write_text(f'[data]\nmetadata = "{folder}/train-metadata.csv"\n{more}')
    subprocess.run([program, "run", run.with_suffix(".toml"), "--out", run], check=True)
    found = []
    for table, labels in tables:
        out = folder / "scores.csv"
        subprocess.run([program, "predict", run, "--metadata", table, "--out", out], check=True)
        scored = labels.join(pl.read_csv(out), on="isic_id", suffix="_score", validate="1:1")
        found.append(partial_auc(scored["target"].to_numpy(), scored["target_score"].to_numpy()))
    return found


def record_thinned(cohorts: Sequence[Mapping[str, Sequence[float]]]) -> None:
    """Write the mean pAUC over cohorts, of simulated and of real tables."""
    cells, gains = [], []
    for place in range(len(TABLES)):
        whole, thinned = ([one[name][place] for one in cohorts] for name in (WHOLE, THINNED))
        gains.append(over_cohorts([second - first for first, second in zip(whole, thinned, strict=True)]))
        cells.append([f"{mean(whole):.4f}", f"{mean(thinned):.4f}", difference(gains[-1])])
    trained = (
        f"Trained on *simulated* cohorts of {FULL:,} lesions (`uglyduck simulate`, seeds {COHORTS[0]} to {COHORTS[-1]}"
        "); mean pAUC, Student's interval over cohorts."
    )
    about = {
        "Simulated tables": f"{trained} {FRESH:,} fresh lesions of each cohort's own test table (*simulated*), whole"
        f" and with {SHARE} of its benign lesions.",
        "Real rows": f"{trained} 4,041 *real* rows of 622 patients, some 6 a patient, which no model saw. They are"
        " the same each time: what other patients would change is not in the interval.",
    }
    for section, places in (("Simulated tables", (0, 1)), ("Real rows", (2,))):
        record(
            section,
            about[section],
            ["trained on", *(TABLES[place] for place in places)],
            [
                [name, *(cells[place][row] for place in places)]
                for row, name in enumerate((WHOLE, THINNED, "difference"))
            ],
            document=DOCUMENT,
            head=HEAD,
        )
    assert gains[1]["low"] > 0
    assert float(cells[2][1]) > 0.14
